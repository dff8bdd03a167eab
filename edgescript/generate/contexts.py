"""What stands where in an Edgefile, and under which names: the declarations, put as the source of all syntaxes.

Also the same as a Python table, because a highlighter that is asked for by name must not import every entry.
"""

from __future__ import annotations

import pprint
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from edgescript.catalog import Catalogue
from edgescript.declare.describe import Description, FieldText
from edgescript.declare.entries import Role
from edgescript.declare.fields import Place
from edgescript.declare.kinds import KINDS
from edgescript.declare.plan import plan_of
from edgescript.generate.shelves import described
from edgescript.highlight.syntax import FILE, Line, Part, Syntax

PATH = "edgescript/highlight/table.py"

#: Words of `test` blocks and of the upstreams in them, which are no declared entries.
TEST_WORDS = ("request", "header", "body", "repeat", "expect", "upstream", "from", "at", "after")
STAND_IN_WORDS = ("status", "header", "body", "delay", "fail")
SUBJECTS = ("status", "header", "body", "abort", "upstream", "route", "cache", "method", "uri", "none")

_NAME = r"[^\s#{}\"`][^\s{]*"


def files(catalogue: Catalogue) -> dict[str, str]:
    return {PATH: _table(syntax(catalogue))}


def syntax(catalogue: Catalogue) -> Syntax:
    """All contexts, with the names that the catalogue has."""
    shelves = described(catalogue)
    matchers = _names(shelves["matchers"])
    named = Line(Part.NAMED_MATCHER, pattern=r"@[\w-]+", block="matchers", names=matchers, named=Part.MATCHER)
    imports = Line(Part.KEYWORD, ("import",), block="directives")
    directives = (imports, named, *_directives(catalogue, shelves["directives"]))
    contexts = {
        FILE: (
            Line(Part.TEST, ("test",), block="test"),
            Line(Part.SNIPPET, pattern=r"\([\w-]+\)", block="directives"),
            Line(Part.BRACE, pattern=r"(?=\{[ \t]*(?:#.*)?$)", block="settings"),
            *directives,
            Line(Part.SITE, pattern=_site(), block="directives"),
        ),
        "directives": (*directives, *_options(shelves)),
        "options": (imports, *_options(shelves), Line(Part.FIELD, pattern=_NAME, block="options")),
        "settings": (imports, named, Line(Part.SETTING, _names(shelves["settings"]), block="options")),
        "matchers": (imports, Line(Part.MATCHER, matchers, block="matchers", names=matchers, named=Part.MATCHER)),
        "test": (
            Line(Part.TEST_WORD, ("upstream",), block="stand-in"),
            Line(Part.TEST_WORD, ("expect",), names=SUBJECTS, named=Part.SUBJECT),
            Line(Part.TEST_WORD, tuple(word for word in TEST_WORDS if word not in ("upstream", "expect"))),
        ),
        "stand-in": (Line(Part.TEST_WORD, STAND_IN_WORDS),),
    }
    return Syntax(contexts, _constants(catalogue, shelves))


def _site() -> str:
    """An address of a site, or several: words of the addresses' characters to the end of the line."""
    address = r"[^\s#{}\"`,(@][^\s{},]*(?:\{[^{}\s]*\}[^\s{},]*)*|\{\$[^{}\s]*\}[^\s{},]*"
    return rf"(?:{address})(?:,[ \t]*(?:{address}))*,?(?!\S)"


def _names(descriptions: list[Description]) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in descriptions))


def _directives(catalogue: Catalogue, descriptions: list[Description]) -> Iterator[Line]:
    """Those that hold directives, and the others."""
    groups = {one.name for one in descriptions if _holds_directives(catalogue, one.name)}
    yield Line(Part.GROUP, tuple(sorted(groups)), block="directives")
    yield Line(Part.DIRECTIVE, tuple(sorted({one.name for one in descriptions} - groups)), block="options")


def _holds_directives(catalogue: Catalogue, name: str) -> bool:
    entry = catalogue.directive(name)
    declaration = None if entry is None else plan_of(entry).declaration
    return declaration is not None and declaration.role in (Role.GROUP, Role.ERRORS, Role.RESPONSES)


def _options(shelves: dict[str, list[Description]]) -> Iterator[Line]:
    """All options at any depth; a few have blocks of directives."""
    found = [field for descriptions in shelves.values() for one in descriptions for field in _fields(one.fields)]
    with_steps = {field.name for field in found if any(inner.place is Place.STEPS for inner in field.fields)}
    names = {field.name for field in found if field.place in (Place.OPTION, Place.GROUP)}
    if with_steps:
        yield Line(Part.OPTION, tuple(sorted(with_steps)), block="directives")
    yield Line(Part.OPTION, tuple(sorted(names - with_steps)), block="options")


def _fields(found: tuple[FieldText, ...]) -> Iterator[FieldText]:
    for field in found:
        yield field
        yield from _fields(field.fields)


def _constants(catalogue: Catalogue, shelves: dict[str, list[Description]]) -> tuple[str, ...]:
    """Words that values are chosen from."""
    names = [(shelf, one.name) for shelf in shelves if shelf != "placeholders" for one in shelves[shelf]]
    entries = [entry for shelf, name in names if (entry := catalogue.entry(shelf, name)) is not None]
    words = {word for entry in entries for word in _words(entry)}
    words.update(word for kind in KINDS for word in kind.words)
    return tuple(sorted(words | {one.name for one in shelves["balancers"]} | {"private_ranges"}))


def _words(entry: type[Any]) -> Iterator[str]:
    for slot in plan_of(entry).slots:
        for kind in slot.kinds:
            yield from kind.words
        if slot.record is not None:
            yield from _words(slot.record)


# ---- as Python

_TABLE = '''\
"""The lines of each context, with the names there are. Written by `make generate`; not to be changed by hand."""

# ruff: noqa: E501

from __future__ import annotations

from edgescript.highlight.syntax import Line, Part, Syntax

# fmt: off
SYNTAX = Syntax(
    contexts={{
{contexts}
    }},
    constants={constants},
)
'''


def _table(found: Syntax) -> str:
    contexts = "\n".join(
        f"        {_quoted(name)}: (\n" + "".join(f"            {_line(line)},\n" for line in lines) + "        ),"
        for name, lines in found.contexts.items()
    )
    return _TABLE.format(contexts=contexts, constants=_wrapped(found.constants, 4))


def _line(line: Line) -> str:
    """A call that makes this line, with what is not the default."""
    given = [
        f"{field.name}={_value(getattr(line, field.name))}"
        for field in fields(line)
        if field.name == "part" or getattr(line, field.name) != field.default
    ]
    inside = "".join(f"                {one},\n" for one in given)
    return f"Line(\n{inside}            )"


def _value(value: Part | str | tuple[str, ...]) -> str:
    if isinstance(value, Part):
        return f"Part.{value.name}"
    return _quoted(value) if isinstance(value, str) else _wrapped(value, 20)


def _wrapped(words: tuple[str, ...], indent: int) -> str:
    text = pprint.pformat(words, width=110 - indent, compact=True, indent=1)
    return _double(text).replace("\n", "\n" + " " * indent)


def _quoted(text: str) -> str:
    return _double(repr(text)) if '"' not in text else repr(text)


def _double(text: str) -> str:
    return text.replace("'", '"')
