"""The wheel has what it needs at run time, and nothing of it is looked for in the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

EDGEFILE = """
:8080 {
    import std/security-headers
    files /srv
}
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel would put into site-packages."""
    pytest.importorskip("hatchling")
    built = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "unpacked")
    return built / "unpacked"


@pytest.mark.parametrize("words", [["version"], ["validate"], ["help", "proxy"], ["help", "E012"], ["explain", "/"]])
def test_a_wheel_has_all_that_commands_need(unpacked: Path, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "Edgefile").write_text(EDGEFILE)
    script = "import edgescript.cli.main as cli; print(cli.__file__, flush=True); cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(unpacked))
