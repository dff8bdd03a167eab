"""Regular expressions of Go and PCRE in Python's own way of writing."""

from __future__ import annotations

import re
import warnings

_CLASSES = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "xdigit": "A-Fa-f0-9",
    "word": r"\w", "space": r"\s", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "cntrl": r"\x00-\x1f\x7f",
    "print": " -~", "graph": "!-~", "ascii": r"\x00-\x7f",
}  # fmt: skip
_CLASS = re.compile(r"\[:([a-z]+):\]")
_NAMED = re.compile(r"\(\?(?:P?<|')([A-Za-z_]\w*)[>']", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
#: What Python writes in another way. (`\\h` is a blank in PCRE and nothing in Go.)
_ESCAPES = {"z": r"\Z", "Z": r"(?=\n?\Z)", "h": r"[ \t]", "R": r"(?:\r\n|\n|\r)"}


def as_python(text: str) -> str:
    """
    The expression with the same meaning.

    :raises ValueError: if there is none; the text says why
    """
    written = _CLASS.sub(_known_class, _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), text))
    written = _NAMED.sub(r"(?P<\1>", written)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what may come to mean something else is not the same
            re.compile(written)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(str(error)) from None
    return written


def _known_class(found: re.Match[str]) -> str:
    return _CLASSES.get(found[1], found[0])


def group_names(text: str) -> list[str]:
    """The names of the groups of an expression."""
    return _NAMED.findall(text)
