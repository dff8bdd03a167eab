"""
A converted file is made valid: what has problems becomes a comment, with the problem as the reason.

Where what goes refused requests, a refusal of more of them stays in its place: what was closed is not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

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
#: These exclude others of their kind next to them.
_BLOCKS = ("handle", "handle_path")
_REFUSALS = re.compile(r"4\d\d")


#: An environment variable, where the file gives it no default.
_VARIABLE = re.compile(r"\{\$([^{}:\s]+)\}")
#: Variables whose kind of value is found out.
_MOST_VARIABLES = 20


def mended(edgefile: Edgefile, report: Report, catalogue: Catalogue) -> Conversion:
    """The text of a file that has no errors, and the report of what it cost."""
    mender = _Mender(report)
    for _ in range(_ROUNDS):
        wrong = _wrong(edgefile, catalogue)
        if not wrong:
            return Conversion(str(edgefile), report)
        edgefile.settings = mender.without(edgefile.settings, wrong)
        edgefile.nodes = mender.without(edgefile.nodes, wrong, are_sites=True)
    left = _wrong(edgefile, catalogue)
    return Conversion(str(edgefile) if not left else _all_comments(edgefile, report), report)


def has_problems(text: str, catalogue: Catalogue) -> bool:
    """Whether an Edgefile has errors."""
    return bool(_errors(Source("Edgefile", text), catalogue))


def is_valid(edgefile: Edgefile, catalogue: Catalogue) -> bool:
    """Whether nothing has to be mended but what was added."""
    wrong = _wrong(edgefile, catalogue)
    added = {id(one) for node in edgefile.nodes for one in _directives(node) if one.optional}
    return wrong.keys() <= added


def _wrong(edgefile: Edgefile, catalogue: Catalogue) -> dict[int, Problem]:
    """The first error of each directive that has one, by the identity of its node."""
    lines = edgefile.lines()
    source = Source("Edgefile", "".join(f"{line}\n" for line, _ in lines))
    found: dict[int, Problem] = {}
    for problem in _errors(source, catalogue):
        number = 0 if problem.span is None else source.position(problem.span.start)[0] - 1
        found.setdefault(id(_directive_at(lines, number)), problem)
    return found


def _errors(source: Source, catalogue: Catalogue) -> list[Problem]:
    return _errors_with(_environment(source, catalogue), source, catalogue)


def _environment(source: Source, catalogue: Catalogue) -> dict[str, str]:
    """A value for each variable, with which there is least wrong: a number, or a host, which is fine for a path as well."""
    names = list(dict.fromkeys(_VARIABLE.findall(source.text)))
    chosen = dict.fromkeys(names, "80")
    least = _how_wrong(chosen, source, catalogue) if names else 0
    for name in names[:_MOST_VARIABLES]:
        other = {**chosen, name: "localhost"}
        wrong = _how_wrong(other, source, catalogue) if least else 0
        if wrong < least:
            chosen, least = other, wrong
    return chosen


def _how_wrong(environment: Mapping[str, str], source: Source, catalogue: Catalogue) -> int:
    """The number of errors; what never runs says nothing about values."""
    return sum(problem.code not in _NEVER_RUNS for problem in _errors_with(environment, source, catalogue))


def _errors_with(environment: Mapping[str, str], source: Source, catalogue: Catalogue) -> list[Problem]:
    problems = analyse(source, catalogue=catalogue, environment=environment, read=_read_nothing).problems
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _read_nothing(name: str) -> bytes:
    raise OSError("a converted file imports nothing")


def _directive_at(lines: list[tuple[str, Node]], number: int) -> Node:
    number = min(number, len(lines) - 1)
    return lines[number][1]


class _Mender:
    """Takes directives out, and says so."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._places: dict[tuple[str, str], int] = {}
        for number, one in enumerate(report.remarks):
            self._places.setdefault((one.place, one.written), number)
        self._refusals = 0

    def without(self, nodes: list[Node], wrong: dict[int, Problem], *, are_sites: bool = False) -> list[Node]:
        """The nodes, with comments for those that have problems."""
        found: list[Node] = []
        for node in nodes:
            problem = wrong.get(id(node))
            if problem is None:
                if isinstance(node, Directive) and node.block is not None:
                    node.block = self.without(node.block, wrong)
                found.append(node)
            elif isinstance(node, Directive) and node.optional:
                found += node.instead
            else:
                found += self._in_its_place(node, problem, is_site=are_sites)
        return found

    def _in_its_place(self, node: Node, problem: Problem, *, is_site: bool) -> list[Node]:
        never_runs = problem.code in _NEVER_RUNS
        self._note(node, Outcome.CONVERTED if never_runs else Outcome.NOT, problem)
        if never_runs:
            return [_as_comment(node, "left out, it never runs: ")]
        instead = node.instead if isinstance(node, Directive) else []
        closed = instead if instead or is_site else self._closed(node)
        return [_not_converted(node, problem.message), *closed]

    def _closed(self, node: Node) -> list[Node]:
        """Where something was refused, a refusal of all requests: which ones it was for is lost."""
        name = node.words[0] if isinstance(node, Directive) and node.words else ""
        if name == "handle_errors" or not any(refuses(one) for one in _directives(node)):
            return []
        self._refusals += 1
        said = Comment("closed, because which requests were refused is not converted")
        return [said, *refusal(f"@refused_{self._refusals}", "a refusal was not converted", for_block=name in _BLOCKS)]

    def _note(self, node: Node, outcome: Outcome, problem: Problem) -> None:
        """Say of the directive, and of all that its block holds, that it is not converted, or was not needed."""
        has_hint = problem.hint is not None and outcome is not Outcome.CONVERTED
        reason = f"{problem.message} ({problem.hint})" if has_hint else problem.message
        origins = [one.origin for one in _directives(node) if one.origin is not None]
        for origin in origins:
            self._say(Remark(outcome, *origin, reason))
        if not origins:
            self._report.add(Outcome.NOT, "Edgefile", Edgefile(nodes=[node]).lines()[0][0].strip(), reason)

    def _say(self, remark: Remark) -> None:
        remarks = self._report.remarks
        at = self._places.setdefault((remark.place, remark.written), len(remarks))
        if at == len(remarks):
            remarks.append(remark)
        elif remarks[at].outcome in (Outcome.CONVERTED, Outcome.PARTLY):
            remarks[at] = remark


