"""The last step: whatever is a problem in the Edgefile that was made becomes a comment, so that the result is always valid."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.convert.edgefile import Comment, Directive, Edgefile, Node
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
        lines = file.lines()
        errors = problems(ctx, str(file))
        if not errors:
            return str(file)
        wrong: dict[int, str] = {}
        for problem in errors:
            if problem.span is not None:
                number = problem.span.source.position(problem.span.start)[0]
                wrong.setdefault(id(lines[min(number, len(lines)) - 1][1]), problem.message)
        _drop(ctx, file.settings, wrong)
        _drop(ctx, file.nodes, wrong)
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


def _drop(ctx: Context, nodes: list[Node], wrong: dict[int, str]) -> None:
    """Make a comment of every directive that is wrong."""
    for index, node in enumerate(nodes):
        if isinstance(node, Directive):
            _drop(ctx, node.block or [], wrong)
            if id(node) in wrong:
                nodes[index] = _dropped(ctx, node, wrong[id(node)])


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
