"""`templates`: the directive is there, but files are written in another language."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    raise NotConverted("the templates here are those of Jinja, and those of Caddy are not translated")
