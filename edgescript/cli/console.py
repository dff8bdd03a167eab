"""How commands speak: results on standard output, complaints on standard error, colour only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO


def say(text: str, *, error: bool = False, end: str = "\n") -> None:
    """A result, on standard output; on standard error where something else is the result. It ends with `end`."""
    stream = sys.stderr if error else sys.stdout
    stream.write(text if text.endswith(end) else f"{text}{end}")


def say_markdown(text: str) -> None:
    """A page in Markdown, laid out for a terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def say_highlighted(text: str, styles: Mapping[str, str]) -> None:
    """A text on a terminal, with what the regular expressions find in their styles."""
    from rich.console import Console
    from rich.text import Text

    styled = Text(text)
    for pattern, style in styles.items():
        styled.highlight_regex(pattern, style)
    Console().print(styled, soft_wrap=True)


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
