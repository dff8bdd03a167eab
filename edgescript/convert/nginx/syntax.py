"""From the text of a configuration to lines, by crossplane; included files are read where they are named.

Whatever the bytes are, this gives lines and failures: crossplane reports what is no configuration, and how much is read is
bounded (files, bytes, depth).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from edgescript.convert.nginx.lines import Line
from edgescript.text.source import Source

MOST_BYTES = 4 * 1024 * 1024
MOST_LINES = 200_000
MOST_FILES = 1_000
#: Blocks in blocks. nginx's own nesting (locations in locations) is a handful.
MOST_DEPTH = 24

#: A directive behind the text's own: if it does not come back alone, something before it was not closed.
_END = "end_of_the_file"
_UNFINISHED = "the text ends in the middle of a directive or a quoted text"

#: Files that come with nginx and say nothing that the Edgefile needs.
_SHIPPED = ("mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params")


class Failure(NamedTuple):
    """Something that could not be read."""

    place: str
    written: str
    reason: str


def is_shipped(include: str) -> bool:
    """Whether an included file is one of nginx's own tables."""
    return os.path.basename(include) in _SHIPPED


def lines_of(
    source: Source, *, read: Callable[[str], bytes], find: Callable[[str], list[str]]
) -> tuple[Line, list[Failure]]:
    """The whole configuration as one block, and what of it could not be read."""
    reader = _Reader(source, read, find)
    root = Line("", [], source.name, [])
    reader.text_into(root, source.name, source.text, (source.name,))
    return root, reader.failures


class _Reader:
    def __init__(self, source: Source, read: Callable[[str], bytes], find: Callable[[str], list[str]]) -> None:
        self.failures: list[Failure] = []
        self._folder = os.path.dirname(source.name)
        self._read = read
        self._find = find
        self._bytes = 0
        self._lines = 0
        self._files = 0

    def text_into(self, block: Line, name: str, text: str, chain: tuple[str, ...]) -> None:
        """Read a file's text into the block that includes it."""
        self._bytes += len(text)
        if self._bytes > MOST_BYTES:
            self._fail(f"{name}:1", name, f"more than {MOST_BYTES // 1024 // 1024} MiB are not read")
            return
        if "\0" in text:
            self._fail(f"{name}:1", name, "this is no text")
            return
        statements, errors = _parse(text.removeprefix("\ufeff"))
        for number, message in errors:
            self._fail(f"{name}:{number or 1}", _line(text, number) or name, message)
        if errors and not statements:
            block.tail += [f"not converted: {name}", *text.splitlines()]
        self._build(block, statements, name, chain, 0)

    def _fail(self, place: str, written: str, reason: str) -> None:
        self.failures.append(Failure(place, written, reason))

    def _build(self, block: Line, statements: list[Any], name: str, chain: tuple[str, ...], depth: int) -> None:
        assert block.block is not None
        said: list[str] = []
        last = 0
        for statement in statements:
            comment = statement.get("comment")
            number = statement["line"]
            if comment is not None and number == last and block.block:
                block.block[-1].comments.append(_said(comment))
            elif comment is not None:
                said.append(_said(comment))
            else:
                last = number
                self._statement(block, statement, name, chain, depth, said)
                said = []
        block.tail += said

    def _statement(
        self, block: Line, statement: Any, name: str, chain: tuple[str, ...], depth: int, said: list[str]
    ) -> None:
        line = Line(statement["directive"], statement["args"], f"{name}:{statement['line']}", None, block, said)
        self._lines += 1
        if self._lines > MOST_LINES:
            if self._lines == MOST_LINES + 1:
                self._fail(line.place, str(line), f"more than {MOST_LINES:,} directives are not read")
            return
        assert block.block is not None
        if line.name == "include" and line.args and not is_shipped(line.value):
            self._include(block, line, chain)
            return
        block.block.append(line)
        if "block" in statement:
            line.block = []
            if depth >= MOST_DEPTH:
                self._fail(line.place, str(line), "blocks are nested too deep")
            else:
                self._build(line, statement["block"], name, chain, depth + 1)

    def _include(self, block: Line, line: Line, chain: tuple[str, ...]) -> None:
        assert block.block is not None
        pattern = os.path.join(self._folder, line.value)
        names = self._names(pattern)
        if not names:
            self._fail(line.place, str(line), "no file has such a name")
        block.block.append(line)
        for name in names:
            self._files += 1
            if name in chain or len(chain) > MOST_DEPTH or self._files > MOST_FILES:
                self._fail(line.place, str(line), f"{name} includes itself, or too many files are included")
                continue
            try:
                text = self._read(name).decode("utf-8", "replace")
            except (OSError, ValueError) as error:
                self._fail(line.place, str(line), f"{name} cannot be read: {getattr(error, 'strerror', None) or error}")
                continue
            self.text_into(block, name, text, (*chain, name))

    def _names(self, pattern: str) -> list[str]:
        if not any(character in pattern for character in "*?["):
            return [pattern]
        try:
            return sorted(self._find(pattern))
        except (OSError, ValueError):
            return []


def _said(comment: str) -> str:
    """A comment without its `#`; lines that are drawn with more of them become empty."""
    text = comment.expandtabs(4).rstrip()
    return "" if not text.strip("# ") else text.removeprefix(" ")


def _line(text: str, number: int | None) -> str:
    lines = text.splitlines()
    return lines[number - 1].strip()[:200] if number and number <= len(lines) else ""


def _parse(text: str) -> tuple[list[Any], list[tuple[int | None, str]]]:
    """crossplane's statements of a text, and its errors. It reads files, so the text becomes one for as long as that takes."""
    import crossplane

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="replace", newline="\n", suffix=".conf") as file:
        file.write(f"{text}\n{_END};\n")
        file.flush()
        payload = crossplane.parse(file.name, single=True, comments=True, check_ctx=False, check_args=False)
        errors = [(error["line"], _message(error["error"], file.name)) for error in payload["errors"]]
    statements = list(_parsed(payload))
    if statements and statements[-1]["directive"] == _END and not statements[-1]["args"]:
        return statements[:-1], errors
    return [], errors or [(None, _UNFINISHED)]


def _parsed(payload: Any) -> Iterator[Any]:
    for config in payload["config"]:
        yield from config["parsed"]


def _message(text: str, name: str) -> str:
    """crossplane's message without the name of the file that it read."""
    reason = text.partition(f" in {name}")[0]
    if "recursion" in reason:
        return "blocks are nested too deep"
    return " ".join(reason.split()) or _UNFINISHED
