"""`edge validate` and what else only looks: no socket, no file written, no name resolved, no program started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.examples import examples

ROOT = Path(__file__).parents[2]

#: Runs `edge` with the given arguments, and prints whatever it did to the world outside.
PROGRAM = """
import os, sys, json
found = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = (
    "socket.", "subprocess.", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "os.utime", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.putenv", "shutil.", "tempfile.",
    "os.listen", "os.startfile", "ftplib.", "http.client.", "urllib.", "smtplib.",
)
def hook(event, args):
    if event == "open":
        path, mode, flags = args
        if flags & WRITING and path != os.devnull:
            found.append((event, str(path)))
    elif event.startswith(CHANGING):
        found.append((event, str(args[:1])))
from edgescript.cli.main import main
sys.dont_write_bytecode = True
sys.addaudithook(hook)
try:
    main()
except SystemExit:
    pass
sys.stdout.flush()
os.write(2, (chr(10) + json.dumps(found)).encode())
"""


def done_outside(*arguments: str, cwd: Path) -> list[list[str]]:
    """What a run of `edge` did beyond reading and printing."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=100
    )
    assert "Traceback" not in done.stderr, done.stderr
    found: list[list[str]] = json.loads(done.stderr.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file that holds the example of every directive and matcher, each as a site of its own port."""
    folder = tmp_path_factory.mktemp("everything")
    settings: list[str] = []
    sites: list[str] = []
    for example in examples(Catalogue.load()):
        if example.shelf in ("directives", "matchers"):
            (folder / f"{example.shelf}-{example.entry}-{example.number}.edge").write_text(example.text)
    log = "    log {\n        output file logs/access.log\n    }\n"
    upstream = "    proxy /up/* https://app.example.com localhost:1\n"
    sites.append(f":9999 {{\n{log}{upstream}    bind 127.0.0.1\n    files . {{\n        browse\n    }}\n}}\n")
    (folder / "Edgefile").write_text("\n".join([*settings, *sites]))
    return folder


@pytest.mark.parametrize("arguments", [("validate",), ("adapt",), ("explain", "GET", "http://localhost:9999/x")])
def test_looking_at_a_file_that_logs_and_proxies_leaves_no_trace(arguments: tuple[str, ...], everything: Path) -> None:
    before = sorted(everything.rglob("*"))
    assert done_outside(*arguments, cwd=everything) == []
    assert sorted(everything.rglob("*")) == before


def test_validating_the_example_of_every_entry_leaves_no_trace(everything: Path) -> None:
    files = sorted(everything.glob("*.edge"))
    assert len(files) > 30
    together = everything / "all.edge"
    program = PROGRAM.replace("main()\nexcept", "[_validated(name) for name in sys.argv[1:]]\nexcept").replace(
        "sys.addaudithook", "def _validated(name):\n    sys.argv = ['edge', 'validate', name]\n    try:\n        main()\n"
        "    except SystemExit:\n        pass\nsys.addaudithook",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, *map(str, files)], cwd=everything, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [], done.stderr
    assert done.stdout.count("valid\n") == len(files), done.stdout
    assert not together.exists()


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/Edgefile")), ids=lambda file: file.parent.name)
def test_validating_the_examples_leaves_no_trace(file: Path) -> None:
    assert done_outside("validate", file.name, cwd=file.parent) == []


def test_the_hook_sees_what_is_done(everything: Path) -> None:
    """Otherwise the tests above could not fail: `fmt -w` does write."""
    (everything / "crooked.edge").write_text(":80   {\nfiles .\n}\n")
    found = done_outside("fmt", "-w", "crooked.edge", cwd=everything)
    (everything / "crooked.edge").unlink()
    assert {event for event, _ in found} >= {"open", "os.rename"}
