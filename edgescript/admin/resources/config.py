"""The configuration in use, and those before it."""

from __future__ import annotations

import hashlib
from typing import Any

from edgescript.admin.applying import answer_for, checked
from edgescript.admin.operator import Past
from edgescript.admin.request import Request, json_answer, text_answer
from edgescript.http.message import HTTPError, Response

EDGEFILE = "text/edgefile"


async def get(request: Request) -> Response:
    """
    The text as it was written, with its `ETag`; `{$NAME}` stays as it is.

    `?history` lists the last 20 that were applied, the newest first; `?number=3` is the text of one of them.
    """
    asked = request.parameters("history", "number")
    if "history" in asked:
        return json_answer([_summary(past) for past in request.operator.history()])
    past = request.operator.status().config
    if "number" in asked:
        past = _numbered(request, request.number(asked["number"], "number"))
    headers = [(b"etag", etag(past).encode())]
    if request.prefers(EDGEFILE, "application/json") == "application/json":
        return json_answer({**_summary(past), "text": past.text}, headers=headers)
    return text_answer(past.text, kind=b"text/edgefile; charset=utf-8", headers=headers)


async def post(request: Request) -> Response:
    """
    Put the Edgefile in the body to use in every worker, or in none. The file itself is not written.

    `?dry_run` only checks it. With `If-Match`, nothing happens if another configuration is in use than the one meant (412).
    What is wrong with it comes with 422, as `problems`, or as text where `Accept` prefers `text/plain`.
    """
    asked = request.parameters("dry_run")
    text = _decoded(await request.body(EDGEFILE))
    async with request.room.changing:
        _compare(request)
        if "dry_run" in asked:
            return checked(request, await request.operator.check(text))
        applied = await request.operator.apply(text, source="admin")
        headers = [(b"etag", etag(request.operator.status().config).encode())] if applied.done else []
    return answer_for(request, applied, headers=headers)


def etag(past: Past) -> str:
    digest = hashlib.sha256(f"{past.number}\0{past.name}\0{past.text}".encode("utf-8", "surrogatepass")).hexdigest()
    return f'"{past.number}-{digest[:16]}"'


def _compare(request: Request) -> None:
    """RFC 9110 13.1.1. A weak one never matches."""
    wanted = request.header(b"if-match")
    if wanted is None or wanted.strip() == "*":
        return
    current = etag(request.operator.status().config)
    if current not in [tag.strip() for tag in wanted.split(",")]:
        raise HTTPError(412, f"the configuration in use is {current}", [(b"etag", current.encode())])


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HTTPError(400, f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from None


def _numbered(request: Request, number: int) -> Past:
    for past in request.operator.history():
        if past.number == number:
            return past
    raise HTTPError(404, f"the history has no configuration {number}")


def _summary(past: Past) -> dict[str, Any]:
    return {"number": past.number, "when": past.when, "source": past.source, "name": past.name, "etag": etag(past)}
