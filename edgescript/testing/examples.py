"""The `edge-test` examples in the documentation of entries: every one is an Edgefile whose tests must hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgescript.catalog import SHELVES, Catalogue
from edgescript.declare.describe import describe


@dataclass(frozen=True, slots=True)
class Example:
    """One example, and whose documentation it stands in."""

    shelf: str
    entry: str
    #: Counted from 1, within the entry.
    number: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.shelf}/{self.entry}/{self.number}"


def examples(catalogue: Catalogue) -> Iterator[Example]:
    """Every example of every entry."""
    for shelf in SHELVES:
        for name in catalogue.names(shelf):
            entry = catalogue.entry(shelf, name)
            assert entry is not None, f"{name} is listed, so it is there"
            for number, text in enumerate(describe(entry).examples, 1):
                yield Example(shelf, name, number, text)
