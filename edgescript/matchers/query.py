"""Match the query."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample, fitting
from edgescript.graph.patterns import wildcard
from edgescript.http.exchange import Exchange


@matcher("query")
class Query:
    """
    Match requests by parameters of their query.

    Every key must be there with one of the values that are given for it; `*` stands for any value, and at the beginning or
    end of a value for anything. `""` matches requests without a query.

    ```edge-test
    :80 {
        @beta query version=2 version=3 debug=*
        respond @beta "beta"
        respond "stable"
    }
    test "values of one key are alternatives, keys are not" {
        request GET http://localhost/?debug=&version=3
        expect body "beta"
        request GET http://localhost/?version=3
        expect body "stable"
    }
    ```
    """

    parameters: tuple[str, ...] = rest("`KEY=VALUE`, or `KEY` alone for any value.", least=1)

    def sample(self, request: Sample, turn: int) -> None:
        request.query = "&".join(fitting(parameter) for parameter in self.parameters)

    def build(self, build: Build) -> Test:
        wanted = _wanted(self.parameters)
        may_be_empty = "" in self.parameters

        def test(exchange: Exchange) -> bool:
            if not exchange.query:
                return may_be_empty
            given = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True)
            return bool(wanted) and all(
                any(key == name and fits(value) for name, value in given for fits in tests) for key, tests in wanted
            )

        return test

    def reason(self, exchange: Exchange) -> str:
        return f"the query is {exchange.query.decode('latin-1')}" if exchange.query else "there is no query"


def _wanted(parameters: tuple[str, ...]) -> list[tuple[str, list[Callable[[str], bool]]]]:
    wanted: dict[str, list[Callable[[str], bool]]] = {}
    for parameter in filter(None, parameters):
        key, equals, value = parameter.partition("=")
        wanted.setdefault(key, []).append(wildcard(value if equals else "*"))
    return list(wanted.items())
