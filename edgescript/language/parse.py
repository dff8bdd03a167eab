"""From source to tree: never raises, goes on after an error, and reports every problem in one run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.lexer import Lexer as LarkLexer

from edgescript.language.lexer import Lexer, Piece
from edgescript.language.mistakes import balanced
from edgescript.language.tree import Line, Origin, Tree
from edgescript.text.problem import Problem
from edgescript.text.source import Source, Span

#: Characters of one file. 10,000 sites of five directives are two million.
MAX_SIZE = 16 * 1024 * 1024

_HERE = Path(__file__).resolve()
#: In a wheel the grammar is part of the package; in a checkout it stands beside it.
_GRAMMARS = (_HERE.parents[1] / "grammar" / "edgefile.lark", _HERE.parents[2] / "grammar" / "edgefile.lark")


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
    try:
        return _structure(lexer.pieces), lexer.problems
    except UnexpectedToken:
        pieces, unbalanced = balanced(lexer.pieces, origin, len(origin.source.text))
        return _structure(pieces), lexer.problems + ([] if lexer.swallowed_rest else unbalanced)


def _structure(pieces: list[Piece]) -> list[Line]:
    """
    The lines that the pieces are, with their blocks.

    :raises UnexpectedToken: if openings and closings do not fit together
    """
    state = _grammar().parse_interactive().parser_state
    for piece in pieces:
        state.feed_token(cast(Token, piece))
    return cast("list[Line]", state.feed_token(Token("$END", ""), is_end=True))


class _Pieces(LarkLexer):
    """Lark is fed by hand; what it would call a lexer has nothing to do."""

    __future_interface__ = 2

    def __init__(self, *_: object) -> None:
        pass

    def lex(self, *_: object) -> Iterator[Token]:
        return iter(())


class _Builder(Transformer[Any, Any]):
    """What each rule of the grammar builds."""

    def file(self, children: list[Any]) -> list[Line]:
        return _flat(children)

    def block(self, children: list[Any]) -> Line:
        opening, closing = children[0], children[-1]
        line: Line = opening.lines[0]
        line.block = _flat(children[1:-1])
        line.block_end = closing.brace
        line.block_comment = closing.comment
        line.end = closing.end
        return line


def _flat(children: list[Any]) -> list[Line]:
    lines: list[Line] = []
    for child in children:
        if child.__class__ is Line:
            lines.append(child)
        else:
            lines += child.lines
    return lines


@cache
def _grammar() -> Lark:
    path = next(path for path in _GRAMMARS if path.exists())
    return Lark(path.read_text("utf-8"), parser="lalr", start="file", lexer=_Pieces, transformer=_Builder())
