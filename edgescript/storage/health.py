"""Whether a store works: failures are counted, and the log has one line when they begin and one when they are over.

They are over when something worked and nothing has failed for a while, so that a store of which a part is gone, or which
takes small values and no large ones, does not say so again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgescript.metric import Kind, Meter, Metric

if TYPE_CHECKING:
    import logging

ERRORS = Metric(
    "edge_storage_errors", Kind.COUNTER, "Operations on a store that failed, by the kind of store.", ("store",)
)


#: Seconds without a failure.
QUIET = 1.0


class Health:
    """
    :param kind: of store, for the metric
    :param name: of the store, for people; without secrets
    :param clock: seconds of the monotonic clock
    """

    def __init__(
        self, kind: str, name: str, meter: Meter | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._clock = clock
        self._failed_at = 0.0
        self._errors = (Meter() if meter is None else meter).counter(ERRORS, kind)
        self.is_down = False

    @property
    def errors(self) -> int:
        return int(self._errors.value)

    def failed(self, error: Exception) -> None:
        """An operation failed for a reason that lies with the store."""
        self._errors.add()
        self._failed_at = self._clock()
        if not self.is_down:
            self.is_down = True
            _log().error("the store %s fails, and is tried again: %s", self.name, error)

    def worked(self) -> None:
        """An operation was carried out. To be called where `is_down`."""
        if self._clock() < self._failed_at + QUIET:
            return
        self.is_down = False
        _log().warning("the store %s works again, after %d failures in all", self.name, self.errors)


def _log() -> logging.Logger:
    import logging

    return logging.getLogger("edgescript.storage")
