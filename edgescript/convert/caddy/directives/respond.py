"""`respond`: the status stands first, and what is no placeholder in the body stands for itself."""

from __future__ import annotations

import re

from edgescript.convert.caddy import placeholders
from edgescript.convert.caddy.call import Call, nothing
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node

_STATUS = re.compile(r"\d{3}|\{[^{}\s]+\}")


def convert(call: Call) -> list[Node]:
    call.several(2)
    words = list(call.arguments)
    status = _status(words)
    bodies = [*words, *(line.arguments[0] for line in call.line.block or () if line.name == "body" and line.arguments)]
    body = [placeholders.text(word, call.context, unknown_stay=True) for word in bodies[:1]]
    if body and body[0].lstrip()[:9].lower().startswith(("<html", "<!doctype")):
        call.context.differs("the content type is text/html here, where Caddy says text/plain")
    block = call.options({"body": nothing, "close": _close})
    return [call.directive("respond", [*status, *body], block or None)]


def _status(words: list[str]) -> list[str]:
    """Take the status from the arguments: the one that looks like a status, the last where both do."""
    if len(words) == 2:
        at = 1 if _STATUS.fullmatch(words[1]) else 0
    elif len(words) == 1 and re.fullmatch(r"\d{3}", words[0]):
        at = 0
    else:
        return []
    if not _STATUS.fullmatch(words[at]):
        raise NotConverted(f'"{words[at]}" is no status')
    return [words.pop(at)]


def _close(call: Call, line: Line) -> list[Node]:
    return [Directive(["close"])]
