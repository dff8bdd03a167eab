"""One description of a declaration, for every reader: `edge help`, the reference pages, the JSON schema, editors.

`describe` turns an entry into a value made of texts; the functions below it write that value down in one notation each.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgescript.declare.entries import Placeholder, Role
from edgescript.declare.fields import REQUIRED, Place
from edgescript.declare.kinds import BOOLEAN, NUMBER, STATUS, TEXT, WHOLE, Kind
from edgescript.declare.plan import Plan, Shape, Slot, plan_of
from edgescript.declare.problems import usage

_EXAMPLE = re.compile(r"^```edge-test\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)

#: What each role means to a reader.
ROLES = {
    Role.TERMINAL: "answers the request",
    Role.WRAPPER: "acts on the request on its way in and the response on its way out",
    Role.REWRITER: "changes the request for what is below",
    Role.GROUP: "holds directives",
    Role.ERRORS: "holds directives that answer errors",
    Role.RESPONSES: "holds directives that answer in place of a response from below",
    Role.SITE: "says something about the site",
}

#: The singular of each shelf, for a reader.
KIND_OF_ENTRY = {
    "directives": "directive",
    "matchers": "matcher",
    "placeholders": "placeholder",
    "balancers": "balancing policy",
    "settings": "global setting",
}

#: Kinds that are more than a text in JSON.
_JSON_TYPES = {BOOLEAN: "boolean", WHOLE: "integer", STATUS: "integer", NUMBER: "number"}


@dataclass(frozen=True, slots=True)
class FieldText:
    """One field, for a reader."""

    name: str
    place: Place
    #: As it is written: `<status>`, `interval <duration>`, `health [<path>] { … }`.
    syntax: str
    doc: str
    required: bool
    #: In Edgefile notation, or None.
    default: str | None
    #: "a duration such as 10s", or None where it has fields of its own.
    expected: str | None
    repeated: bool
    schema: dict[str, Any]
    #: Of a block or line with fields of its own.
    fields: tuple[FieldText, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that is to say about an entry."""

    shelf: str
    name: str
    #: For a directive: what it does with a request.
    role: str | None
    usage: str
    #: The first sentence or paragraph of its documentation.
    summary: str
    #: The paragraphs after it.
    body: str
    #: The examples, as Edgefiles with their tests.
    examples: tuple[str, ...]
    fields: tuple[FieldText, ...]


def describe(entry: type[Any] | Placeholder) -> Description:
    """The description of a declared class or a placeholder."""
    if isinstance(entry, Placeholder):
        return _placeholder(entry)
    plan = plan_of(entry)
    declaration = plan.declaration
    assert declaration is not None
    doc = inspect.cleandoc(entry.__doc__ or "")
    summary, _, body = _EXAMPLE.sub("", doc).strip().partition("\n\n")
    return Description(
        shelf=declaration.shelf,
        name=declaration.name,
        role=None if declaration.role is None else ROLES[declaration.role],
        usage=usage(plan, declaration.name),
        summary=" ".join(summary.split()),
        body=body.strip(),
        examples=tuple(examples(doc)),
        fields=_fields(plan),
    )


def examples(doc: str | None) -> Iterator[str]:
    """The fenced `edge-test` examples of a docstring, each an Edgefile with `test` blocks."""
    for match in _EXAMPLE.finditer(inspect.cleandoc(doc or "")):
        yield match[1]


def _placeholder(entry: Placeholder) -> Description:
    summary, _, body = inspect.cleandoc(entry.doc).partition("\n\n")
    return Description(
        shelf="placeholders",
        name=entry.name,
        role=None,
        usage=" ".join(f"{{{name}}}" for name in placeholder_names(entry)),
        summary=" ".join(summary.split()),
        body=body.strip(),
        examples=(),
        fields=(),
    )


