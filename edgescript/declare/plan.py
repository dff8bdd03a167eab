"""A declaration made ready for reading: its fields sorted by place, its annotations resolved to kinds.

Made once for each entry class or record. `bind` parses by it and `describe` tells about it.
"""

from __future__ import annotations

import types
from dataclasses import MISSING, dataclass, fields
from enum import Enum, auto
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from edgescript.declare.entries import Declaration, Steps
from edgescript.declare.fields import REQUIRED, Field, Place
from edgescript.declare.kinds import BOOLEAN, Kind, kind_of


class DeclarationError(Exception):
    """A class declares something that has no meaning: a mistake of its author, not of an Edgefile's."""


class Shape(Enum):
    """What one line of an option holds."""

    VALUE = auto()  # one word
    SEQUENCE = auto()  # one or more words of one kind
    TUPLE = auto()  # as many words as there are kinds
    RECORD = auto()  # arguments and a block of its own
    ENTRY = auto()  # the name of an entry of another shelf, with its arguments
    STEPS = auto()  # a block of directives


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One field, ready."""

    attribute: str
    #: The word in the Edgefile.
    name: str
    field: Field
    shape: Shape
    #: Of a VALUE or SEQUENCE, the one kind; of a TUPLE, each. Empty for others.
    kinds: tuple[Kind, ...]
    #: Of a RECORD: its class.
    record: type[Any] | None
    #: The annotation allows None.
    optional: bool

    @property
    def kind(self) -> Kind:
        return self.kinds[0]

    @property
    def place(self) -> Place:
        return self.field.place

    @property
    def required(self) -> bool:
        return self.field.default is REQUIRED and not (self.optional and self.place is Place.ARG)

    @property
    def is_switch(self) -> bool:
        """The bare name means on."""
        return self.shape is Shape.VALUE and self.kind is BOOLEAN


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All fields of an entry or record, by where they stand."""

    entry: type[Any]
    declaration: Declaration | None
    slots: tuple[Slot, ...]
    args: tuple[Slot, ...]
    rest: Slot | None
    #: Lines of the block, by their name: options, groups, and the arguments, which may stand there as well; but not beside
    #: rows, whose first words are the user's own (`vars { name x }`).
    lines: dict[str, Slot]
    #: Only the options and groups among them.
    options: tuple[Slot, ...]
    rows: Slot | None
    steps: Slot | None
    required: tuple[Slot, ...]
    has_check: bool
    #: The first argument, where a `/…` word may be meant for it.
    path_like: Slot | None

    @property
    def takes_block(self) -> bool:
        return bool(self.lines) or self.rows is not None or self.steps is not None


#: A class never changes, and neither does its plan.
_PLANS: dict[type[Any], Plan] = {}


def plan_of(entry: type[Any]) -> Plan:
    """
    The plan of a declared class, made once.

    :raises DeclarationError: if a field's declaration and its annotation do not go together
    """
    plan = _PLANS.get(entry)
    if plan is None:
        plan = _PLANS[entry] = _plan(entry)
    return plan


def _plan(entry: type[Any]) -> Plan:
    hints = get_type_hints(entry, include_extras=True)
    slots = tuple(
        _slot(entry, item.name, item.metadata["edge"], hints[item.name])
        for item in fields(entry)
        if _declared(entry, item)
    )
    by_place = {place: tuple(slot for slot in slots if slot.place is place) for place in Place}
    args, rest = by_place[Place.ARG], _at_most_one(entry, by_place[Place.REST])
    options = (*by_place[Place.OPTION], *by_place[Place.GROUP])
    rows, steps = _at_most_one(entry, by_place[Place.ROWS]), _at_most_one(entry, by_place[Place.STEPS])
    if steps is not None and (options or rows):
        raise DeclarationError(f"{entry.__name__}: a block of directives cannot hold options too")
    first = args[0] if args else rest
    return Plan(
        entry=entry,
        declaration=getattr(entry, "declaration", None),
        slots=slots,
        args=args,
        rest=rest,
        lines={slot.name: slot for slot in (*options, *(() if rows or steps else args))},
        options=options,
        rows=rows,
        steps=steps,
        required=tuple(slot for slot in slots if slot.required and slot is not steps),
        has_check=hasattr(entry, "check"),
        path_like=first if first is not None and first.kinds and first.kind.path_like else None,
    )


