"""What the program says about itself: Python's logging, brought to the same outputs as lines about requests.

Without a setting it is a plain line on standard error, at once. With an output, lines go through a writer like any other, so
that none of them holds a request up. What writers say about themselves goes to standard error all the same: where an output
fails, it cannot say so.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from edgescript.metric import Meter
from edgescript.observe.credentials import SECRET_FIELDS
from edgescript.observe.entry import CRITICAL, DEBUG, ERROR, INFO, WARNING, Entry
from edgescript.observe.masking import REDACTED
from edgescript.observe.stream import StandardError
from edgescript.observe.writer import LineWriter

#: The attributes that every record of Python's has; all others are fields that the caller gave (`extra=`).
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "worker"}
_SECRETS = (*SECRET_FIELDS, "password", "secret", "token")
_OBSERVE = "edgescript.observe"
#: Says at the level INFO what concerns nobody.
_TALKATIVE = "edgescript.hypercorn"
_SEVERITIES = ((logging.CRITICAL, CRITICAL), (logging.ERROR, ERROR), (logging.WARNING, WARNING), (logging.INFO, INFO))


class Setting(Protocol):
    """What an Edgefile says about it."""

    @property
    def level(self) -> str: ...

    @property
    def format(self) -> str | None:
        """ "json", "console", "plain", or None: what is usual for the output."""

    @property
    def takes_text(self) -> bool:
        """The writer takes lines; otherwise entries."""

    def writer(self, directory: str, meter: Meter | None) -> LineWriter | None:
        """What writes the lines; None: standard error, at once."""


def set_up(
    setting: Setting, *, worker: int | None = None, directory: str = ".", meter: Meter | None = None
) -> Callable[[], None]:
    """
    Have everything that is logged in this process, and Python's warnings, go where the setting says.

    :param worker: the number of this worker; None for the supervisor, or where there is one process only
    :return: what writes the rest, and undoes it
    """
    writer = setting.writer(directory, meter)
    form = setting.format or _usual_format(writer)
    handler = _Handler(_FORMATS[form], writer, takes_text=setting.takes_text, worker=worker)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(setting.level)
    logging.getLogger(_TALKATIVE).setLevel("DEBUG" if setting.level == "DEBUG" else "WARNING")
    logging.captureWarnings(True)

    def undo() -> None:
        if writer is not None:
            writer.finish()  # while what it says about itself is still shown
        logging.captureWarnings(False)
        root.handlers[:] = before
        root.setLevel(level)

    return undo


def _usual_format(writer: LineWriter | None) -> str:
    if writer is not None:
        return "json"
    return "console" if sys.stderr.isatty() else "plain"


class _Handler(logging.Handler):
    """Writes records. Python lets one thread in at a time, which is what a writer needs."""

    def __init__(
        self,
        line: Callable[[logging.LogRecord, int | None], str],
        writer: LineWriter | None,
        *,
        takes_text: bool,
        worker: int | None,
    ) -> None:
        super().__init__()
        self._line = line
        self._writer = writer
        self._takes_text = takes_text
        self._worker = worker
        self._stderr = StandardError()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self._line(record, self._worker)
            if self._writer is None or record.name == _OBSERVE:
                self._stderr.write(line if self._writer is None else plain_line(record, self._worker))
            if self._writer is not None:
                self._writer.write(line if self._takes_text else entry_of(record, line, self._worker))
        except Exception:
            self.handleError(record)


# ---- what a line says


def fields_of(record: logging.LogRecord, worker: int | None) -> dict[str, str | int | float]:
    """What a record says beside its message, in the order in which it is shown."""
    found: dict[str, str | int | float] = {} if worker is None else {"worker": worker}
    for name, value in vars(record).items():
        if name in _USUAL:
            continue
        if any(secret in name.lower() for secret in _SECRETS):
            value = REDACTED
        found[name] = value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    return found


def _traceback(record: logging.LogRecord) -> str:
    text = "" if not record.exc_info else _FORMATTER.formatException(record.exc_info)
    stack = "" if not record.stack_info else _FORMATTER.formatStack(record.stack_info)
    return "\n".join(part for part in (text, stack) if part)


_FORMATTER = logging.Formatter()


def _when(seconds: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"


def _on_one_line(text: str) -> str:
    """Whatever a message quotes cannot begin another one."""
    return "".join([char if char.isprintable() else char.encode("unicode_escape").decode() for char in text])


def json_line(record: logging.LogRecord, worker: int | None) -> str:
    """One line, with the traceback in a field."""
    told: dict[str, Any] = {
        "ts": _when(record.created),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
    }
    told |= {name: value for name, value in fields_of(record, worker).items() if name not in told}
    traceback = _traceback(record)
    if traceback:
        told["traceback"] = traceback
    return json.dumps(told, separators=(",", ":")).encode("utf-8", "replace").decode() + "\n"


def console_line(record: logging.LogRecord, worker: int | None) -> str:
    """For people: when, how bad, who, what, and the fields; the traceback in lines of its own."""
    message = _on_one_line(record.getMessage())
    words = [_when(record.created), f"{record.levelname:7}", f"{record.name}:", message]
    words += [f"{name}={_on_one_line(str(value))}" for name, value in fields_of(record, worker).items()]
    return _with_traceback(" ".join(words), record)


def plain_line(record: logging.LogRecord, worker: int | None) -> str:
    """As other programs complain."""
    who = "edge" if worker is None else f"edge: worker {worker}"
    return _with_traceback(f"{who}: {_on_one_line(record.getMessage())}", record)


def _with_traceback(line: str, record: logging.LogRecord) -> str:
    """What an exception quotes may be a client's: each line of a traceback is indented, so that none passes for a message."""
    lines = [f"  {_on_one_line(part)}" for part in _traceback(record).split("\n") if part]
    return "\n".join([line, *lines, ""])


_FORMATS = {"json": json_line, "console": console_line, "plain": plain_line}


def entry_of(record: logging.LogRecord, line: str, worker: int | None) -> Entry:
    """A record for an output that wants more than a text."""
    severity = next((severity for level, severity in _SEVERITIES if record.levelno >= level), DEBUG)
    told = {"logger": record.name, **fields_of(record, worker)}
    traceback = _traceback(record)
    if traceback:
        told["traceback"] = traceback
    fields = tuple((name, str(value), isinstance(value, (int, float))) for name, value in told.items())
    return Entry(line.rstrip("\n"), severity, record.created, fields)
