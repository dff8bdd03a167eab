"""Tells who holds the event loop: a thread that looks where the loop's thread is, when the loop has not turned for too long.

It costs requests nothing: the loop turns a counter a few times a second, and the thread compares.
"""

from __future__ import annotations

import inspect
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import anyio
    import anyio.abc

log = logging.getLogger("edgescript.handlers")

#: Seconds between two warnings about the same handler.
_AGAIN = 10.0


class Watchdog:
    """
    One for a worker's loop.

    :param patience: seconds that the loop may stand still; 0 watches nothing
    """

    def __init__(
        self,
        patience: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self.patience = patience
        self._clock = clock
        self._processor = processor
        #: Warnings given.
        self.warnings = 0
        #: By code the names of those who use it, the newest last. The thread reads it: what is in it is never changed.
        self._known: dict[CodeType, dict[object, str]] = {}
        self._turned = 0.0
        #: When the thread last looked, and the processor time until then.
        self._looked = (0.0, 0.0)
        #: The turn of the loop that was told of.
        self._told = 0.0
        self._thread_id = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._scope: anyio.CancelScope | None = None
        self._warned: dict[str, float] = {}

    def know(self, owner: object, name: str, function: Any) -> None:
        """Have a function told by this name."""
        code = _code_of(function)
        if code is not None:
            self._known[code] = {**self._known.get(code, {}), owner: name}

    def forget(self, owner: object) -> None:
        """Functions of this owner are not used any more."""
        left = {code: {one: names[one] for one in names if one is not owner} for code, names in self._known.items()}
        self._known = {code: names for code, names in left.items() if names}

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Begin to watch this loop."""
        if not self.patience:
            return
        self.turn()
        tasks.start_soon(self._turn)
        self._thread = threading.Thread(target=self._watch, name="edge-watchdog", daemon=True)
        self._thread.start()

    async def _turn(self) -> None:
        import anyio

        with anyio.CancelScope() as self._scope:
            while not self._stop.is_set():
                self.turn()
                await anyio.sleep(self.patience / 2)

    def turn(self) -> None:
        """Note that the loop has turned, whose thread calls this."""
        self._thread_id = threading.get_ident()
        self._turned = self._clock()

    async def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._scope is not None:
            self._scope.cancel()
        if self._thread is not None:
            self._thread.join()

    # ---- the thread

    def _watch(self) -> None:
        self._looked = self._clock(), self._processor()
        while not self._stop.wait(self.patience / 2):
            self.look()

    def look(self) -> None:
        """Warn if the loop has not turned for too long, and a handler is why."""
        now, used = self._clock(), self._processor()
        (then, used_then), self._looked = self._looked, (now, used)
        # A look that comes late: either a handler has kept the interpreter to itself (`json.loads` of much), with the processor
        # at work, or nothing of this process has run for a while, and the handler is innocent.
        if now - then > self.patience and used - used_then < (now - then) / 2:
            return
        turned = self._turned
        if now - turned > self.patience and turned != self._told:
            self._told = turned
            self._tell(now - turned, sys._current_frames().get(self._thread_id))

    def _tell(self, still: float, frame: FrameType | None) -> None:
        name = self._handler_in(frame)
        now = self._clock()
        if name is None or now - self._warned.get(name, -_AGAIN) < _AGAIN:
            return
        self._warned[name] = now
        self.warnings += 1
        stack = "".join(traceback.format_stack(frame))
        log.warning("%s holds the event loop, and with it every other request, for %.2f s already; it is here:\n%s",
                    name, still, stack)  # fmt: skip

    def _handler_in(self, frame: FrameType | None) -> str | None:
        """The outermost handler of a stack."""
        found = None
        while frame is not None:
            known = self._known.get(frame.f_code)
            if known is not None:
                found = next(reversed(known.values()))
            frame = frame.f_back
        return found


def _code_of(function: Any) -> CodeType | None:
    function = inspect.unwrap(function)
    function = getattr(function, "func", function)  # functools.partial
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None
