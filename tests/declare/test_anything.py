"""Whatever the words of an entry are, binding gives an instance or problems, and raises nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.declare import bind
from edgescript.declare.kinds import KINDS
from edgescript.declare.plan import Plan, plan_of
from edgescript.declare.scope import Scope
from edgescript.language.tree import Line, Origin, Word
from edgescript.text.source import Source

CATALOGUE = Catalogue.load()
ORIGIN = Origin(Source("Edgefile", ""))
ENTRIES = [(shelf, name) for shelf in ("directives", "matchers", "settings") for name in sorted(CATALOGUE.files(shelf))]
SAMPLES = sorted(
    {sample for kind in KINDS for sample in kind.samples}
    | {"*", "@name", "/x", "", "{", "{path}", "X-Level", "+X", "-X"}
)


def _names(plan: Plan) -> list[str]:
    """Every word that may begin a line of its block, at any depth."""
    inner = [name for slot in plan.slots if slot.record is not None for name in _names(plan_of(slot.record))]
    return [*plan.lines, *inner]


def _line(values: list[str], block: list[Line] | None) -> Line:
    line = Line([Word(value, 0, 0) for value in values], 0, 0, ORIGIN)
    line.block = block
    return line


WORDS = st.one_of(st.sampled_from(SAMPLES), st.text(max_size=12))


def lines(names: list[str]) -> st.SearchStrategy[Line]:
    """A line that begins with one of the names, mostly."""
    first = st.one_of(st.sampled_from(names), WORDS) if names else WORDS
    flat = st.builds(lambda head, rest: _line([head, *rest], None), first, st.lists(WORDS, max_size=3))
    block = st.none() | st.lists(flat, max_size=3)
    return st.builds(lambda head, rest, block: _line([head, *rest], block), first, st.lists(WORDS, max_size=3), block)


@st.composite
def entries(draw: st.DrawFn) -> tuple[str, Line]:
    shelf, name = draw(st.sampled_from(ENTRIES))
    found = CATALOGUE.entry(shelf, name)
    assert found is not None
    plan = plan_of(found)
    names = [*_names(plan), *CATALOGUE.files("matchers" if shelf == "matchers" else "directives")]
    block = draw(st.none() | st.lists(lines(names), max_size=4))
    return shelf, _line([name, *draw(st.lists(WORDS, max_size=4))], block)


@given(entries())
def test_any_words_are_bound_or_told(entry: tuple[str, Line]) -> None:
    shelf, line = entry
    scope = Scope(CATALOGUE)
    if shelf == "directives":
        bound = bind.bind_directive(line, scope)
    else:
        bound = bind.bind_matcher(line, scope) if shelf == "matchers" else bind.bind_setting(line, scope)
    assert bound is not None or scope.problems
