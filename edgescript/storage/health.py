"""Whether a store works: failures are counted, and the log has one line when they begin and one when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgescript.metric import Counter, Kind, Meter, Metric

if TYPE_CHECKING:
    import logging

ERRORS = Metric(
    "edge_storage_errors", Kind.COUNTER, "Operations on a store that failed, by the kind of store.", ("store",)
)


class Health:
    """
    :param kind: of store, for the metric
    :param name: of the store, for people; without secrets
    """

    def __init__(self, kind: str, name: str, meter: Meter | None = None) -> None:
        self.name = name
        self._errors = Counter() if meter is None else meter.counter(ERRORS, kind)
        self.is_down = False

    @property
    def errors(self) -> int:
        return int(self._errors.value)

    def failed(self, error: Exception) -> None:
        """An operation failed for a reason that lies with the store."""
        self._errors.add()
        if not self.is_down:
            self.is_down = True
            _log().error("the store %s fails, and is tried again: %s", self.name, error)

    def worked(self) -> None:
        """An operation was carried out. To be called where `is_down`."""
        self.is_down = False
        _log().warning("the store %s works again, after %d failures in all", self.name, self.errors)


def _log() -> logging.Logger:
    import logging

    return logging.getLogger("edgescript.storage")
