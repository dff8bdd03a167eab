"""Set variables by looking something up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, option, rest, rows
from edgescript.declare.kinds import TEMPLATE, Kind, Scope, Template
from edgescript.directives.vars import typed
from edgescript.graph.captures import capturing, regexp_complaint
from edgescript.http.exchange import Exchange
from edgescript.observe.credentials import Credential, marking

_GROUP = re.compile(r"\$\{(\w+)\}|\$(\d)")
_DESTINATION = re.compile(r"\{?(?:vars\.)?([A-Za-z_][\w-]*)\}?")


def _output(text: str, scope: Scope) -> Template:
    """A template in which `${1}` is the first group of the row's regular expression."""
    template: Template = TEMPLATE.parse(_GROUP.sub(lambda group: f"{{re.{group[1] or group[2]}}}", text), scope)
    return template


#: What a row gives one destination.
Output = Annotated[
    Template,
    Kind(
        "template",
        "a text, which may have placeholders such as {path}",
        ("blue", "/v${1}", "-"),
        _output,
        TEMPLATE.show,
    ),
]


@record
class Row:
    """What one input gives."""

    input: str = arg(
        "The text that the source must be, or behind `~` a regular expression that must find something in it."
    )
    outputs: tuple[Output, ...] = rest("A value for each destination; `-` for none.", least=1)

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.input[1:],) if self.input.startswith("~") else ()

    def check(self) -> Iterator[Complaint]:
        if self.input.startswith("~") and (complaint := regexp_complaint(self.input[1:])):
            yield Complaint("input", complaint)


@directive("map", role=Role.REWRITER)
class Map:
    r"""
    Look a value up, and set variables to what stands in the row that fits.

    `map SOURCE DESTINATION…` and a block of rows: an input, then a value for each destination. An input is the very text,
    or behind `~` a regular expression, whose groups the values use as `${1}`. The first row that fits counts; a value `-`,
    and a source that no row fits, leave the `default`, and without one nothing. Directives below use the destinations as
    `{vars.NAME}`.

    ```edge-test
    :80 {
        map {host} {backend} {team} {
            shop.example.com blue sales
            ~^(.*)\.example\.com$ "pool-${1}" -
            default grey everyone
        }
        respond "{vars.backend} {vars.team}"
    }
    test "the row that fits" {
        request GET http://shop.example.com/
        expect body "blue sales"
        request GET http://blog.example.com/
        expect body "pool-blog everyone"
        request GET http://example.org/
        expect body "grey everyone"
    }
    ```
    """

    source: Template = arg("What is looked up, such as {host}.")
    destinations: tuple[str, ...] = rest("Names of the variables that are set.", least=1)
    default: tuple[Output, ...] = option("Values where no row fits, one for each destination.")
    table: tuple[Row, ...] = rows("Inputs with their values.")

    def check(self) -> Iterator[Complaint]:
        for name in self.destinations:
            if _DESTINATION.fullmatch(name) is None:
                yield Complaint("destinations", f'"{name}" is no name of a variable')
        count = len(self.destinations)
        for row in self.table:
            if len(row.outputs) != count:
                values = "one value" if count == 1 else f"{count} values"
                yield Complaint("table", f'"{row.input}" needs {values}, one for each destination')
        if len(self.default) > count:
            yield Complaint("default", "there are more values than destinations")

    def build(self, build: Build) -> Action:
        names = [_name(destination) for destination in self.destinations]
        defaults: list[_Value | None] = [_value(output) for output in self.default]
        defaults += [None] * (len(names) - len(defaults))
        read = marking(self.source.names, self.source.read)
        find = _finder(self.table)

        def run(exchange: Exchange) -> None:
            if exchange.variables is None:
                exchange.variables = {}
            values = find(exchange, read(exchange))
            for index, name in enumerate(names):
                value = values[index] if values is not None and values[index] is not None else defaults[index]
                if value is not None:
                    exchange.variables[name] = value(exchange)

        return run


_Value = Callable[[Exchange], Any]
_Values = list[_Value | None]


def _name(destination: str) -> str:
    found = _DESTINATION.fullmatch(destination)
    assert found is not None, "check saw to it"
    return found[1]


def _value(output: Template) -> _Value | None:
    if output.constant is None:
        return marking(output.names, output.read)
    constant = typed(output.constant)
    return None if constant == "-" else lambda exchange: constant


def _finder(table: tuple[Row, ...]) -> Callable[[Exchange, str], _Values | None]:
    """Finds the values of the first row that fits; a table of texts alone is a dictionary."""
    texts: dict[str, _Values] = {}
    tests: list[tuple[Callable[[Exchange, str], bool], _Values]] = []
    for row in table:
        values = [_value(output) for output in row.outputs]
        if row.input.startswith("~"):
            tests.append((_finds(row.input[1:]), values))
        elif tests:
            tests.append((_equals(row.input), values))
        else:
            texts.setdefault(row.input, values)

    def find(exchange: Exchange, text: str) -> _Values | None:
        found = texts.get(text)
        if found is not None:
            return found
        return next((values for test, values in tests if test(exchange, text)), None)

    return find


def _finds(pattern: str) -> Callable[[Exchange, str], bool]:
    capture, capture_credential = capturing(pattern, None), capturing(pattern, None, make=Credential)
    return lambda exchange, text: (capture_credential if text.__class__ is Credential else capture)(exchange, text)


def _equals(wanted: str) -> Callable[[Exchange, str], bool]:
    return lambda exchange, text: text == wanted
