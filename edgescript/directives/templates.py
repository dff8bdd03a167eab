"""Fill in pages."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from edgescript.bodies.templates import Pages
from edgescript.declare.entries import Build, Built, Rest, Role, directive, record
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration, PathTemplate, Size, Template
from edgescript.directives._root import finder
from edgescript.files import roots
from edgescript.files.resolve import Hidden, Tree, identity
from edgescript.files.types import UNKNOWN, content_type
from edgescript.http import clock
from edgescript.http.body import BodyTooLarge, FileRange, collect
from edgescript.http.edit import field_value
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first, replace
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import in_task

#: Of a request whose page is filled in: a part of it, or one that is compressed, cannot be.
_NOT_BELOW = (b"range", b"if-range", b"accept-encoding")
#: Nor is it unchanged because what it was made of is: a client may have the page from before it was a template.
_CONDITIONS = (b"if-none-match", b"if-modified-since")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: What a page says about itself is not so of what becomes of it.
_OF_SOURCE = frozenset((b"etag", b"last-modified", b"accept-ranges", b"content-length", b"content-md5", b"digest",
                        b"content-digest", b"repr-digest"))  # fmt: skip
#: What an included request is sent, of the fields of the one that asked for the page.
_HANDED_ON = frozenset((b"host", b"cookie", b"authorization", b"accept-language", b"user-agent"))
#: How deep pages may include requests that are pages.
_DEEPEST = 8
#: Roots whose pages are kept.
_MOST_ROOTS = 64

_depth: ContextVar[int] = ContextVar("depth", default=0)


@record
class Value:
    """A value that pages may use."""

    name: str = arg("Its name.")
    value: Template = arg("What it is, for each request.")


@directive("templates", role=Role.WRAPPER)
class Templates:
    """
    Fill in the pages that come from below: they are Jinja templates.

    A response of one of the `mime` types is taken as a template and sent filled in. `{{ … }}` is a value, `{% … %}` a
    statement, `{# … #}` a comment; what values say is escaped. A page may use:

    - `req`: `method`, `scheme`, `host`, `path`, `uri`, `client_ip`, and by name `query`, `headers`, `cookies`, `vars`;
    - `status` of the response, `set_header(name, value)`, and `now`, the time in UTC;
    - values that `set NAME VALUE` in the block gives it;
    - `{% include "/part.html" %}`, `{% extends %}` and `{% import %}` of files below `root`;
    - `read_file(path)` and `list_files(path)`, also below `root`, and `file_exists(path)`;
    - `http_include("/path")`: what this site answers to a GET of that path;
    - `http_error(404)`: answer the request with an error instead;
    - the filter `markdown`.

    Pages run in a sandbox, but they are programs all the same: use it for pages of your own, not for what visitors have
    written. Requests whose path ends like another type (`.js`, `.png`) are left alone. Others are served whole, and never
    as part of a page or compressed below; `encode` belongs above.

    ```edge-test
    :80 {
        templates {
            set user {header.X-User}
        }
        header Content-Type text/html
        respond "<p>Hello {{ user or 'you' }}: {{ req.path }}, {{ req.query.q }}</p>"
    }
    test "values are filled in, and escaped" {
        request GET http://localhost/x?q=<b>
        header X-User Ann
        expect status 200
        expect body "<p>Hello Ann: /x, &lt;b&gt;</p>"
    }
    ```
    """

    mime: tuple[str, ...] = option("Types of the responses that are templates.", default="text/html text/plain")
    root: PathTemplate | None = option(
        "The folder of what pages include; that of `root`, where it is left out.",
    )
    set: tuple[Value, ...] = option("A value that pages may use under this name.", repeated=True)
    max_size: Size = option("How large a page may be before it is filled in.", default="1MiB", least=1)
    timeout: Duration = option("How long filling in a page may take.", default="5s", least=0.001)

    def build(self, build: Build) -> Built:
        directory = roots.absolute(".", build.directory())
        shelf = _Shelf(Hidden((), directory=directory, own=build.source()), self.timeout)
        find_root = finder(self.root, directory)
        types = frozenset(kind.lower().encode() for kind in self.mime)
        values = tuple((value.name, value.value.read) for value in self.set)
        limit = self.max_size

        async def run(exchange: Exchange, below: Rest) -> Response | None:
            if not _may_be(exchange.path, types):
                return None
            response = await _whole(exchange, below)
            if not _is_template(response, types):
                return response
            text = await _text(response, limit)
            response.headers[:] = [pair for pair in response.headers if pair[0] not in _OF_SOURCE]
            pages = shelf.pages(find_root(exchange))
            filled = pages.fill_in(text, _values(exchange, response, below, pages.tree, values, limit))
            response.body = (await in_task(_noted(filled, exchange.path))).encode("utf-8", "surrogateescape")
            return response

        return Built(run, around=True)


# ---- which responses


def _may_be(path: str, types: frozenset[bytes]) -> bool:
    """Whether the response to a path may be a template, as far as the path tells."""
    kind = content_type(path)
    return kind == UNKNOWN or _type_of(kind) in types


async def _whole(exchange: Exchange, below: Rest) -> Response:
    """What is below, asked for a whole page: HEAD has the length of the one that GET would have had."""
    asked, method = exchange.headers, exchange.method
    left_out = (*_NOT_BELOW, *_CONDITIONS) if method in (b"GET", b"HEAD") else _NOT_BELOW
    exchange.headers = [pair for pair in asked if pair[0] not in left_out]
    if method == b"HEAD":
        exchange.method = b"GET"
    try:
        return await below()
    finally:
        exchange.headers, exchange.method = asked, method


def _is_template(response: Response, types: frozenset[bytes]) -> bool:
    if response.status in (204, 206, 304) or response.status < 200:
        return False
    kind = first(response.headers, b"content-type")
    coding = first(response.headers, b"content-encoding")
    return kind is not None and _type_of(kind) in types and coding in (None, b"identity")


def _type_of(kind: bytes) -> bytes:
    return kind.partition(b";")[0].strip().lower()


async def _text(response: Response, limit: int) -> str:
    """
    A page before it is filled in; it takes the response's body.

    :raises HTTPError: 500, if it is too large
    """
    body, response.body = response.body, b""
    try:
        data = _read(body, limit) if isinstance(body, FileRange) else await collect(body, limit)
    except BodyTooLarge:
        raise HTTPError(
            500, f"the page has more than {limit} bytes, which is the most that templates may have"
        ) from None
    return data.decode("utf-8", "surrogateescape")


def _read(part: FileRange, limit: int) -> bytes:
    try:
        if part.length > limit:
            raise BodyTooLarge
        return os.pread(part.descriptor, part.length, part.offset)
    finally:
        os.close(part.descriptor)


async def _noted(filled: Any, path: str) -> str:
    """Have the log of what goes wrong in a page say which one it was."""
    try:
        text: str = await filled
    except HTTPError:
        raise
    except Exception as error:
        error.add_note(f"in the page that {path} gave")
        raise
    return text


# ---- what a page may use


#: Values of `vars` that a page gets as they are; of others it gets the text.
_PLAIN = (str, int, float)


@dataclass(frozen=True, slots=True)
class _Request:
    """The request, for a page."""

    method: str
    scheme: str
    host: str
    path: str
    uri: str
    client_ip: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    vars: Mapping[str, Any]


class _Named(dict[str, str]):
    """Fields by name, in any case; one that is missing is empty."""

    def __getitem__(self, name: str) -> str:
        return super().get(name.lower(), "")

    def get(self, name: str, default: Any = "") -> Any:
        return super().get(name.lower(), default)


def _request(exchange: Exchange) -> _Request:
    headers = _Named()
    for name, value in exchange.headers:
        key = name.decode("latin-1")
        headers[key] = f"{headers[key]}, {_decoded(value)}" if key in headers else _decoded(value)
    cookies = [pair.partition("=") for pair in headers["cookie"].replace(",", ";").split(";") if "=" in pair]
    return _Request(
        exchange.original_method.decode("latin-1"),
        exchange.client.scheme,
        exchange.host,
        exchange.path,
        _decoded(exchange.target),
        exchange.client_ip,
        dict(parse_qsl((exchange.query or b"").decode("latin-1"), keep_blank_values=True, max_num_fields=1000)),
        headers,
        {name.strip(): value.strip().strip('"') for name, _, value in cookies},
        {
            name: value if isinstance(value, _PLAIN) else str(value)
            for name, value in (exchange.variables or {}).items()
        },
    )


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _values(
    exchange: Exchange,
    response: Response,
    below: Rest,
    tree: Tree,
    own: Iterable[tuple[str, Callable[[Exchange], str]]],
    limit: int,
) -> dict[str, Any]:
    """
    Everything that a page may use.

    Functions are closures, whose insides the sandbox hides: a page can look into a `partial`, and at what it holds.
    """

    def set_header(name: str, value: str) -> str:
        if _FIELD_NAME.fullmatch(str(name)) is None:
            raise ValueError(f"{str(name)!r} is no name of a header field")
        replace(response.headers, str(name).lower().encode(), field_value(str(value)))
        return ""

    async def http_include(uri: str) -> Any:
        return await _included(exchange, below, str(uri), limit)

    return {
        "req": _request(exchange),
        "status": response.status,
        "now": datetime.fromtimestamp(clock.wall(), UTC),
        "read_file": lambda path: _contents(tree, str(path))[0],
        "list_files": lambda path="/": _names(tree, str(path)),
        "file_exists": lambda path: tree.peek(_rooted(str(path))) is not None,
        "http_include": http_include,
        "http_error": _error,
        "set_header": set_header,
        **{name: read(exchange) for name, read in own},
    }


def _error(status: int = 500, reason: str = "a page asked for it") -> str:
    if not 400 <= int(status) <= 599:
        raise ValueError(f"{status} is no status of an error")
    raise HTTPError(int(status), str(reason))


async def _included(exchange: Exchange, below: Rest, uri: str, limit: int) -> Any:
    """What the site answers to a GET; an error of its own is one of the page."""
    from markupsafe import Markup

    depth = _depth.get()
    if depth >= _DEEPEST:
        raise HTTPError(500, f"pages include requests more than {_DEEPEST} deep")
    if not uri.startswith("/"):
        raise ValueError(f"http_include takes a path of this site, such as /part.html, not {uri!r}")
    headers = [pair for pair in exchange.headers if pair[0] in _HANDED_ON]
    target = uri.encode("utf-8", "surrogateescape")
    inner = Exchange(exchange.client, b"GET", target, exchange.version, headers, b"", exchange.started)
    token = _depth.set(depth + 1)
    try:
        return Markup(await _text(await below.again(inner), limit))  # noqa: S704  # a part of the page, as HTML
    finally:
        _depth.reset(token)
        for ending in inner.endings or ():
            ending(inner)


# ---- files


class _RootPages(Pages):
    """The pages of one root."""

    def __init__(self, tree: Tree, timeout: float) -> None:
        super().__init__(partial(_contents, tree), timeout=timeout)
        self.tree = tree


class _Shelf:
    """Pages by root."""

    def __init__(self, hidden: Hidden, timeout: float) -> None:
        self._hidden = hidden
        self._timeout = timeout
        self._known: dict[str, _RootPages] = {}

    def pages(self, root: str) -> _RootPages:
        found = self._known.get(root)
        if found is None:
            if len(self._known) >= _MOST_ROOTS:
                self._known.clear()
            found = self._known[root] = _RootPages(Tree(root, hidden=self._hidden), self._timeout)
        return found


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _contents(tree: Tree, path: str) -> tuple[str, object]:
    """
    The text of a file, and what changes with it.

    :raises LookupError: if there is no such file
    """
    found = tree.open(_rooted(path))
    if found is None:
        raise LookupError(f"there is no file {path}")
    try:
        if not stat.S_ISREG(found.status.st_mode):
            raise LookupError(f"{path} is no file")
        if found.status.st_size > MOST_INCLUDED:
            raise HTTPError(500, f"{path} has more than {MOST_INCLUDED} bytes")
        data = os.pread(found.descriptor, MOST_INCLUDED, 0)
    finally:
        os.close(found.descriptor)
    return data.decode("utf-8", "surrogateescape"), identity(found.status)


#: Bytes of a file that a page includes.
MOST_INCLUDED = 4 * 1024 * 1024
#: Names that `list_files` gives.
_MOST_NAMES = 10_000


def _names(tree: Tree, path: str = "/") -> list[str]:
    folder = _rooted(path).rstrip("/")
    found = tree.open(folder or "/")
    if found is None:
        raise LookupError(f"there is no folder {path}")
    try:
        names = sorted(os.listdir(found.descriptor))[:_MOST_NAMES]
    finally:
        os.close(found.descriptor)
    return [name for name in names if not tree.hidden.hides(f"{folder}/{name}", tree.root)]
