"""Changes of what is asked for, made so that the encoded path and the decoded one stay the same path.

Rules and files see `exchange.path`, an upstream is sent `exchange.raw_path`. A change keeps the client's own encoding (a
`%2F` stays one) where that is safe; where the raw path has dot segments or empty ones, it is encoded anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from edgescript.declare.entries import Reader
from edgescript.declare.kinds import Kind, KindError, Scope, resolve
from edgescript.expr.template import Template, TemplateError
from edgescript.expr.template import parse as parse_template
from edgescript.http.exchange import Exchange
from edgescript.http.target import decode

#: RFC 3986 3.3: what may stand in a path beside letters, digits and `-._~`.
_PATH_SAFE = "/!$&'()*+,;=:@"
#: What normalising changes, in any encoding, and bytes that no target may have.
_ODD = re.compile(rb"\\|%5c|(?:/|%2f)(?:/|%2f|\.|%2e)|[^!-~]", re.IGNORECASE)
_INVALID_IN_PATH = re.compile(rb"[^!-~]|[?#\"<>^`{|}]|%(?![0-9A-Fa-f]{2})")
_INVALID_IN_QUERY = re.compile(rb"[^!-~]|[#\"<>]")
_AMPERSANDS = re.compile(rb"&{2,}")


def quoted(path: str) -> str:
    """A decoded path, encoded."""
    return quote(path, _PATH_SAFE, "utf-8", "surrogateescape")


def quoted_value(value: str) -> str:
    """A text as name or value of a query."""
    return quote(value, "", "utf-8", "surrogateescape")


def escaped_path(exchange: Exchange) -> bytes:
    """The path as the client encoded it, or encoded anew where that was not of the normal form."""
    raw = exchange.raw_path
    return raw if _ODD.search(raw) is None else quoted(exchange.path).encode()


def change(exchange: Exchange, path: bytes, query: bytes | None) -> None:
    """Ask for this path and query from here on; what cannot stand in a target is encoded."""
    path = _INVALID_IN_PATH.sub(_percent, path)
    if not path.startswith(b"/"):
        path = b"/" + path
    exchange.set_uri(path, None if query is None else _INVALID_IN_QUERY.sub(_percent, query))


def _percent(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


def strip_prefix(exchange: Exchange, prefix: str) -> None:
    """Take `prefix`, in any case, from the beginning of the path if it stands there."""
    path = exchange.path
    if path[: len(prefix)].lower() != prefix.lower():
        return
    rest = path[len(prefix) :]
    if not rest.startswith("/"):
        rest = "/" + rest
    # Each decoded byte is one byte or one escape of the raw path.
    length = len(path[: len(prefix)].encode("utf-8", "surrogateescape"))
    skipped = re.match(rb"(?s:%%[0-9A-Fa-f]{2}|.){%d}" % length, exchange.raw_path)
    raw = b"" if skipped is None else exchange.raw_path[skipped.end() :]
    _change_to(exchange, raw if raw.startswith(b"/") else b"/" + raw, rest)


def strip_suffix(exchange: Exchange, suffix: str) -> None:
    """Take `suffix` from the end of the path if it stands there."""
    if suffix and exchange.path.endswith(suffix):
        raw = exchange.raw_path.removesuffix(quoted(suffix).encode())
        _change_to(exchange, raw or b"/", exchange.path.removesuffix(suffix) or "/")


def _change_to(exchange: Exchange, raw: bytes, path: str) -> None:
    """Set the raw path if it means `path`, or else `path` encoded anew: `/a/../a/x` without `/a` is `/x`."""
    exchange.set_uri(raw if decode(raw) == path else quoted(path).encode(), exchange.query)


# ---- the target of a rewrite


@dataclass(frozen=True, slots=True)
class Target:
    """What `rewrite` asks for instead: only the parts that are given change."""

    text: str
    path: Template | None
    query: Template | None

    def apply(self, exchange: Exchange) -> None:
        path, query = None, exchange.query
        if self.path is not None:
            # A placeholder that is a whole URI brings its query along.
            path, mark, brought = _encoded(self.path.read(exchange)).partition(b"?")
            if mark:
                query = brought or None
        if self.query is not None:
            given = _AMPERSANDS.sub(b"&", _encoded(self.query.read(exchange))).strip(b"&")
            query = given or None
        change(exchange, escaped_path(exchange) if path is None else path, query)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_ALONE = re.compile(r"\{[^{}]+\}")
_MARK = re.compile(r"\?(?![^{}]*\})")
_URIS = ("uri", "orig_uri")
#: Texts that are parts of a decoded path; alone they are no URI either.
_PATHS = ("path", "orig_path", "dir", "file", "re")


def _target(text: str, scope: Scope) -> Target:
    mark = _MARK.search(text)
    if "#" in text:
        raise KindError("a fragment is never sent to a server", text.index("#"), len(text))
    if text and not text.startswith(("/", "?", "{")):
        raise KindError("expected a path that begins with /, a query that begins with ?, or a placeholder", 0, 1)
    end = len(text) if mark is None else mark.start()
    alone = _ALONE.fullmatch(text) is not None
    path = _half(text[:end], 0, scope, alone) if end else None
    query = None if mark is None else _half(text[end + 1 :], end + 1, scope, None)
    return Target(text, path, query)


def query_template(text: str, offset: int, scope: Scope) -> Template:
    """
    The query of a target, whose placeholders are encoded as values of one.

    :param offset: where `text` stands in the word that it is part of
    :raises KindError: if it is no template
    """
    return _half(text, offset, scope, None)


def _half(text: str, offset: int, scope: Scope, alone: bool | None) -> Template:
    """The path of a target, or with `alone` None its query. Each placeholder's value is encoded for its place."""

    def reader(name: str) -> Reader:
        read = resolve(name, scope)
        return _in_query(name, read) if alone is None else _in_path(name, read, alone)

    try:
        return parse_template(text, reader)
    except TemplateError as error:
        raise KindError(error.message, error.start + offset, error.end + offset, error.hint, code=error.code) from None


def _in_query(name: str, read: Reader) -> Reader:
    if name in ("query", "orig_query"):
        return read
    return lambda exchange: quoted_value(read(exchange))


def _in_path(name: str, read: Reader, alone: bool) -> Reader:
    if name in _URIS or (alone and name.partition(".")[0] not in _PATHS):
        return read
    if name == "path":
        return lambda exchange: escaped_path(exchange).decode("ascii")
    return lambda exchange: quoted(_without_climbing(read(exchange)))


def _without_climbing(value: str) -> str:
    """A value with its `..` resolved in itself, so that it cannot leave the path that it is put into."""
    if ".." not in value:
        return value
    path = decode(quoted("/" + value.replace("\0", "")).encode())
    return path if value.startswith("/") else path[1:]


#: A kind of its own, because a placeholder's value is encoded for the part of the URI where it stands.
RewriteTarget = Annotated[
    Target,
    Kind(
        "URI",
        "a path or URI, which may have placeholders such as {path}",
        ("/new{path}", "/search?q={path.1}", "?"),
        _target,
        lambda target: target.text,
        path_like=True,
    ),
]
