"""How the tests of this folder call `edge`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgescript.cli.main import edge

EDGE = Path(sys.executable).parent / "edge"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls a command in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, stdin=None: CliRunner().invoke(edge, list(words), input=stdin, prog_name="edge")


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command as a process of its own, in an empty directory."""

    def run(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([EDGE, *words], cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=60)

    return run
