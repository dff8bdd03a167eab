"""`edge validate` and what else only looks: no socket, no file written, no name resolved, no program started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.examples import examples

ROOT = Path(__file__).parents[2]

#: Runs `edge` with the given arguments, and prints whatever it did to the world outside.
PROGRAM = """
import json, os, sys
found = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = (
    "socket.", "subprocess.", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod",     "os.chown", "os.utime", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "os.spawn", "os.putenv", "shutil.", "tempfile.",
    "os.listen", "os.startfile", "ftplib.", "http.client.", "urllib.", "smtplib.",
)
def hook(event, args):
    if event == "open":
        path, mode, flags = args
        if flags & WRITING and path != os.devnull:
            found.append((event, str(path)))
    elif event.startswith(CHANGING):
        found.append((event, str(args[:1])))
import click
from edgescript.cli.main import edge
sys.addaudithook(hook)
for command in sys.argv[1].split(";"):
    try:
        edge.main(command.split(), prog_name="edge", standalone_mode=False)
    except click.exceptions.Exit:
        pass
sys.stdout.flush()
os.write(2, (chr(10) + json.dumps(found)).encode())
"""


class Done(NamedTuple):
    #: Audit events that change something outside.
    changes: list[list[str]]
    output: str


def done(*commands: str, cwd: Path) -> Done:
    """What runs of `edge` did beyond reading and printing."""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, ";".join(commands)], cwd=cwd, capture_output=True, text=True, check=True
    )
    return Done(json.loads(ran.stderr.splitlines()[-1]), ran.stdout)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file that holds the example of every directive and matcher, each as a site of its own port."""
    folder = tmp_path_factory.mktemp("everything")
    for example in examples(Catalogue.load()):
        if example.shelf in ("directives", "matchers"):
            (folder / f"{example.shelf}-{example.entry}-{example.number}.edge").write_text(example.text)
    (folder / "Edgefile").write_text(_EDGEFILE)
    return folder


_EDGEFILE = """\
:9999 {
    bind 127.0.0.1
    log {
        output file logs/access.log
    }
    proxy /up/* https://app.example.com localhost:1
    files . {
        browse
    }
}
"""


@pytest.mark.parametrize("command", ["validate", "adapt", "explain GET http://localhost:9999/x"])
def test_looking_at_a_file_that_logs_and_proxies_leaves_no_trace(command: str, everything: Path) -> None:
    before = sorted(everything.rglob("*"))
    assert done(command, cwd=everything).changes == []
    assert sorted(everything.rglob("*")) == before


def test_validating_the_example_of_every_entry_leaves_no_trace(everything: Path) -> None:
    files = sorted(everything.glob("*.edge"))
    assert len(files) > 30
    changes, output = done(*[f"validate {file.name}" for file in files], cwd=everything)
    assert changes == []
    assert output.count(": valid\n") == len(files), output


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/Edgefile")), ids=lambda file: file.parent.name)
def test_validating_the_examples_leaves_no_trace(file: Path) -> None:
    assert done("validate Edgefile", cwd=file.parent).changes == []


def test_the_hook_sees_what_is_done(everything: Path) -> None:
    """Otherwise the tests above could not fail: `fmt -w` does write."""
    crooked = everything / "crooked"
    crooked.write_text(":80   {\nfiles .\n}\n")
    assert {event for event, _ in done("fmt -w crooked", cwd=everything).changes} >= {"open", "os.rename"}
