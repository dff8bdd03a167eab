"""Match a cookie."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import arg, rest
from edgescript.declare.sample import Sample, fitting
from edgescript.graph.patterns import wildcard
from edgescript.http.exchange import Exchange


@matcher("cookie")
class Cookie:
    """
    Match requests that bring a cookie.

    With values, the cookie must have one of them; `*` at the beginning or end of a value stands for anything.

    ```edge-test
    :80 {
        @beta cookie channel beta next-*
        respond @beta "beta"
        respond "stable"
    }
    test "by cookie" {
        request GET http://localhost/
        header Cookie "theme=dark; channel=next-2"
        expect body "beta"
        request GET http://localhost/
        expect body "stable"
    }
    ```
    """

    name: str = arg("Name of the cookie.")
    values: tuple[str, ...] = rest("Values, one of which the cookie must have.")

    def sample(self, request: Sample, turn: int) -> None:
        values = self.values or ("*",)
        request.headers["Cookie"] = f"{self.name}={fitting(values[turn % len(values)])}"

    def build(self, build: Build) -> Test:
        name = self.name.encode()
        tests = [wildcard(value.encode()) for value in self.values or ("*",)]

        def test(exchange: Exchange) -> bool:
            return any(key == name and any(fits(value) for fits in tests) for key, value in _cookies(exchange))

        return test

    def reason(self, exchange: Exchange) -> str:
        name = self.name.encode()
        values = [value.decode("latin-1") for key, value in _cookies(exchange) if key == name]
        return f"the cookie {self.name} is {', '.join(values)}" if values else f"there is no cookie {self.name}"


def _cookies(exchange: Exchange) -> Iterator[tuple[bytes, bytes]]:
    """Names and values of all cookies (RFC 6265 4.2); quotes around a value are none of it."""
    for field, line in exchange.headers:
        if field == b"cookie":
            for pair in line.split(b";"):
                name, equals, value = pair.partition(b"=")
                if equals:
                    yield name.strip(b" \t"), value.strip(b" \t").removeprefix(b'"').removesuffix(b'"')
