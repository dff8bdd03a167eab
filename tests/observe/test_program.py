from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from edgescript.observe.entry import CRITICAL, ERROR, INFO
from edgescript.observe.file import File
from edgescript.observe.program import console_line, entry_of, json_line, plain_line, set_up
from edgescript.observe.stream import StandardError
from edgescript.observe.writer import LineWriter


@dataclass
class Setting:
    level: str = "INFO"
    format: str | None = None
    path: str | None = None
    takes_text: bool = True

    def writer(self, directory, meter):
        return None if self.path is None else LineWriter(self.path, File(self.path), meter)


def record(message="the %s broke", *arguments, level=logging.ERROR, **extra) -> logging.LogRecord:
    made = logging.LogRecord("edgescript.x", level, "x.py", 1, message, arguments or ("pipe",), None)
    made.created = 1_700_000_000.25
    vars(made).update(extra)
    return made


def failed() -> logging.LogRecord:
    made = record()
    try:
        raise ValueError("no\nmore")
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


@pytest.mark.parametrize(
    ("maker", "line"),
    [
        (plain_line, "edge: worker 2: the pipe broke\n"),
        (console_line, "2023-11-14T22:13:20.250Z ERROR   edgescript.x: the pipe broke worker=2 size=5 who=me\n"),
        (
            json_line,
            '{"ts":"2023-11-14T22:13:20.250Z","level":"ERROR","logger":"edgescript.x","message":"the pipe broke",'
            '"worker":2,"size":5,"who":"me"}\n',
        ),
    ],
)
def test_each_format(maker, line):
    assert maker(record(size=5, who="me"), 2) == line


def test_without_workers_nobody_is_named():
    assert plain_line(record(), None) == "edge: the pipe broke\n"
    assert "worker" not in json.loads(json_line(record(), None))


def test_a_traceback_is_one_field_of_json_and_lines_of_a_text():
    told = json.loads(json_line(failed(), None))
    assert told["traceback"].startswith("Traceback (most recent call last):\n")
    assert told["traceback"].endswith("ValueError: no\nmore")
    assert json_line(failed(), None).count("\n") == 1
    assert plain_line(failed(), None).startswith("edge: the pipe broke\n  Traceback")
    assert plain_line(failed(), None).endswith("\n  ValueError: no\n  more\n")


def test_standard_error_that_nobody_reads_holds_nobody_up(monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stderr", stream)
        stderr = StandardError()
        for _ in range(100):
            stderr.write("x" * 9_999 + "\n")
        os.set_blocking(reading, False)
        full = pipe.read()
        assert 0 < len(full) < 200_000
        stderr.write("read again\n")
        left_out = 100 - full.count(b"\n")
        told = f"edge: {left_out} messages were left out: nobody read them\nread again\n"
        assert pipe.read().decode() == ("" if full.endswith(b"\n") else "\n") + told
        stderr.write("and again\n")
        assert pipe.read() == b"and again\n"


@pytest.mark.parametrize("maker", [plain_line, console_line, json_line])
@pytest.mark.parametrize("text", ["a\nedge: all is well", "\x1b[31m", "\r", "\udcff", "\u2028x"])
def test_what_a_message_quotes_cannot_begin_another_one(maker, text):
    line = maker(record("%s", text), None)
    assert line.isprintable() or line[:-1].isprintable()
    assert line.count("\n") == 1
    line.encode()


def test_secrets_among_the_fields_are_not_shown():
    line = json_line(record(db_password="s3cret", Authorization="s3cret", access_token="s3cret", user="me"), None)
    assert "s3cret" not in line
    assert json.loads(line)["user"] == "me"


def test_an_entry_has_what_an_output_wants():
    made = entry_of(failed(), "line\n", 3)
    assert (made.text, made.severity, made.when) == ("line", ERROR, 1_700_000_000.25)
    assert made.fields[:2] == (("logger", "edgescript.x", False), ("worker", "3", True))
    assert made.fields[2][0] == "traceback"
    assert entry_of(record(level=logging.CRITICAL), "x\n", None).severity == CRITICAL
    assert entry_of(record(level=logging.INFO), "x\n", None).severity == INFO


@pytest.fixture
def setting_up():
    """`set_up`, undone at the end."""
    undo: list = []

    def do(setting, **options):
        undo.append(set_up(setting, **options))
        return undo[-1]

    yield do
    for one in reversed(undo):
        one()


def test_without_an_output_messages_are_plain_lines_on_standard_error(setting_up, capsys):
    setting_up(Setting())
    logging.getLogger("edgescript.x").info("hello")
    logging.getLogger("edgescript.x").debug("not this")
    assert capsys.readouterr().err == "edge: hello\n"


def test_on_a_terminal_they_have_time_and_level(setting_up, monkeypatch):
    written: list[str] = []
    terminal = SimpleNamespace(isatty=lambda: True, fileno=lambda: -1, write=written.append, flush=lambda: None)
    monkeypatch.setattr(sys, "stderr", terminal)
    setting_up(Setting())
    logging.getLogger("edgescript.x").warning("hello")
    assert written[0].endswith("WARNING edgescript.x: hello\n")


def test_messages_and_warnings_of_python_go_to_the_output(setting_up, tmp_path):
    path = tmp_path / "edge.log"
    undo = setting_up(Setting(level="WARNING", path=str(path)), worker=1)
    logging.getLogger("edgescript.x").warning("one")
    logging.getLogger("another.library").info("not this")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("two", UserWarning, stacklevel=1)
    undo()
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["level"], one["logger"], one["worker"]) for one in told] == [
        ("WARNING", "edgescript.x", 1),
        ("WARNING", "py.warnings", 1),
    ]
    assert "UserWarning: two" in told[1]["message"]


def test_what_a_writer_says_about_itself_is_on_standard_error_too(setting_up, capsys):
    undo = setting_up(Setting(path="/dev/full"))
    logging.getLogger("edgescript.x").error("hello")
    undo()
    assert "the log to /dev/full cannot be written: No space left on device" in capsys.readouterr().err


def test_it_can_be_undone(setting_up):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    set_up(Setting())()
    assert (root.handlers[:], root.level) == before
