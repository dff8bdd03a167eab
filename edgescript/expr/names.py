"""How templates and expressions find out what a name means; the catalogue of placeholders is somebody else's."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.http.exchange import Exchange

Reader = Callable[[Exchange], str]


class UnknownName(Exception):
    """There is no placeholder of this name; `message` says so in other words where there is more to say."""

    def __init__(self, name: str, hint: str | None = None, message: str | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.hint = hint
        #: Whether the name is known, and only its part is wrong.
        self.is_known = message is not None
        self.message = message or f'there is no placeholder "{name}"'


#: Gives the reader of `path` or `header.X-Level`, or raises UnknownName.
Resolve = Callable[[str], Reader]
