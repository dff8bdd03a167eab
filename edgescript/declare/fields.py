"""What an entry's arguments, options and nested bodies are declared with.

A declaration is data: `bind` parses by it, `describe` shows it, and nobody else needs to know an entry's shape. The kind of
a value follows from the annotation (`kinds.py`): `T | None` may be left out, `tuple[T, ...]` takes several. The word in the
Edgefile is the attribute's name without a trailing underscore. Defaults are written in Edgefile notation and parsed by the
same kind, so the documented default is the default.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Place(Enum):
    """Where a field's value stands in the text."""

    ARG = auto()  # on the directive's line, by position; `NAME value` in its block does as well, unless it holds rows
    REST = auto()  # all remaining words of the line
    OPTION = auto()  # a line `NAME value…` of the block
    ROWS = auto()  # every line of the block that is no option, each a record
    GROUP = auto()  # a line `NAME { … }` of the block with options of its own
    STEPS = auto()  # the block holds directives


class Risk(Enum):
    """What happens where a client chooses how a field's value begins."""

    REDIRECT = auto()  # its users are sent wherever somebody else wants
    FOLDER = auto()  # any file of the machine is served
    PATH = auto()  # rules about the path, which stand above, are stepped around


#: Marks a field without default: leaving it out is a problem.
REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of an entry or record; `declare.entries` completes it from the annotation."""

    place: Place
    doc: str
    #: Edgefile notation, None for "nothing", or REQUIRED.
    default: Any
    least: float | None = None
    most: float | None = None
    #: Of an option: the block may have the line several times; the field is a tuple.
    repeated: bool = False
    #: Of an option whose value is an entry of another shelf (`balance round_robin`): that shelf's name.
    shelf: str | None = None
    #: Of an option: what it is called elsewhere, for the hint to those who write that (`lb_policy`).
    elsewhere: tuple[str, ...] = ()
    #: Of a template or URI: why its beginning must not be the client's choice.
    risk: Risk | None = None


def _declared(field: Field) -> Any:
    return dataclasses.field(metadata={"edge": field})


def arg(
    doc: str,
    *,
    default: Any = REQUIRED,
    least: float | None = None,
    most: float | None = None,
    risk: Risk | None = None,
) -> Any:
    """A value on the directive's own line, in the order declared. `T | None` needs no default."""
    return _declared(Field(Place.ARG, doc, default, least, most, risk=risk))


def rest(doc: str, *, least: int = 0) -> Any:
    """All remaining words of the line, as `tuple[T, ...]`; `least` of them must be there."""
    return _declared(Field(Place.REST, doc, REQUIRED if least else None, least))


def option(
    doc: str,
    *,
    default: Any = None,
    least: float | None = None,
    most: float | None = None,
    repeated: bool = False,
    shelf: str | None = None,
    elsewhere: tuple[str, ...] = (),
) -> Any:
    """
    A line of the block: its name, then its value.

    The annotation says what the value is: a kind; `tuple[kind, ...]` for several words; a record (see `record`) for a line
    with arguments of its own; `bool`, where the bare name means on. With `repeated` the line may come several times and the
    annotation is `tuple[…, ...]` of what one line holds. With `shelf` the value is an entry of that shelf with its arguments.
    """
    return _declared(Field(Place.OPTION, doc, default, least, most, repeated, shelf, elsewhere))


def rows(doc: str) -> Any:
    """All lines of the block that are no declared option, each parsed as the record in `tuple[Record, ...]`."""
    return _declared(Field(Place.ROWS, doc, None))


def group(doc: str) -> Any:
    """A nested block with options of its own; the annotation is `Record | None`, or `Record` where defaults do without it."""
    return _declared(Field(Place.GROUP, doc, None))


def steps(doc: str) -> Any:
    """A block of directives; the annotation is `Steps` (see `declare.entries`)."""
    return _declared(Field(Place.STEPS, doc, REQUIRED))
