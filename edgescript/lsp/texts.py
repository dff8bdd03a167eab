"""Declarations and comments, as Markdown for an editor."""

from __future__ import annotations

from edgescript.declare.describe import Description
from edgescript.declare.fields import REQUIRED
from edgescript.declare.plan import Slot
from edgescript.language.tree import Line
from edgescript.lsp.context import Expected


def code_block(text: str) -> str:
    return f"```edgefile\n{text}\n```"


def about_entry(description: Description) -> str:
    role = f"*{description.role}*" if description.role else ""
    fields = "\n".join(f"- `{field.syntax}`: {field.doc}" for field in description.fields)
    parts = (code_block(description.usage), description.summary, role, fields, description.body)
    return "\n\n".join(part for part in parts if part)


def about_slot(slot: Slot) -> str:
    kinds = " and ".join(kind.expected for kind in slot.kinds)
    default = slot.field.default
    told = "required" if default is REQUIRED else f"default `{default}`" if default is not None else ""
    return "\n\n".join(part for part in (f"`{slot.name}`: {slot.field.doc}", kinds, told) if part)


def about_expected(expected: Expected) -> str | None:
    return about_slot(expected.slot) if expected.slot is not None else None


def above(line: Line) -> str:
    """The comment lines directly above a line, without their signs."""
    lines = line.origin.source.text[: line.start].splitlines()
    found: list[str] = []
    while lines and lines[-1].lstrip().startswith("#"):
        found.append(lines.pop().lstrip().removeprefix("#").removeprefix(" "))
    return "\n".join(reversed(found))
