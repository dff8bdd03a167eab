"""Spans of requests: those that are recorded, and those that only pass the trace on and cost next to nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from edgescript.http.headers import Headers
from edgescript.observe.tracing.propagation import Parent, Propagation

# Identifiers must differ, and need not be secret (W3C Trace Context 2.2.2.4): the quick generator does, seeded by the system.
_random = random.Random()  # noqa: S311
_bits = _random.getrandbits

Value = str | int | float | bool


def new_trace_id() -> str:
    return f"{_bits(128) or 1:032x}"


def new_span_id() -> str:
    return f"{_bits(64) or 1:016x}"


class Record(NamedTuple):
    """A span that has ended, as it waits for being sent."""

    trace_id: str
    span_id: str
    #: "" for one that begins a trace.
    parent_id: str
    name: str
    #: "server", "client" or "internal".
    kind: str
    #: Nanoseconds since 1970.
    began: int
    ended: int
    attributes: dict[str, Value]
    #: Why it was in vain; None where it was not.
    error: str | None
    state: bytes


#: Takes a span that has ended; must not block.
Take = Callable[[Record], None]


class Recorded:
    """A span that is recorded."""

    __slots__ = (
        "_began", "_kind", "_parent_id", "_propagation", "_state", "_take", "attributes", "name", "span_id", "trace_id"
    )  # fmt: skip

    sampled = True

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        trace_id: str,
        parent_id: str,
        state: bytes,
        propagation: Propagation,
        take: Take,
        span_id: str | None = None,
        began: int | None = None,
    ) -> None:
        self.name = name
        self.trace_id = trace_id
        self.span_id = span_id or new_span_id()
        self.attributes: dict[str, Value] = {}
        self._kind = kind
        self._parent_id = parent_id
        self._state = state
        self._propagation = propagation
        self._take: Take | None = take
        self._began = began or time.time_ns()

    def __repr__(self) -> str:
        return f"<Recorded {self.name}: {self.trace_id}-{self.span_id}{' ended' if self._take is None else ''}>"

    def child(self, name: str, *, client: bool = False) -> Recorded:
        return Recorded(
            name,
            "client" if client else "internal",
            trace_id=self.trace_id,
            parent_id=self.span_id,
            state=self._state,
            propagation=self._propagation,
            take=self._take or _nowhere,
        )

    def set(self, name: str, value: Value) -> None:
        self.attributes[name] = value

    def end(self, error: str | None = None) -> None:
        take, self._take = self._take, None
        if take is not None:
            take(
                Record(
                    self.trace_id, self.span_id, self._parent_id, self.name, self._kind, self._began, time.time_ns(),
                    self.attributes, error, self._state,
                )
            )  # fmt: skip

    def inject(self, headers: Headers) -> None:
        self._propagation.inject(headers, self.trace_id, self.span_id, sampled=True, state=self._state)


class Passed:
    """
    The place in a trace of a request that nobody records.

    :param parent: where the request comes from
    :param begins: the request says nothing of any trace
    :param late: it may be recorded when it is over, so it has an id of its own, by which lines of logs are found then
    """

    __slots__ = ("_begins", "_propagation", "_span_id", "_trace_id", "parent")

    sampled = False

    def __init__(self, parent: Parent | None, propagation: Propagation, *, begins: bool, late: bool = False) -> None:
        #: Where the request comes from.
        self.parent = parent if parent is not None and parent.trace_id else None
        self._begins = begins
        self._propagation = propagation
        # Made when somebody asks: most requests that are not recorded need none.
        self._trace_id = self._span_id = ""
        if self.parent is not None:
            self._trace_id = self.parent.trace_id
            if not late:
                self._span_id = self.parent.span_id

    @property
    def trace_id(self) -> str:
        return self._trace_id or self._made()._trace_id

    @property
    def span_id(self) -> str:
        return self._span_id or self._made()._span_id

    def _made(self) -> Passed:
        both = f"{_bits(192) or 1:048x}"
        self._trace_id, self._span_id = self._trace_id or both[:32], both[32:]
        return self

    def child(self, name: str, *, client: bool = False) -> Passed:
        return self

    def set(self, name: str, value: Value) -> None:
        """Nobody records it."""

    def end(self, error: str | None = None) -> None:
        """Nobody records it."""

    def inject(self, headers: Headers) -> None:
        parent = self.parent
        if self._begins:
            self._propagation.add(headers, self.trace_id, self.span_id, sampled=False, state=b"")
        # A trace that only passes is handed on as it came (W3C Trace Context 3.4): this server has no span in it.
        elif parent is None:
            self._propagation.inject(headers, self.trace_id, self.span_id, sampled=False, state=b"")
        elif parent.sampled is not False:
            self._propagation.inject(headers, parent.trace_id, parent.span_id, sampled=False, state=parent.state)

    def recorded_late(self, name: str, duration: float, take: Take) -> Recorded:
        """
        A span for a request that is over, in the same place of the trace.

        :param duration: seconds that it took
        """
        parent = self.parent
        return Recorded(
            name,
            "server",
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_id="" if parent is None else parent.span_id,
            state=b"" if parent is None else parent.state,
            propagation=self._propagation,
            take=take,
            began=time.time_ns() - int(duration * 1e9),
        )


def _nowhere(record: Record) -> None:
    """For what begins when its request is over."""
