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

    def __init__(self, patience: float) -> None:
        self.patience = patience
        #: Warnings given.
        self.warnings = 0
        self._known: dict[CodeType, tuple[object, str]] = {}
        self._turned = 0.0
        self._thread_id = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._scope: anyio.CancelScope | None = None
        self._warned: dict[str, float] = {}

    def know(self, owner: object, name: str, function: Any) -> None:
        """Have a function told by this name."""
        code = _code_of(function)
        if code is not None:
            self._known[code] = (owner, name)

    def forget(self, owner: object) -> None:
        """Functions of this owner are not used any more."""
        self._known = {code: known for code, known in self._known.items() if known[0] is not owner}

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Begin to watch this loop."""
        if not self.patience:
            return
        self._turned = time.monotonic()
        self._thread_id = threading.get_ident()
        tasks.start_soon(self._turn)
        self._thread = threading.Thread(target=self._watch, name="edge-watchdog", daemon=True)
        self._thread.start()

    async def _turn(self) -> None:
        import anyio

        with anyio.CancelScope() as self._scope:
            while not self._stop.is_set():
                self._turned = time.monotonic()
                await anyio.sleep(self.patience / 2)

    async def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._scope is not None:
            self._scope.cancel()
        if self._thread is not None:
            self._thread.join()

    # ---- the thread

    def _watch(self) -> None:
        told = 0.0
        while not self._stop.wait(self.patience / 2):
            turned = self._turned
            still = time.monotonic() - turned
            if still > self.patience and turned != told:
                told = turned
                self._tell(still, sys._current_frames().get(self._thread_id))

    def _tell(self, still: float, frame: FrameType | None) -> None:
        name = self._handler_in(frame)
        if name is None or time.monotonic() - self._warned.get(name, -_AGAIN) < _AGAIN:
            return
        self._warned[name] = time.monotonic()
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
                found = known[1]
            frame = frame.f_back
        return found


def _code_of(function: Any) -> CodeType | None:
    function = inspect.unwrap(function)
    function = getattr(function, "func", function)  # functools.partial
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None
