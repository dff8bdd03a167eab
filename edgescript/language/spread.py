"""A line that has blocks in it, as `handle /a { respond 200 }`, written in the lines that it should have been."""

from __future__ import annotations

import re

#: Of what no person writes in one line; each of its blocks would be indented further than the one around it.
_LONGEST = 2000

_PART = re.compile(
    r"""[ \t]*(?:
      (?P<comment>\#.*)
    | (?P<open>\{)(?=\s|\}|\Z)
    | (?P<close>\})(?=\s|\}|\Z)
    | (?P<word>"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s"`\#};]\S*?)(?P<ended>;?)(?=\s|\Z)
    | (?P<lone>;)
    | \Z)""",
    re.VERBOSE,
)


def spread_out(line: str) -> list[str] | None:
    """Its lines, each word as it was; None where a text in it does not end, it is too long, or it cannot be told."""
    if len(line) > _LONGEST:
        return None
    lines = _Lines(line[: len(line) - len(line.lstrip(" \t"))])
    position = 0
    while position < len(line):
        match = _PART.match(line, position)
        if match is None:
            return None
        lines.add(match)
        position = match.end()
    lines.end()
    return lines.done


class _Lines:
    def __init__(self, indent: str) -> None:
        self.done: list[str] = []
        self._indent = indent
        self._depth = 0
        self._words: list[str] = []

    def add(self, part: re.Match[str]) -> None:
        if part["open"]:
            self._words.append("{")
            self.end()
            self._depth += 1
        elif part["close"]:
            self.end()
            self._depth -= 1
            self._words.append("}")
            self.end()
        elif part["lone"] or not (part["word"] or part["comment"]):
            self.end()
        else:
            self._words.append(part["word"] or part["comment"])
            if part["ended"]:
                self.end()

    def end(self) -> None:
        """The next word begins a line."""
        if self._words:
            within = self._indent + "    " * self._depth if self._depth >= 0 else self._indent.removesuffix("    ")
            self.done.append(within + " ".join(self._words))
            self._words = []
