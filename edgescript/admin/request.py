"""A request to the admin address as its resources see it, and what they answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from edgescript.http.body import collect
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, combined, first
from edgescript.http.message import REASONS, HTTPError, Response

if TYPE_CHECKING:
    from edgescript.admin.operator import Operator
    from edgescript.admin.room import Room

#: Bytes of a body. An Edgefile of 10,000 sites has about 1 MB.
MOST_BODY = 8 * 1024 * 1024

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
PROBLEM = b"application/problem+json"  # RFC 9457


class Request:
    """One request, past the guard."""

    def __init__(self, exchange: Exchange, room: Room) -> None:
        self.exchange = exchange
        self.room = room

    @property
    def operator(self) -> Operator:
        return self.room.operator

    @property
    def query(self) -> list[tuple[str, str]]:
        """
        The parameters.

        :raises HTTPError: 400, if there are very many
        """
        text = (self.exchange.query or b"").decode("latin-1")
        try:
            return parse_qsl(text, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise HTTPError(400, "there are too many parameters") from None

    def parameters(self, *known: str) -> dict[str, str]:
        """
        The parameters, each of which may be there once.

        :raises HTTPError: 400, if there is another one, or one twice: a misspelt `dry_run` must not be a real run
        """
        found: dict[str, str] = {}
        for name, value in self.query:
            if name not in known:
                raise HTTPError(400, f"there is no parameter {name[:80]!r}; there are: {', '.join(known) or 'none'}")
            if name in found:
                raise HTTPError(400, f"the parameter {name!r} is there twice")
            found[name] = value
        return found

    def number(self, text: str, what: str) -> int:
        """
        A whole number of at most nine digits.

        :raises HTTPError: 400, if it is none
        """
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise HTTPError(400, f"{what} is a whole number")
        return int(text)

    def header(self, name: bytes) -> str | None:
        value = first(self.exchange.headers, name)
        return None if value is None else value.decode("latin-1")

    def prefers(self, *offered: str) -> str:
        """Which of the media types the client likes best (RFC 9110 12.5.1); the first, where it does not care."""
        accept = combined(self.exchange.headers, b"accept")
        return preferred(None if accept is None else accept.decode("latin-1"), offered)

    async def body(self, *types: str) -> bytes:
        """
        The body.

        :raises HTTPError: 415, if it is of none of the types
        :raises BodyTooLarge: if it is too long
        """
        kind = (self.header(b"content-type") or "").partition(";")[0].strip().lower()
        if kind not in types:
            raise HTTPError(415, f"the body is to be {' or '.join(types)}", [(b"accept", ", ".join(types).encode())])
        return await collect(self.exchange.body, MOST_BODY)

    async def json(self) -> Any:
        """
        The body, which is JSON.

        :raises HTTPError: 400 or 415, if it is not
        """
        try:
            return json.loads(await self.body("application/json"))
        except (ValueError, RecursionError):
            raise HTTPError(400, "the body is no JSON") from None


def preferred(accept: str | None, offered: tuple[str, ...]) -> str:
    """The media type of those offered that an `Accept` likes best; the first of equals."""
    if not accept:
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:50]]
    return max(offered, key=lambda kind: _quality(kind, ranges))


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(kind: str, ranges: list[tuple[str, float]]) -> float:
    """That of the most specific range which has the type."""
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        for name, quality in ranges:
            if name == wanted:
                return quality
    return 0.0


def json_answer(value: Any, status: int = 200, headers: Headers | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    return Response(status, [(b"content-type", JSON), *(headers or [])], body)


def text_answer(text: str, status: int = 200, kind: bytes = TEXT, headers: Headers | None = None) -> Response:
    return Response(status, [(b"content-type", kind), *(headers or [])], text.encode("utf-8", "replace"))


def problem_answer(error: HTTPError, **more: Any) -> Response:
    """What went wrong, as RFC 9457 has it."""
    said = {"title": REASONS.get(error.status, "Error"), "status": error.status, "detail": error.reason, **more}
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return Response(error.status, [(b"content-type", PROBLEM), *error.headers], body)
