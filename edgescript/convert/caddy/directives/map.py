"""`map`: what it sets is `{vars.NAME}` here."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Comment, Directive, Node


def convert(call: Call) -> list[Node]:
    if len(call.arguments) < 2:
        raise NotConverted("it needs a source and destinations")
    source, destinations = call.text(call.arguments[0]), call.arguments[1:]
    names = [name.removeprefix("{").removesuffix("}").removeprefix("vars.") for name in destinations]
    made = call.directive("map", [source, *names], _rows(call, len(names)))
    return [made]


def _rows(call: Call, count: int) -> list[Node]:
    found: list[Node] = []
    for line in call.line.block or ():
        found += [Comment(text) for text in line.above]
        if line.words:
            outputs = [*call.texts(line.arguments), *["-"] * (count - len(line.arguments))]
            found.append(Directive([line.name, *outputs], None, line.behind, (line.place, line.written)))
    return found
