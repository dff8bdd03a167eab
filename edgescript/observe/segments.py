"""What workers have counted, in memory that outlives them.

The supervisor makes a segment for each worker that it starts, and the worker counts in it. A segment is a file in memory of
a fixed size, most of which is never touched and so costs nothing:

    a page      magic, and how many bytes of the next part are valid
    names       a line of JSON for each metric and each series, in the order in which they came; only ever appended to
    numbers     eight bytes each, where the lines say

Only the worker writes, and only the supervisor reads: there are no locks. The worker writes the number of valid bytes last,
so that one that dies in the middle of anything leaves a segment that can be read. The reader looks at that number again when
it has read the numbers, because a place may have been given to another series in between.
"""

from __future__ import annotations

import json
import mmap
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgescript.metric import BUDGET, Across, Kind, Meter, Metric, Series, Slots, merge
from edgescript.tally import IN_FLIGHT, LOST

if TYPE_CHECKING:
    import logging

_MAGIC = 0x656467656D747231
_NAMES_AT = 4096
_NAMES_SIZE = 16 * 1024 * 1024
_NUMBERS_AT = _NAMES_AT + _NAMES_SIZE
_NUMBERS = 6 * 1024 * 1024
_SIZE = _NUMBERS_AT + 8 * _NUMBERS

#: How often a segment that changes while it is read is read again; the worker makes few series once it is warm.
_ATTEMPTS = 5


class Segment:
    """The memory of one worker, as the supervisor reads it. The name tells workers apart; it is the label `worker`."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        #: To be passed to the worker.
        self.descriptor = descriptor
        self._map = _Map(descriptor)
        self._metrics: list[Metric] = []
        self._series: dict[int, tuple[Metric, tuple[str, ...]]] = {}
        self._read = 0

    @classmethod
    def create(cls, name: str) -> Segment:
        """
        A new segment, empty.

        :raises OSError: if there is no memory or no descriptor for it
        """
        descriptor = _file(f"edge metrics {name}")
        try:
            os.ftruncate(descriptor, _SIZE)
            made = cls(name, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        made._map.header[0] = _MAGIC
        return made

    def close(self) -> None:
        self._map.close()
        os.close(self.descriptor)

    def series(self) -> list[Series]:
        """All that has been counted there."""
        for _ in range(_ATTEMPTS):
            valid = self._read_names()
            numbers = self._map.numbers
            found = [
                Series(metric, labels, [*numbers[at : at + metric.size]])
                for at, (metric, labels) in self._series.items()
            ]
            if self._map.header[1] == valid:
                break
        return found

    def _read_names(self) -> int:
        """Read the lines that have come; gives how many bytes are valid."""
        valid = self._map.header[1]
        if self._read < valid <= _NAMES_SIZE:
            lines = bytes(self._map.names[self._read : valid]).splitlines()
            self._read = valid
            try:
                for line in lines:
                    self._take_in(json.loads(line))
            except (ValueError, TypeError, LookupError) as error:  # a fault of ours; what was understood is still true
                _log().error("the metrics of worker %s cannot be read any further: %r", self.name, error)
        return valid

    def _take_in(self, line: list[object]) -> None:
        match line:
            case ["metric", str(name), str(kind), str(doc), list(labels), list(buckets), str(across), bool(exemplars)]:
                self._metrics.append(
                    Metric(
                        name,
                        Kind(kind),
                        doc,
                        tuple([str(label) for label in labels]),
                        tuple([float(bound) for bound in buckets]),
                        Across(across),
                        exemplars,
                    )
                )
            case ["series", int(number), int(at), *labels]:
                metric = self._metrics[number]
                if not 0 <= at <= _NUMBERS - metric.size or len(labels) != len(metric.labels):
                    raise ValueError("a series that cannot be")
                self._series[at] = metric, tuple([str(label) for label in labels])
            case ["gone", int(at)]:
                del self._series[at]
            case _:
                raise ValueError("a line of no known kind")


def meter_on(descriptor: int) -> Meter:
    """
    A meter whose cells are in a segment, for the one process that counts there.

    :raises ValueError: if it is no segment, or another process has counted there
    """
    return Meter(_Writing(_Map(descriptor)))


class _Writing:
    """A segment, as the worker writes it: the memory of its meter."""

    def __init__(self, mapped: _Map) -> None:
        if mapped.header[0] != _MAGIC or mapped.header[1]:
            mapped.close()
            raise ValueError("not a new segment")
        self._map = mapped
        self._named = 0
        self._taken = 0
        self._numbers: dict[str, int] = {}
        #: Places that were given back, by their size.
        self._free: dict[int, list[int]] = {}

    def take(self, metric: Metric, labels: tuple[str, ...]) -> tuple[Slots, int] | None:
        size, slots = metric.size, self._map.numbers
        free = self._free.get(size)
        at = free[-1] if free else self._taken
        if at + size > _NUMBERS:
            return None
        if not self._write(self._lines(metric, at, labels)):
            return None
        if free:
            free.pop()
        else:
            self._taken += size
        self._numbers.setdefault(metric.name, len(self._numbers))
        return slots, at

    def give_back(self, metric: Metric, labels: tuple[str, ...], at: int) -> None:
        if not self._write([["gone", at]]):
            return  # its place stays its own
        slots = self._map.numbers
        for number in range(at, at + metric.size):
            slots[number] = 0.0
        self._free.setdefault(metric.size, []).append(at)

    def _lines(self, metric: Metric, at: int, labels: tuple[str, ...]) -> list[list[object]]:
        number = self._numbers.get(metric.name, len(self._numbers))
        series: list[object] = ["series", number, at, *labels]
        if metric.name in self._numbers:
            return [series]
        return [_declaration(metric), series]

    def _write(self, lines: list[list[object]]) -> bool:
        """Append lines; False if there is no room for them."""
        data = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        end = self._named + len(data)
        if end > _NAMES_SIZE:
            return False
        self._map.names[self._named : end] = data
        self._map.header[1] = self._named = end
        return True


def _declaration(metric: Metric) -> list[object]:
    return [
        "metric", metric.name, metric.kind.value, metric.doc, metric.labels, metric.buckets, metric.across.value,
        metric.exemplars,
    ]  # fmt: skip


class _Map:
    """The parts of a segment, mapped."""

    def __init__(self, descriptor: int) -> None:
        if os.fstat(descriptor).st_size != _SIZE:
            raise ValueError("not a segment")
        self._mmap = mmap.mmap(descriptor, _SIZE)
        with memoryview(self._mmap) as whole:
            self.header = whole[:_NAMES_AT].cast("Q")
            self.names = whole[_NAMES_AT:_NUMBERS_AT]
            self.numbers = whole[_NUMBERS_AT:].cast("d")

    def close(self) -> None:
        self.header.release()
        self.names.release()
        self.numbers.release()
        self._mmap.close()


def _file(name: str) -> int:
    """A file without a place in any folder."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


