"""The command line as a whole: what is imported, exit codes, and how it complains."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from edgescript.cli import console
from edgescript.version import __version__

Call = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]

VALID = ':8080 {\n    respond "hello"\n}\n'
LARGER = """:8080 {
    log
    header -Server
    @writes method POST
    handle @writes {
        proxy https://app.example.com 10.0.0.1:8080
    }
    files /srv
}
"""


def test_version_is_printed(call: Call) -> None:
    result = call("version")
    assert (result.exit_code, result.output) == (0, f"edge {__version__}\n")


def test_every_command_has_a_line_of_help(call: Call) -> None:
    output = call("--help").output
    for name in ("adapt", "explain", "fmt", "help", "run", "validate", "version"):
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in output.splitlines()), name


@pytest.mark.parametrize("words", [["vaildate"], ["validate", "--colour"], ["fmt", "a", "b"], ["explain"], []])
def test_wrong_usage_is_exit_code_2(process: Process, words: list[str]) -> None:
    done = process(*words)
    assert done.returncode == 2
    assert "Usage: edge" in done.stderr
    assert done.stdout == ""


def test_a_misspelt_command_is_answered_with_the_nearest(process: Process) -> None:
    assert 'did you mean "validate"?' in process("vaildate").stderr


def test_version_imports_nothing_of_the_server_or_the_language() -> None:
    script = (
        "import json, sys\n"
        "from edgescript.cli.main import edge\n"
        "edge.main(['version'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"lark", "rich", "uvloop", "hypercorn", "jinja2", "asyncio", "anyio"}
    assert not {name for name in loaded if name.startswith("edgescript.cli.commands.")} - {
        "edgescript.cli.commands.version"
    }


def test_validate_imports_nothing_that_only_a_server_needs(tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(LARGER)
    script = (
        "import json, sys\n"
        "from edgescript.cli.main import edge\n"
        "edge.main(['validate'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"asyncio", "anyio", "ssl", "socket", "logging", "concurrent.futures", "lark"}
    assert not loaded & {"rich", "uvloop", "hypercorn", "jinja2"}


def test_a_missing_file_is_one_line(process: Process) -> None:
    done = process("validate", "nowhere.edge")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "edge: nowhere.edge: no such file or directory\n"


def test_a_directory_instead_of_a_file_is_one_line(process: Process, tmp_path: Path) -> None:
    done = process("validate", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"edge: {tmp_path}: is a directory\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "Edgefile"), "Edgefile: permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device"),
        (OSError("it is no regular file"), "it is no regular file"),
    ],
)
def test_what_the_system_refuses_is_told_in_a_line(error: OSError, told: str) -> None:
    assert console.reason(error) == told


@pytest.mark.parametrize("command", ["validate", "fmt", "adapt"])
def test_a_file_with_errors_is_exit_code_1_and_no_traceback(process: Process, command: str) -> None:
    done = process(command, "-", stdin=':80 {\n    respond "unfinished\n')
    assert done.returncode == 1
    assert "E00" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["validate", "fmt", "adapt", "run"])
def test_without_an_edgefile_it_says_what_to_write(process: Process, command: str) -> None:
    done = process(command)
    assert done.returncode == 1
    assert "there is no Edgefile in this directory" in done.stderr
    assert "files ." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, unbuffered: str) -> None:
    sites = "\n".join(f'http://s{number}.example {{\n    respond "hello"\n}}' for number in range(2000))
    (tmp_path / "Edgefile").write_text(sites)
    edge = Path(sys.executable).parent / "edge"
    complaints = tmp_path / "complaints"
    with (
        complaints.open("wb") as errors,
        subprocess.Popen(
            [edge, "adapt"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as adapting,
    ):
        assert adapting.stdout is not None
        assert adapting.stdout.read(1) == b"{"
        adapting.stdout.close()
        assert adapting.wait(60) == 0
    assert complaints.read_text() == ""


@pytest.mark.parametrize("words", [["help", "respond"], ["explain", "/"], ["validate", "wrong"]])
def test_colour_is_for_terminals_only(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "Edgefile").write_text(VALID)
    (tmp_path / "wrong").write_text(":80 {\n    respnod\n}\n")
    assert "\x1b[" not in on_terminal(tmp_path, words, {"NO_COLOR": "1"})
    assert "\x1b[" in on_terminal(tmp_path, words, {})


def on_terminal(folder: Path, words: list[str], more: dict[str, str]) -> str:
    """What a command writes to a terminal."""
    try:
        ours, theirs = os.openpty()
    except OSError:
        pytest.skip("there are no pseudo-terminals here")
    edge = Path(sys.executable).parent / "edge"
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | more
    with subprocess.Popen([edge, *words], cwd=folder, stdout=theirs, env=environment) as process:
        os.close(theirs)
        pieces = []
        with contextlib.suppress(OSError):  # Linux tells the end of a terminal as an error
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        os.close(ours)
        process.wait(60)
    return b"".join(pieces).decode()


@pytest.mark.parametrize("words", ["fmt - <&-", "validate - <&-", "help >&-", "version >&- 2>&-"])
def test_closed_streams_are_no_traceback(tmp_path: Path, words: str) -> None:
    edge = Path(sys.executable).parent / "edge"
    done = subprocess.run(["sh", "-c", f"{edge} {words}"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
