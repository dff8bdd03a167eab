"""Change the header fields of responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, group, option, rest, rows
from edgescript.declare.kinds import ChangedField, HeaderName, KindError, StatusPattern, Template
from edgescript.declare.values import status_pattern
from edgescript.directives._headers import (
    FieldLine,
    complaint_of,
    effects_of,
    header_change,
    operation_of,
    patterns_of,
    register,
    register_last,
)
from edgescript.graph.patterns import wildcard
from edgescript.http.edit import compile_operations
from edgescript.http.exchange import Exchange
from edgescript.http.headers import every
from edgescript.http.message import Response


@record
class FieldMatch:
    """A field that the response must have."""

    name: HeaderName = arg("Name of the field.")
    value: str | None = arg(
        "Its value; `*` at either end stands for anything. Without it the field only has to be there."
    )


@record
class ResponseMatch:
    """Which responses are changed: by one rule on the line, or by lines of a block, all of which must hold."""

    words: tuple[str, ...] = rest("One rule on the line itself: `status 4xx`, or `header Content-Type text/*`.")
    status: tuple[StatusPattern, ...] = option("Statuses or classes, one of which the response must have.")
    header: tuple[FieldMatch, ...] = option("A field that the response must have.", repeated=True)

    def check(self) -> Iterator[Complaint]:
        try:
            self.rules()
        except KindError as error:
            yield Complaint("words", error.message, error.hint, "E106")

    def rules(self) -> tuple[tuple[StatusPattern, ...], list[tuple[bytes, str]]]:
        """
        All statuses, and all fields with their values.

        :raises KindError: if the words on the line are no rule
        """
        statuses = self.status
        fields = [(field.name, field.value or "*") for field in self.header]
        match self.words:
            case ():
                pass
            case ("status", *patterns) if patterns:
                statuses += tuple(status_pattern(pattern) for pattern in patterns)
            case ("header", name, *value) if len(value) < 2:
                fields.append((name.lower().encode(), value[0] if value else "*"))
            case _:
                raise KindError("expected `status 4xx` or `header NAME VALUE`")
        return statuses, fields

    def build(self) -> Callable[[Response], bool]:
        """Whether a response is one of them."""
        statuses, pairs = self.rules()
        fields = [(name, wildcard(value.encode())) for name, value in pairs]

        def fits(response: Response) -> bool:
            if statuses and not any(status.matches(response.status) for status in statuses):
                return False
            return all(any(map(test, every(response.headers, name))) for name, test in fields)

        return fits


@directive("header", role=Role.WRAPPER)
class Header:
    r"""
    Change the header fields of the response.

    `header Name value` gives a field its one value, `header +Name value` adds a value, `header -Name` takes the field away
    (`*` at either end of the name stands for anything), `header ?Name value` sets it only where the response has none.
    `header Name find replacement` replaces whatever the regular expression finds. A block holds several such lines.

    Changes act when the response is there, so that they also reach what `proxy` brings; values may use `{status}` and
    `{resp.header.NAME}`. They run in the order written, the last word counts. With `defer`, or `>` before the name, a
    change acts after those of all other directives. `match` picks the responses by status or by fields that they have.

    ```edge-test
    :80 {
        header Cache-Control "max-age=3600"
        header /private/* Cache-Control no-store
        header {
            ?X-Frame-Options DENY
            -Server
            X-Status {status}
        }
        header {
            match status 4xx
            X-Sorry yes
        }
        respond /missing 404
        respond "hello"
    }
    test "the later line has the last word" {
        request GET http://localhost/
        expect header Cache-Control "max-age=3600"
        expect header X-Frame-Options DENY
        expect header X-Status 200
        expect header !X-Sorry
        request GET http://localhost/private/x
        expect header Cache-Control no-store
        request GET http://localhost/missing
        expect header X-Sorry yes
    }
    ```
    """

    field: ChangedField | None = arg(
        "Name of the field; in front `+` adds, `-` takes away, `?` sets only what is not there."
    )
    value: Template | None = arg("The new value, or with a third word the regular expression to find.")
    replacement: Template | None = arg("What replaces that which is found; `$1` is the first group.")
    defer: bool = option("Change the response after all other directives.")
    match: ResponseMatch | None = group("Which responses are changed.")
    lines: tuple[FieldLine, ...] = rows("Changes, each written as on the directive's own line.")

    def check(self) -> Iterator[Complaint]:
        if self.field is not None:
            yield from complaint_of(self.field, self.value, self.replacement)
        elif not self.lines:
            yield Complaint(None, "there is no field to change", "write `header Name value`, or a block of such lines")

    def effects(self) -> Iterator[str]:
        own = (self.field, self.value, self.replacement)
        yield from effects_of([own, *((line.field, line.value, line.replacement) for line in self.lines)])

    @property
    def patterns(self) -> tuple[str, ...]:
        return patterns_of(self.value, self.replacement)

    def build(self, build: Build) -> Action:
        operations = [line.operation for line in self.lines]
        if self.field is not None:
            operations.insert(0, operation_of(self.field, self.value, self.replacement))
        fits = None if self.match is None else self.match.build()
        edit_at_once = compile_operations([one for one in operations if not (self.defer or one.deferred)])
        edit_at_last = compile_operations([one for one in operations if self.defer or one.deferred])
        at_once = None if edit_at_once is None else header_change(edit_at_once, fits)
        at_last = None if edit_at_last is None else header_change(edit_at_last, fits)

        def run(exchange: Exchange) -> None:
            if at_once is not None:
                register(exchange, at_once)
            if at_last is not None:
                register_last(exchange, at_last)

        return run
