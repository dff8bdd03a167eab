"""Change the header fields of requests."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, directive
from edgescript.declare.fields import arg, rows
from edgescript.declare.kinds import Template
from edgescript.directives._headers import FieldLine, complaint_of, effects_of, operation_of
from edgescript.http.edit import Edit, compile_operations
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first
from edgescript.http.message import HTTPError
from edgescript.http.target import host_and_port


@directive("request_header", role=Role.REWRITER)
class RequestHeader:
    r"""
    Change the header fields of the request, for every directive below and for the upstream.

    `request_header Name value` gives a field its one value, `+Name value` adds a value, `-Name` takes the field away (`*`
    at either end of the name stands for anything), `?Name value` sets it only where the request has none.
    `request_header Name find replacement` replaces whatever the regular expression finds. A block holds several such lines.

    ```edge-test
    :80 {
        request_header X-Tenant {labels.2}
        request_header -X-Debug
        request_header User-Agent "curl/.*" "a curl"
        respond "{header.X-Tenant}|{header.X-Debug}|{header.User-Agent}"
    }
    test "fields are set, taken away and replaced" {
        request GET http://shop.example.com/
        header X-Debug on
        header User-Agent curl/8.1
        expect body "shop||a curl"
    }
    ```
    """

    field: str | None = arg("Name of the field; in front `+` adds, `-` takes away, `?` sets only what is not there.")
    value: Template | None = arg("The new value, or with a third word the regular expression to find.")
    replacement: Template | None = arg("What replaces that which is found; `$1` is the first group.")
    lines: tuple[FieldLine, ...] = rows("Changes, each written as on the directive's own line.")

    def check(self) -> Iterator[Complaint]:
        if self.field is not None:
            yield from complaint_of(self.field, self.value, self.replacement)
        elif not self.lines:
            hint = "write `request_header Name value`, or a block of such lines"
            yield Complaint(None, "there is no field to change", hint)

    def effects(self) -> Iterator[str]:
        own = (self.field, self.value, self.replacement)
        yield from effects_of([own, *((line.field, line.value, line.replacement) for line in self.lines)])

    def build(self, build: Build) -> Action:
        operations = [line.operation for line in self.lines]
        if self.field is not None:
            operations.insert(0, operation_of(self.field, self.value, self.replacement))
        edit = compile_operations(operations)
        assert edit is not None, "check saw to it that there is a change"
        if any(operation.name == b"host" or b"*" in operation.name for operation in operations):
            return _with_host(edit)

        def run(exchange: Exchange) -> None:
            edit(exchange.headers, exchange)

        return run


def _with_host(edit: Edit) -> Action:
    """A change of Host also changes what `{host}` and the rules below see."""

    def run(exchange: Exchange) -> None:
        edit(exchange.headers, exchange)
        try:
            exchange.host, exchange.port = host_and_port(first(exchange.headers, b"host") or b"")
        except ValueError as error:
            raise HTTPError(500, f"request_header: {error}") from None

    return run
