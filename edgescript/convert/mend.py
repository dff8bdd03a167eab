"""A converted file is made valid: what has problems becomes a comment, with the problem as the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgescript.catalog import Catalogue
from edgescript.convert.edgefile import Blank, Comment, Directive, Edgefile, Node
from edgescript.convert.report import Conversion, Outcome, Remark, Report
from edgescript.graph.load import analyse
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

#: One directive less may make others wrong, which used it.
_ROUNDS = 12
#: What stands behind something that answers every request never ran in the original either.
_NEVER_RUNS = ("E201",)


class _AnyEnvironment(Mapping[str, str]):
    """Every variable is set, to what is fine for a host, a port, a path and a number."""

    def __getitem__(self, name: str) -> str:
        return "80"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def mended(edgefile: Edgefile, report: Report, catalogue: Catalogue) -> Conversion:
    """The text of a file that has no errors, and the report of what it cost."""
    for _ in range(_ROUNDS):
        wrong = _wrong(edgefile, catalogue)
        if not wrong:
            return Conversion(str(edgefile), report)
        edgefile.settings = _without(edgefile.settings, wrong, report)
        edgefile.nodes = _without(edgefile.nodes, wrong, report)
    left = _wrong(edgefile, catalogue)
    return Conversion(str(edgefile) if not left else _all_comments(edgefile, report), report)


def is_valid(edgefile: Edgefile, catalogue: Catalogue) -> bool:
    """Whether nothing has to be mended but what was added."""
    wrong = _wrong(edgefile, catalogue)
    added = {id(one) for node in edgefile.nodes for one in _directives(node) if one.optional}
    return wrong.keys() <= added


def _wrong(edgefile: Edgefile, catalogue: Catalogue) -> dict[int, Problem]:
    """The first error of each directive that has one, by the identity of its node."""
    lines = edgefile.lines()
    source = Source("Edgefile", "".join(f"{line}\n" for line, _ in lines))
    problems = analyse(source, catalogue=catalogue, environment=_AnyEnvironment(), read=_read_nothing).problems
    found: dict[int, Problem] = {}
    for problem in problems:
        if problem.severity is Severity.ERROR:
            number = 0 if problem.span is None else source.position(problem.span.start)[0] - 1
            found.setdefault(id(_directive_at(lines, number)), problem)
    return found


def _read_nothing(name: str) -> bytes:
    raise OSError("a converted file imports nothing")


def _directive_at(lines: list[tuple[str, Node]], number: int) -> Node:
    number = min(number, len(lines) - 1)
    return lines[number][1]


def _without(nodes: list[Node], wrong: dict[int, Problem], report: Report) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        problem = wrong.get(id(node))
        if problem is None:
            if isinstance(node, Directive) and node.block is not None:
                node.block = _without(node.block, wrong, report)
            found.append(node)
        elif not (isinstance(node, Directive) and node.optional):
            _note(node, problem, report)
            found += _in_its_place(node, problem.code in _NEVER_RUNS)
    return found


def _in_its_place(node: Node, never_runs: bool) -> list[Node]:
    if never_runs:
        return [_as_comment(node, "left out, it never runs: ")]
    instead = node.instead if isinstance(node, Directive) else []
    return [_as_comment(node, "not converted: "), *instead]


def _as_comment(node: Node, said: str = "") -> Comment:
    lines = [line for line, _ in Edgefile(nodes=[node]).lines()]
    return Comment(said + "\n".join(lines))


def _note(node: Node, problem: Problem, report: Report) -> None:
    """Say of the directive, and of all that its block holds, that it is not converted, or was not needed."""
    outcome = Outcome.CONVERTED if problem.code in _NEVER_RUNS else Outcome.NOT
    reason = (
        problem.message
        if problem.hint is None or outcome is Outcome.CONVERTED
        else f"{problem.message} ({problem.hint})"
    )
    origins = [one.origin for one in _directives(node) if one.origin is not None]
    for place, written in origins:
        before = next((one for one in report.remarks if (one.place, one.written) == (place, written)), None)
        if before is not None and before.outcome in (Outcome.CONVERTED, Outcome.PARTLY):
            report.remarks[report.remarks.index(before)] = Remark(outcome, place, written, reason)
        elif before is None:
            report.add(outcome, place, written, reason)
    if not origins:
        report.add(Outcome.NOT, "Edgefile", Edgefile(nodes=[node]).lines()[0][0].strip(), reason)


def _directives(node: Node) -> Iterator[Directive]:
    if isinstance(node, Directive):
        yield node
        for inner in node.block or ():
            yield from _directives(inner)


def _all_comments(edgefile: Edgefile, report: Report) -> str:
    """The last resort."""
    report.add(Outcome.NOT, "Edgefile", "the whole file", "it has too many errors")
    settings: list[Node] = [Directive([], edgefile.settings)] if edgefile.settings else []
    nodes: list[Node] = [*settings, Blank(), *edgefile.nodes]
    return str(Edgefile(nodes=[node if isinstance(node, Blank) else _as_comment(node) for node in nodes]))
