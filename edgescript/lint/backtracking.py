"""Whether a regular expression can take exponentially long.

Python's `re` tries one way after the other. Where a repeated part can match the same text in two ways, a text of n characters
can be split in 2ⁿ ways, and all are tried before it is clear that nothing fits. That is a property of the automaton of the
expression (Glushkov's: one state for each character written): a state from which two different ways lead back to itself
over the same text (Weber and Seidl, 1991: exponential degree of ambiguity). What follows must be able to fail, too.

It is sure of what it reports, but does not find everything: lookarounds and back-references are taken for nothing, ranges of
repeats with a small bound for one, and large expressions are left alone. Polynomial cases (`.*.*x`) are none.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as ops
    from re import _parser as parser

#: Without a repeated group nothing of this kind can be.
_REPEATED_GROUP = re.compile(r"\)[*+{]")
#: More states than a person writes.
_MOST_STATES = 100
#: Repeats with a bound below are taken for one.
_MANY = 16

#: Characters are bits: one for each of ASCII, one for all others, and one for "the end", which no character is.
_OTHERS = 1 << 128
_ALL = (1 << 129) - 1
_END = 1 << 129


@lru_cache(maxsize=4096)
def explodes(pattern: str) -> bool:
    """Whether there are short texts for which the pattern, which must be valid, takes exponentially long."""
    if _REPEATED_GROUP.search(pattern) is None:
        return False
    try:
        parsed = parser.parse(pattern)
        automaton = _Automaton(bool(parsed.state.flags & re.IGNORECASE))
        automaton.run(automaton.sequence(parsed))
    except (re.error, RecursionError, OverflowError, _TooLarge):
        return False
    return automaton.is_ambiguous()


class _TooLarge(Exception):
    pass


class _Part(NamedTuple):
    """A part of the expression: in which states it can begin and end, and in how many ways it can be nothing (two are many)."""

    first: tuple[int, ...]
    last: tuple[int, ...]
    nullable: int


_NOTHING = _Part((), (), 1)


@dataclass(slots=True)
class _Automaton:
    ignores_case: bool
    #: Of each state, the characters that lead into it.
    masks: list[int] = field(default_factory=list)
    #: Of each state, those that may follow; twice where there are two ways.
    follow: list[Counter[int]] = field(default_factory=list)
    #: States in which a match may be complete.
    final: frozenset[int] = frozenset()

    def run(self, whole: _Part) -> None:
        self.final = frozenset(whole.last)

    # ---- from the parsed expression

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> _Part:
        whole = _NOTHING
        for op, argument in items:
            whole = self._joined(whole, self._part(op, argument))
        return whole

    def _part(self, op: Any, argument: Any) -> _Part:
        if op in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN):
            return self._state(self._mask(op, argument))
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self._repeated(*argument)
        if op is ops.SUBPATTERN:
            return self.sequence(argument[-1])
        if op is ops.BRANCH:
            return _either([self.sequence(branch) for branch in argument[1]])
        if op is ops.AT and argument in (ops.AT_END, ops.AT_END_STRING):
            return self._state(_END)
        if op is ops.ATOMIC_GROUP:
            return self._unrepeated(lambda: self.sequence(argument))
        if op is ops.POSSESSIVE_REPEAT:
            body = self._unrepeated(lambda: self.sequence(argument[2]))
            return body._replace(nullable=int(bool(body.nullable) or argument[0] == 0))
        if op is ops.GROUPREF_EXISTS:
            return _either([self.sequence(branch or ()) for branch in argument[1:]])
        return _NOTHING

    def _unrepeated(self, make: Any) -> _Part:
        """A part that is never tried in a second way: what it holds leads nowhere twice."""
        before = len(self.masks)
        part: _Part = make()
        for state in range(before, len(self.masks)):
            self.follow[state] = Counter({each: 1 for each in self.follow[state] if each > state})
        return part

    def _state(self, mask: int) -> _Part:
        if len(self.masks) == _MOST_STATES:
            raise _TooLarge
        self.masks.append(mask)
        self.follow.append(Counter())
        number = len(self.masks) - 1
        return _Part((number,), (number,), 0)

    def _joined(self, one: _Part, other: _Part) -> _Part:
        self._link(one.last, other.first)
        return _Part(
            one.first + other.first * one.nullable,
            one.last * other.nullable + other.last,
            min(one.nullable * other.nullable, 2),
        )

    def _link(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        for source in sources:
            self.follow[source].update(targets)

    def _repeated(self, least: int, most: Any, items: Any) -> _Part:
        body = self.sequence(items)
        if most >= _MANY:
            self._link(body.last, body.first)
        return body._replace(
            nullable=int(bool(body.nullable) or least == 0) if least == 0 or most >= _MANY else body.nullable
        )

    # ---- characters

    def _mask(self, op: Any, argument: Any) -> int:
        if op is ops.ANY:
            return _ALL & ~(1 << 10)
        if op is ops.LITERAL:
            return self._folded(_bit(argument))
        if op is ops.NOT_LITERAL:
            return _ALL & ~self._folded(_bit(argument)) | _OTHERS
        return self._set(argument)

    def _set(self, items: Sequence[tuple[Any, Any]]) -> int:
        mask, negated = 0, False
        for op, argument in items:
            if op is ops.NEGATE:
                negated = True
            elif op is ops.RANGE:
                low, high = argument
                mask |= sum(1 << code for code in range(low, min(high, 127) + 1)) | (_OTHERS if high > 127 else 0)
            elif op is ops.CATEGORY:
                mask |= _CATEGORIES.get(argument, 0)
            else:
                mask |= _bit(argument)
        mask = self._folded(mask)
        return (_ALL & ~mask) | _OTHERS if negated else mask

    def _folded(self, mask: int) -> int:
        if not self.ignores_case:
            return mask
        return mask | (mask & _UPPER) << 32 | (mask & _UPPER << 32) >> 32

    # ---- two ways

    def is_ambiguous(self) -> bool:
        return any(self._has_two_ways(state) for state in range(len(self.masks)) if self._is_looping(state))

    def _is_looping(self, state: int) -> bool:
        """In a loop that does not end the match: where it could, nothing is tried again."""
        if state in self.final or not self.follow[state]:
            return False
        return state in _reached(state, lambda each: self.follow[each])

    def _has_two_ways(self, state: int) -> bool:
        """Whether two different ways lead from a state back to it over the same text."""
        start = (state, state)
        onward: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for pair in {start, *_reached(start, self._next_pairs)}:
            onward[pair] = list(self._next_pairs(pair))
        back: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for pair, found in onward.items():
            for following in found:
                back.setdefault(following, []).append(pair)
        circle = _reached(start, lambda pair: onward.get(pair, ())) & _reached(start, lambda pair: back.get(pair, ()))
        if any(one != other for one, other in circle):
            return True
        # The same states, but by two edges between them: (a+)+.
        return any(
            self.follow[one][two] > 1 and (two, two) in circle
            for one, other in circle
            if one == other
            for two in self.follow[one]
        )

    def _next_pairs(self, pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for one in self.follow[pair[0]]:
            for other in self.follow[pair[1]]:
                if self.masks[one] & self.masks[other] & ~_END:
                    yield one, other


def _reached(start: Any, following: Any) -> set[Any]:
    """What can be reached from a start in one step or more."""
    found: set[Any] = set()
    waiting = deque([start])
    while waiting:
        for each in following(waiting.popleft()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _either(parts: Sequence[_Part]) -> _Part:
    return _Part(
        tuple(state for part in parts for state in part.first),
        tuple(state for part in parts for state in part.last),
        min(sum(part.nullable for part in parts), 2),
    )


def _bit(code: int) -> int:
    return 1 << code if code < 128 else _OTHERS


_UPPER = sum(1 << code for code in range(65, 91))


def _of(pattern: str) -> int:
    test = re.compile(pattern, re.ASCII)
    return sum(1 << code for code in range(128) if test.match(chr(code)))


_CATEGORIES = {
    ops.CATEGORY_DIGIT: _of(r"\d"),
    ops.CATEGORY_NOT_DIGIT: _of(r"\D") | _OTHERS,
    ops.CATEGORY_SPACE: _of(r"\s"),
    ops.CATEGORY_NOT_SPACE: _of(r"\S") | _OTHERS,
    ops.CATEGORY_WORD: _of(r"\w") | _OTHERS,
    ops.CATEGORY_NOT_WORD: _of(r"\W") | _OTHERS,
}
