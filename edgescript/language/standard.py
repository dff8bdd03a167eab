"""What the head of a file of the standard library says about it, as a value.

The comment that such a file begins with is its documentation:

    # Answer 404 for hidden files.
    #
    # More about it, in as many paragraphs as it takes.
    #
    # Arguments:
    # origin: who may read the answers (default *)

The first sentence stands in lists. Where there are no arguments, `Arguments: none.` may say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.source import Source

_ARGUMENTS = re.compile(r"(?:^|(?<=\s))Arguments:\s*(?:none\.?)?", re.IGNORECASE)
_ARGUMENT = re.compile(r"^(?:[-*] )?`?(?P<name>[\w.{}-]+)`?:\s+(?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a part of the library."""

    name: str
    #: What it is, with its default in parentheses.
    text: str


@dataclass(frozen=True, slots=True)
class Standard:
    """A part of the standard library, for a reader."""

    name: str
    #: Its first sentence.
    summary: str
    #: The paragraphs after it.
    body: str
    arguments: tuple[Argument, ...]
    #: The lines that an import puts in.
    lines: str
    #: Its `test` blocks, as they are written.
    tests: tuple[str, ...]


def standard(name: str, text: str) -> Standard:
    """What a file of the library says of itself; empty texts where it says nothing."""
    head = _head(text)
    about, *rest = _ARGUMENTS.split(head, maxsplit=1)
    summary, body = _first_sentence(about.strip())
    code = text.split("\n")[len(head.split("\n")) if head else 0 :]
    lines, tests = _without_tests("\n".join(code))
    return Standard(name, summary, body, tuple(_arguments(rest[0] if rest else "")), lines, tests)


def _head(text: str) -> str:
    """The comment at the beginning, without its signs."""
    found = re.match(r"(?:#[^\n]*(?:\n|\Z))*", text)
    assert found is not None, "it may be empty"
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in found[0].rstrip("\n").split("\n"))


def _first_sentence(text: str) -> tuple[str, str]:
    end = re.search(r"[.!?](?=\s|\Z)", text)
    at = end.end() if end else len(text)
    return " ".join(text[:at].split()), text[at:].strip()


def _arguments(text: str) -> list[Argument]:
    """One for each `name: what it is`; lines that begin otherwise go on with the one above."""
    found: list[Argument] = []
    for line in text.split("\n"):
        match = _ARGUMENT.match(line.strip())
        if match is not None:
            found.append(Argument(match["name"], match["text"].strip()))
        elif found and line.strip():
            found[-1] = Argument(found[-1].name, f"{found[-1].text} {line.strip()}")
    return found


def _without_tests(text: str) -> tuple[str, tuple[str, ...]]:
    """The lines that are imported, and the test blocks among them."""
    tree, _ = parse(Source("library", text))
    tests = [_written(line, text) for line in tree.lines if line.words and line.words[0].value == "test"]
    for test in tests:
        text = text.replace(test, "")
    return text.strip("\n"), tuple(test.strip() for test in tests)


def _written(line: Line, text: str) -> str:
    return text[line.start : line.end]
