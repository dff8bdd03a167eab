"""What the supervisor does with the metrics of all workers by itself: it adds its own, and sends the sums to a collector."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgescript.observe.otlp import Collector, Push
from edgescript.observe.process import ProcessWatch
from edgescript.settings.metrics import Metrics

if TYPE_CHECKING:
    import anyio.abc

    from edgescript.observe.segments import Totals

#: Workers that come and go need not have counted the same, and what is folded of those that are gone would go back.
_ROOM = 10


class Reporting:
    """
    Reports as the configuration in use says.

    :param again: this process has counted before, as another program
    """

    def __init__(self, totals: Totals, *, again: bool) -> None:
        self._totals = totals
        self._watch = ProcessWatch(totals.meter, counted=time.process_time() if again else 0.0)
        self._collector: Collector | None = None
        self._push: Push | None = None
        self._is_watching = False

    async def use(self, metrics: Metrics, tasks: anyio.abc.TaskGroup) -> None:
        """Another configuration is in use."""
        if not self._is_watching:
            self._is_watching = True
            await self._watch.start(tasks)
        self._totals.meter.budget = _ROOM * metrics.budget
        collector = None if metrics.otlp is None else metrics.otlp.collector
        if collector == self._collector:
            return
        old, self._collector, self._push = self._push, collector, metrics.push(self._totals)
        if old is not None:
            tasks.start_soon(old.close)
        if self._push is not None:
            await self._push.start(tasks)

    async def close(self) -> None:
        """Send what was counted last."""
        await self._watch.close()
        if self._push is not None:
            await self._push.close()
