"""Problems of a file and of those that it imports, as an editor shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.graph.load import Analysis, analyse
from edgescript.lsp.context import is_fragment
from edgescript.lsp.document import Document, View
from edgescript.lsp.features.definition import source_uri
from edgescript.testing.scenario import read_tests
from edgescript.text.problem import Problem, Severity, in_order
from edgescript.text.source import Source, Span

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
#: Lines that do nothing: an editor shows them faded.
_UNNECESSARY = {"E201", "W201"}


def examined(
    document: Document, catalogue: Catalogue, environment: Mapping[str, str], read: Callable[[str], bytes]
) -> tuple[Analysis, list[Problem]]:
    """A document as the root of its imports, and everything that is wrong with it. The linter's findings belong here too."""
    fragment = is_fragment(document.path, document.tree.lines, catalogue)
    text = f"http://fragment.invalid {{\n    import `{document.path}`\n}}\n"
    source = Source(f"{document.path}#", text) if fragment else document.source
    found = analyse(source, catalogue=catalogue, environment=environment, read=read)
    problems = in_order([*found.problems, *read_tests(found.file.tests)[1]])
    # Who imports a fragment gives it its arguments and matchers.
    return found, [p for p in problems if not fragment or p.code not in ("E011", "E111")]


def diagnostic(view: View, problem: Problem, span: Span) -> types.Diagnostic:
    hint = f"\n{problem.hint}" if problem.hint else ""
    return types.Diagnostic(
        range=view.positions(span.source).range(span.start, span.end),
        message=problem.message + hint,
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        source="edge",
        tags=[types.DiagnosticTag.Unnecessary] if problem.code in _UNNECESSARY else None,
        related_information=list(_related(view, problem, span)) or None,
    )


def _related(view: View, problem: Problem, span: Span) -> Iterator[types.DiagnosticRelatedInformation]:
    places = [(note.message, note.span) for note in problem.notes]
    outer = span.imported
    while outer is not None:
        places.append(("imported at", outer))
        outer = outer.imported
    for message, place in places:
        if place is not None and not place.source.name.endswith("#"):
            where = view.positions(place.source).range(place.start, place.end)
            location = types.Location(source_uri(view, place.source.name), where)
            yield types.DiagnosticRelatedInformation(location, message)
