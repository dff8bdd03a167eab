"""The configurations that were put to use: the last 20 are kept, each in a file that only its owner may read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgescript.runtime.bundle import Bundle

log = logging.getLogger("edgescript.runtime")

#: How many are kept.
MOST = 20

_NAME = re.compile(r"([0-9]{1,12})\.json")


@dataclass(frozen=True, slots=True)
class Entry:
    """One configuration, and when and for whom it was put to use."""

    number: int
    #: Seconds since 1970.
    when: float
    source: str
    bundle: Bundle

    def as_data(self) -> dict[str, Any]:
        return {"number": self.number, "when": self.when, "source": self.source, "bundle": self.bundle.as_data()}

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Entry:
        """:raises Exception: KeyError, TypeError, ValueError or AttributeError, if it is no such data"""
        return cls(int(data["number"]), float(data["when"]), str(data["source"]), Bundle.of_data(data["bundle"]))


class History:
    """
    The configurations of one Edgefile, the newest last. A disk that is full or read-only is told about, and then they are
    only remembered.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._clock = clock
        self._failing = False
        self.entries: list[Entry] = []
        with contextlib.suppress(FileNotFoundError):
            self._load()

    @classmethod
    def of(cls, state: Path, name: str) -> History:
        """
        :param state: the program's directory
        :param name: the path of the Edgefile; those of different ones must not mix
        """
        return cls(state / "history" / hashlib.sha256(os.path.abspath(name).encode()).hexdigest()[:16])

    def _load(self) -> None:
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            raise
        except OSError as error:
            self._complain(error)
            return
        for number in sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)[-MOST:]:
            path = self._path(number)
            try:
                self.entries.append(Entry.of_data(json.loads(path.read_bytes())))
            except (OSError, KeyError, TypeError, ValueError, AttributeError):
                log.warning("%s is no configuration of the history, and left out", path)

    def record(self, bundle: Bundle, *, source: str) -> int:
        """Note that a configuration is in use now, and give its number; one that is the same as the last has the same."""
        if self.entries and self.entries[-1].bundle == bundle:
            return self.entries[-1].number
        number = self.entries[-1].number + 1 if self.entries else 1
        entry = Entry(number, self._clock(), source, bundle)
        self.entries = [*self.entries, entry][-MOST:]
        try:
            self._write(entry)
            self._remove_old()
            self._failing = False
        except OSError as error:
            self._complain(error)
        return number

    def find(self, number: int | None) -> Entry:
        """
        :param number: None for the one before the last
        :raises LookupError: if there is none
        """
        if number is None:
            if len(self.entries) < 2:
                raise LookupError("there is no earlier configuration")
            return self.entries[-2]
        for entry in self.entries:
            if entry.number == number:
                return entry
        raise LookupError(f"there is no configuration {number} in the history")

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:06}.json"

    def _write(self, entry: Entry) -> None:
        """Beside its place first, so that there is never half of one. It may hold secrets: nobody else may read it."""
        self._directory.mkdir(0o700, parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".", dir=self._directory)
        try:
            with open(handle, "w", encoding="ascii") as file:
                json.dump(entry.as_data(), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path(entry.number))
        except BaseException:
            os.unlink(beside)
            raise

    def _remove_old(self) -> None:
        kept = {self._path(entry.number).name for entry in self.entries}
        for name in os.listdir(self._directory):
            if _NAME.fullmatch(name) and name not in kept:
                os.unlink(self._directory / name)

    def _complain(self, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            log.warning(
                "the history of configurations is only remembered, not kept: %s: %s", self._directory, error.strerror
            )
