from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.cli.watch import Watch
from edgescript.text.source import Source


def test_a_file_that_cannot_be_looked_at_for_a_while_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Edgefile"
    file.write_text(":80 {\n}\n")
    watch = Watch(Source(str(file), ""))

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", refused)
        assert watch._look() is None
    assert watch._look() is not None
