"""The listening sockets of all workers. The supervisor owns them, so that they stay open while workers come and go.

On Linux each worker has a socket of its own for each address (SO_REUSEPORT), and the kernel spreads connections over them.
What waits in the queue of a worker that has ended is accepted by the one that takes its place. Before a place is given up,
new connections are steered to the others, and the worker accepts what is queued. Elsewhere the workers share one socket for
each address, as they do for unix sockets, and for those that were inherited from systemd.

SO_REUSEPORT would let a second server of the same user take a share of our connections by mistake. So the first socket of
an address is bound and listening without it, which fails where anybody listens already, and is opened to its twins
afterwards.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from edgescript.graph.match import HostTable
from edgescript.graph.model import Listener
from edgescript.server.listen import Address, ListenError, address_of, bind, unbind

log = logging.getLogger("edgescript.runtime")

#: A listener's host and port; a path and None for a unix socket.
Key = tuple[str, int | None]

#: The kernel spreads connections over sockets with SO_REUSEPORT. (Elsewhere it may give all to the last one.)
SPREADS = sys.platform == "linux"

_BACKLOG = 4096
#: What Python has no names for, of asm-generic/socket.h.
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_SO_ATTACH_REUSEPORT_CBPF = 51
_SO_DETACH_REUSEPORT_BPF = 68


class _Place:
    """The sockets of one address."""

    def __init__(self, key: Key, shared: bool, sockets: dict[int, socket.socket], order: list[int]) -> None:
        self.key = key
        #: One socket for all workers.
        self.shared = shared
        #: By worker; a shared one is that of worker 0.
        self.sockets = sockets
        #: The workers in the order in which the kernel numbers the sockets of a group.
        self.order = order

    @property
    def port(self) -> int | None:
        """The real one."""
        return None if self.key[1] is None else int(self.any().getsockname()[1])

    def any(self) -> socket.socket:
        return self.sockets[self.order[0]]

    def of(self, worker: int) -> socket.socket:
        return self.any() if self.shared else self.sockets[worker]

    def add_twin(self, worker: int, *, turn_away: bool = False) -> None:
        """
        Open the socket of one more worker beside those that there are.

        :param turn_away: let no connection begin there
        """
        first = self.any()
        made = socket.socket(first.family, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if first.family == socket.AF_INET6:
                only = first.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            made.bind(first.getsockname())
            if turn_away:
                _turn_away(made)
            made.listen(_BACKLOG)
            made.setblocking(False)
        except OSError as error:
            made.close()
            raise ListenError(f"cannot listen on {Address(*self.key)}: {error.strerror}") from None
        self.sockets[worker] = made
        self.order.append(worker)

    def remove(self, worker: int) -> None:
        """Close the socket of a worker, for whoever holds it."""
        made = self.sockets.pop(worker)
        with contextlib.suppress(OSError):  # ends listening at once, although the worker may still have it open
            made.shutdown(socket.SHUT_RDWR)
        made.close()
        # The kernel puts the last of a group into the place that becomes free (net/core/sock_reuseport.c).
        place, last = self.order.index(worker), self.order.pop()
        if last != worker:
            self.order[place] = last

    def close(self) -> None:
        path = self.key[0] if self.key[1] is None else None
        if self.shared:
            unbind(self.any(), path)
        else:
            for worker in tuple(self.sockets):
                self.remove(worker)


class Sockets:
    """Every listening socket of the server."""

    def __init__(self, inherited: Iterable[socket.socket] = ()) -> None:
        """
        :param inherited: listening sockets from outside, which are used for the addresses that they have
        """
        self._places: dict[Key, _Place] = {}
        self._inherited = list(inherited)
        #: Which of them are in use, by address.
        self._lent: dict[Key, _Place] = {}
        #: The workers that new connections go to.
        self._able: Collection[int] = ()

    # Opening and closing

    def open(self, keys: Collection[Key], workers: int) -> list[tuple[Key, int]]:
        """
        Open what is missing for so many workers to listen on these addresses, and give what was opened.

        :raises ListenError: if an address cannot be had; nothing was opened then
        """
        opened: list[tuple[Key, int]] = []
        try:
            for key in keys:
                if key not in self._places:
                    self._places[key] = self._opened(key)
                    opened.append((key, 0))
                place = self._places[key]
                if not place.shared:
                    for worker in range(workers):
                        if worker not in place.sockets:
                            self._add_twin(place, worker)
                            opened.append((key, worker))
        except ListenError:
            self.undo(opened)
            raise
        return opened

    def _add_twin(self, place: _Place, worker: int) -> None:
        """Nobody accepts there yet, and perhaps never will: connections go to the others, from the first on."""
        if not self._able:
            place.add_twin(worker)
            return
        place.add_twin(worker, turn_away=True)
        self._steer(place)
        with contextlib.suppress(OSError):  # nothing was attached
            place.of(worker).setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

    def _opened(self, key: Key) -> _Place:
        place = self._inherited_place(key)
        if place is not None:
            return place
        host, port = key
        beside_ours = SPREADS and any(port and port == place.port for place in self._places.values())
        made = _bind_beside(key) if beside_ours else bind(Listener(host, port, HostTable([])))
        shared = port is None or not SPREADS
        if not shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return _Place(key, shared, {0: made}, [0])

    def _inherited_place(self, key: Key) -> _Place | None:
        if key not in self._lent:
            for made in self._inherited:
                if serves(made, key):
                    self._inherited.remove(made)
                    self._lent[key] = _Place(key, True, {0: made}, [0])
                    break
        return self._lent.get(key)

    def undo(self, opened: Iterable[tuple[Key, int]]) -> None:
        """Close what `open` has opened, unless all was closed meanwhile."""
        for key, worker in reversed(list(opened)):
            place = self._places.get(key)
            if place is None:
                continue
            if worker == 0 or place.shared:
                self._close(key)
            else:
                place.remove(worker)

    def keep_only(self, keys: Collection[Key], workers: int) -> None:
        """Close the sockets of all other addresses and workers."""
        for key in tuple(self._places):
            if key not in keys:
                self._close(key)
            elif not self._places[key].shared:
                place = self._places[key]
                for worker in [worker for worker in place.sockets if worker >= workers]:
                    place.remove(worker)

    def _close(self, key: Key) -> None:
        place = self._places.pop(key)
        if key not in self._lent:  # what was inherited stays open: others may hold it too, and it may be wanted again
            place.close()

    def close(self) -> None:
        for key in tuple(self._places):
            self._close(key)
        for place in self._lent.values():
            place.any().close()
        for made in self._inherited:
            made.close()

    # What workers are given

    def of(self, worker: int, keys: Iterable[Key]) -> list[socket.socket]:
        """The sockets of a worker for some addresses, in their order."""
        return [self._places[key].of(worker) for key in keys]

    def addresses(self, keys: Iterable[Key]) -> tuple[Address, ...]:
        """Where it is really listened, for some addresses; at a stop that is nowhere any more."""
        places = [self._places[key] for key in keys if key in self._places]
        return tuple(address_of(Listener(*place.key, HostTable([])), place.any()) for place in places)

    @property
    def unused(self) -> Sequence[socket.socket]:
        """Inherited sockets that no address has asked for."""
        return self._inherited

    # Where connections go

    def steer(self, workers: Collection[int]) -> None:
        """Have new connections go to these workers only; to all, where they are all or none."""
        self._able = workers
        for place in self._places.values():
            self._steer(place)

    def _steer(self, place: _Place) -> None:
        if place.shared or len(place.order) < 2:
            return
        numbers = [number for number, worker in enumerate(place.order) if worker in self._able]
        if 0 < len(numbers) < len(place.order):
            _choose(place.any(), choosing(numbers))
        else:
            with contextlib.suppress(OSError):  # nothing was attached
                place.any().setsockopt(socket.SOL_SOCKET, _SO_DETACH_REUSEPORT_BPF, 0)

    def queued(self, workers: Collection[int]) -> int:
        """How many connections wait to be accepted by some workers."""
        if not SPREADS:
            return 0
        return sum(
            _queued(made)
            for place in self._places.values()
            if place.key[1] is not None
            for worker, made in place.sockets.items()
            if worker in workers or place.shared
        )

    def turn_away(self, keys: Collection[Key]) -> None:
        """Let no new connection begin at some addresses; clients try again a second later, and are refused then."""
        if SPREADS:
            for key in keys:
                if key[1] is not None and key in self._places and key not in self._lent:
                    for made in self._places[key].sockets.values():
                        _turn_away(made)

    # Passing them on to another program

    def as_data(self) -> dict[str, Any]:
        """As JSON has it, for `of_data` in the program that this process becomes; the descriptors stay open then."""
        places = [
            {
                "key": list(place.key),
                "shared": place.shared,
                "lent": place.key in self._lent,
                "used": place.key in self._places,
                "sockets": [[worker, place.sockets[worker].fileno()] for worker in place.order],
            }
            for place in self._all()
        ]
        return {"places": places, "unused": [made.fileno() for made in self._inherited]}

    @property
    def descriptors(self) -> list[int]:
        """Of all that `as_data` names."""
        used = [made.fileno() for place in self._all() for made in place.sockets.values()]
        return [*used, *(made.fileno() for made in self._inherited)]

    def _all(self) -> Iterable[_Place]:
        return {**self._lent, **self._places}.values()

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Sockets:
        made = cls(taken_over(descriptor) for descriptor in data["unused"])
        for one in data["places"]:
            key = (one["key"][0], one["key"][1])
            sockets = {worker: taken_over(descriptor) for worker, descriptor in one["sockets"]}
            place = _Place(key, one["shared"], sockets, list(sockets))
            if one["lent"]:
                made._lent[key] = place
            if one["used"]:
                made._places[key] = place
        return made


def taken_over(descriptor: int) -> socket.socket:
    """A listening socket that came from another program, and is for no further one."""
    made = socket.socket(fileno=descriptor)
    made.setblocking(False)
    os.set_inheritable(descriptor, False)
    return made


def _bind_beside(key: Key) -> socket.socket:
    """A socket for an address whose port is ours already at another host, so that it is not held against us."""
    host, port = key
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or "::", port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(host)))
            made.bind(address)
            made.listen(_BACKLOG)
            made.setblocking(False)
        except BaseException:
            made.close()
            raise
    except OSError:
        return bind(Listener(host, port, HostTable([])))  # which says what is wrong
    return made


def serves(made: socket.socket, key: Key) -> bool:
    """Whether a socket listens on an address."""
    host, port = key
    bound = made.getsockname()
    if port is None:
        wanted = b"\0" + host[1:].encode() if host.startswith("@") else host
        return made.family == socket.AF_UNIX and bound == wanted
    if made.family not in (socket.AF_INET, socket.AF_INET6) or bound[1] != port:
        return False
    if not host:
        return bound[0] in ("::", "0.0.0.0")  # noqa: S104  # compared, not bound
    with contextlib.suppress(OSError):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return bound[0] in [address[0] for *_, address in found]
    return False


def _queued(made: socket.socket) -> int:
    """Of a listening socket, `tcpi_unacked` is how many connections wait in its queue (net/ipv4/tcp.c)."""
    found: int = struct.unpack_from("I", made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)[0]
    return found


# ---- programs for the kernel's classic BPF (linux/filter.h): code, jump if true, jump if false, value

_Instruction = tuple[int, int, int, int]
_LOAD_WORD, _LOAD_BYTE, _MODULO, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x30, 0x94, 0x15, 0x45, 0x06
_AND = 0x54
#: SKF_AD_OFF + SKF_AD_RANDOM: a random number.
_RANDOM = 0xFFFFF000 + 56
_ALL = 0xFFFFFFFF
_TCP_FLAGS, _SYN_AND_ACK, _SYN = 13, 0x12, 0x02

#: Drops the packets that begin a connection. The packet is a TCP segment (RFC 9293 3.1).
NO_BEGINNINGS: tuple[_Instruction, ...] = (
    (_LOAD_BYTE, 0, 0, _TCP_FLAGS),
    (_AND, 0, 0, _SYN_AND_ACK),
    (_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, _ALL),
)


def choosing(numbers: Sequence[int]) -> tuple[_Instruction, ...]:
    """A program that chooses one of some sockets of a group at random."""
    program: list[_Instruction] = [(_LOAD_WORD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(numbers))]
    for at, number in enumerate(numbers):
        program += [(_IF_EQUAL, 0, 1, at), (_RETURN, 0, 0, number)]
    return (*program, (_RETURN, 0, 0, _ALL))


def _choose(made: socket.socket, program: Sequence[_Instruction]) -> None:
    """Where the kernel takes none (gVisor), connections go where they would go: it costs some of them, but works."""
    try:
        _set_program(made, _SO_ATTACH_REUSEPORT_CBPF, program)
    except OSError as error:
        log.warning("connections cannot be steered: %s", error.strerror)


def _turn_away(made: socket.socket) -> None:
    """Let no connection begin at a socket. Linux 6.18 wants CAP_NET_ADMIN for such a filter of TCP, which few servers have."""
    try:
        _set_program(made, _SO_ATTACH_FILTER, NO_BEGINNINGS)
    except OSError as error:
        log.debug("connections cannot be turned away: %s", error.strerror)


def _set_program(made: socket.socket, option: int, program: Sequence[_Instruction]) -> None:
    """:raises OSError: if the kernel does not take it"""
    import ctypes  # only Linux comes here

    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    made.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(program), ctypes.addressof(code)))
