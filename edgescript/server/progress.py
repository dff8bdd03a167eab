"""The rule that ends a stalled transfer: over each span of time, so many bytes must have moved."""

from __future__ import annotations


class Progress:
    """Watches a counter. A slow transfer goes on for ever; one below the rate for a whole span has stalled."""

    __slots__ = ("_count", "_since")

    def __init__(self) -> None:
        self._since: float | None = None
        self._count = 0

    def stalled(self, now: float, count: int, *, span: float, rate: int) -> bool:
        """
        Whether too little has moved in the span that ends now.

        :param count: bytes moved so far, in all
        :param span: seconds
        :param rate: bytes per second that count as progress; even with 0 at least one byte must move
        """
        if self._since is None:
            self._since, self._count = now, count
        elif now - self._since >= span:
            if count - self._count < max(1, rate * span):
                return True
            self._since, self._count = now, count
        return False