def placeholder_names(entry: Placeholder) -> list[str]:
    """How a placeholder can be written, without braces: `query` and `query.NAME`."""
    names = [entry.name] if entry.read is not None else []
    if entry.member is not None:
        names.append(f"{entry.name}.{entry.sample or 'NAME'}")
    return names + [f"{entry.name}.{part}" for part in entry.members or ()]


# ---- fields


def _fields(plan: Plan) -> tuple[FieldText, ...]:
    return tuple(_field(slot) for slot in plan.slots)


def _field(slot: Slot) -> FieldText:
    default = slot.field.default
    inner = () if slot.record is None else _fields(plan_of(slot.record))
    return FieldText(
        name=slot.name,
        place=slot.place,
        syntax=syntax(slot),
        doc=slot.field.doc,
        required=slot.required,
        default="off" if default is None and slot.is_switch else None if default is REQUIRED else default,
        expected=_expected(slot),
        repeated=slot.field.repeated,
        schema=_schema_of(slot),
        fields=inner,
    )


def syntax(slot: Slot) -> str:
    if slot.place is Place.ARG:
        return f"<{slot.name}>"
    if slot.place is Place.REST:
        return f"<{slot.name}>…"
    if slot.shape is Shape.RECORD:
        assert slot.record is not None
        return usage(plan_of(slot.record), "" if slot.place is Place.ROWS else slot.name).strip()
    if slot.shape is Shape.STEPS:
        return "{ … }"
    if slot.shape is Shape.ENTRY:
        return f"{slot.name} <{KIND_OF_ENTRY[slot.field.shelf or '']}>"
    values = " ".join(f"<{_named(kind)}>" for kind in slot.kinds)
    return f"{slot.name} [{values[1:-1]}]" if slot.is_switch else f"{slot.name} {values}{_ellipsis(slot)}"


def _named(kind: Kind) -> str:
    return "|".join(kind.words) or kind.name


def _ellipsis(slot: Slot) -> str:
    return "…" if slot.shape is Shape.SEQUENCE else ""


def _expected(slot: Slot) -> str | None:
    if slot.shape is Shape.ENTRY:
        return f"the name of a {KIND_OF_ENTRY[slot.field.shelf or '']}, with its arguments"
    text = " and ".join(kind.expected for kind in slot.kinds)
    bounds = [
        f"{words} {slot.kind.show(int(bound) if bound == int(bound) else bound)}"
        for words, bound in (("at least", slot.field.least), ("at most", slot.field.most))
        if bound is not None and slot.place is not Place.REST
    ]
    return ", ".join([text, *bounds]) or None


# ---- for a terminal


def as_text(description: Description) -> str:
    """The page of `edge help NAME`, plain."""
    about = f" ({description.role})" if description.role else ""
    parts = [
        f"{description.name}: {KIND_OF_ENTRY[description.shelf]}{about}",
        f"    {description.usage}",
        description.summary,
        description.body,
        *(f"{title}\n{text}" for title, text in _sections(description)),
        *("Example\n" + _indented(example.rstrip()) for example in description.examples),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sections(description: Description) -> Iterator[tuple[str, str]]:
    for title, places in _TITLES:
        lines = [line for field in description.fields if field.place in places for line in _field_lines(field, 1)]
        if lines:
            yield title, "\n".join(lines)


_TITLES = (
    ("Arguments", (Place.ARG, Place.REST)),
    ("Block", (Place.OPTION, Place.GROUP, Place.ROWS, Place.STEPS)),
)


def _field_lines(field: FieldText, depth: int) -> Iterator[str]:
    indent = "    " * depth
    yield f"{indent}{field.syntax}"
    yield from textwrap.wrap(_told(field), 110, initial_indent=f"{indent}    ", subsequent_indent=f"{indent}    ")
    for inner in field.fields:
        yield from _field_lines(inner, depth + 1)


def _told(field: FieldText) -> str:
    return " ".join([field.doc, *_remarks(field)])


def _remarks(field: FieldText) -> Iterator[str]:
    """What a field's own words do not say: what is expected, the default, how often."""
    if field.expected and field.expected != TEXT.expected and "|" not in field.syntax:
        yield f"({with_code(field.expected)})"
    if field.default is not None:
        yield f"Default: `{field.default}`."
    if field.required:
        yield "Required."
    if field.repeated:
        yield "May be given several times."


def with_code(text: str) -> str:
    """Placeholders marked as code, because braces mean something else in the Markdown of some readers."""
    return re.sub(r"\{\w+\}", r"`\g<0>`", text)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))


