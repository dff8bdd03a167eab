from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from edgescript.cli import edgefile
from edgescript.cli.watch import Watch, _look
from edgescript.graph.model import Graph
from edgescript.runtime import compose
from edgescript.text.source import Source


def test_a_file_that_cannot_be_looked_at_for_a_while_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Edgefile"
    file.write_text(":80 {\n}\n")

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", refused)
        assert _look(str(file)) is None
    assert _look(str(file)) is not None


def test_a_change_while_the_file_is_being_compiled_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Result]
) -> None:
    file = tmp_path / "Edgefile"
    file.write_text(":0 {\n}\n")
    usable, followed = edgefile.usable, []

    def slowly(source: Source, *, read: Callable[[str], bytes]) -> Graph:
        file.write_text(":0 {\n    respond 200\n}\n")
        return usable(source, read=read)

    monkeypatch.setattr(edgefile, "usable", slowly)
    monkeypatch.setattr(compose, "run", lambda graph, *, beside, **_: followed.append(beside.__self__))
    assert call("run", "--watch").exit_code == 0
    (watch,) = followed
    assert watch.files.changed()


def test_a_changed_import_is_seen(tmp_path: Path) -> None:
    file, imported = tmp_path / "Edgefile", tmp_path / "site.edge"
    file.write_text("import site.edge\n")
    imported.write_text(":80 {\n}\n")
    watch = Watch(str(file))
    edgefile.compiled(edgefile.read(str(file)), read=watch.read)
    assert not watch.files.changed()
    imported.write_text(":8080 {\n}\n")
    assert watch.files.changed()
