"""What a process tells of itself."""

from __future__ import annotations

import gc
import os
import time

import anyio
import anyio.lowlevel
import pytest

from edgescript.metric import Meter
from edgescript.observe.process import COLLECTIONS, CPU, DESCRIPTORS, LOOP_DELAY, MEMORY, STARTED, ProcessWatch
from edgescript.observe.segments import Series, own_families


def found(meter: Meter) -> dict[tuple[str, ...], Series]:
    return {(series.metric.name, *series.labels): series for one in own_families(meter, "3") for series in one.series}


def test_processor_memory_and_descriptors_are_those_of_this_process() -> None:
    meter = Meter()
    watch = ProcessWatch(meter)
    watch.look()
    values = found(meter)
    assert 0 < values[CPU.name, "3"].values[0] <= time.process_time()
    assert 1_000_000 < values[MEMORY.name, "3"].values[0] < 10_000_000_000
    assert abs(values[DESCRIPTORS.name, "3"].values[0] - len(os.listdir("/proc/self/fd"))) <= 2


def test_what_only_grows_never_goes_back_and_follows() -> None:
    meter = Meter()
    watch = ProcessWatch(meter)
    watch.look()
    before = found(meter)
    gc.collect()
    watch.look()
    after = found(meter)
    key = (COLLECTIONS.name, "2", "3")
    assert after[key].values[0] >= before[key].values[0] + 1
    assert after[CPU.name, "3"].values[0] >= before[CPU.name, "3"].values[0]


@pytest.mark.anyio
async def test_a_blocked_loop_is_seen() -> None:
    meter = Meter()
    watch = ProcessWatch(meter)
    async with anyio.create_task_group() as tasks:
        await watch.start(tasks)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        time.sleep(0.8)  # noqa: ASYNC251  # what is to be seen
        with anyio.fail_after(10):
            while not sum(found(meter)[LOOP_DELAY.name, "3"].counts):  # noqa: ASYNC110  # it tells nobody
                await anyio.sleep(0.01)
        await watch.close()
    (delay,) = [one for key, one in found(meter).items() if key[0] == LOOP_DELAY.name]
    assert delay.values[0] >= 0.25
    assert time.time() - 100_000 < found(meter)[STARTED.name, "3"].values[0] < time.time()
