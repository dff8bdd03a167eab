"""How commands speak: results on standard output, complaints on standard error, colour only on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """A result, on standard output."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def complain(text: str) -> None:
    """A complaint, on standard error."""
    sys.stderr.write(f"edge: {text}\n")


def has_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colour (https://no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def reason(error: OSError) -> str:
    """What the operating system refused, in a line: `Edgefile: no such file or directory`."""
    why = (error.strerror or str(error)).lower()
    return f"{error.filename}: {why}" if error.filename else why
