"""`encode`: the codings and their levels; the types of a response matcher are `types` here."""

from __future__ import annotations

from edgescript.bodies.codings import CODINGS
from edgescript.convert.caddy.call import Call, Option, same
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node

#: What Caddy offers where nothing is said.
_USUAL = ("zstd", "gzip")
_OFFERED = ("zstd", "br", "gzip")
#: Caddy's names of zstd's levels, as numbers of zstd itself.
_LEVELS = {"fastest": "1", "default": "3", "better": "7", "best": "9"}


def convert(call: Call) -> list[Node]:
    named = [line.name for line in call.line.block or () if line.name in _OFFERED]
    offered = list(dict.fromkeys([*call.arguments, *named])) or [*_USUAL]
    if unknown := [name for name in offered if name not in _OFFERED]:
        raise NotConverted(f"there is no coding {unknown[0]}")
    block = call.options(_OPTIONS)
    return [call.directive("encode", offered, block or None)]


def _level(call: Call, line: Line) -> list[Node]:
    if not line.arguments:
        return []
    word = _LEVELS.get(line.arguments[0].lower(), line.arguments[0])
    levels = CODINGS[line.name].levels
    if not word.isdecimal() or int(word) not in levels:
        raise NotConverted(f"{line.name} has levels from {levels[0]} to {levels[-1]} here")
    return [Directive(["level", line.name, word])]


def _match(call: Call, line: Line) -> list[Node]:
    """Of Caddy's, one value for a field has to fit, and without Content-Type every type does."""
    rules = [line.arguments] if line.arguments else [inner.words for inner in line.block or () if inner.words]
    types, others = [], []
    for rule in rules:
        match rule:
            case ["header", name, pattern] if name.lower() == "content-type":
                types.append(pattern.partition(";")[0].strip())
            case ["header", _, _] | ["status", _, *_]:
                others.append(Directive([*call.texts(rule)]))
            case _:
                raise NotConverted(f"{' '.join(rule)} is no rule for responses here")
    made: list[Node] = [Directive(["types", *(types or "*")])]
    if others:
        made.append(Directive(["match"], [*others]))
    return made


_OPTIONS: dict[str, Option] = {
    **dict.fromkeys(_OFFERED, _level),
    "minimum_length": same("minimum_length"),
    "match": _match,
}
