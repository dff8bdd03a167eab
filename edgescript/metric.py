"""What is counted: metrics as declared values, and the cells that count.

A metric is declared once, as a constant beside the code that counts. Its cells (one for each combination of labels) are
looked up when a graph is built, so that counting costs a request one addition. Names and units follow Prometheus: seconds,
bytes, `_total` is added by whoever shows counters.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

#: Seconds. From a quick answer in memory to a slow upstream.
DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Bytes.
SIZES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0)


class Kind(Enum):
    COUNTER = "counter"  # only grows
    GAUGE = "gauge"  # goes up and down
    HISTOGRAM = "histogram"  # how many values were at most so large


@dataclass(frozen=True, slots=True)
class Metric:
    """A declared metric."""

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...] = ()
    #: Of a histogram: the upper bounds of its buckets, rising, without infinity.
    buckets: tuple[float, ...] = ()


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        self.value += amount


class Gauge:
    """A number that goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        self.value += amount

    def set(self, value: float) -> None:
        self.value = value


class Histogram:
    """How values are distributed over buckets, with their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        #: Values of each bucket alone, the last without bound.
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Meter:
    """The cells of one process, by metric and values of labels."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, ...], Counter | Gauge | Histogram] = {}

    def counter(self, metric: Metric, *labels: str) -> Counter:
        """The cell of a counter for these values of its labels, in the order declared."""
        key = (metric.name, *labels)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Counter()
        assert isinstance(cell, Counter)
        return cell

    def gauge(self, metric: Metric, *labels: str) -> Gauge:
        """The cell of a gauge for these values of its labels, in the order declared."""
        key = (metric.name, *labels)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Gauge()
        assert isinstance(cell, Gauge)
        return cell

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        """The cell of a histogram for these values of its labels, in the order declared."""
        key = (metric.name, *labels)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Histogram(metric.buckets)
        assert isinstance(cell, Histogram)
        return cell
