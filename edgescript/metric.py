"""What is counted: metrics as declared values, and the cells that count.

A metric is declared once, as a constant beside the code that counts. Its cells (one for each combination of labels) are
looked up when a graph is built, or when one is first needed, so that counting costs a request one addition. Names and units
follow Prometheus: seconds, bytes; `_total` is added by whoever shows counters.

A cell is a place in memory of eight-byte numbers. By default the memory is the process's own; a worker's is shared with its
supervisor (`observe.segments`), so that nothing is lost with the worker. One thread may add to a cell, and no lock is taken.

Each metric has at most `budget` series in a process. What would be one more is counted under labels that are all `_other`,
and how often that happened is counted too.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol, overload

from edgescript.http.span import Span

#: Seconds. From a quick answer in memory to a slow upstream.
DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Bytes.
SIZES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0)

#: The value of a label that stands for all beyond the budget, and for what is not one of the known values.
OTHER = "_other"
#: Series of one metric in one process, where nothing else is set.
BUDGET = 1000

#: Numbers that an exemplar takes: when, the value, 128 and 64 bits of names in pieces of 32, and once more when. It is whole
#: where both times are the same: whoever writes it takes the last one away first, and whoever reads it goes forwards.
_EXEMPLAR = 9


class Kind(Enum):
    COUNTER = "counter"  # only grows
    GAUGE = "gauge"  # goes up and down
    HISTOGRAM = "histogram"  # how many values were at most so large


class Across(Enum):
    """What the values of several workers are together. Counters and histograms are sums, or kept apart."""

    SUM = "sum"
    MAX = "max"
    WORKER = "worker"  # kept apart by a label of this name


@dataclass(frozen=True, slots=True)
class Metric:
    """A declared metric."""

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...] = ()
    #: Of a histogram: the upper bounds of its buckets, rising, without infinity.
    buckets: tuple[float, ...] = ()
    across: Across = Across.SUM
    #: Of a histogram: each bucket keeps which recorded trace was the last in it.
    exemplars: bool = False

    @property
    def size(self) -> int:
        """
        Numbers that a series of it takes.

        One; or of a histogram, the sum, how many values are in each bucket alone, the last without bound, and an exemplar
        for each bucket.
        """
        if self.kind is not Kind.HISTOGRAM:
            return 1
        return 1 + (len(self.buckets) + 1) * (1 + (_EXEMPLAR if self.exemplars else 0))


FOLDED = Metric(
    "edge_metrics_folded_series",
    Kind.COUNTER,
    "Combinations of labels that were beyond the budget of their metric and are counted as _other.",
    ("metric",),
)


class Slots(Protocol):
    """Numbers that can be changed: an array's, or those of memory that others see too."""

    @overload
    def __getitem__(self, index: int, /) -> float: ...
    @overload
    def __getitem__(self, index: slice, /) -> Iterable[float]: ...
    def __setitem__(self, index: int, value: float, /) -> None: ...


class Counter:
    """A number that only grows."""

    __slots__ = ("at", "slots")

    def __init__(self, slots: Slots, at: int) -> None:
        self.slots = slots
        self.at = at

    @property
    def value(self) -> float:
        return self.slots[self.at]

    def add(self, amount: float = 1.0) -> None:
        self.slots[self.at] += amount


class Gauge:
    """A number that goes up and down."""

    __slots__ = ("at", "slots")

    def __init__(self, slots: Slots, at: int) -> None:
        self.slots = slots
        self.at = at

    @property
    def value(self) -> float:
        return self.slots[self.at]

    def add(self, amount: float = 1.0) -> None:
        self.slots[self.at] += amount

    def set(self, value: float) -> None:
        self.slots[self.at] = value


class Histogram:
    """How values are distributed over buckets, with their sum."""

    __slots__ = ("at", "bounds", "slots")

    def __init__(self, slots: Slots, at: int, bounds: tuple[float, ...]) -> None:
        self.slots = slots
        self.at = at
        self.bounds = bounds

    @property
    def total(self) -> float:
        """The sum of all values."""
        return self.slots[self.at]

    @property
    def counts(self) -> list[float]:
        """Values of each bucket alone, the last without bound."""
        return [*self.slots[self.at + 1 : self.at + 2 + len(self.bounds)]]

    def observe(self, value: float) -> None:
        slots, at = self.slots, self.at
        slots[at + 1 + bisect_left(self.bounds, value)] += 1.0
        slots[at] += value

    def keep(self, value: float, span: Span, *, clock: Callable[[], float] = time.time) -> None:
        """Keep the trace that a value was observed in. Only of a metric that is declared with exemplars."""
        slots = self.slots
        at = self.at + 2 + len(self.bounds) + _EXEMPLAR * bisect_left(self.bounds, value)
        slots[at + _EXEMPLAR - 1] = slots[at] = 0.0
        slots[at + 1] = value
        name = span.trace_id + span.span_id
        for number in range(6):
            slots[at + 2 + number] = float(int(name[8 * number : 8 * number + 8], 16))
        slots[at] = now = clock()
        slots[at + _EXEMPLAR - 1] = now


