"""Access log lines for whoever wants to see them now, beside the outputs they go to.

While nobody listens, a line costs one look at an empty tuple. Listeners are called on the event loop, with the line as it is
written, newline included; one that waits or fails would hold requests up, so a failing one is taken off.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str], object]

#: Replaced, never changed: `tell` may be walking through it.
listeners: tuple[Listener, ...] = ()


def listen(callback: Listener) -> Callable[[], None]:
    """
    Have `callback(line)` called with every access log line of this process.

    :return: what stops it; calling it twice does no harm
    """
    global listeners  # one tap in a process, as there is one set of logs

    # An object of its own, so that the same callback may listen twice.
    def listener(line: str) -> object:
        return callback(line)

    def stop() -> None:
        global listeners
        listeners = tuple([one for one in listeners if one is not listener])

    listeners = (*listeners, listener)
    return stop


def tell(line: str) -> None:
    """Give a line to everybody who listens."""
    global listeners
    for listener in listeners:
        try:
            listener(line)
        except Exception:
            import logging

            listeners = tuple([one for one in listeners if one is not listener])
            logging.getLogger("edgescript.observe").exception("a listener to the access log failed and is taken off")