# ---- the sum of all


@dataclass(frozen=True, slots=True)
class Family:
    """A metric, and everything that was counted of it."""

    metric: Metric
    #: In the order of their labels.
    series: tuple[Series, ...]


class Totals:
    """What all workers have counted, those that are gone too. `meter` counts what the supervisor itself has to tell."""

    def __init__(self) -> None:
        self.meter = Meter()
        # Workers that come and go need not have counted the same; what is folded here would go back.
        self.meter.budget = 10 * BUDGET
        self._segments: list[Segment] = []

    def add(self, segment: Segment) -> None:
        """A worker that begins."""
        self._segments.append(segment)

    def retire(self, segment: Segment) -> None:
        """
        A worker that is gone: what it counted stays, and its gauges go. The segment is the caller's to close.

        Requests that were in flight there are lost.
        """
        self._segments.remove(segment)
        for series in segment.series():
            if series.metric.name == IN_FLIGHT.name:
                self.meter.counter(LOST).add(max(series.values[0], 0.0))
            elif series.metric.kind is not Kind.GAUGE:
                self.meter.add(_shown(series, segment.name))

    def families(self) -> list[Family]:
        """All metrics, by name. Counters are never less than they were the last time."""
        every = [_shown(series, segment.name) for segment in self._segments for series in segment.series()]
        return families([*self.meter.series(), *every], "supervisor")


def families(every: Iterable[Series], worker: str = "0") -> list[Family]:
    """
    Series as families, by name; those of the same labels are one.

    :param worker: the name of the process that they come from, where they are kept apart by it
    """
    found: dict[str, dict[tuple[str, ...], Series]] = {}
    for one in every:
        series = _shown(one, worker)
        of_metric = found.setdefault(series.metric.name, {})
        same = of_metric.get(series.labels)
        if same is None:
            of_metric[series.labels] = Series(series.metric, series.labels, [*series.values])
        elif len(same.values) == len(series.values):
            merge(series.metric, same.values, 0, series.values)
    return [_family(found[name]) for name in sorted(found)]


def _family(of_metric: dict[tuple[str, ...], Series]) -> Family:
    in_order = tuple([of_metric[labels] for labels in sorted(of_metric)])
    return Family(in_order[0].metric, in_order)


def _shown(series: Series, worker: str) -> Series:
    """A series as it is among those of other workers."""
    metric = series.metric
    if metric.across is not Across.WORKER:
        return series
    return Series(_by_worker(metric), (*series.labels, worker), series.values)


def _by_worker(metric: Metric) -> Metric:
    return replace(metric, labels=(*metric.labels, "worker"), across=Across.SUM)


def own_families(meter: Meter, worker: str = "0") -> list[Family]:
    """What one process has counted, where there is no supervisor."""
    return families(meter.series(), worker)


def _log() -> logging.Logger:
    """Where it is said that something is wrong; imported then."""
    import logging

    return logging.getLogger("edgescript.observe")
