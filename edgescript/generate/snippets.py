"""Snippets for VS Code: each directive and matcher with what it must be given, and the frames that all of it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from edgescript.catalog import Catalogue
from edgescript.declare.describe import Description, FieldText
from edgescript.declare.fields import Place
from edgescript.generate.shelves import as_json, described

PATH = "vscode-extension/snippets/edgefile.json"

#: Prefix → (what it is, its lines).
_FRAMES: dict[str, tuple[str, list[str]]] = {
    "site": ("A site with its directives.", ["${1:http://example.com} {", "\t$0", "}"]),
    "global": ("The global block, first in the file.", ["{", "\t$0", "}"]),
    "snippet": ("Lines that `import` puts in.", ["(${1:name}) {", "\t$0", "}"]),
    "import": ("Put in a snippet, files, or a part of the standard library.", ["import ${1:std/security-headers}$0"]),
    "matcher": ("A named matcher.", ["@${1:name} {", "\t$0", "}"]),
    "test": (
        "A test of this file.",
        [
            'test "${1:what is promised}" {',
            "\trequest ${2:GET} ${3:http://example.com/}",
            "\texpect status ${4:200}$0",
            "}",
        ],
    ),
}


def files(catalogue: Catalogue) -> dict[str, str]:
    shelves = described(catalogue)
    found = {prefix: _snippet(prefix, about, lines) for prefix, (about, lines) in _FRAMES.items()}
    for one in shelves["directives"]:
        found[one.name] = _snippet(one.name, one.summary, _lines(one.name, one, count(1)))
    for one in shelves["matchers"]:
        found[f"@{one.name}"] = _snippet(f"@{one.name}", one.summary, _lines(f"@${{1:name}} {one.name}", one, count(2)))
    return {PATH: as_json(found)}


def _snippet(prefix: str, about: str, lines: list[str]) -> dict[str, Any]:
    return {"prefix": prefix, "description": about, "body": lines}


def _lines(head: str, description: Description, numbers: Iterator[int]) -> list[str]:
    """The line with the arguments that it needs, and a block where it needs one."""
    words = [_stop(field, next(numbers)) for field in description.fields if _is_argument(field)]
    line = " ".join([head, *words])
    if any(field.place in (Place.STEPS, Place.ROWS) for field in description.fields):
        return [f"{line} {{", "\t$0", "}"]
    needed = [field for field in description.fields if field.required and field.place in (Place.OPTION, Place.GROUP)]
    if needed:
        return [f"{line} {{", *(f"\t{field.name} ${{{next(numbers)}}}" for field in needed), "\t$0", "}"]
    return [f"{line}$0"]


def _is_argument(field: FieldText) -> bool:
    return field.place is Place.REST or (field.place is Place.ARG and field.required)


def _stop(field: FieldText, number: int) -> str:
    """Where the cursor stops: with the words to choose from, or the argument's name."""
    words = field.schema.get("enum")
    return f"${{{number}|{','.join(words)}|}}" if words else f"${{{number}:{field.name}}}"
