"""Imports carried out: snippets, files and named routes, with the arguments and blocks that they are given."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from edgescript.convert.caddy.tree import Line, parse
from edgescript.text.source import Source

#: Imports within imports, and lines that all of them may come to.
MAX_DEPTH = 16
MAX_LINES = 50_000

_ARGUMENT = re.compile(r"\{args(?:\[(?P<first>-?\d*)(?P<colon>:)?(?P<last>-?\d*)\]|\.(?P<number>\d+))\}")
_BLOCKS = re.compile(r"\{blocks\.([^{}]+)\}")


class ImportFailed(Exception):
    """What is imported is not there, or imports itself."""


@dataclass(slots=True)
class Importer:
    """Carries imports out. What fails is told to `failed` and left out."""

    read: Callable[[str], bytes]
    find: Callable[[str], list[str]]
    failed: Callable[[Line, str], None]
    snippets: dict[str, list[Line]] = field(default_factory=dict)
    #: Snippets that nothing imports, as they are written.
    unused: dict[str, Line] = field(default_factory=dict)
    routes: dict[str, list[Line]] = field(default_factory=dict)
    _around: list[str] = field(default_factory=list)
    _imports: int = 0
    _lines: int = 0

    def lines(self, lines: list[Line]) -> list[Line]:
        """The lines of a file or block, with all imports carried out, and without the snippets among them."""
        return list(self._expanded(lines))

    def _expanded(self, lines: list[Line]) -> Iterator[Line]:
        for line in lines:
            if line.name == "import" and 0 not in line.quoted and line.arguments:
                yield from self._comments(line)
                yield from self._import(line)
            elif line.block is not None and (name := _defined("", line)) is not None:
                yield from self._comments(line)
                self.snippets[name] = line.block
                self.unused[name] = line
            elif line.block is not None and (name := _defined("&", line)) is not None:
                yield from self._comments(line)
                self.routes[name] = self.lines(line.block)
            else:
                yield replace(line, block=None if line.block is None else self.lines(line.block))

    @staticmethod
    def _comments(line: Line) -> Iterator[Line]:
        above = [*line.above, *([line.behind] if line.behind else [])]
        if above:
            yield Line([], line.span, above=above, is_apart=line.is_apart)

    def _import(self, line: Line) -> list[Line]:
        try:
            return self._imported(line)
        except ImportFailed as error:
            return [self._wrong(line, str(error))]

    def _imported(self, line: Line) -> list[Line]:
        name = line.arguments[0]
        if name in self._around:
            raise ImportFailed(f"it imports itself: {' > '.join([*self._around, name])}")
        if len(self._around) >= MAX_DEPTH:
            raise ImportFailed(f"imports are nested more than {MAX_DEPTH} deep")
        body = self.snippets[name] if name in self.snippets else self._files(line, name)
        self.unused.pop(name, None)
        self._imports += 1
        mark = (" ".join(line.words), self._imports)
        self._around.append(name)
        try:
            found = self.lines([one for inner in body for one in self._filled(inner, line)])
        finally:
            self._around.pop()
        for one in found:
            one.imported = mark
        return found

    def _files(self, line: Line, name: str) -> list[Line]:
        pattern = os.path.join(os.path.dirname(line.span.source.name), name)
        has_wildcard = any(sign in name for sign in "*?[")
        if "\0" in name:
            raise ImportFailed("that is no name of a file")
        names = sorted(self.find(pattern)) if has_wildcard else [pattern]
        if not names:
            raise ImportFailed("no file has such a name")
        return [one for found in names for one in self._file(found)]

    def _file(self, name: str) -> list[Line]:
        try:
            data = self.read(name)
        except (OSError, ValueError) as error:
            raise ImportFailed(f"there is no snippet of that name, and the file cannot be read: {error}") from None
        parsed = parse(Source.of_bytes(name, data))
        return [*(self._wrong(line, what) for line, what in parsed.wrong), *parsed.lines]

    def _wrong(self, line: Line, what: str) -> Line:
        """Say what is wrong with a line; the comment that stands in its place."""
        self.failed(line, what)
        return Line([], line.span, above=[f"not converted: {line.written} ({what})"])

    def _filled(self, line: Line, importing: Line) -> list[Line]:
        """A line of what is imported, with `{args[0]}` and `{block}` replaced."""
        self._lines += 1
        if self._lines > MAX_LINES:
            raise ImportFailed(f"imports come to more than {MAX_LINES} lines")
        if line.words == ["{block}"] and line.block is None:
            return [replace(one) for one in importing.block or ()]
        if len(line.words) == 1 and (named := _BLOCKS.fullmatch(line.words[0])):
            return [replace(one) for part in importing.block or () if part.name == named[1] for one in part.block or ()]
        block = None if line.block is None else [one for inner in line.block for one in self._filled(inner, importing)]
        words = [filled for word in line.words for filled in _with_arguments(word, importing.arguments[1:])]
        if words == line.words:
            return [replace(line, block=block)]
        quoted = line.quoted if len(words) == len(line.words) else frozenset[int]()
        return [replace(line, words=words, raw=tuple(words), quoted=quoted, block=block)]


def _defined(sign: str, line: Line) -> str | None:
    """The name in `(name)`, or `&(name)`."""
    match = re.fullmatch(rf"{sign}\(([^()]+)\)", line.name)
    return match[1] if match and len(line.words) == 1 else None


def _with_arguments(word: str, arguments: list[str]) -> list[str]:
    """A word with its `{args[0]}` replaced; several words where it is a range and nothing else."""
    whole = _ARGUMENT.fullmatch(word)
    if whole is not None and whole["colon"]:
        return _range(whole, arguments)

    def value(match: re.Match[str]) -> str:
        if match["colon"]:
            return " ".join(_range(match, arguments))
        number = int(match["number"] or match["first"] or 0)
        return arguments[number] if 0 <= number < len(arguments) else match[0]

    return [_ARGUMENT.sub(value, word)]


def _range(match: re.Match[str], arguments: list[str]) -> list[str]:
    first, last = (int(match[end]) if match[end] not in ("", "-") else None for end in ("first", "last"))
    return arguments[first:last]
