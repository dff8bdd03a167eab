"""The built-in answers to errors: the form that the client prefers, and nothing that it should not know."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from edgescript.http.error_page import error_page
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response

HTML, JSON, TEXT = "text/html; charset=utf-8", "application/problem+json", "text/plain; charset=utf-8"
#: A random UUID.
_NAME = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def answer(accept: str | None, error: HTTPError, *, ask_for_id: bool = False) -> Response:
    headers = [(b"host", b"localhost")]
    if accept is not None:
        headers.append((b"accept", accept.encode()))
    client: Any = None
    exchange = Exchange(client, b"GET", b"/", "1.1", headers, b"", 0.0)
    if ask_for_id:
        assert exchange.request_id
    return error_page(exchange, error)


def field(response: Response, name: bytes) -> str:
    return ", ".join(value.decode() for key, value in response.headers if key == name)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),
        (BROWSER, HTML),
        ("text/html", HTML),
        ("application/xhtml+xml", HTML),
        ("application/json, text/plain, */*", JSON),
        ("application/json", JSON),
        ("application/problem+json", JSON),
        ("application/json;q=0.9, text/html;q=0.5", JSON),
        ("application/json;q=0.5, text/html;q=0.9", HTML),
        ("text/html;q=0", TEXT),
        ("text/plain, text/html;q=0.5", TEXT),
        ("image/png", TEXT),
        ("text/html;q=nonsense", TEXT),
        (", ,;;q=,text/html;q=0.1", HTML),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(accept: str | None, content_type: str) -> None:
    response = answer(accept, HTTPError(404, "no file"))
    assert (response.status, field(response, b"content-type")) == (404, content_type)
    assert field(response, b"vary") == "Accept"


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
@pytest.mark.parametrize("status", [400, 404, 418, 451, 499, 500, 502, 503, 599])
def test_every_status_has_words_and_the_reason_stays_in_the_log(accept: str, status: int) -> None:
    response = answer(accept, HTTPError(status, "SECRET 10.0.0.1:8080", [(b"retry-after", b"10")]))
    assert isinstance(response.body, bytes)
    assert str(status) in response.body.decode()
    assert b"SECRET" not in response.body
    assert field(response, b"retry-after") == "10"


def test_json_is_a_problem_as_rfc_9457_has_it() -> None:
    response = answer("application/json", HTTPError(503))
    assert isinstance(response.body, bytes)
    assert json.loads(response.body) == {"type": "about:blank", "title": "Service Unavailable", "status": 503}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_request_that_has_a_name_is_told_it(accept: str) -> None:
    response = answer(accept, HTTPError(500), ask_for_id=True)
    assert isinstance(response.body, bytes)
    assert len(_NAME.findall(response.body.decode())) == 1
