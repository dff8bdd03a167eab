"""The last step: whatever is a problem in the Edgefile that was made becomes a comment, so that the result is always valid."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.convert.edgefile import Blank, Comment, Directive, Edgefile, Node
from edgescript.convert.nginx.context import Context, unconverted
from edgescript.convert.report import Outcome
from edgescript.graph.load import analyse
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

#: Taking a line away can make another problem; this often it is looked again.
_MOST_ROUNDS = 12


def settled(ctx: Context, file: Edgefile) -> str:
    """The text of the file without any error."""
    for _ in range(_MOST_ROUNDS):
        text = str(file)
        errors = problems(ctx, text)
        if not errors:
            return text
        wrong = {problem.span.source.position(problem.span.start)[0]: problem for problem in errors if problem.span}
        _drop(ctx, file, wrong)
    for node in file.nodes:
        if isinstance(node, Directive):
            _say(ctx, node, "what it came to is no valid Edgefile")
    return "# nothing of this configuration could be converted\n"


def problems(ctx: Context, text: str) -> list[Problem]:
    """The errors of an Edgefile."""
    found = analyse(Source("Edgefile", text), catalogue=ctx.catalogue, environment={}, read=_nothing)
    return [problem for problem in found.problems if problem.severity is Severity.ERROR]


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(name)


def _drop(ctx: Context, file: Edgefile, wrong: dict[int, Problem]) -> None:
    """Make a comment of every directive that begins on a wrong line."""
    number = 1
    if file.settings:
        number = _replaced(ctx, file.settings, 2, wrong) + 2
    _replaced(ctx, file.nodes, number, wrong)


def _replaced(ctx: Context, nodes: list[Node], number: int, wrong: dict[int, Problem]) -> int:
    """Go over nodes of which the first stands on a line; gives the line behind them."""
    for index, node in enumerate(nodes):
        if isinstance(node, Blank):
            number += 1
        elif isinstance(node, Comment):
            number += len(node.text.splitlines())
        else:
            start = number
            number += 1
            if node.block is not None:
                number = _replaced(ctx, node.block, number, wrong) + 1
            if start in wrong:
                nodes[index] = _dropped(ctx, node, wrong[start].message)
    return number


def _dropped(ctx: Context, node: Directive, message: str) -> Comment:
    _say(ctx, node, message)
    line = ctx.origins.get(id(node))
    if line is not None:
        return unconverted(line, message)
    return Comment(f"{Outcome.NOT}: {' '.join(node.words)} ({message})")


def _say(ctx: Context, node: Directive, message: str) -> None:
    for one in _all(node):
        line = ctx.origins.get(id(one))
        if line is not None:
            ctx.notes.say(line, Outcome.NOT, message)


def _all(node: Directive) -> Iterator[Directive]:
    yield node
    for inner in node.block or []:
        if isinstance(inner, Directive):
            yield from _all(inner)
