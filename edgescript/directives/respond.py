"""Answer with a fixed text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Built, Complaint, Role, directive
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Template
from edgescript.directives import _status
from edgescript.directives._headers import HeaderChanges
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import Response

_JSON = b"application/json"
_HTML = b"text/html; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"


@directive("respond", role=Role.TERMINAL)
class Respond:
    """
    Answer the request with a status and a text.

    A word alone is the status if it is a number of three digits, and otherwise the text. Where no status is given it is 200,
    and inside `handle_errors` that of the error. The text may have placeholders. The content type is JSON if the text is,
    HTML if it begins as a page does, and plain text otherwise; `header Content-Type …` above says something else.

    The status 103 sends the fields that `header` above sets as early hints, and goes on to the directives below.

    ```edge-test
    :80 {
        respond /health 204
        respond /hello "Hello, {client_ip}."
        respond /gone 410 "gone for good"
        respond /moved "gone elsewhere" 410
        respond 404 {
            body "nothing here"
            close
        }
    }
    test "status, text, or both" {
        request GET http://localhost/health
        expect status 204
        request GET http://localhost/hello
        expect status 200
        expect body "Hello, 127.0.0.1."
        expect header Content-Type "text/plain; charset=utf-8"
        request GET http://localhost/gone
        expect status 410
        expect body "gone for good"
        request GET http://localhost/moved
        expect status 410
        expect body "gone elsewhere"
        request GET http://localhost/else
        expect status 404
        expect body "nothing here"
    }
    ```
    """

    status: Template | None = arg("The status, a placeholder that gives one, or alone the text.")
    body: Template | None = arg("The text.")
    close: bool = option("Close the client's connection afterwards.")

    def check(self) -> Iterator[Complaint]:
        status, _ = self._words
        yield from _status.complaint_of(status, 103 if status is not None and status.constant == "103" else 200)

    @property
    def _words(self) -> tuple[Template | None, Template | None]:
        return _status.sort(self.status, self.body)

    @property
    def falls_through(self) -> bool:
        """Early hints are no answer."""
        return self.status is not None and self.status.constant == "103"

    def build(self, build: Build) -> Action | Built:
        if self.falls_through:
            return Built(_early_hints, lambda exchange: None)
        status, body = self._words
        if (status is None or status.constant is not None) and (body is None or body.constant is not None):
            return self._constant(status, body)
        read_status = _status.reader(status, None)
        close = self.close

        def run(exchange: Exchange) -> Response:
            text = "" if body is None else body.read(exchange)
            headers = _content_type(text, body)
            return Response(read_status(exchange), headers, _encoded(text), close=close)

        return Built(run, lambda exchange: f"answer {read_status(exchange)}")

    def _constant(self, status: Template | None, body: Template | None) -> Built:
        """Everything is known beforehand; the list alone is made anew, because wrappers may change it."""
        text = body.constant if body is not None and body.constant is not None else ""
        read_status = _status.reader(status, None)
        fields = tuple(_content_type(text, body))
        encoded = _encoded(text)
        close = self.close

        def run(exchange: Exchange) -> Response:
            return Response(read_status(exchange), [*fields], encoded, close=close)

        return Built(run, lambda exchange: f"answer {read_status(exchange)}")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _content_type(text: str, written: Template | None) -> Headers:
    """
    What the text looks like.

    Only what is written in the Edgefile makes it a page: a placeholder's value must not turn it into HTML.
    """
    if not text or written is None:
        return []
    if written.text.lstrip()[:14].lower().startswith(("<!doctype html", "<html")):
        return [(b"content-type", _HTML)]
    return [(b"content-type", _JSON if _is_json(text) else _TEXT)]


def _is_json(text: str) -> bool:
    text = text.strip()
    if (text[:1], text[-1:]) not in (("{", "}"), ("[", "]")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _early_hints(exchange: Exchange) -> None:
    hints = Response(103, [])
    for change in exchange.changes or ():
        if isinstance(change, HeaderChanges):
            change(exchange, hints)
    exchange.client.inform(103, hints.headers)