# ---- for the reference


def as_markdown(description: Description) -> str:
    """The reference page of an entry."""
    role = f", {description.role}" if description.role else ""
    parts = [
        f"# {description.name}",
        f"*{KIND_OF_ENTRY[description.shelf].capitalize()}{role}.*",
        f"```text\n{description.usage}\n```",
        description.summary,
        description.body,
        *_markdown_sections(description),
        *(f"## Example\n\n```edgefile\n{example}```" for example in description.examples),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_sections(description: Description) -> Iterator[str]:
    for title, places in _TITLES:
        lines = [line for field in description.fields if field.place in places for line in _markdown_field(field, 0)]
        if lines:
            yield f"## {title}\n\n" + "\n".join(lines)


def _markdown_field(field: FieldText, depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}- `{field.syntax}`: {_told(field)}"
    for inner in field.fields:
        yield from _markdown_field(inner, depth + 1)


# ---- for tools


def as_schema(description: Description) -> dict[str, Any]:
    """The JSON schema of an entry: its fields by name; values that JSON has no type for are in Edgefile notation."""
    return {"title": description.name, "description": description.summary, **_object(description.fields)}


def _object(fields: tuple[FieldText, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def _property(field: FieldText) -> dict[str, Any]:
    schema = _object(field.fields) if field.fields else field.schema
    if field.repeated or field.place in (Place.REST, Place.ROWS):
        schema = {"type": "array", "items": schema}
    default = {} if field.default is None else {"default": _json_value(schema, field.default)}
    return {"description": field.doc, **schema, **default}


def _json_value(schema: dict[str, Any], text: str) -> Any:
    """A default as JSON has it."""
    match schema.get("type"):
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return text == "on"
    return text


def _schema_of(slot: Slot) -> dict[str, Any]:
    """The schema of what one line, or one word, holds."""
    if slot.shape is Shape.STEPS:
        return {"type": "array", "items": {"type": "object"}}
    if slot.shape is Shape.SEQUENCE:
        return {"type": "array", "items": _schema_of_kind(slot.kind)}
    if slot.shape is Shape.TUPLE:
        return {"type": "array", "prefixItems": [_schema_of_kind(kind) for kind in slot.kinds]}
    return _schema_of_kind(slot.kind) if slot.kinds else {"type": "string"}


def _schema_of_kind(kind: Kind) -> dict[str, Any]:
    if kind in _JSON_TYPES:
        return {"type": _JSON_TYPES[kind]}
    return (
        {"type": "string", "enum": list(kind.words)}
        if kind.words
        else {"type": "string", "examples": list(kind.samples)}
    )


def keywords(descriptions: list[Description]) -> list[str]:
    """Names of entries for an editor's grammar, longest first so that no name hides a longer one."""
    return sorted({description.name for description in descriptions}, key=lambda name: (-len(name), name))


def option_names(descriptions: list[Description]) -> list[str]:
    """Names of options and groups at any depth, for an editor's grammar."""

    def names(fields: tuple[FieldText, ...]) -> Iterator[str]:
        for field in fields:
            if field.place in (Place.OPTION, Place.GROUP):
                yield field.name
            yield from names(field.fields)

    found = {name for description in descriptions for name in names(description.fields)}
    return sorted(found, key=lambda name: (-len(name), name))
