"""The VS Code extension: its own tests, run by npm, and what it promises about the program and the catalogue."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.generate.textmate import SCOPES
from edgescript.highlight.syntax import Part
from edgescript.language.parse import parse
from edgescript.text.problem import Severity
from edgescript.text.source import Source

EXTENSION = Path(__file__).parents[2] / "vscode-extension"


def _read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


def test_the_tests_of_the_extension_pass() -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    if not (EXTENSION / "node_modules").is_dir():
        pytest.skip("needs `npm ci` in vscode-extension, which `make test` does")
    done = subprocess.run(
        [npm, "test"],
        cwd=EXTENSION,
        env=os.environ | {"npm_config_offline": "true", "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout or "ℹ fail 0" in done.stdout, done.stdout


def test_the_scopes_of_the_samples_mean_what_every_other_highlighter_finds(sample: Any) -> None:
    parts = {scope: part.value for part, scope in SCOPES.items()}
    assert re.sub(r"(?<=\n    \| )([\w.-]+)(?=: )", lambda match: parts[match[1]], sample.scopes) == sample.parts


def test_every_part_has_a_scope_of_its_own() -> None:
    assert set(SCOPES) == set(Part)
    assert len(set(SCOPES.values())) == len(SCOPES)


def test_every_directive_and_matcher_has_a_snippet_that_is_well_formed() -> None:
    snippets = _read("snippets/edgefile.json")
    catalogue = Catalogue.load()
    wanted = [*catalogue.files("directives"), *(f"@{name}" for name in catalogue.files("matchers"))]
    assert [name for name in wanted if name not in snippets] == []
    for name, snippet in snippets.items():
        text = _expanded("\n".join(snippet["body"]))
        inside = name in wanted or name in ("import", "matcher")
        _, problems = parse(Source("Edgefile", f":80 {{\n{text}\n}}\n" if inside else f"{text}\n"))
        assert not [problem for problem in problems if problem.severity is Severity.ERROR], name


def _expanded(snippet: str) -> str:
    """What is written when every proposal is accepted."""
    chosen = re.sub(r"\$\{\d+\|([^,|]+)[^|]*\|\}", r"\1", snippet)
    return re.sub(r"\$\{\d+:([^}]*)\}|\$\{?\d+\}?", lambda match: match[1] or "", chosen)


def test_the_problem_matcher_reads_what_validate_writes(tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(":80 {\n    respnd 200\n}\n")
    command = [sys.executable, "-c", "from edgescript.cli.main import main; main()", "validate", "Edgefile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    first, second = _read("package.json")["contributes"]["problemMatchers"][0]["pattern"]
    lines = (done.stdout + done.stderr).split("\n")
    said = [match.groups() for line in lines if (match := re.search(first["regexp"], line))]
    where = [match.groups() for line in lines if (match := re.search(second["regexp"], line))]
    assert said == [("error", "E101", 'there is no directive "respnd"')]
    assert where == [("Edgefile", "2", "5")]


@pytest.mark.parametrize(
    ("line", "further_in", "further_out"),
    [
        (":80 {", True, False),
        ("    handle { # all", True, False),
        ("    }", False, True),
        ("    } # of handle", False, True),
        ("    respond {path}", False, False),
        ("    # { no block", False, False),
        ('    respond "{"', False, False),
    ],
)
def test_lines_are_indented_by_braces_that_open_and_close_blocks(
    line: str, further_in: bool, further_out: bool
) -> None:
    rules = _read("language-configuration.json")["indentationRules"]
    assert bool(re.search(rules["increaseIndentPattern"], line)) is further_in
    assert bool(re.search(rules["decreaseIndentPattern"], line)) is further_out


def test_the_lock_file_names_no_registry() -> None:
    packages = _read("package-lock.json")["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
