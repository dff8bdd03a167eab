"""What is told about each kind of word."""

from __future__ import annotations

import pytest
from lsprotocol import types

from edgescript.lsp.features import hover
from tests.lsp.marks import at, marked


def told(text: str) -> str | None:
    view, offset = marked(text)
    found = hover.answer(view, at(view, offset))
    if found is None:
        return None
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


PLACES = {
    "directive": (":80 {\n pro‸xy :1\n}\n", "proxy [<matcher>] [<endpoints>…]", "answers the request"),
    "directive in a group": (":80 {\n handle {\n  res‸pond x\n }\n}\n", "respond [<matcher>]", "body"),
    "option": (":80 {\n proxy :1 {\n  bal‸ance first\n }\n}\n", "balance <balancing policy>", "default `random`"),
    "option of a group": (":80 {\n proxy :1 {\n  keepalive {\n   id‸le 5s\n", "idle <duration>", "duration such as"),
    "group": (":80 {\n proxy :1 {\n  keep‸alive {\n", "keepalive", "- `idle`"),
    "balancer": (":80 {\n proxy :1 {\n  balance ran‸dom\n }\n}\n", "random", "by chance"),
    "matcher": (":80 {\n @a pa‸th /x\n}\n", "path <patterns>…", "whose path fits"),
    "matcher in a block": (":80 {\n @a {\n  pa‸th /x\n }\n}\n", "path <patterns>…", "whose path fits"),
    "matcher behind not": (":80 {\n @a not pa‸th /x\n}\n", "path <patterns>…", "whose path fits"),
    "value behind not": (":80 {\n @a not path /‸x\n}\n", "<patterns>…", "a path such as /api/*"),
    "setting": ("{\n grace_‸period 5s\n}\n", "grace_period [<duration>]", "- `<duration>`"),
    "value": (":80 {\n respond 20‸0 x\n}\n", "<status>", "The status"),
    "value of an option": (":80 {\n proxy :1 {\n  connect_timeout 5‸s\n", "connect_timeout", "duration such as"),
    "path as a matcher": (":80 {\n respond /‸x y\n}\n", "Which requests", "`@name`"),
    "placeholder": (":80 {\n respond {pa‸th}\n}\n", "{path}", "decoded path"),
    "placeholder with a part": (':80 {\n respond "a {header.X-‸Y}"\n}\n', "{header.", "header"),
    "snippet": ("# What it does.\n(s) {\n log\n}\n:80 {\n import ‸s\n}\n", "(s) {\n log\n}", "What it does."),
    "named matcher": ("# No.\n:80 {\n # Why.\n @a path /x\n respond @‸a 204\n}\n", "@a path /x", "Why."),
    "standard library": (":80 {\n import std/co‸rs *\n}\n", "import std/cors <origin…>", "`max_age`"),
    "import": (":80 {\n im‸port std/cors *\n}\n", "import std/cors", "snippet"),
    "code": (":80 {\n respond x # edge: allow W2‸01\n}\n", "# W201", "Wrong"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_word_is_explained(name: str) -> None:
    text, *parts = PLACES[name]
    found = told(text)
    assert found is not None
    assert all(part in found for part in parts), found


@pytest.mark.parametrize("text", ["‸", ":80 {\n ‸\n}\n", ":80 {\n nonsen‸se x\n}\n", "import std/no‸ne\n", "# W9‸99\n"])
def test_nothing_is_told_where_nothing_is_known(text: str) -> None:
    assert told(text) is None
