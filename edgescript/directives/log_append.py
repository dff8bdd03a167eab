"""Add a field to the lines of logs."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, directive
from edgescript.declare.fields import arg
from edgescript.directives._log_fields import LogText, Note
from edgescript.http.exchange import Exchange
from edgescript.observe.lines import FIELD_NAME, NAMES


@directive("log_append", role=Role.WRAPPER)
class LogAppend:
    """
    Add a field to the log lines about these requests.

    The value is read when the line is written, so that it may have what is only known then, such as `{resp.header.Age}`.
    Authorization and cookies are shown as REDACTED. It is for the formats `json`, `logfmt` and `console`.

    ```edge-test
    :80 {
        log
        log_append /api/* part api
        respond "hello"
    }
    test "logging changes nothing" {
        request GET http://localhost/api/x
        expect body "hello"
    }
    ```
    """

    name: str = arg("What the field is called.")
    value: LogText = arg("Its value.")

    def check(self) -> Iterator[Complaint]:
        if FIELD_NAME.fullmatch(self.name) is None:
            yield Complaint("name", f'"{self.name}" is no name for a field: it is of letters, digits, "_", "-" and "."')
        elif self.name in NAMES:
            yield Complaint("name", f'every line has a field "{self.name}"')

    def build(self, build: Build) -> Action:
        name, note = self.name, Note(self.value)

        def run(exchange: Exchange) -> None:
            if exchange.notes is None:
                exchange.notes = {}
            exchange.notes[name] = note

        return run
