"""Problems of a file and of those that it imports, as an editor shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.graph.load import Analysis, analyse
from edgescript.language.parse import parse
from edgescript.lint.run import lint
from edgescript.lsp.context import is_fragment
from edgescript.lsp.document import View
from edgescript.lsp.features.definition import source_uri
from edgescript.testing.scenario import read_tests
from edgescript.text.problem import Problem, Severity, in_order
from edgescript.text.source import Source, Span

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
#: What never runs, and what nothing uses: an editor shows it faded.
_UNNECESSARY = {"E201", "W201", "W306", "W307"}
#: Who imports a fragment gives it its arguments and matchers.
_GIVEN = {"E011", "E111"}
#: As many problems of one file as someone may want to see.
SHOWN = 500


def examined(
    source: Source, catalogue: Catalogue, environment: Mapping[str, str], read: Callable[[str], bytes]
) -> tuple[Analysis, list[Problem]]:
    """A file as the root of its imports, and everything that is wrong with it."""
    fragment = source.name.endswith(".edge") and is_fragment(source.name, parse(source)[0].lines, catalogue)
    root = _around(source.name) if fragment else source
    found = analyse(root, catalogue=catalogue, environment=environment, read=read)
    problems = in_order([*found.problems, *read_tests(found.file.tests)[1], *lint(found, catalogue)])
    return found, [p for p in problems if not fragment or p.code not in _GIVEN]


def _around(path: str) -> Source:
    """A site that imports a fragment."""
    return Source(f"{path}#", f"http://fragment.invalid {{\n    import `{path}`\n}}\n")


def diagnostics(view: View, problems: Sequence[Problem]) -> list[types.Diagnostic]:
    """The problems of a document; not more than someone may want to see."""
    shown = [_diagnostic(view, problem) for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        shown[-1].message += f"\n… and {len(problems) - SHOWN:,} more problems in this file"
    return shown


def _diagnostic(view: View, problem: Problem) -> types.Diagnostic:
    hint = f"\n{problem.hint}" if problem.hint else ""
    span = problem.span
    return types.Diagnostic(
        range=_first_line(view) if span is None else view.positions(span.source).range(span.start, span.end),
        message=problem.message + hint,
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        source="edge",
        tags=[types.DiagnosticTag.Unnecessary] if problem.code in _UNNECESSARY else None,
        related_information=list(_related(view, problem, span)) or None,
    )


def _first_line(view: View) -> types.Range:
    """Where problems are shown that are about no place of the file."""
    positions = view.document.positions
    return types.Range(types.Position(0, 0), positions.end_of_line(0))


def _related(view: View, problem: Problem, span: Span | None) -> Iterator[types.DiagnosticRelatedInformation]:
    places = [(note.message, note.span) for note in problem.notes]
    outer = span.imported if span is not None else None
    while outer is not None:
        places.append(("imported at", outer))
        outer = outer.imported
    for message, place in places:
        if place is not None and not place.source.name.endswith("#"):
            where = view.positions(place.source).range(place.start, place.end)
            location = types.Location(source_uri(view, place.source.name), where)
            yield types.DiagnosticRelatedInformation(location, message)
