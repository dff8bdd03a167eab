"""From source to tree: never raises, goes on after an error, and reports every problem in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edgescript.language.lexer import Lexer, Piece
from edgescript.language.mistakes import balanced
from edgescript.language.semicolons import AT_LINE_END, without_semicolons
from edgescript.language.table import RULES, STATES
from edgescript.language.tree import Line, Origin, Tree
from edgescript.text.problem import Problem
from edgescript.text.source import Source, Span

#: Characters of one file. 10,000 sites of five directives are two million.
MAX_SIZE = 16 * 1024 * 1024


class Unbalanced(Exception):
    """Openings and closings do not fit together."""


def parse(source: Source, imported: Span | None = None) -> tuple[Tree, list[Problem]]:
    """
    The lossless tree of a source, and everything that is wrong with its text.

    :param imported: the `import` that brought it here
    """
    origin = Origin(source, imported)
    if len(source.text) > MAX_SIZE:
        span = Span(source, 0, 0, imported)
        tree = Tree(source, [Line([], 0, len(source.text), origin)])
        return tree, [Problem("E014", f"the file has more than {MAX_SIZE // 1024 // 1024} MiB", span)]
    lines, problems = _parsed(origin)
    problems.sort(key=lambda problem: problem.span.start if problem.span else 0)
    return Tree(source, lines), problems


def _parsed(origin: Origin) -> tuple[list[Line], list[Problem]]:
    lexer = Lexer(origin)
    lexer.run()
    if AT_LINE_END.search(origin.source.text):
        lines = [line for piece in lexer.pieces for line in piece.lines]
        lexer.problems += without_semicolons(lines, origin)
    try:
        return _structure(lexer.pieces), lexer.problems
    except Unbalanced:
        pieces, unbalanced = balanced(lexer.pieces, origin, len(origin.source.text))
        return _structure(pieces), lexer.problems + ([] if lexer.overlooked_braces else unbalanced)


def _structure(pieces: list[Piece]) -> list[Line]:
    """
    The lines that the pieces are, with their blocks: an LALR parser, run by the table of `grammar/edgefile.lark`.

    :raises Unbalanced: if openings and closings do not fit together
    """
    states, values = [0], list[Any]()
    for piece in pieces:
        states.append(_reduced(states, values, piece.type))
        values.append(piece)
    _reduced(states, values, "$END")
    lines: list[Line] = values[0]
    return lines


def _reduced(states: list[int], values: list[Any], symbol: str) -> int:
    """Carry out the rules that end before a symbol; gives the state that the symbol leads to."""
    while True:
        action = STATES[states[-1]].get(symbol)
        if action is None:
            raise Unbalanced
        if action >= 0:
            return action
        name, size, build = _RULES[~action]
        at = len(values) - size
        values[at:] = [build(values[at:])]
        del states[at + 1 :]
        states.append(STATES[states[-1]][name])


# What each rule of the grammar builds. The pieces stay as they are, because they are parsed again if they do not fit together.


def _item(parts: Sequence[Any]) -> list[Line]:
    (part,) = parts
    return [part] if part.__class__ is Line else list(part.lines)


def _block(parts: Sequence[Any]) -> Line:
    opening, closing = parts[0], parts[-1]
    line: Line = opening.lines[0]
    line.block = _joined(parts[1:-1])
    line.block_end = closing.brace
    line.block_comment = closing.comment
    line.end = closing.end
    return line


def _joined(parts: Sequence[list[Line]]) -> list[Line]:
    """Of `file`, and of what lark makes of a `*` in the grammar."""
    lines = parts[0] if parts else []
    for more in parts[1:]:
        lines += more
    return lines


_BUILD: dict[str, Callable[[Sequence[Any]], Any]] = {"_item": _item, "block": _block}
_RULES = tuple((name, size, _BUILD.get(name, _joined)) for name, size in RULES)