class Exemplar(NamedTuple):
    """One value of a bucket, and the trace it was observed in."""

    value: float
    #: Seconds since 1970.
    when: float
    trace_id: str
    span_id: str


class Series(NamedTuple):
    """What was counted for one combination of labels."""

    metric: Metric
    labels: tuple[str, ...]
    #: As `Metric.size` says.
    values: list[float]

    @property
    def counts(self) -> list[float]:
        """Of a histogram: values of each bucket alone, the last without bound."""
        return self.values[1 : len(self.metric.buckets) + 2]

    def exemplar(self, bucket: int) -> Exemplar | None:
        """Of a histogram: what was kept of a bucket."""
        at = len(self.metric.buckets) + 2 + _EXEMPLAR * bucket
        kept = self.values[at : at + _EXEMPLAR]
        if not self.metric.exemplars or not kept[0] or kept[0] != kept[-1]:
            return None
        name = "".join(f"{int(part):08x}" for part in kept[2:8])
        return Exemplar(kept[1], kept[0], name[:32], name[32:])


def merge(metric: Metric, into: Slots, at: int, values: Sequence[float]) -> None:
    """Add the values of a series to another one of the same metric."""
    if metric.across is Across.MAX:
        into[at] = max(into[at], values[0])
        return
    added = 1 if metric.kind is not Kind.HISTOGRAM else len(metric.buckets) + 2
    for number in range(added):
        into[at + number] += values[number]
    for number in range(added, len(values), _EXEMPLAR):  # of two exemplars, the later one
        if values[number] > into[at + number] and values[number] == values[number + _EXEMPLAR - 1]:
            for part in range(number, number + _EXEMPLAR):
                into[at + part] = values[part]


class Memory(Protocol):
    """Where numbers are, and who else must know which series they belong to."""

    def take(self, metric: Metric, labels: tuple[str, ...]) -> tuple[Slots, int] | None:
        """Room for a series, all 0, and where it begins; None if there is no more."""

    def give_back(self, metric: Metric, labels: tuple[str, ...], at: int) -> None:
        """There is no such series any more; its room may be taken by another one of the same size."""


class Private:
    """Memory of the process's own, as much as is asked for."""

    def take(self, metric: Metric, labels: tuple[str, ...]) -> tuple[Slots, int]:
        return array("d", bytes(8 * metric.size)), 0

    def give_back(self, metric: Metric, labels: tuple[str, ...], at: int) -> None:
        pass


Cell = Counter | Gauge | Histogram
#: Gives a Content-Type and a text for an Accept (`observe.exposition`).
Exposition = Callable[[str], Coroutine[Any, Any, tuple[str, bytes]]]
_Key = tuple[str, tuple[str, ...]]


class _Held:
    """A cell, and how many meters use it."""

    __slots__ = ("cell", "metric", "users")

    def __init__(self, cell: Cell, metric: Metric) -> None:
        self.cell = cell
        self.metric = metric
        self.users = 0


