"""`error`: the status stands first."""

from __future__ import annotations

import re

from edgescript.convert.caddy.call import Call, nothing
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    call.several(2)
    words = call.texts(call.arguments)
    if len(words) == 2 and re.fullmatch(r"\d{3}|\{.*\}", words[1]):
        words.reverse()
    for line in call.line.block or ():
        if line.name == "message":
            words += call.texts(line.arguments[:1])
    call.options({"message": nothing})
    return [call.directive("error", words)]
