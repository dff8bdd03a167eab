"""The arguments of the line that is being written, and which of them is next."""

from __future__ import annotations

import pytest

from edgescript.lsp.features import signature
from tests.lsp.marks import at, marked


def shown(text: str) -> tuple[str, str | None] | None:
    """The line as it may be written, and the argument that is next."""
    view, offset = marked(text)
    found = signature.answer(view, at(view, offset))
    if found is None:
        return None
    (one,) = found.signatures
    names = [parameter.label for parameter in one.parameters or ()]
    assert all(str(name) in one.label for name in names)
    active = found.active_parameter
    return one.label, str(names[active]) if active is not None and active < len(names) else None


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        (":80 {\n respond ‸\n}\n", "respond [<matcher>] [<status>] [<body>] [{ … }]", "<status>"),
        (":80 {\n respond /x ‸\n}\n", "respond [<matcher>] [<status>] [<body>] [{ … }]", "<status>"),
        (":80 {\n respond /x‸ 200\n}\n", "respond [<matcher>] [<status>] [<body>] [{ … }]", "<matcher>"),
        (":80 {\n respond 200 ‸\n}\n", "respond [<matcher>] [<status>] [<body>] [{ … }]", "<body>"),
        (":80 {\n respond 200 x y‸\n}\n", "respond [<matcher>] [<status>] [<body>] [{ … }]", None),
        (":80 {\n respond @a 200 ‸", "respond [<matcher>] [<status>] [<body>] [{ … }]", "<body>"),
        (":80 {\n proxy :1 :2 :3‸\n}\n", "proxy [<matcher>] [<endpoints>…] [{ … }]", "<endpoints>"),
        (":80 {\n @a path ‸\n}\n", "path <patterns>…", "<patterns>"),
        (":80 {\n @a not path ‸\n}\n", "path <patterns>…", "<patterns>"),
        (":80 {\n @a {\n  cookie n ‸\n", "cookie <name> [<values>…]", "<values>"),
        ("{\n grace_period ‸\n}\n", "grace_period [<duration>]", "<duration>"),
        (":80 {\n proxy :1 {\n  connect_timeout ‸\n", "connect_timeout <duration>", "<duration>"),
        (":80 {\n proxy :1 {\n  via ‸\n", "via [on|off]", "[on|off]"),
    ],
)
def test_the_argument_at_the_cursor_is_shown(text: str, label: str, active: str | None) -> None:
    assert shown(text) == (label, active)


@pytest.mark.parametrize("text", ["‸", ":80 {\n ‸\n}\n", ":80 {\n respond‸\n}\n", ":80 {\n nonsense ‸\n}\n"])
def test_where_no_argument_is_written_nothing_is_shown(text: str) -> None:
    assert shown(text) is None
