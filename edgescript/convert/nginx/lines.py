"""An nginx configuration as a tree of lines, and how its levels inherit: what every rule of the conversion reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_QUOTED = frozenset(" \t\r\n;{}#\"'")


@dataclass(eq=False, slots=True)
class Line:
    """One directive, perhaps with a block. Lines are told apart by identity."""

    name: str
    args: list[str]
    #: `nginx.conf:12`.
    place: str
    #: None where the line has no block.
    block: list[Line] | None = None
    #: The block that the line stands in; None for the whole file.
    parent: Line | None = None
    #: What is said above the line, or behind it.
    comments: list[str] = field(default_factory=list)
    #: What is said at the end of the block.
    tail: list[str] = field(default_factory=list)
    _by_name: dict[str, list[Line]] | None = None

    @property
    def inner(self) -> list[Line]:
        return self.block or []

    def named(self, name: str) -> list[Line]:
        """The lines of a name in the block; looked up, for a block may hold ten thousand servers."""
        if self._by_name is None:
            self._by_name = {}
            for line in self.inner:
                self._by_name.setdefault(line.name, []).append(line)
        return self._by_name.get(name, [])

    def replace(self, block: list[Line]) -> None:
        """Give the line another block."""
        self.block, self._by_name = block, None

    @property
    def value(self) -> str:
        """The first argument, or nothing."""
        return self.args[0] if self.args else ""

    def __str__(self) -> str:
        """The directive on one line, as it was written but for its quotes."""
        words = [self.name, *map(_written, self.args)]
        if self.name == "if":
            words = ["if", f"({' '.join(self.args)})"]
        text = " ".join(words)
        return f"{text} {{ … }}" if self.block is not None else f"{text};"


def _written(word: str) -> str:
    if word and not _QUOTED.intersection(word):
        return word
    return "'" + word + "'" if '"' in word else f'"{word}"'


def own(block: Line, *names: str) -> list[Line]:
    """The lines of these names in a block itself, in their order."""
    if len(names) == 1:
        return block.named(names[0])
    if not any(block.named(name) for name in names):
        return []
    return [line for line in block.inner if line.name in names]


def inherited(block: Line, *names: str) -> list[Line]:
    """
    The lines of these names that count in a block: its own, or else those of the nearest block around it that has any.

    So it is for most of nginx's directives: those of an outer level count only where there is none on the inner one.
    """
    level: Line | None = block
    while level is not None:
        if found := own(level, *names):
            return found
        level = level.parent
    return []


def setting(block: Line, name: str) -> Line | None:
    """The one line of this name that counts in a block; the last, where it was written twice."""
    found = inherited(block, name)
    return found[-1] if found else None


def walk(block: Line) -> Iterator[Line]:
    """Every line below a block, in the order of the file."""
    for line in block.inner:
        yield line
        yield from walk(line)


def below(block: Line, name: str) -> Iterator[Line]:
    """The blocks of this name inside a block, at any depth."""
    return (line for line in walk(block) if line.name == name and line.block is not None)


def around(line: Line, name: str) -> Line | None:
    """The nearest block of this name around a line, or the line itself."""
    level: Line | None = line
    while level is not None and level.name != name:
        level = level.parent
    return level
