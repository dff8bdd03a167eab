"""When to try a server that was away: not at once, then once, and as before when that went well."""

from __future__ import annotations

from collections.abc import Callable

#: Seconds after the first failure, and the most that they grow to.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class Circuit:
    """
    Closed while all is well. A failure opens it for a pause, in which nobody may try; after that one may.

    :param clock: seconds of the monotonic clock
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pause = 0.0
        self._open_until = 0.0

    @property
    def is_closed(self) -> bool:
        return self._pause == 0.0

    def may_try(self) -> bool:
        """Whether the caller may try. One that may says `failed` or `worked` when it has."""
        if self.is_closed:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        # The one that tries now; should it never be heard of again, another one may after the same pause.
        self._open_until = now + max(self._pause, LONGEST_PAUSE)
        return True

    def failed(self) -> None:
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if self._pause else FIRST_PAUSE
        self._open_until = self._clock() + self._pause

    def worked(self) -> None:
        self._pause = 0.0
