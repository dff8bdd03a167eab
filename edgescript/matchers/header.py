"""Match a header field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from edgescript.declare.entries import Build, Complaint, Test, matcher
from edgescript.declare.fields import arg, rest
from edgescript.declare.kinds import Template
from edgescript.declare.sample import Sample, fitting
from edgescript.graph.patterns import wildcard
from edgescript.http.exchange import Exchange
from edgescript.http.headers import every, first

_NAME = re.compile(r"!?[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@matcher("header")
class Header:
    """
    Match requests by a header field.

    With values, one of the field's lines must equal one of them; `*` at the beginning or end of a value stands for
    anything. Without a value the field only has to be there, and `!Name` means that it must not be there.

    ```edge-test
    :80 {
        @upload {
            header Content-Type multipart/*
            header !X-Internal
        }
        respond @upload "an upload"
        respond "something else"
    }
    test "by content type" {
        request POST http://localhost/
        header Content-Type "multipart/form-data; boundary=x"
        expect body "an upload"
        request POST http://localhost/
        expect body "something else"
    }
    ```
    """

    field: str = arg("Name of the field; `!Name` for a field that must not be there.")
    values: tuple[Template, ...] = rest("Values, one of which the field must have.")

    def check(self) -> Iterator[Complaint]:
        if _NAME.fullmatch(self.field) is None:
            yield Complaint("field", f'"{self.field}" is no name of a header field', code="E106")
        elif self.field.startswith("!") and self.values:
            yield Complaint("values", "a field that must not be there has no value")

    @property
    def _name(self) -> bytes:
        return self.field.removeprefix("!").lower().encode()

    def sample(self, request: Sample, turn: int) -> None:
        if not self.field.startswith("!"):
            value = self.values[turn % len(self.values)].constant if self.values else "*"
            request.headers[self.field] = fitting(value or "*")

    def build(self, build: Build) -> Test:
        name = self._name
        if self.field.startswith("!"):
            return lambda exchange: first(exchange.headers, name) is None
        if not self.values:
            return lambda exchange: first(exchange.headers, name) is not None
        fits = _fits(self.values)

        def test(exchange: Exchange) -> bool:
            for key, value in exchange.headers:  # noqa: SIM110 - `any` of a generator takes twice as long
                if key == name and fits(exchange, value):
                    return True
            return False

        return test

    def reason(self, exchange: Exchange) -> str:
        name = self.field.removeprefix("!")
        values = every(exchange.headers, self._name)
        if not values:
            return f"there is no {name}"
        return f"{name} is {', '.join(value.decode('latin-1') for value in values)}"


def _fits(values: tuple[Template, ...]) -> Callable[[Exchange, bytes], bool]:
    constants = [wildcard(value.constant.encode()) for value in values if value.constant is not None]
    templates = [value.read for value in values if value.constant is None]
    if len(constants) == 1 and not templates:
        (only,) = constants
        return lambda exchange, value: only(value)

    def fits(exchange: Exchange, value: bytes) -> bool:
        return any(test(value) for test in constants) or any(
            wildcard(read(exchange).encode("utf-8", "surrogateescape"))(value) for read in templates
        )

    return fits
