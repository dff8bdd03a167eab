"""The directives of a block before and after: which were added, removed, changed, and moved to where the order matters."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from edgescript.declare.bind import Bound
from edgescript.declare.entries import ERRORS, REWRITER, SITE, WRAPPER
from edgescript.declare.plan import plan_of
from edgescript.declare.values import StatusPattern
from edgescript.graph.bound import Definition, Node
from edgescript.graph.layout import written
from edgescript.graph.outline import on_one_line
from edgescript.graph.patterns import Shape, shape
from edgescript.plan.facts import Facts, Keys, documented, held, is_exclusive, opened, words
from edgescript.plan.model import Change, Detail, Kind

#: Lines of an added or removed block that are shown.
SHOWN_LINES = 12
#: Of directives that another one moved past.
SHOWN_CROSSED = 4
#: Pairs of directives that are looked at in one site; beyond, order is taken to matter. It is two seconds' worth.
MOST_COMPARISONS = 1_000_000

_Pair = tuple[Node, Node]


class Routes:
    """One comparison of the directives of two sites."""

    def __init__(self, keys: Keys, site: str) -> None:
        self.keys = keys
        self.site = site
        self.changes: list[Change] = []
        #: Nodes that changes are about: what is tried first.
        self.touched: list[Node] = []
        self._comparisons = 0
        self._matchers_told: set[tuple[Hashable, Hashable]] = set()

    def compare(self, old: Sequence[Node], new: Sequence[Node], inside: tuple[str, ...] = ()) -> None:
        """Find the changes from one block to the other."""
        old, new = opened(old), opened(new)
        if self.keys.block(old) == self.keys.block(new):
            return
        same, changed, removed, added = self._paired(old, new)
        for node in removed:
            self._tell(Kind.REMOVED, node, None, inside, _lines(node, removed=True))
        for before, after in changed:
            self._changed(before, after, inside)
        for node in added:
            self._tell(Kind.ADDED, None, node, inside, _lines(node, removed=False))
        self._moved(old, new, [*same, *changed], inside)

    # ---- who is who

    def _paired(
        self, old: Sequence[Node], new: Sequence[Node]
    ) -> tuple[list[_Pair], list[_Pair], list[Node], list[Node]]:
        same, removed, added = _match(old, new, self.keys.node)
        changed: list[_Pair] = []
        for key in (self._by_place, self._by_text, self._by_content):
            pairs, removed, added = _match(removed, added, key)
            changed += pairs
        position = {id(node): number for number, node in enumerate(new)}
        return same, sorted(changed, key=lambda pair: position[id(pair[1])]), removed, added

    def _by_place(self, node: Node) -> Hashable:
        """
        The same directive for the same requests.

        Of wrappers and rewriters there may be many in a row (`header A x`, `header B y`): their first argument counts too.
        """
        if node.role is ERRORS:
            return node.name, self.keys.values(node.bound.instance)
        return node.name, self.keys.matcher(node.matcher), self._first_argument(node)

    def _by_text(self, node: Node) -> Hashable:
        """The same matcher by name, whatever it means now."""
        return node.name, None if node.matcher is None else node.matcher.text, self._first_argument(node)

    def _first_argument(self, node: Node) -> Hashable:
        if node.role not in (WRAPPER, REWRITER):
            return None
        facts = self.keys.facts(node.bound.instance)
        return next((facts[slot.name] for slot in plan_of(node.bound.entry).args), None)

    def _by_content(self, node: Node) -> Hashable:
        """The same content for other requests."""
        return node.name, self.keys.block(node.block) if node.block else self.keys.values(node.bound.instance)

    # ---- what changed

    def _changed(self, before: Node, after: Node, inside: tuple[str, ...]) -> None:
        details = self._details(before, after)
        if self.keys.matcher(before.matcher) != self.keys.matcher(after.matcher):
            self._matcher_changed(before, after, inside)
            details = [detail for detail in details if after.bound.declaration.takes_matcher]
        if details:
            self._tell(Kind.CHANGED, before, after, inside, details)
        self.compare(before.block, after.block, (*inside, text_of(after.bound)))

    def _details(self, before: Node, after: Node) -> list[Detail]:
        old, new = self.keys.facts(before.bound.instance), self.keys.facts(after.bound.instance)
        return [*differences(old, new, before.bound, after.bound, instance=after.bound.instance)]

    def _matcher_changed(self, before: Node, after: Node, inside: tuple[str, ...]) -> None:
        """A matcher that several directives use is told once, at its definition."""
        key = (self.keys.matcher(before.matcher), self.keys.matcher(after.matcher))
        named = before.matcher is not None and after.matcher is not None and bool(after.matcher.parts)
        self.touched += [before, after]
        if named and key in self._matchers_told:
            return
        self._matchers_told.add(key)
        old, new = _meanings(before.matcher), _meanings(after.matcher)
        if old == new:  # the arguments of an import differ
            old, new = _values(before.matcher), _values(after.matcher)
        gone, come = _without(old, new), _without(new, old)
        detail = Detail("matcher", gone, come) if gone or come else Detail("matcher", old, new)
        if named and before.matcher is not None and after.matcher is not None:
            spans = (before.matcher.span, after.matcher.span)
            change = Change(Kind.CHANGED, "matcher", self.site, after.matcher.text, *spans, inside, (detail,))
        else:
            text = text_of(after.bound)
            change = Change(Kind.CHANGED, "directive", self.site, text, before.span, after.span, inside, (detail,))
        self.changes.append(change)

    def _tell(
        self, kind: Kind, old: Node | None, new: Node | None, inside: tuple[str, ...], details: Iterable[Detail]
    ) -> None:
        shown = new or old
        assert shown is not None, "a change is about something"
        self.touched += [node for node in (old, new) if node is not None]
        spans = (None if old is None else old.span, None if new is None else new.span)
        text = text_of(shown.bound)
        before = "" if old is None or new is None else text_of(old.bound)
        self.changes.append(Change(kind, "directive", self.site, text, *spans, inside, tuple(details), before))

    # ---- order

    def _moved(self, old: Sequence[Node], new: Sequence[Node], pairs: list[_Pair], inside: tuple[str, ...]) -> None:
        """Of directives that stand in another order, as few as explain it, where it makes a difference."""
        was = {id(node): number for number, node in enumerate(old)}
        now = {id(node): number for number, node in enumerate(new)}
        pairs = [pair for pair in pairs if pair[1].role is not SITE]
        pairs.sort(key=lambda pair: now[id(pair[1])])
        if _all_apart([after for _, after in pairs]):
            return
        stayed = set(_longest_ascending([was[id(before)] for before, _ in pairs]))
        for number, (before, after) in enumerate(pairs):
            if number not in stayed:
                crossed = self._crossed(number, pairs, was)
                if crossed:
                    went_up = now[id(after)] < now[id(crossed[0])]
                    self._tell_move(before, after, crossed, inside, went_up=went_up)

    def _crossed(self, number: int, pairs: list[_Pair], was: dict[int, int]) -> list[Node]:
        """The directives that stand on the other side of one now, and may be for the same requests."""
        before, after = pairs[number]
        place = was[id(before)]
        found: list[Node] = []
        for index, (first, other) in enumerate(pairs):
            if index != number and (index < number) != (was[id(first)] < place):
                self._comparisons += 1
                if self._comparisons > MOST_COMPARISONS or not _commute(after, other):
                    found.append(other)
            if len(found) > SHOWN_CROSSED:
                break
        return found

    def _tell_move(
        self, before: Node, after: Node, crossed: Sequence[Node], inside: tuple[str, ...], *, went_up: bool
    ) -> None:
        where = "above" if went_up else "below"
        name = f"now {where}"
        self._tell(Kind.MOVED, before, after, inside, [Detail(name, (), _first_of(crossed))])


def _match(
    old: Sequence[Node], new: Sequence[Node], key: Callable[[Node], Hashable]
) -> tuple[list[_Pair], list[Node], list[Node]]:
    """Pairs of equal keys, the first with the first; and who is left."""
    waiting: dict[Hashable, deque[Node]] = defaultdict(deque)
    for node in old:
        waiting[key(node)].append(node)
    pairs: list[_Pair] = []
    added: list[Node] = []
    for node in new:
        partners = waiting.get(key(node))
        if partners:
            pairs.append((partners.popleft(), node))
        else:
            added.append(node)
    paired = {id(before) for before, _ in pairs}
    return pairs, [node for node in old if id(node) not in paired], added


def _longest_ascending(numbers: Sequence[int]) -> list[int]:
    """The positions of a longest ascending subsequence (patience sorting)."""
    tops: list[int] = []
    at: list[int] = []
    back: list[int] = []
    for position, number in enumerate(numbers):
        pile = bisect_left(tops, number)
        tops[pile : pile + 1] = [number]
        at[pile : pile + 1] = [position]
        back.append(at[pile - 1] if pile else -1)
    found: list[int] = []
    position = at[-1] if at else -1
    while position >= 0:
        found.append(position)
        position = back[position]
    return found[::-1]


def _commute(one: Node, other: Node) -> bool:
    """Whether it certainly makes no difference which of two directives stands first: no request is for both."""
    if ERRORS in (one.role, other.role):
        return one.role is not other.role or not _answer_the_same_error(one, other)
    # What stands between blocks that exclude each other ends their choice.
    if REWRITER in (one.role, other.role) or is_exclusive(one) is not is_exclusive(other):
        return False
    if one.paths is None or other.paths is None:
        return False
    return all(_apart(left, right) for left in one.paths for right in other.paths)


def _answer_the_same_error(one: Node, other: Node) -> bool:
    """Whether an error is for both of two `handle_errors`; those for every error stand behind the others anyway."""
    these, those = one.bound.instance.statuses, other.bound.instance.statuses
    if not these or not those:
        return not these and not those
    return any(
        left.number == right.number if left.is_class is right.is_class else _is_in_class(left, right)
        for left in these
        for right in those
    )


def _is_in_class(left: StatusPattern, right: StatusPattern) -> bool:
    return left.matches(right.number) if left.is_class else right.matches(left.number)


def _all_apart(nodes: Sequence[Node]) -> bool:
    """Whether no two of many directives are for the same requests: seen at once for a long table of paths."""
    if len(set(map(is_exclusive, nodes))) > 1:
        return False
    found: list[tuple[str, bool]] = []
    for node in nodes:
        if node.role is REWRITER or node.paths is None:
            return False
        for kind, text in map(shape, node.paths):
            if kind not in (Shape.EXACT, Shape.PREFIX):
                return False
            found.append((text, kind is Shape.PREFIX))
    found.sort()
    # What a prefix covers stands behind it, up to the first that it does not cover.
    return all(text != after and not (wide and after.startswith(text)) for (text, wide), (after, _) in pairwise(found))


def _apart(left: str, right: str) -> bool:
    """Whether no path fits both patterns, as far as that is certain."""
    kinds = (Shape.EXACT, Shape.PREFIX)
    (left_kind, left), (right_kind, right) = shape(left), shape(right)
    if left_kind not in kinds or right_kind not in kinds:
        return False
    if left_kind is Shape.EXACT and right_kind is Shape.EXACT:
        return left != right
    if left_kind is Shape.EXACT:
        return not left.startswith(right)
    if right_kind is Shape.EXACT:
        return not right.startswith(left)
    return not left.startswith(right) and not right.startswith(left)


# ---- texts


def _first_of(nodes: Sequence[Node]) -> tuple[str, ...]:
    texts = [text_of(node.bound) for node in nodes[:SHOWN_CROSSED]]
    return (*texts, "…") if len(nodes) > SHOWN_CROSSED else tuple(texts)


def text_of(bound: Bound) -> str:
    """A directive as it was written, on one line."""
    return on_one_line(written(bound.line))


def _meanings(matcher: Definition | None) -> tuple[str, ...]:
    if matcher is None:
        return ("every request",)
    return tuple(_part(part) for part in matcher.parts) or (matcher.text,)


def _values(matcher: Definition | None) -> tuple[str, ...]:
    """What a matcher means, with the arguments of imports put in."""
    return () if matcher is None else tuple(map(_valued, matcher.parts)) or matcher.paths or ()


def _valued(part: Bound) -> str:
    return " ".join([part.declaration.name, *words(part.instance), " and ".join(map(_valued, held(part)))]).rstrip()


def _part(part: Bound) -> str:
    words = part.line.words
    if part.line.block is not None and words[0].value == part.declaration.name:
        inner = " and ".join(on_one_line(written(line)) for line in part.line.block if line.words)
        return f"{on_one_line(written(part.line))} ({inner})"
    first = next((number for number, word in enumerate(words) if word.value == part.declaration.name), 0)
    return on_one_line(written(part.line, first))


def _without(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in these if one not in those)


def _lines(node: Node, *, removed: bool) -> list[Detail]:
    """What stood in an added or removed block."""
    lines = [line for line in node.bound.line.walk() if line.words and line is not node.bound.line]
    texts = [on_one_line(written(line)) for line in lines[:SHOWN_LINES]]
    if len(lines) > SHOWN_LINES:
        texts.append(f"… {len(lines) - SHOWN_LINES} more lines")
    return [Detail("", tuple(texts), ()) if removed else Detail("", (), tuple(texts))] if texts else []


def differences(
    old: Facts, new: Facts, before: Bound | None = None, after: Bound | None = None, *, instance: Any
) -> Iterator[Detail]:
    """
    The facts that differ. Bound lines tell what was left out, and has its default.

    :param instance: whose facts they are, for their documentation
    """
    for name in {**old, **new}:
        was, now = old.get(name, ()), new.get(name, ())
        if was == now:
            continue
        several = max(len(was), len(now)) > 1
        gone, come = (_without(was, now), _without(now, was)) if several else (was, now)
        if not gone and not come:  # another order, or one of them twice
            gone, come = (" ".join(was),), (" ".join(now),)
        slots = plan_of(type(instance)).args
        # With another argument of an import, the line itself is as before.
        is_seen = before is not None and after is not None and text_of(before) != text_of(after)
        on_line = is_seen and any(slot.name == name for slot in slots)
        said = _said(gone, name, before), _said(come, name, after)
        yield Detail(name, *said, documented(instance, name), on_line)


def _said(values: tuple[str, ...], name: str, bound: Bound | None) -> tuple[str, ...]:
    left_out = bound is not None and name.partition(".")[0] not in bound.places
    return tuple(f"{value} (default)" for value in values) if left_out and "." not in name else values
