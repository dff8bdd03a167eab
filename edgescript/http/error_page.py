"""The built-in answer to an error that no site answers: a page, JSON or a line of text, whichever the client prefers.

None of them says more than the status means: the reason stays in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgescript.http.accept import weights
from edgescript.http.headers import every
from edgescript.http.message import REASONS, HTTPError, Response, plain_error

if TYPE_CHECKING:
    from edgescript.http.exchange import Exchange

#: What a visitor may want to know or do, by status and by class.
_SAYINGS = {
    400: "The server could not make sense of this request.",
    401: "You need to sign in to see this.",
    403: "You are not allowed to see this.",
    404: "There is nothing at this address.",
    405: "This cannot be done with what is at this address.",
    408: "The request took too long to arrive.",
    410: "What was here is gone for good.",
    413: "What you sent is too large.",
    414: "The address is too long.",
    429: "There were too many requests. Please wait a moment.",
    431: "The request has more in its header than the server takes.",
    500: "Something went wrong on the server.",
    502: "The server behind this address did not answer properly.",
    503: "The service is not available just now. Please try again soon.",
    504: "The server behind this address took too long to answer.",
    4: "The request could not be answered.",
    5: "Something went wrong on the server.",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{status} {phrase}</title>
<style>
:root {{ --ink: #1e293b; --muted: #52606d; --ground: #f8fafc; --line: #d8dee6 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6eaf0; --muted: #a3aebb; --ground: #12161c; --line: #323b47 }}
}}
* {{ margin: 0; box-sizing: border-box }}
body {{ min-height: 100vh; display: grid; place-content: center; padding: 2rem; background: var(--ground);
  color: var(--ink); font: 1.0625rem/1.6 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif }}
main {{ max-width: 34rem }}
h1 {{ font-size: clamp(1.25rem, 5vw, 1.75rem); line-height: 1.25; font-weight: 600 }}
h1 b {{ display: block; font-size: clamp(4rem, 18vw, 6.5rem); line-height: 1; font-weight: 700;
  letter-spacing: -.03em; margin-bottom: .75rem }}
p {{ margin-top: .75rem; color: var(--muted) }}
small {{ display: block; margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted);
  font-size: .875rem; overflow-wrap: anywhere }}
</style>
</head>
<body>
<main>
<h1><b>{status}</b> {phrase}</h1>
<p>{saying}</p>{request}
</main>
</body>
</html>
"""


def error_page(exchange: Exchange, error: HTTPError) -> Response:
    """The answer to an error: its status in words, in the form that the request's Accept asks for (RFC 9110 12.5.1)."""
    write, content_type = _wanted(exchange)
    if write is None:
        response = plain_error(error)
    else:
        phrase = REASONS.get(error.status, "Error")
        text = write(error.status, phrase, exchange.used_request_id)
        response = Response(error.status, [(b"content-type", content_type), *error.headers], text.encode())
    response.headers.append((b"vary", b"Accept"))
    return response


def _page(status: int, phrase: str, request_id: str | None) -> str:
    saying = _SAYINGS.get(status) or _SAYINGS.get(status // 100, "")
    request = "" if request_id is None else f"\n<small>Request {request_id}</small>"
    return _PAGE.format(status=status, phrase=phrase, saying=saying, request=request)


def _problem(status: int, phrase: str, request_id: str | None) -> str:
    """Problem details (RFC 9457)."""
    import json  # a server that never needs it starts sooner

    told: dict[str, object] = {"type": "about:blank", "title": phrase, "status": status}
    if request_id is not None:
        told["request_id"] = request_id
    return json.dumps(told) + "\n"


_Write = Callable[[int, str, "str | None"], str]
#: What can be had beside text, the first of equals first: the types that ask for it, and what it is sent as.
_FORMS: tuple[tuple[tuple[bytes, ...], _Write, bytes], ...] = (
    ((b"text/html", b"application/xhtml+xml"), _page, b"text/html; charset=utf-8"),
    ((b"application/problem+json", b"application/json"), _problem, b"application/problem+json"),
)


def _wanted(exchange: Exchange) -> tuple[_Write | None, bytes]:
    """How to write the answer; None is text, which is for whoever asks for nothing in particular."""
    asked = weights(every(exchange.headers, b"accept"))
    best: tuple[_Write | None, bytes] = (None, b"")
    most = 0.0
    for types, write, content_type in _FORMS:
        weight = max(asked.get(one, 0.0) for one in types)
        if weight > most:
            best, most = (write, content_type), weight
    return best if most >= asked.get(b"text/plain", 0.0) else (None, b"")