class _Table:
    """Every cell of a process."""

    def __init__(self, memory: Memory) -> None:
        self.budget = BUDGET
        self.exposition: Exposition | None = None
        self._memory = memory
        self._held: dict[_Key, _Held] = {}
        #: By metric: how many series it has, and those that nobody uses any more, the longest unused first.
        self._count: dict[str, int] = {}
        self._unused: dict[str, dict[_Key, None]] = {}

    def find(self, metric: Metric, labels: tuple[str, ...]) -> tuple[_Key, Cell]:
        """The cell of a combination of labels, and the key that it is held by, which may be that of `_other`."""
        key = (metric.name, labels)
        held = self._held.get(key) or self._made(metric, labels)
        if held is None:
            self._tell_folded(metric)
            return self._other(metric)
        return key, held.cell

    def hold(self, key: _Key) -> None:
        """One user more."""
        held = self._held[key]
        if not held.users:
            self._unused.get(key[0], {}).pop(key, None)
        held.users += 1

    def free(self, key: _Key) -> None:
        """One user less. The series stays, because counters do not go back, until its place in the budget is wanted."""
        held = self._held[key]
        held.users -= 1
        if not held.users and key != _other_key(held.metric):
            self._unused.setdefault(key[0], {})[key] = None

    def series(self) -> Iterator[Series]:
        for (_, labels), held in tuple(self._held.items()):
            cell = held.cell
            yield Series(held.metric, labels, [*cell.slots[cell.at : cell.at + held.metric.size]])

    def _made(self, metric: Metric, labels: tuple[str, ...], *, must: bool = False) -> _Held | None:
        count = self._count.get(metric.name, 0)
        if count >= self.budget and not must and not self._make_room(metric):
            return None
        room = self._memory.take(metric, labels)
        if room is None:
            if not must:
                return None
            room = Private().take(metric, labels)  # counted where nobody sees it, which `_tell_folded` has told
        self._count[metric.name] = self._count.get(metric.name, 0) + 1
        held = self._held[metric.name, labels] = _Held(_cell(metric, *room), metric)
        return held

    def _make_room(self, metric: Metric) -> bool:
        """Count a series that nobody uses any more (its site is gone) as `_other` from now on."""
        unused = self._unused.get(metric.name)
        if not unused:
            return False
        key = next(iter(unused))
        del unused[key]
        cell = self._held.pop(key).cell
        self._count[metric.name] -= 1
        values = [*cell.slots[cell.at : cell.at + metric.size]]
        self._memory.give_back(metric, key[1], cell.at)
        _, other = self._other(metric)
        if metric.kind is not Kind.GAUGE:
            merge(metric, other.slots, other.at, values)
        # A request that was still in flight may have the cell in its hands.
        cell.slots, cell.at = other.slots, other.at
        self._tell_folded(metric)
        return True

    def _other(self, metric: Metric) -> tuple[_Key, Cell]:
        """The cell of all that is beyond the budget."""
        key = _other_key(metric)
        held = self._held.get(key) or self._made(metric, key[1], must=True)
        assert held is not None, "there is always one more"
        return key, held.cell

    def _tell_folded(self, metric: Metric) -> None:
        if metric.name != FOLDED.name:
            _, told = self.find(FOLDED, (metric.name,))
            told.slots[told.at] += 1


class Meter:
    """
    The cells of a process, by metric and values of labels.

    :param memory: where they are; by default in the process's own memory
    """

    def __init__(self, memory: Memory | None = None) -> None:
        #: Others see what is counted here: a supervisor adds it up.
        self.shared = memory is not None
        self._table = _Table(memory or Private())
        #: None when it is closed: what is asked for then is not held.
        self._used: set[_Key] | None = set()

    def part(self) -> Meter:
        """A meter of the same cells, which holds those that it was asked for until it is closed."""
        made = Meter.__new__(Meter)
        made.shared = self.shared
        made._table = self._table
        made._used = set()
        return made

    async def close(self) -> None:
        """The series that this part of a meter has asked for may give way to others when the budget is spent."""
        used, self._used = self._used, None
        for key in used or ():
            self._table.free(key)

    @property
    def exposition(self) -> Exposition | None:
        """What all processes of this server have counted, as text; None where there is only this one."""
        return self._table.exposition

    @exposition.setter
    def exposition(self, ask: Exposition) -> None:
        self._table.exposition = ask

    @property
    def budget(self) -> int:
        """How many series one metric may have."""
        return self._table.budget

    @budget.setter
    def budget(self, most: int) -> None:
        self._table.budget = most

    def counter(self, metric: Metric, *labels: str) -> Counter:
        """The cell of a counter for these values of its labels, in the order declared."""
        cell = self._cell(metric, labels)
        assert isinstance(cell, Counter)
        return cell

    def gauge(self, metric: Metric, *labels: str) -> Gauge:
        """The cell of a gauge for these values of its labels, in the order declared."""
        cell = self._cell(metric, labels)
        assert isinstance(cell, Gauge)
        return cell

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        """The cell of a histogram for these values of its labels, in the order declared."""
        cell = self._cell(metric, labels)
        assert isinstance(cell, Histogram)
        return cell

    def add(self, series: Series) -> None:
        """Count what another process has counted before."""
        cell = self._cell(series.metric, series.labels)
        merge(series.metric, cell.slots, cell.at, series.values)

    def series(self) -> Iterator[Series]:
        """All that has been counted."""
        return self._table.series()

    def _cell(self, metric: Metric, labels: tuple[str, ...]) -> Cell:
        assert len(labels) == len(metric.labels), "a value for each label that is declared"
        key, cell = self._table.find(metric, labels)
        if self._used is not None and key not in self._used:
            self._used.add(key)
            self._table.hold(key)
        return cell


def _other_key(metric: Metric) -> _Key:
    return metric.name, (OTHER,) * len(metric.labels)


def _cell(metric: Metric, slots: Slots, at: int) -> Cell:
    if metric.kind is Kind.COUNTER:
        return Counter(slots, at)
    if metric.kind is Kind.GAUGE:
        return Gauge(slots, at)
    return Histogram(slots, at, metric.buckets)
