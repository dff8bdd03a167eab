"""Generated files follow from the declarations, and adding a directive touches one file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgescript
from edgescript.generate import __main__ as generate
from edgescript.generate import textmate

ROOT = Path(edgescript.__path__[0]).parent

WAVE = '''"""Greet the client."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.declare.fields import option
from edgescript.declare.kinds import Duration
from edgescript.http.message import Response


@directive("wave", role=Role.TERMINAL)
class Wave:
    """
    Greet the client.

    ```edge-test
    :80 {
        wave
    }
    test "it greets" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    lingering_for: Duration = option("How long to wave.", default="3s")

    def build(self, build: Build) -> Action:
        return lambda exchange: Response(200, [], b"hello")
'''


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source tree, with its generated files."""
    for folder in ("edgescript", "grammar", "stdlib", "docs", "editors", "vscode-extension"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return tmp_path


def test_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_adding_a_directive_touches_one_file(copy: Path) -> None:
    (copy / "edgescript" / "directives" / "wave.py").write_text(WAVE)

    stale = run(copy, "-m", "edgescript.generate", "--check")
    assert stale.returncode == 1
    assert "docs/reference/directives/wave.md is not up to date" in stale.stderr
    assert "make generate" in stale.stderr

    assert run(copy, "-m", "edgescript.generate").returncode == 0
    assert run(copy, "-m", "edgescript.generate", "--check").returncode == 0

    page = (copy / "docs/reference/directives/wave.md").read_text()
    assert "- `lingering_for <duration>`: How long to wave." in page
    assert "[`wave`](directives/wave.md)" in (copy / "docs/reference/README.md").read_text()
    schema = json.loads((copy / "docs/edgefile.schema.json").read_text())
    assert schema["$defs"]["directives"]["wave"]["properties"]["lingering_for"]["default"] == "3s"
    grammar = (copy / textmate.PATH).read_text()
    assert re.search(r"[(|]wave[|)]", grammar)
    assert "lingering_for" in grammar

    told = run(copy, "-c", "from edgescript.cli.main import main; main()", "help", "wave")
    assert told.returncode == 0, told.stderr
    assert "Greet the client." in told.stdout
    assert "lingering_for <duration>" in told.stdout


def test_the_page_of_an_entry_that_is_gone_goes_too(copy: Path) -> None:
    page = copy / "docs/reference/directives/gone.md"
    page.write_text("# gone\n")
    checked = run(copy, "-m", "edgescript.generate", "--check")
    assert checked.returncode == 1
    assert "docs/reference/directives/gone.md belongs to no entry" in checked.stderr
    assert run(copy, "-m", "edgescript.generate").returncode == 0
    assert not page.exists()


def test_a_wrong_argument_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chekc"]) == 2
    assert "--chekc" in capsys.readouterr().err
