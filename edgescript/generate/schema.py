"""The JSON schema of every entry's fields."""

from __future__ import annotations

from typing import Any

from edgescript.catalog import Catalogue
from edgescript.declare import describe
from edgescript.declare.describe import Description
from edgescript.generate.shelves import as_json, described


def files(catalogue: Catalogue) -> dict[str, str]:
    return {"docs/edgefile.schema.json": as_json(_schema(described(catalogue)))}


def _schema(shelves: dict[str, list[Description]]) -> dict[str, Any]:
    """Of each entry, its fields; a placeholder has none."""
    entries = {
        shelf: {one.name: describe.as_schema(one) for one in descriptions}
        for shelf, descriptions in shelves.items()
        if shelf != "placeholders"
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Edgefile", "$defs": entries}
