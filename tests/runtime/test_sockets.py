"""Listening sockets of all workers: who gets connections, and who may listen beside us."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgescript.runtime.sockets import SPREADS, Sockets, choosing, serves
from edgescript.server.listen import ListenError

KEY = ("127.0.0.1", 0)

spreads = pytest.mark.skipif(not SPREADS, reason="the kernel does not spread connections")


@pytest.fixture
def sockets(no_leaks: None) -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()


def port(sockets: Sockets, key: tuple[str, int | None] = KEY) -> int:
    (address,) = sockets.addresses([key])
    assert address.port is not None
    return address.port


def spread(sockets: Sockets, workers: int, count: int = 60) -> list[int]:
    """How many of so many new connections come to each worker."""
    clients = [socket.create_connection(("127.0.0.1", port(sockets))) for _ in range(count)]
    found = [sockets.queued([worker]) for worker in range(workers)]
    for worker in range(workers):
        for _ in range(found[worker]):
            sockets.of(worker, [KEY])[0].accept()[0].close()
    for client in clients:
        client.close()
    return found


@spreads
def test_connections_are_spread_over_all_workers(sockets: Sockets) -> None:
    assert len(sockets.open([KEY], 3)) == 3
    assert min(spread(sockets, 3)) > 0


@spreads
def test_connections_can_be_steered_to_some_workers(sockets: Sockets) -> None:
    sockets.open([KEY], 3)
    sockets.steer({0, 2})
    first, second, third = spread(sockets, 3)
    assert second == 0
    assert first > 0
    assert third > 0
    sockets.steer({1})
    assert spread(sockets, 3) == [0, 60, 0]
    for everybody in ({0, 1, 2}, set()):
        sockets.steer({1})
        sockets.steer(everybody)
        assert min(spread(sockets, 3)) > 0


@spreads
@pytest.mark.parametrize("before", [1, 2])
def test_no_connection_waits_at_the_socket_of_a_worker_that_does_not_serve_yet(sockets: Sockets, before: int) -> None:
    sockets.open([KEY], before)
    sockets.steer(set(range(before)))
    opened = sockets.open([KEY], 4)
    assert spread(sockets, 4)[before:] == [0] * (4 - before)
    sockets.undo(opened)
    assert sum(spread(sockets, before)) == 60
    sockets.open([KEY], 4)
    sockets.steer(set(range(4)))
    assert min(spread(sockets, 4)) > 0


def test_what_was_closed_meanwhile_need_not_be_undone(sockets: Sockets) -> None:
    opened = sockets.open([KEY], 2)
    sockets.close()
    sockets.undo(opened)
    sockets.turn_away([KEY])


@spreads
def test_who_is_steered_to_stays_right_while_workers_come_and_go(sockets: Sockets) -> None:
    sockets.open([KEY], 4)
    sockets.keep_only([KEY], 2)  # the kernel has renumbered what is left
    sockets.open([KEY], 5)
    for worker in range(5):
        sockets.steer({worker})
        assert spread(sockets, 5, 10)[worker] == 10


@spreads
def test_a_server_of_the_same_user_cannot_take_a_share_of_our_connections(sockets: Sockets) -> None:
    sockets.open([KEY], 2)
    other = Sockets()
    with pytest.raises(ListenError, match="in use by another program"):
        other.open([("127.0.0.1", port(sockets))], 2)
    with pytest.raises(ListenError, match="in use by another program"):
        other.open([("", port(sockets))], 2)
    other.close()


@spreads
def test_an_address_may_be_listened_on_beside_another_of_the_same_port(sockets: Sockets) -> None:
    sockets.open([KEY], 2)
    everywhere = ("", port(sockets))
    sockets.open([everywhere], 2)
    assert port(sockets, everywhere) == port(sockets)


def test_what_cannot_be_had_leaves_nothing_behind(sockets: Sockets) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ListenError):
        sockets.open([KEY, ("127.0.0.1", taken.getsockname()[1])], 2)
    assert sockets.as_data() == {"places": [], "unused": []}


@spreads
def test_a_closed_socket_listens_no_more_whoever_holds_it(sockets: Sockets) -> None:
    sockets.open([KEY], 1)
    where = port(sockets)
    with sockets.of(0, [KEY])[0].dup():
        sockets.keep_only([], 1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", where))


@spreads
@pytest.mark.skipif(os.geteuid() != 0, reason="some kernels want CAP_NET_ADMIN for it")
def test_no_connection_begins_that_is_turned_away(sockets: Sockets) -> None:
    sockets.open([KEY], 2)
    queued = socket.create_connection(("127.0.0.1", port(sockets)))
    sockets.turn_away([KEY])
    with socket.socket() as client:
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.connect(("127.0.0.1", port(sockets)))
    assert sockets.queued([0, 1]) == 1, "what has begun before goes on"
    queued.close()


def test_a_unix_socket_is_shared_and_its_file_removed(sockets: Sockets, folder: Path) -> None:
    path = str(folder / "edge.sock")
    sockets.open([(path, None)], 3)
    one, other = sockets.of(0, [(path, None)])[0], sockets.of(2, [(path, None)])[0]
    assert one is other
    sockets.keep_only([], 3)
    assert not Path(path).exists()


def test_a_socket_that_was_passed_is_used_and_left_open(no_leaks: None) -> None:
    passed = socket.create_server(("127.0.0.1", 0))
    key = ("127.0.0.1", passed.getsockname()[1])
    sockets = Sockets([passed])
    sockets.open([key], 2)
    assert sockets.of(1, [key]) == [passed]
    assert not sockets.unused
    sockets.keep_only([], 2)
    with socket.create_connection(key):
        pass
    sockets.open([key], 2)
    assert sockets.of(0, [key]) == [passed], "it is there if it is wanted again"
    sockets.close()


@pytest.mark.parametrize(
    ("bound", "key", "fits"),
    [
        (("127.0.0.1", 0), ("127.0.0.1", None), True),
        (("127.0.0.1", 0), ("localhost", None), True),
        (("127.0.0.1", 0), ("", None), False),
        (("0.0.0.0", 0), ("", None), True),
        (("0.0.0.0", 0), ("127.0.0.1", None), False),
    ],
)
def test_a_passed_socket_is_known_by_its_address(bound: tuple[str, int], key: tuple[str, None], fits: bool) -> None:
    with socket.create_server(bound) as made:
        assert serves(made, (key[0], made.getsockname()[1])) is fits
        assert not serves(made, (key[0], 1))
        assert not serves(made, ("/run/edge.sock", None))


def test_all_can_be_passed_on_to_another_program(no_leaks: None) -> None:
    before = Sockets()
    before.open([KEY], 3)
    before.keep_only([KEY], 2)
    where = port(before)
    data = before.as_data()
    for place in data["places"]:
        place["sockets"] = [[worker, os.dup(descriptor)] for worker, descriptor in place["sockets"]]
    after = Sockets.of_data(data)
    assert port(after) == where
    after.steer({1})
    assert spread(after, 2) == [0, 60]
    after.close()
    before.close()


def test_a_program_for_the_kernel_chooses_each_number_once() -> None:
    program = choosing([4, 7])
    assert [value for code, _, _, value in program if code == 0x06] == [4, 7, 0xFFFFFFFF]
