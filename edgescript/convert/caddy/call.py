"""One directive of a Caddyfile, as those see it who convert it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgescript.convert.caddy import placeholders
from edgescript.convert.caddy.context import Context, NotConverted, not_yet
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Comment, Directive, Node

#: What becomes of a line of a directive's block: the lines that stand for it, none where it needs none.
Option = Callable[["Call", Line], list[Node]]


@dataclass(frozen=True, slots=True)
class Call:
    """A directive, its matcher taken off its arguments."""

    line: Line
    #: `/path` or `@name`; None for every request.
    matcher: str | None
    arguments: list[str]
    context: Context
    #: Converts the directives of a block; in the order written, with False.
    segment: Callable[[list[Line], bool], list[Node]]

    @property
    def name(self) -> str:
        return self.line.name

    def text(self, word: str) -> str:
        return placeholders.text(word, self.context)

    def texts(self, words: Sequence[str]) -> list[str]:
        return [self.text(word) for word in words]

    def directive(self, name: str, arguments: Sequence[str] = (), block: list[Node] | None = None) -> Directive:
        """A directive for the same requests, or NotConverted where this version has none of that name."""
        if self.context.catalogue.directive(name) is None:
            raise not_yet(f"directive {name}")
        words = [name, *self._matcher_before(arguments), *arguments]
        return Directive(words, block, origin=(self.line.place, self.line.written))

    def _matcher_before(self, arguments: Sequence[str]) -> list[str]:
        if self.matcher is not None:
            return [self.matcher]
        looks_like_one = bool(arguments) and arguments[0].startswith(("/", "@", "*"))
        return ["*"] if looks_like_one else []

    def several(self, count: int) -> None:
        """Refuse more arguments than Caddy takes."""
        if len(self.arguments) > count:
            raise NotConverted("it has too many arguments")

    def options(self, table: Mapping[str, Option], lines: Sequence[Line] | None = None) -> list[Node]:
        """The lines of the directive's block, each by its name; what is not converted stays as a comment."""
        found: list[Node] = []
        for line in (self.line.block or ()) if lines is None else lines:
            found += [Comment(text) for text in line.above]
            if line.words:
                found += self._option(table, line)
        return found

    def _option(self, table: Mapping[str, Option], line: Line) -> list[Node]:
        try:
            if line.name.startswith("@"):
                raise not_yet("matcher for responses of servers")
            if line.name not in table:
                raise NotConverted(f"{self.name} has no option {line.name}")
            nodes = table[line.name](self, line)
        except NotConverted as error:
            self.context.note(line, error.outcome, error.reason)
            return [not_converted(line)]
        for node in nodes:
            if isinstance(node, Directive):
                node.origin = (line.place, line.written)
        if nodes and isinstance(nodes[0], Directive):
            nodes[0].comment = line.behind
        return nodes


def not_converted(line: Line) -> Comment:
    """A line with its block as a comment."""
    return Comment("not converted: " + "\n".join(_written(line, 0)))


def _written(line: Line, depth: int) -> list[str]:
    indent = "    " * depth
    found = [f"{indent}# {text}" for text in line.above] if depth else []
    if line.words or line.block is not None:
        found.append(f"{indent}{line.written}{' {' if line.block is not None else ''}".rstrip())
    for inner in line.block or ():
        found += _written(inner, depth + 1)
    return [*found, *([f"{indent}}}"] if line.block is not None else [])]


# ---- what options often are


def same(name: str) -> Option:
    """An option that this program has under this name, with the same words."""
    return lambda call, line: [Directive([name, *call.texts(line.arguments)])]


def nothing(call: Call, line: Line) -> list[Node]:
    """An option that says what is so here anyway."""
    return []


def missing(call: Call, line: Line) -> list[Node]:
    """An option that this program will have."""
    raise not_yet(f"option {line.name} of {call.name}")


def never(reason: str) -> Option:
    """An option that there is no equal for."""

    def option(call: Call, line: Line) -> list[Node]:
        raise NotConverted(reason)

    return option
