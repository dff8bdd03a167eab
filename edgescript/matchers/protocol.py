"""Match the protocol."""

from __future__ import annotations

from typing import Literal

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first

Protocols = Literal[
    "http", "https", "grpc", "http/1.0", "http/1.0+", "http/1.1", "http/1.1+", "http/2", "http/2+", "http/3", "http/3+"
]

#: Ascending.
_VERSIONS = ("1.0", "1.1", "2", "3")


@matcher("protocol")
class Protocol:
    """
    Match requests by protocol: the scheme (`http`, `https`), the version (`http/1.1`; with `+` that one or a later), or
    `grpc`, which goes by the content type.

    ```edge-test
    :80 {
        @grpc protocol grpc
        respond @grpc 415
        respond "hello"
    }
    test "gRPC is told apart" {
        request POST http://localhost/
        header Content-Type application/grpc+proto
        expect status 415
        request GET http://localhost/
        expect body "hello"
    }
    ```
    """

    protocols: tuple[Protocols, ...] = rest("Protocols, one of which the request must use.", least=1)

    def build(self, build: Build) -> Test:
        tests = [_test(protocol) for protocol in self.protocols]
        if len(tests) == 1:
            return tests[0]
        return lambda exchange: any(test(exchange) for test in tests)

    def reason(self, exchange: Exchange) -> str:
        return f"the protocol is {exchange.client.scheme} with HTTP/{exchange.version}"


def _test(protocol: str) -> Test:
    name, _, version = protocol.partition("/")
    if version:
        versions = _versions(version)
        return lambda exchange: exchange.version in versions
    if name == "grpc":
        return _is_grpc
    return lambda exchange: exchange.client.scheme == name


def _versions(version: str) -> frozenset[str]:
    start = _VERSIONS.index(version.removesuffix("+"))
    return frozenset(_VERSIONS[start:] if version.endswith("+") else _VERSIONS[start : start + 1])


def _is_grpc(exchange: Exchange) -> bool:
    return (first(exchange.headers, b"content-type") or b"").lower().startswith(b"application/grpc")
