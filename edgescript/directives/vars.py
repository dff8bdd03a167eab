"""Set variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, rows
from edgescript.declare.kinds import Template
from edgescript.http.exchange import Exchange
from edgescript.observe.credentials import marking

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


@record
class Variable:
    """One variable, as a line of the block."""

    name: str = arg("Its name.")
    value: Template = arg("Its value.")


@directive("vars", role=Role.REWRITER)
class Vars:
    """
    Set variables of the request, which directives below use as `{vars.NAME}`.

    The words `true` and `false` and whole numbers are kept as such for expressions.

    ```edge-test
    :80 {
        vars /admin/* area admin
        vars {
            tenant {labels.2}
            version 3
        }
        respond "{vars.tenant} {vars.version} {vars.area}"
    }
    test "variables" {
        request GET http://shop.example.com/admin/users
        expect body "shop 3 admin"
    }
    ```
    """

    name: str | None = arg("Name of the variable.")
    value: Template | None = arg("Its value.")
    variables: tuple[Variable, ...] = rows("Variables, each with its value.")

    def check(self) -> Iterator[Complaint]:
        if self.name is not None and self.value is None:
            yield Complaint("name", f'the variable "{self.name}" has no value')
        elif self.name is None and not self.variables:
            yield Complaint(None, "there is no variable to set", "write `vars NAME VALUE`, or a block of such lines")

    def build(self, build: Build) -> Action:
        pairs = [(variable.name, _reader(variable.value)) for variable in self.variables]
        if self.name is not None and self.value is not None:
            pairs.insert(0, (self.name, _reader(self.value)))

        def run(exchange: Exchange) -> None:
            if exchange.variables is None:
                exchange.variables = {}
            for name, read in pairs:
                exchange.variables[name] = read(exchange)

        return run


def _reader(value: Template) -> Callable[[Exchange], Any]:
    if value.constant is None:
        return marking(value.names, value.read)
    constant = typed(value.constant)
    return lambda exchange: constant


def typed(text: str) -> Any:
    """A truth value or whole number for a text that is written as one; anything else stays the text that it is."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _WHOLE.fullmatch(text) else text
