"""Where this process's own messages go, as the configuration in use says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgescript.metric import Meter
from edgescript.observe.program import set_up
from edgescript.settings.log import ProgramLog


class ProgramLogging:
    """
    One configuration after the other is used; the output stays open where they say the same.

    :param worker: the number of this worker; None for the supervisor
    """

    def __init__(self, meter: Meter, *, worker: int | None = None) -> None:
        self._meter = meter
        self._worker = worker
        self._used: tuple[ProgramLog, str] | None = None
        self._undo: Callable[[], None] | None = None

    def use(self, settings: Mapping[type, Any], directory: str) -> None:
        """
        :param directory: where relative paths start
        """
        wanted = settings[ProgramLog], directory
        if wanted != self._used:
            self.close()
            self._undo = set_up(wanted[0], worker=self._worker, directory=directory, meter=self._meter)
            self._used = wanted

    def close(self) -> None:
        """Write what is left, and go back to standard error."""
        undo, self._undo, self._used = self._undo, None, None
        if undo is not None:
            undo()