def refusal(matcher: str, message: str, *, test: Sequence[Node] | None = None, for_block: bool = False) -> list[Node]:
    """
    A refusal of all requests, or of those that a matcher's lines fit.

    :param matcher: a name that is not taken yet
    :param for_block: it stands among blocks of which one excludes the other
    """
    lines = list(test or [Directive(["expression", "1 == 1"])])
    only = lines[0] if len(lines) == 1 else None
    is_short = isinstance(only, Directive) and only.block is None
    definition = Directive([matcher, *_words(only)]) if is_short else Directive([matcher], lines)
    if for_block:
        return [definition, Directive(["handle", matcher], [Directive(["error", "501", message])])]
    return [definition, Directive(["error", matcher, "501", message])]


def _words(node: Node | None) -> list[str]:
    return node.words if isinstance(node, Directive) else []


def refuses(node: Directive) -> bool:
    """Whether a directive itself keeps requests out."""
    name, *words = node.words or [""]
    return name in ("error", "abort") or (name == "respond" and any(map(_REFUSALS.fullmatch, words)))


def _as_comment(node: Node, said: str = "") -> Comment:
    lines = [line for line, _ in Edgefile(nodes=[node]).lines()]
    return Comment(said + "\n".join(lines))


def _not_converted(node: Node, why: str) -> Comment:
    """What was written, and where that is another text, what it came to."""
    written = node.origin[1] if isinstance(node, Directive) and node.origin is not None else ""
    made = _as_comment(node).text
    if not written or made.startswith(written):
        return Comment(f"not converted: {made}")
    return Comment(f"not converted: {written} ({why})\n{made}")


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
