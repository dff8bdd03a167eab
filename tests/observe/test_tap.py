from __future__ import annotations

from edgescript.observe import tap


def test_lines_come_while_somebody_listens():
    lines: list[str] = []
    tap.tell("before\n")
    stop = tap.listen(lines.append)
    tap.tell("one\n")
    stop()
    stop()
    tap.tell("after\n")
    assert lines == ["one\n"]
    assert tap.listeners == ()


def test_the_same_callback_may_listen_twice():
    lines: list[str] = []
    first, second = tap.listen(lines.append), tap.listen(lines.append)
    first()
    tap.tell("one\n")
    second()
    assert lines == ["one\n"]


def test_a_listener_that_fails_is_taken_off_and_the_others_go_on(caplog):
    def fails(line: str) -> None:
        raise ValueError(line)

    lines: list[str] = []
    tap.listen(fails)
    stop = tap.listen(lines.append)
    tap.tell("one\n")
    tap.tell("two\n")
    stop()
    assert lines == ["one\n", "two\n"]
    assert len(caplog.records) == 1
