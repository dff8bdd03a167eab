"""Declarations and comments, as Markdown for an editor."""

from __future__ import annotations

from edgescript.declare.describe import Description, syntax
from edgescript.declare.plan import Slot, plan_of
from edgescript.language.standard import StandardSnippet
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
    told = "required" if slot.required else f"default `{default}`" if isinstance(default, str) else ""
    fields = (
        "\n".join(f"- `{inner.name}`: {inner.field.doc}" for inner in plan_of(slot.record).slots) if slot.record else ""
    )
    parts = (code_block(syntax(slot)), slot.field.doc, fields, ", ".join(part for part in (kinds, told) if part))
    return "\n\n".join(part for part in parts if part)


def about_expected(expected: Expected) -> str | None:
    return about_slot(expected.slot) if expected.slot is not None else None


def about_standard(snippet: StandardSnippet) -> str:
    arguments = "\n".join(f"- `{argument.name}`: {argument.text}" for argument in snippet.arguments)
    parts = (code_block(snippet.usage), snippet.summary, arguments, snippet.body)
    return "\n\n".join(part for part in parts if part)


def above(line: Line) -> str:
    """The comment lines directly above a line, without their signs."""
    lines = line.origin.source.text[: line.start].splitlines()
    found: list[str] = []
    while lines and lines[-1].lstrip().startswith("#"):
        found.append(lines.pop().lstrip().removeprefix("#").removeprefix(" "))
    return "\n".join(reversed(found))
