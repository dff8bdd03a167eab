"""Send the client to another URL."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Built, Complaint, Role, directive
from edgescript.declare.fields import Risk, arg
from edgescript.declare.kinds import Template, UriTemplate
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response

_CODES = {"permanent": 301, "temporary": 302, "html": 200}
#: 401 as in Caddy, for log-in pages that a script leads to.
_CODE = re.compile(r"3[0-9]{2}|401")
#: A URL that a header field can hold has visible ASCII only; a CR or LF would begin another field (RFC 9110 5.5).
_INVALID = re.compile(rb"[^!-~]|[\"<>\\^`{|}]")
_SLASHES = re.compile(r"[/\\]{2,}")
_FOREIGN = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)

_PAGE = """\
<!DOCTYPE html>
<html>
<head>
<title>Redirecting…</title>
<meta http-equiv="refresh" content="0; url={url}">
</head>
<body>Redirecting to <a href="{url}">{url}</a>…</body>
</html>
"""


@directive("redir", role=Role.TERMINAL)
class Redir:
    """
    Redirect the client to another URL.

    The code is 302, or what is written behind the URL: `permanent` (301), `temporary` (302), another 3xx code, or `html`
    for a page that leads on. With a code, a redirect of every path is written `redir * /new permanent`.

    ```edge-test
    :80 {
        redir /old /new permanent
        redir /docs/* https://docs.example.com{uri} 308
        redir /home
    }
    test "where to" {
        request GET http://localhost/old
        expect status 301
        expect header Location /new
        request GET http://localhost/docs/a?b=c
        expect status 308
        expect header Location https://docs.example.com/docs/a?b=c
        request GET http://localhost/
        expect status 302
        expect header Location /home
    }
    ```
    """

    to: UriTemplate = arg("The URL to go to.", risk=Risk.REDIRECT)
    code: Template = arg(
        "`permanent`, `temporary`, `html`, a 3xx code, or a placeholder that gives one.", default="302"
    )

    def check(self) -> Iterator[Complaint]:
        if self.to.constant in _CODES or re.fullmatch(r"[0-9]{3}", self.to.constant or ""):
            hint = f"a path in front is a matcher; to redirect everything write `redir * /path {self.to.constant}`"
            yield Complaint("to", f'"{self.to.constant}" is no URL to go to', hint, first="*")
        if self.code.constant is not None and _status_of(self.code.constant) is None:
            yield Complaint("code", "expected permanent, temporary, html or a 3xx code", None, "E106")

    def build(self, build: Build) -> Action | Built:
        to, code = self.to, self.code
        if to.constant is not None and code.constant is not None:
            return _constant(_url(to.constant, to), code.constant)

        def run(exchange: Exchange) -> Response:
            return _response(_url(to.read(exchange), to), code.read(exchange))

        return Built(run, lambda exchange: _told(run(exchange), _url(to.read(exchange), to)))


def _constant(url: str, code: str) -> Built:
    answer = _response(url, code)
    status, fields, body = answer.status, tuple(answer.headers), answer.body
    return Built(lambda exchange: Response(status, [*fields], body), lambda exchange: _told(answer, url))


def _told(answer: Response, url: str) -> str:
    """For `edge explain`."""
    how = "a page" if answer.status == 200 else answer.status
    return f"redirect to {url} ({how})"


def _status_of(code: str) -> int | None:
    return _CODES.get(code) or (int(code) if _CODE.fullmatch(code) else None)


def _response(url: str, code: str) -> Response:
    status = _status_of(code)
    if status is None:
        raise HTTPError(500, f"{code!r} is no code of a redirect")
    if code != "html":
        return Response(status, [(b"location", url.encode("ascii"))])
    if _FOREIGN.match(url):
        # The page holds a link: `javascript:` there would run.
        raise HTTPError(400, "the URL to go to is neither http nor https")
    page = _PAGE.format(url=html.escape(url)).encode()
    return Response(status, [(b"content-type", b"text/html; charset=utf-8")], page)


def _url(text: str, written: Template) -> str:
    """The URL, with whatever a header field cannot hold encoded."""
    if _SLASHES.match(text) and not written.text.startswith("//"):
        # `redir {uri}/` of a request for `//evil.example` must not lead to another host.
        text = _SLASHES.sub("/", text, count=1)
    encoded = text.encode("utf-8", "surrogateescape")
    return _INVALID.sub(lambda match: b"%%%02X" % match[0][0], encoded).decode("ascii")
