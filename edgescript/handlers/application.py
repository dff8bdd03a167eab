"""An ASGI or WSGI application in this process, called through hypercorn's wrappers."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import Any, Literal

from edgescript.api._request import Request
from edgescript.api._scope import Scope
from edgescript.api._threads import in_own_thread
from edgescript.handlers.asgi import Call, Cycle, Message, scope_of
from edgescript.handlers.handler import Loaded
from edgescript.handlers.lifespan import Lifespan, LifespanFailed
from edgescript.handlers.websocket import Session, handshake_key
from edgescript.handlers.wsgi import Sound, adapted, spooled
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response

Interface = Literal["asgi", "wsgi"]


class Served:
    """An application that has been started; one for all lines and graphs that name it, as long as its module is the same."""

    def __init__(self, app: Any, interface: Interface, lifespan: Lifespan | None) -> None:
        self.app = app
        self.interface = interface
        self.lifespan = lifespan

    @property
    def state(self) -> dict[str, Any]:
        """What its start-up has left for requests."""
        return {} if self.lifespan is None else self.lifespan.state

    async def close(self) -> None:
        """Shut it down."""
        if self.lifespan is not None:
            await self.lifespan.close()


class Application(Loaded):
    """
    A line of an Edgefile that has an application answer.

    :param interface: None: as the application looks
    :param factory: what is named is called, without arguments, and gives the application
    :param within: seconds until the head of a response must be there
    """

    def __init__(
        self, *given: Any, interface: Interface | None, factory: bool, within: float | None, startup: float
    ) -> None:
        super().__init__(*given)
        self._interface = interface
        self._factory = factory
        self._within = within
        self._startup = startup
        self._served: Served

    async def take(self, found: Any) -> None:
        key = (self.target.text, self._interface, self._factory)
        served = self.workplace.served.get(key)
        if not isinstance(served, Served):
            served = self.workplace.served[key] = await self._start(found)
        self._served = served
        self.watchdog.know(self, self.target.text, served.app)

    async def _start(self, found: Any) -> Served:
        app = await self._made(found) if self._factory else found
        if not callable(app):
            raise self.failed(f"it is a value of type {type(app).__name__}, and no application")
        interface = self._interface or ("asgi" if is_asgi(app) else "wsgi")
        if interface == "wsgi":
            return Served(app, interface, None)
        lifespan = Lifespan(app, self._startup)
        try:
            await lifespan.start()
        except (LifespanFailed, TimeoutError) as error:
            await lifespan.close()
            message = str(error) or f"the application's startup takes longer than {self._startup:g} s"
            raise self.failed(message) from error
        except asyncio.CancelledError:
            await lifespan.close()
            raise
        return Served(app, interface, lifespan)

    async def _made(self, factory: Any) -> Any:
        if not callable(factory):
            raise self.failed(f"it is a value of type {type(factory).__name__}, and no factory")
        return await factory() if inspect.iscoroutinefunction(factory) else await in_own_thread(factory)

    # ---- the step

    async def answer(self, exchange: Exchange) -> Response:
        """The step."""
        await self.ready()
        scope = self.workplace.scope(self.target.text, self.means, exchange)
        key = handshake_key(exchange)
        if key is not None and self._served.interface == "asgi":
            return await self._websocket(exchange, scope, key)
        message = scope_of(exchange, "http", self._served.state)
        if self._served.interface == "wsgi":
            return await self._wsgi(exchange, scope, message)
        return await Cycle(exchange, scope).respond(self._asgi(), message, self._within)

    async def _websocket(self, exchange: Exchange, scope: Scope, key: bytes) -> Response:
        session = Session(exchange, scope, key)
        scope.exchange = None  # its request is over when it begins
        start = partial(self.workplace.last, session, scope)
        message = scope_of(exchange, "websocket", self._served.state)
        return await session.respond(self._asgi(), message, self._within, start)

    def _asgi(self) -> Call:
        from hypercorn.app_wrappers import ASGIWrapper

        return partial(_call_asgi, ASGIWrapper(self._served.app))

    async def _wsgi(self, exchange: Exchange, scope: Scope, message: Message) -> Response:
        from hypercorn.app_wrappers import WSGIWrapper

        body, size = await spooled(Request(exchange).stream(), scope.threads, exchange.body_limit)
        exchange.body = b""  # it has been read
        message, environ = adapted(message, exchange, size)
        sound = Sound(self._served.app, body, environ)
        call = partial(_call_wsgi, WSGIWrapper(sound, 0), sound, scope)
        return await Cycle(exchange, scope).respond(call, message, self._within)


async def _call_asgi(wrapper: Any, message: Any, receive: Any, send: Any) -> None:
    await wrapper(message, receive, send, None, None)


async def _call_wsgi(wrapper: Any, sound: Sound, scope: Scope, message: Any, receive: Any, send: Any) -> None:
    def call_soon(function: Any, *arguments: Any) -> None:
        """From the application's thread, which goes on when the client has room for more."""
        asyncio.run_coroutine_threadsafe(function(*arguments), scope.loop).result()

    try:
        await wrapper(message, receive, send, scope.threads.run, call_soon)
    finally:
        sound.close()


def is_asgi(app: Any) -> bool:
    """Whether an application looks as if it were ASGI: calling it gives a coroutine."""
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
