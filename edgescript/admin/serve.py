"""The admin address: a listener of our own fast lane in the supervisor, whose one site is the program below.

    guard      who may ask
    resource   what is asked for: a file of `resources/`, the list of them, or a file of the dashboard

Errors are answered as JSON (RFC 9457).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from edgescript.admin import found, pages
from edgescript.admin.guard import Policy, admit, policy_of
from edgescript.admin.operator import Operator
from edgescript.admin.request import Request, problem_answer
from edgescript.admin.room import Room
from edgescript.graph.match import HostTable
from edgescript.graph.model import ErrorRoute, Flow, Listener, Program, Site, Step
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import in_task
from edgescript.server.bounds import Bounds
from edgescript.server.listen import Address, ListenError, Listening, address_of, bind, unbind
from edgescript.settings import admin

if TYPE_CHECKING:
    import anyio.abc

log = logging.getLogger("edgescript.admin")

#: Seconds that a stop waits for answers in flight.
_GRACE = 2.0

_BOUNDS = Bounds(read_header=10.0, read_body_idle=10.0, write_idle=60.0, idle=120.0)

#: On every answer. A page can be shown in no frame, loads nothing from elsewhere, and is not kept.
_SECURITY = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", pages.POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Admin:
    """
    The admin address of a running server.

    :param directory: where the path of a unix socket starts
    """

    def __init__(self, operator: Operator, setting: admin.Admin, *, directory: str) -> None:
        self.setting = setting
        self.room = Room(operator)
        self._directory = directory
        self._policy = policy_of(setting)
        self._listening: Listening | None = None
        self._bound: socket.socket | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    @property
    def bound(self) -> socket.socket | None:
        """The listening socket, to be handed to the next program; None where there is none."""
        return self._bound

    async def start(self, tasks: anyio.abc.TaskGroup, *, bound: socket.socket | None = None) -> Sequence[Address]:
        """
        Begin to listen, and give where: one address, or none.

        :param bound: a socket that listens already; it is closed by `stop`
        :raises ListenError: if the address was written and cannot be had
        """
        self._tasks = tasks
        tasks.start_soon(self.room.run)
        return await self._listen(bound)

    async def replace(self, setting: admin.Admin) -> Sequence[Address]:
        """
        Go on with another setting; a socket whose address is the same stays open.

        :raises ListenError: if the address was written and cannot be had; everything stays as it was then
        """
        assert self._tasks is not None, "start comes first"
        if setting.place == self.setting.place and self._listening is not None:
            self.setting, self._policy = setting, policy_of(setting)
            return [address_of(self._listening.listener, self._socket)]
        before = self.setting, self._policy, self._listening, self._bound
        old = self._listening
        self.setting, self._policy, self._listening, self._bound = setting, policy_of(setting), None, None
        try:
            addresses = await self._listen(None)
        except ListenError:
            self.setting, self._policy, self._listening, self._bound = before
            raise
        if old is not None:
            self._tasks.start_soon(_retire, old)
        return addresses

    async def stop(self, *, handed_over: bool = False) -> None:
        """
        Stop listening, end the streams, and let other answers in flight finish.

        :param handed_over: another program goes on with the socket, so that the file of a unix socket stays
        """
        self.room.close()
        listening, self._listening, self._bound = self._listening, None, None
        if listening is not None:
            await _retire(listening, keep_file=handed_over)

    @property
    def _socket(self) -> socket.socket:
        assert self._bound is not None
        return self._bound

    async def _listen(self, bound: socket.socket | None) -> Sequence[Address]:
        place = self.setting.place
        if place is None:
            if bound is not None:
                unbind(bound, None)
            return []
        host = place.host if place.port is not None else self._path(place.host)
        listener = listener_of(host, place.port, self._admit, self._answer)
        try:
            self._bound = bound or _bind(listener)
        except ListenError as error:
            if self.setting.address is not None:
                raise
            log.warning("there is no admin address: %s", error)
            return []
        self._listening = Listening(listener, self._bound, None)
        await self._listening.prepare(_BOUNDS)
        await self._listening.start()
        return [address_of(listener, self._bound)]

    def _path(self, path: str) -> str:
        return path if path.startswith("@") else os.path.join(self._directory, path)

    # ---- the steps

    def _admit(self, exchange: Exchange) -> None:
        exchange.on_response(_secured)
        policy = self._policy
        if policy.origins:
            exchange.on_response(_shared_with(policy))  # refusals as well, so that the page can tell what is wrong
        admit(exchange, policy)

    async def _answer(self, exchange: Exchange) -> Response:
        """Resources wait for workers, threads and files, so each request has a task."""
        return await in_task(answer(Request(exchange, self.room)))


async def answer(request: Request) -> Response:
    """
    What a request that was let in is answered.

    :raises HTTPError: whatever is wrong with it
    """
    exchange = request.exchange
    known = found.resources()
    resource = known.get(exchange.path)
    if resource is None:
        resource = pages.find(exchange.path)
    if resource is None:
        raise HTTPError(404, f"there is nothing at {exchange.path[:200]}; / lists what there is")
    method = exchange.method.decode("latin-1")
    if method == "OPTIONS":
        return _preflight(resource)
    handler = resource.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise HTTPError(405, f"{exchange.path} takes {resource.allow.decode()}", [(b"allow", resource.allow)])
    return await handler(request)


def _preflight(resource: found.Resource) -> Response:
    """What a browser asks before a page of another origin may write; the guard has refused those that are not named."""
    return Response(
        204,
        [
            (b"allow", resource.allow),
            (b"access-control-allow-methods", resource.allow),
            (b"access-control-allow-headers", b"authorization, content-type, if-match"),
        ],
    )


def _secured(exchange: Exchange, response: Response) -> None:
    there = {name for name, _ in response.headers}
    response.headers += [field for field in _SECURITY if field[0] not in there]


def _shared_with(policy: Policy) -> Callable[[Exchange, Response], None]:
    """Let the browser show answers to pages of the origins that are named."""

    def share(exchange: Exchange, response: Response) -> None:
        response.headers.append((b"vary", b"origin"))
        origin = first(exchange.headers, b"origin")
        if origin is not None and origin.decode("latin-1") in policy.origins:
            response.headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", b"etag"),
            ]

    return share


# ---- the listener


def listener_of(host: str, port: int | None, guard: Callable[..., Any], handler: Callable[..., Any]) -> Listener:
    """A listener whose every host is one site, with the two steps as its program."""
    steps = (_step("guard", guard, Flow.CALL), _step("resource", handler, Flow.AWAIT))
    errors = ErrorRoute(frozenset(), frozenset(), _program(_step("problem", _problem, Flow.CALL)))
    site = Site(("admin",), None, _program(*steps), (errors,))
    return Listener(host, port, HostTable([("", site)]))


def _step(name: str, run: Callable[..., Any], flow: Flow) -> Step:
    return Step(name, name, None, None, flow, run, 0, 0)


def _program(*steps: Step) -> Program:
    steps = tuple(step._replace(otherwise=number) for number, step in enumerate(steps, 1))
    return Program(steps, tuple((None, step.run, step.otherwise, step.flow.value) for step in steps))


def _problem(exchange: Exchange) -> Response:
    assert exchange.error is not None
    return problem_answer(exchange.error)


async def _retire(listening: Listening, *, keep_file: bool = False) -> None:
    listener = listening.listener
    if listener.port is None and not listener.host.startswith("@") and not keep_file:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(listener.host)
    await listening.stop(_GRACE)


def _bind(listener: Listener) -> socket.socket:
    """A socket for it. The file of a unix socket is for its owner from the first moment on."""
    if listener.port is not None:
        return bind(listener)
    mask = os.umask(0o177)
    try:
        return bind(listener)
    finally:
        os.umask(mask)
