"""When a server that was away is tried again."""

from __future__ import annotations

from edgescript.storage.circuit import FIRST_PAUSE, LONGEST_PAUSE, Circuit


class Hands:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_all_may_try_until_one_fails_and_then_one_at_a_time_after_pauses_that_grow() -> None:
    clock = Hands()
    circuit = Circuit(clock)
    assert all(circuit.may_try() for _ in range(5))
    pause = FIRST_PAUSE
    for _ in range(8):
        circuit.failed()
        assert not circuit.may_try()
        clock.now += pause * 0.99
        assert not circuit.may_try()
        clock.now += pause * 0.02
        assert circuit.may_try()
        assert not circuit.may_try()
        pause = min(pause * 2, LONGEST_PAUSE)
    circuit.worked()
    assert all(circuit.may_try() for _ in range(5))


def test_the_one_that_tries_and_is_never_heard_of_again_does_not_keep_it_open_for_ever() -> None:
    clock = Hands()
    circuit = Circuit(clock)
    circuit.failed()
    clock.now += FIRST_PAUSE
    assert circuit.may_try()
    clock.now += LONGEST_PAUSE
    assert circuit.may_try()


def test_after_it_worked_the_first_pause_is_short_again() -> None:
    clock = Hands()
    circuit = Circuit(clock)
    for _ in range(10):
        circuit.failed()
    circuit.worked()
    circuit.failed()
    clock.now += FIRST_PAUSE
    assert circuit.may_try()
