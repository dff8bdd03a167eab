"""The one argument parser: a line of the Edgefile and the declaration of its entry → a bound instance, or problems.

It is exhaustive about mistakes so that no entry has to be: every wrong, missing, surplus or repeated word is reported here,
at the word. What an entry finds in its own `check` is reported here too.

Quotes make no difference: `"/x"` is read as `/x`, so that `edge fmt` may add or drop them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from edgescript.declare import problems
from edgescript.declare.entries import Declaration, Steps, complaints
from edgescript.declare.fields import REQUIRED, Place
from edgescript.declare.kinds import EXPRESSION, PATH_PATTERN, PATTERN, Kind
from edgescript.declare.plan import Plan, Shape, Slot, plan_of
from edgescript.declare.scope import KindError, Scope
from edgescript.language.tree import Line, Origin, Word
from edgescript.text.source import Source, Span

#: What a place gives that could not be read; its problem is reported already.
_BAD: Any = object()

#: Kinds in which a dollar has a meaning of its own.
_WITH_DOLLARS = (PATTERN, EXPRESSION)


class Bound:
    """An entry as it was written: its instance, and where each of its values stands."""

    __slots__ = ("declaration", "entry", "instance", "line", "matcher", "places")

    def __init__(
        self, entry: type[Any], instance: Any, line: Line, matcher: Word | None, places: dict[str, Word | Line]
    ) -> None:
        self.entry = entry
        self.declaration: Declaration = entry.declaration
        self.instance = instance
        self.line = line
        #: The matcher of a directive as written: `*`, `/path*` or `@name`; None if there is none.
        self.matcher = matcher
        #: Where each field was given: its word, or the line of the block. Fields that were left out are not there.
        self.places = places

    def __repr__(self) -> str:
        return f"Bound({self.line!r})"

    def span(self, field: str | None = None) -> Span:
        """Where a field was given (`health.interval` for one of a group's), or the whole line."""
        return _span_of(self.line, self.places, field)


def _span_of(line: Line, places: dict[str, Word | Line], field: str | None) -> Span:
    first, _, rest = (field or "").partition(".")
    place = places.get(first)
    if isinstance(place, Word):
        return line.span(place)
    if place is None:
        return line.span()
    names = [inner for inner in place.block or () if inner.words and inner.words[0].value == rest]
    return (names[0] if rest and names else place).span()


# ---- the entries of each shelf


def bind_directive(line: Line, scope: Scope) -> Bound | None:
    """A line of a site or of a block of directives; None, with problems reported, if it cannot be understood."""
    if line.block is not None:
        return _directive(line, scope)
    key = tuple([word.value for word in line.words])
    same: Bound | None = scope.same.get(key)
    if same is not None:
        return _again(same, line)
    before = len(scope.problems)
    bound = _directive(line, scope)
    # What is warned of is warned of at each line.
    if bound is not None and len(scope.problems) == before and len(scope.same) < scope.MOST_VALUES:
        scope.same[key] = bound
    return bound


def _again(bound: Bound, line: Line) -> Bound:
    """The same for another line without a block that has the same words; they share the instance, which is a value."""
    number, words = bound.line.words.index, line.words
    matcher = None if bound.matcher is None else words[number(bound.matcher)]
    # Without a block, all places are words.
    places: dict[str, Word | Line] = {field: words[number(cast(Word, place))] for field, place in bound.places.items()}
    return Bound(bound.entry, bound.instance, line, matcher, places)


def _directive(line: Line, scope: Scope) -> Bound | None:
    word = line.words[0]
    entry = scope.names.entry("directives", word.value)
    if entry is None:
        problems.unknown_entry(scope, "directives", line, word)
        return None
    plan = plan_of(entry)
    matcher = None
    first = 1
    if entry.declaration.takes_matcher and len(line.words) > 1 and is_matcher(plan, line):
        matcher = line.words[1]
        first = 2
    return _bind(plan, line, scope, first, matcher)


def bind_matcher(line: Line, scope: Scope, first: int = 0) -> Bound | None:
    """
    A matcher: `path /x*`, with its name at word `first` of the line (1 behind `@name`).

    A matcher that is declared with `steps` holds matchers: of its block, or the one behind it on the line (`not path /x`).
    """
    return _bind_named(line, scope, first, "matchers")


def bind_setting(line: Line, scope: Scope) -> Bound | None:
    """A line of the global block."""
    return _bind_named(line, scope, 0, "settings")


def path_in_place(line: Line, word: Word, scope: Scope) -> None:
    """Report what is wrong with a directive's matcher that is a path."""
    try:
        scope.value(PATH_PATTERN, word.value)
    except KindError as error:
        problems.wrong_path(scope, line, word, error)


def default_of(entry: type[Any], scope: Scope) -> Any:
    """An instance with nothing but defaults, or None if the entry cannot do without arguments."""
    plan = plan_of(entry)
    return None if plan.required or plan.steps is not None else _Reading(plan, _line_of(""), scope).instance([], None)


def _bind_named(line: Line, scope: Scope, first: int, shelf: str) -> Bound | None:
    entry = scope.names.entry(shelf, line.words[first].value)
    if entry is None:
        problems.unknown_entry(scope, shelf, line, line.words[first])
        return None
    return _bind(plan_of(entry), line, scope, first + 1, None)


def _bind(plan: Plan, line: Line, scope: Scope, first: int, matcher: Word | None) -> Bound | None:
    reading = _Reading(plan, line, scope)
    instance = reading.instance(line.words[first:], line.block)
    return None if instance is _BAD else Bound(plan.entry, instance, line, matcher, reading.places)


def is_matcher(plan: Plan, line: Line) -> bool:
    """
    Whether a directive's first argument is its matcher: `*`, `@name`, or a path.

    But a path is an ordinary argument where the first declared one looks like a path too and would be left without a value:
    `files /srv` has a root, `files /a/* /srv` has both.
    """
    text = line.words[1].value
    if not text.startswith("/"):
        return text == "*" or (text.startswith("@") and len(text) > 1)
    if plan.path_like is None or len(line.words) > 2:
        return True
    name = plan.path_like.name
    return name in plan.lines and any(inner.words and inner.words[0].value == name for inner in line.block or ())


# ---- fields


class _Reading:
    """Reads the fields of one entry or record from one line."""

    __slots__ = ("line", "places", "plan", "scope", "sound", "values")

    def __init__(self, plan: Plan, line: Line, scope: Scope) -> None:
        self.plan = plan
        self.line = line
        self.scope = scope
        self.values: dict[str, Any] = {}
        self.places: dict[str, Word | Line] = {}
        #: No problem was found in the line's own words and options; nested directives do not count.
        self.sound = True

    def instance(self, words: Sequence[Word], block: list[Line] | None) -> Any:
        """The bound instance, or _BAD."""
        plan = self.plan
        if plan.steps is not None:
            words = self._nested(plan.steps, words, block)
        elif block is not None:
            self._block(block)
        self._positional(words)
        for slot in plan.required:
            if slot.attribute not in self.places:
                self._missing(slot)
        if not self.sound:
            return _BAD
        made = plan.entry(**{**_defaults(plan, self.scope), **self.values})
        return _BAD if plan.has_check and self._complaints(made) else made

    def _put(self, slot: Slot, value: Any, place: Word | Line) -> None:
        if value is _BAD:
            self.sound = False
        self.values[slot.attribute] = value
        self.places[slot.attribute] = place

    def _missing(self, slot: Slot) -> None:
        self.sound = False
        problems.missing(self.scope, self.line, self.plan, slot)

    def _complaints(self, made: Any) -> bool:
        found = list(complaints(made))
        for complaint in found:
            span = _span_of(self.line, self.places, complaint.field)
            place = self.places.get(complaint.field or "")
            problems.complaint(self.scope, self.line, place, span, complaint)
        return any(not complaint.code.startswith("W") for complaint in found)

    # -- words of the line

    def _positional(self, words: Sequence[Word]) -> None:
        plan, line, scope = self.plan, self.line, self.scope
        surplus = words[len(plan.args) :]
        if surplus and plan.rest is None:
            # Which of the words is too much, nobody knows: what each of them would mean is no help.
            self.sound = False
            self.places.update({slot.attribute: word for slot, word in zip(plan.args, words, strict=False)})
            problems.surplus(scope, line, plan, surplus)
            return
        for slot, word in zip(plan.args, words, strict=False):
            if slot.attribute in self.places:
                self.sound = False
                problems.twice(scope, slot, line.span(word), self._span(slot), fix=None)
            else:
                self._put(slot, _value(slot, slot.kind, word, line, scope), word)
        if plan.rest is None or not surplus:
            return
        values = tuple([_value(plan.rest, plan.rest.kind, word, line, scope) for word in surplus])
        self._put(plan.rest, _BAD if _BAD in values else values, surplus[0])
        if len(values) < (plan.rest.field.least or 0):
            self._missing(plan.rest)

    # -- lines of the block

    def _block(self, block: list[Line]) -> None:
        plan, scope = self.plan, self.scope
        if not plan.takes_block and any(line.words for line in block):
            self.sound = False
            problems.no_block(scope, self.line, plan)
            return
        for line in block:
            if not line.words:
                continue
            slot = plan.lines.get(line.words[0].value)
            if slot is not None:
                self._option(slot, line)
            elif plan.rows is not None:
                self._collect(plan.rows, _record(plan.rows, line, scope, 0), line)
            else:
                self.sound = False
                problems.unknown_option(scope, line, plan, self.line)

    def _option(self, slot: Slot, line: Line) -> None:
        value = _line_value(slot, line, self.scope)
        if slot.field.repeated:
            self._collect(slot, value, line)
        elif slot.attribute in self.places:
            self.sound = False
            problems.twice(self.scope, slot, line.span(), self._span(slot), fix=problems.without(line))
        else:
            self._put(slot, value, line)

    def _collect(self, slot: Slot, value: Any, line: Line) -> None:
        """One more of several lines for the same field."""
        if value is _BAD:
            self.sound = False
        self.values[slot.attribute] = (*self.values.get(slot.attribute, ()), value)
        self.places.setdefault(slot.attribute, line)

    def _span(self, slot: Slot) -> Span:
        return _span_of(self.line, self.places, slot.attribute)

    # -- a block of directives, or of matchers

    def _nested(self, slot: Slot, words: Sequence[Word], block: list[Line] | None) -> Sequence[Word]:
        """Bind what the entry holds; gives the words that are left for its arguments."""
        scope = self.scope
        if scope.depth == scope.MAX_DEPTH:
            self.sound = False
            problems.too_deep(scope, self.line)
            return ()
        scope.depth += 1
        if self.plan.declaration is not None and self.plan.declaration.shelf == "matchers":
            held, words = self._matchers(words, block), ()
        else:
            held = None if block is None else _steps(block, scope)
        scope.depth -= 1
        if held is None:
            self.sound = False
            problems.needs_block(scope, self.line, self.plan)
        else:
            self._put(slot, Steps(held), self.line)
        return words

    def _matchers(self, words: Sequence[Word], block: list[Line] | None) -> list[Any] | None:
        """The matchers of the block, or the one that stands behind on the line."""
        if block is not None and not words:
            bound = [bind_matcher(line, self.scope) for line in block if line.words]
        elif words:
            bound = [bind_matcher(self.line, self.scope, len(self.line.words) - len(words))]
        else:
            return None
        if None in bound:
            self.sound = False
        return bound


def _steps(block: list[Line], scope: Scope) -> list[Any]:
    if scope.steps is not None:
        return scope.steps(block)
    bound = [bind_directive(line, scope) for line in block if line.words]
    return [step for step in bound if step is not None]


# ---- values


def _value(slot: Slot, kind: Kind, word: Word, line: Line, scope: Scope) -> Any:
    """What a word means as a value of this kind, or _BAD."""
    try:
        value = scope.value(kind, word.value)
    except KindError as error:
        problems.wrong_kind(scope, slot, kind, word, line, error)
        return _BAD
    if "$" in word.value and kind not in _WITH_DOLLARS:
        problems.variables(scope, word, line)
    field = slot.field
    # Of `rest`, `least` says how many words there must be, and not how large they are.
    if (field.least is not None or field.most is not None) and slot.place is not Place.REST:
        below = field.least is not None and value < field.least
        if below or (field.most is not None and value > field.most):
            problems.out_of_range(scope, slot, kind, word, line)
            return _BAD
    return value


def _line_value(slot: Slot, line: Line, scope: Scope) -> Any:
    """What one line of a block gives its field, or _BAD."""
    if slot.shape is Shape.RECORD:
        return _record(slot, line, scope, 1)
    if slot.shape is Shape.ENTRY:
        return _entry(slot, line, scope)
    words = line.words[1:]
    if line.block is not None and any(inner.words for inner in line.block):
        problems.no_block_of_option(scope, line, slot)
        return _BAD
    if not words and slot.is_switch:
        return True
    most = {Shape.VALUE: 1, Shape.TUPLE: len(slot.kinds)}.get(slot.shape, len(words))
    least = len(slot.kinds)
    if len(words) < least or len(words) > most:
        problems.count_of_words(scope, line, slot, most)
        return _BAD
    kinds = slot.kinds if slot.shape is Shape.TUPLE else (slot.kind,) * len(words)
    values = tuple([_value(slot, kind, word, line, scope) for kind, word in zip(kinds, words, strict=True)])
    if _BAD in values:
        return _BAD
    return values[0] if slot.shape is Shape.VALUE else values


def _record(slot: Slot, line: Line, scope: Scope, first: int) -> Any:
    assert slot.record is not None
    return _Reading(plan_of(slot.record), line, scope).instance(line.words[first:], line.block)


def _entry(slot: Slot, line: Line, scope: Scope) -> Any:
    """The value of `balance round_robin`: an instance of an entry of another shelf."""
    assert slot.field.shelf is not None
    if len(line.words) < 2:
        problems.count_of_words(scope, line, slot, 1)
        return _BAD
    entry = scope.names.entry(slot.field.shelf, line.words[1].value)
    if entry is None:
        problems.unknown_entry(scope, slot.field.shelf, line, line.words[1])
        return _BAD
    return _Reading(plan_of(entry), line, scope).instance(line.words[2:], line.block)


# ---- defaults


def _defaults(plan: Plan, scope: Scope) -> dict[str, Any]:
    """What the fields hold that were left out; made once in a run, because templates depend on the names there are."""
    found = scope.defaults.get(plan)
    if found is None:
        found = scope.defaults[plan] = {slot.attribute: default_of_slot(slot, scope) for slot in plan.slots}
    return found


def default_of_slot(slot: Slot, scope: Scope) -> Any:
    """What a field holds that is left out."""
    text = slot.field.default
    if isinstance(text, str):
        return _written(slot, text, scope)
    several = slot.field.repeated or slot.place in (Place.REST, Place.ROWS) or slot.shape is Shape.SEQUENCE
    if several and not slot.optional:
        return ()
    if slot.is_switch and not slot.optional and text is not REQUIRED:
        return False
    if slot.shape is Shape.RECORD and not slot.optional and text is not REQUIRED:
        assert slot.record is not None
        return default_of(slot.record, scope)
    return None


def _written(slot: Slot, text: str, scope: Scope) -> Any:
    """The value of a default, which is written as it would be in an Edgefile."""
    if slot.shape is Shape.VALUE and not slot.field.repeated:
        return scope.value(slot.kind, text)
    value = _line_value(slot, _line_of(f"{slot.name} {text}"), scope)
    assert value is not _BAD, f"the default of {slot.name} is no value of its kind"
    return (value,) if slot.field.repeated else value


def _line_of(text: str) -> Line:
    """A line that no file has, for defaults: words between spaces."""
    words: list[Word] = []
    end = 0
    for part in text.split():
        start = text.index(part, end)
        end = start + len(part)
        words.append(Word(part, start, end))
    return Line(words, 0, len(text), Origin(Source("<default>", text)))