def _declared(entry: type[Any], item: Any) -> bool:
    if "edge" in item.metadata:
        return True
    if item.default is MISSING and item.default_factory is MISSING:
        raise DeclarationError(
            f"{entry.__name__}.{item.name} is declared with neither arg, rest, option, rows, group nor steps"
        )
    return False


def _at_most_one(entry: type[Any], slots: tuple[Slot, ...]) -> Slot | None:
    if len(slots) > 1:
        raise DeclarationError(f"{entry.__name__}: there can be one {slots[0].place.name.lower()} field only")
    return slots[0] if slots else None


def _slot(entry: type[Any], attribute: str, field: Field, annotation: Any) -> Slot:
    annotation, optional = _without_none(annotation)
    if field.repeated or field.place in (Place.ROWS, Place.REST):
        annotation = _element(entry, attribute, annotation)
    shape, kinds, record = _shape(field, annotation)
    slot = Slot(attribute, attribute.rstrip("_"), field, shape, kinds, record, optional)
    complaint = _complaint(slot)
    if complaint is not None:
        raise DeclarationError(f"{entry.__name__}.{attribute}: {complaint}")
    return slot


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    rest = [part for part in get_args(annotation) if part is not type(None)]
    return (rest[0] if len(rest) == 1 else annotation), len(rest) < len(get_args(annotation))


def _element(entry: type[Any], attribute: str, annotation: Any) -> Any:
    arguments = get_args(annotation)
    if get_origin(annotation) is not tuple or len(arguments) != 2 or arguments[1] is not Ellipsis:
        raise DeclarationError(f"{entry.__name__}.{attribute}: several values are annotated tuple[…, ...]")
    return arguments[0]


def _shape(field: Field, annotation: Any) -> tuple[Shape, tuple[Kind, ...], type[Any] | None]:
    if field.shelf is not None:
        return Shape.ENTRY, (), None
    if annotation is Steps:
        return Shape.STEPS, (), None
    kind = kind_of(annotation)
    if kind is not None:
        return Shape.VALUE, (kind,), None
    if get_origin(annotation) is tuple:
        parts = get_args(annotation)
        several = len(parts) == 2 and parts[1] is Ellipsis
        kinds = tuple(found for part in (parts[:1] if several else parts) if (found := kind_of(part)) is not None)
        if len(kinds) == (1 if several else len(parts)):
            return Shape.SEQUENCE if several else Shape.TUPLE, kinds, None
    elif _is_record(annotation):
        return Shape.RECORD, (), annotation
    raise DeclarationError(f"no kind of value is known for the annotation {annotation!r}")


def _is_record(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and get_origin(annotation) is not Annotated
        and hasattr(annotation, "__dataclass_fields__")
    )


_SHAPES = {
    Place.ARG: (Shape.VALUE,),
    Place.REST: (Shape.VALUE,),
    Place.OPTION: (Shape.VALUE, Shape.SEQUENCE, Shape.TUPLE, Shape.RECORD, Shape.ENTRY),
    Place.ROWS: (Shape.RECORD,),
    Place.GROUP: (Shape.RECORD,),
    Place.STEPS: (Shape.STEPS,),
}


def _complaint(slot: Slot) -> str | None:
    """What is wrong with a slot as declared."""
    default = slot.field.default
    if slot.shape not in _SHAPES[slot.place]:
        return f"a field of place {slot.place.name.lower()} cannot hold a {slot.shape.name.lower()}"
    if default is not None and default is not REQUIRED and not isinstance(default, str):
        return f"its default is {default!r}, and defaults are texts in Edgefile notation"
    may_be_none = slot.optional or slot.field.repeated or slot.place in (Place.REST, Place.ROWS, Place.GROUP)
    if (
        default is None
        and not may_be_none
        and slot.shape in (Shape.VALUE, Shape.TUPLE, Shape.ENTRY)
        and not slot.is_switch
    ):
        return "it has neither a default, nor is it `| None`, nor REQUIRED"
    return None
