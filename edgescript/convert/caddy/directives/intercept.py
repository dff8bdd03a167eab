"""`intercept`: its one `handle_response` or `replace_status` is its block, and what its matcher says are its words."""

from __future__ import annotations

from collections.abc import Sequence

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted, not_yet
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    lines = [line for line in call.line.block or () if line.words]
    conditions = {line.name: line for line in lines if line.name.startswith("@")}
    routes = [line for line in lines if not line.name.startswith("@")]
    if not routes:
        raise NotConverted("it has no handle_response")
    if len(routes) > 1:
        raise NotConverted("of several routes the first that matches answers; here each stands for itself")
    return [_intercept(call, routes[0], conditions)]


def _intercept(call: Call, route: Line, conditions: dict[str, Line]) -> Directive:
    if route.name == "replace_status":
        *names, status = route.arguments or ("",)
        return call.directive("intercept", _words(names, conditions), [Directive(["replace_status", status])])
    if route.name != "handle_response":
        raise not_yet(f"option {route.name} of intercept")
    if route.block is None:
        raise NotConverted("its handle_response has no block")
    words = _words(route.arguments, conditions)
    call.context.differs("inside, `respond` without a status has that of the response, and not 200")
    return call.directive("intercept", words, call.segment(route.block, True))


def _words(names: Sequence[str], conditions: dict[str, Line]) -> list[str]:
    words: list[str] = []
    for name in names:
        if name not in conditions:
            raise NotConverted(f"there is no matcher {name} for responses")
        words = _condition(conditions[name])
    return words


def _condition(line: Line) -> list[str]:
    """The words of a matcher for responses that has one line."""
    parts = [line.words[1:]] if line.block is None else [part.words for part in line.block if part.words]
    match parts:
        case [["status", *statuses]] if statuses:
            return statuses
        case [["header", name, *value]] if len(value) < 2 and not name.startswith("!"):
            return ["header", name, *value]
    raise NotConverted("its matcher says more about the response than `intercept` can")
