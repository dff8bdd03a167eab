"""What the writers read of the catalogue: the entries of this repository, described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edgescript.catalog import SHELVES, Catalogue
from edgescript.declare.describe import Description, describe


def described(catalogue: Catalogue) -> dict[str, list[Description]]:
    """The entries of each shelf; plug-ins have documentation of their own."""
    return {shelf: [describe(entry) for entry in _entries(catalogue, shelf)] for shelf in SHELVES}


def _entries(catalogue: Catalogue, shelf: str) -> Iterator[Any]:
    for name in sorted(catalogue.files(shelf)):
        entry = catalogue.entry(shelf, name)
        if entry is not None:
            yield entry


def as_table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; nothing where there are no rows."""
    lines = [head, ["---"] * len(head), *rows] if rows else []
    cells = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def as_json(value: Any) -> str:
    """A JSON file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
