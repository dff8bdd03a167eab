"""Who is told to hold the event loop, and who is not."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from edgescript.handlers.watchdog import Watchdog


class Time:
    """What the watchdog's two clocks show."""

    def __init__(self) -> None:
        self.clock = self.processor = 100.0

    def goes_on(self, seconds: float, *, used: float) -> None:
        self.clock += seconds
        self.processor += used


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def watchdog(time: Time) -> Watchdog:
    made = Watchdog(0.25, clock=lambda: time.clock, processor=lambda: time.processor)
    made.turn()
    made.look()
    return made


def handler(then: Callable[[], None]) -> None:
    """What is known; `then` happens while it runs."""
    then()


def looks(watchdog: Watchdog, time: Time, *, every: float, used: float, times: int) -> Callable[[], None]:
    def look() -> None:
        for _ in range(times):
            time.goes_on(every, used=used)
            watchdog.look()

    return look


def test_one_that_waits_in_the_wrong_way_is_told_once(
    watchdog: Watchdog, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    watchdog.know(1, "shop.py:index", handler)
    handler(looks(watchdog, time, every=0.125, used=0.0, times=2))
    assert watchdog.warnings == 0
    handler(looks(watchdog, time, every=0.125, used=0.0, times=5))
    assert watchdog.warnings == 1
    assert "shop.py:index holds the event loop" in caplog.text


def test_one_that_keeps_the_interpreter_to_itself_is_told(watchdog: Watchdog, time: Time) -> None:
    watchdog.know(1, "shop.py:index", handler)
    handler(looks(watchdog, time, every=2.0, used=1.9, times=1))
    assert watchdog.warnings == 1


def test_a_process_that_was_stopped_blames_nobody(watchdog: Watchdog, time: Time) -> None:
    watchdog.know(1, "shop.py:index", handler)
    handler(looks(watchdog, time, every=60.0, used=0.01, times=1))
    watchdog.turn()
    handler(looks(watchdog, time, every=0.125, used=0.0, times=1))
    assert watchdog.warnings == 0


def test_what_is_no_handler_is_not_told(watchdog: Watchdog, time: Time, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        handler(looks(watchdog, time, every=0.125, used=0.0, times=9))
    assert not caplog.records


def test_a_configuration_that_came_to_nothing_takes_no_name_with_it(
    watchdog: Watchdog, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    watchdog.know("old", "shop.py:index", handler)
    watchdog.know("new", "shop.py:renamed", handler)
    watchdog.forget("new")
    handler(looks(watchdog, time, every=0.125, used=0.0, times=3))
    assert "shop.py:index holds the event loop" in caplog.text
    watchdog.forget("old")
    time.goes_on(20, used=20)
    watchdog.turn()
    handler(looks(watchdog, time, every=0.125, used=0.0, times=3))
    assert watchdog.warnings == 1
