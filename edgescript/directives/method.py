"""Change the method."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, directive
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Template
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")


@directive("method", role=Role.REWRITER)
class Method:
    """
    Change the method of the request, for every directive below and for the upstream.

    ```edge-test
    :80 {
        @override header X-HTTP-Method-Override *
        method @override {header.X-HTTP-Method-Override}
        respond "{method}, once {orig_method}"
    }
    test "another method" {
        request POST http://localhost/
        header X-HTTP-Method-Override put
        expect body "PUT, once POST"
    }
    ```
    """

    method: Template = arg("The method.")

    def check(self) -> Iterator[Complaint]:
        if self.method.constant is not None and _TOKEN.fullmatch(self.method.constant) is None:
            yield Complaint("method", "expected a method such as GET", None, "E106")

    def build(self, build: Build) -> Action:
        read = self.method.read

        def run(exchange: Exchange) -> None:
            method = read(exchange)
            if _TOKEN.fullmatch(method) is None:
                raise HTTPError(400, f"{method!r} is no method")
            exchange.method = method.upper().encode("ascii")

        return run
