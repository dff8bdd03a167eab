"""Compress responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal

from edgescript.bodies import fields
from edgescript.bodies.codings import CODINGS
from edgescript.bodies.transform import Transformed, Transformer, transform
from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, group, option, rest
from edgescript.declare.kinds import Size
from edgescript.directives.header import ResponseMatch
from edgescript.http import accept
from edgescript.http.exchange import Exchange
from edgescript.http.headers import every, first
from edgescript.http.message import Response

#: In the order in which they are offered, where nothing is said.
_ALL: tuple[Name, ...] = ("zstd", "br", "gzip")

#: Values of Accept-Encoding up to this length are remembered; browsers and libraries send about thirty different ones.
_REMEMBERED = 256

Name = Literal["zstd", "br", "gzip"]
Encoders = dict[str, Callable[[], Transformer]]


@record
class Level:
    """How much effort goes into one coding."""

    coding: Name = arg("The coding.")
    level: int = arg("1 to 9 for gzip and zstd, 0 to 7 for br; more is smaller and slower.")

    def check(self) -> Iterator[Complaint]:
        levels = CODINGS[self.coding].levels
        if self.level not in levels:
            message = f"{self.coding} has levels from {levels[0]} to {levels[-1]} here"
            slower = (
                "higher ones hold up all other requests: compress files before, and serve them with `precompressed`"
            )
            yield Complaint("level", message, slower if self.level > levels[-1] else None, "E106")


@directive("encode", role=Role.WRAPPER, elsewhere=("compress",))
class Encode:
    """
    Compress responses for clients that take it.

    The client's `Accept-Encoding` decides between the codings; of those it wants equally, the first one written is taken.
    Compressed are responses of textual types, from `minimum_length` on, whichever directive below gives them, files and
    servers behind `proxy` included. Left as they are: what is compressed already, parts of files, and what forbids it with
    `Cache-Control: no-transform`.

    Bodies are compressed as they come. When the source pauses, what has come is sent, and of server-sent events each at
    once. Entity tags become weak, so that questions whether something has changed work on; `Vary` says that the answer
    depends on the client.

    ```edge-test
    :80 {
        encode zstd br gzip {
            minimum_length 10
            level br 5
        }
        header ETag `"v1"`
        respond "a text that is long enough"
    }
    test "the client's wish counts" {
        request GET http://localhost/
        header Accept-Encoding "gzip;q=0.5, br"
        expect header Content-Encoding br
        expect header Vary accept-encoding
        request GET http://localhost/
        header Accept-Encoding "gzip, zstd"
        expect header Content-Encoding zstd
    }
    test "a client that takes nothing gets the text" {
        request GET http://localhost/
        expect body "a text that is long enough"
        expect header !Content-Encoding
        expect header Vary accept-encoding
    }
    ```
    """

    codings: tuple[Name, ...] = rest("What is offered, by preference; zstd, br and gzip if none is given.")
    minimum_length: Size = option("Shorter bodies are left as they are.", default="512", elsewhere=("gzip_min_length",))
    level: tuple[Level, ...] = option(
        "The effort for a coding; left out, zstd 3, br 4 and gzip 5.",
        repeated=True,
        elsewhere=("gzip_comp_level", "brotli_comp_level"),
    )
    types: tuple[str, ...] = option(
        "Media types that are compressed; `*` stands for anything.",
        default="text/* application/json application/*+json application/xml application/*+xml application/javascript"
        " application/x-javascript application/x-ndjson application/yaml application/toml application/wasm"
        " application/rtf application/graphql-response application/vnd.ms-fontobject application/x-font-ttf font/ttf"
        " font/otf image/svg+xml image/bmp image/x-icon image/vnd.microsoft.icon",
        elsewhere=("gzip_types",),
    )
    match: ResponseMatch | None = group("Which responses are compressed, besides what `types` says.")
    prefer: Literal["client", "server"] = option(
        "Whose order counts: the client's weights, or the order of the codings here among those that it takes.",
        default="client",
    )

    def check(self) -> Iterator[Complaint]:
        for name in _repeated(self.codings):
            yield Complaint("codings", f"{name} is there twice")
        for name in _repeated([level.coding for level in self.level]):
            yield Complaint("level", f"{name} has two levels")
        for level in self.level:
            if level.coding not in self._offered:
                yield Complaint("level", f"{level.coding} is not offered", f"write it behind `encode`: {level.coding}")

    def effects(self) -> Iterator[str]:
        yield f"are compressed with {', '.join(self._offered)}, where the client takes it"

    @property
    def _offered(self) -> tuple[Name, ...]:
        return self.codings or _ALL

    def build(self, build: Build) -> Action:
        encode = _encoder(self)
        return lambda exchange: exchange.on_response(encode)


def _encoder(entry: Encode) -> Callable[[Exchange, Response], None]:
    choose = _chooser(entry._offered, by_client=entry.prefer == "client")
    encoders = _encoders(entry)
    is_fitting_type = fields.type_test(entry.types)
    fits = None if entry.match is None else entry.match.build()
    least = max(1, entry.minimum_length)

    def encode(exchange: Exchange, response: Response) -> None:
        headers = response.headers
        if response.status == 304:
            fields.not_modified(exchange.headers, headers)
            fields.vary_by_encoding(headers)
            return
        if (
            not is_fitting_type(headers)
            or not fields.is_whole(response.status, headers)
            or first(headers, b"content-encoding") is not None
            or fields.forbids_transforming(headers)
            or (fits is not None and not fits(response))
        ):
            return
        coding, is_needed = choose(exchange)
        is_head = exchange.original_method == b"HEAD"
        length = _length(response, is_head=is_head)
        if length is not None and length < (1 if is_needed else least):
            return
        fields.vary_by_encoding(headers)
        if coding is None:
            return
        prompt = fields.is_event_stream(headers)
        fields.body_changes(headers)
        headers.append((b"content-encoding", coding.encode("ascii")))
        if is_head:  # as with GET, but for the length, which only the work would tell (RFC 9110 9.3.2)
            response.body = Transformed(response.body, encoders[coding])
        else:
            response.body = transform(response.body, encoders[coding], prompt=prompt)

    return encode


def _encoders(entry: Encode) -> Encoders:
    levels = {level.coding: level.level for level in entry.level}

    def maker(name: Name) -> Callable[[], Transformer]:
        coding = CODINGS[name]
        level = levels.get(name, coding.default)
        return lambda: coding.encoder(level)

    return {name: maker(name) for name in entry._offered}


def _chooser(offered: tuple[Name, ...], *, by_client: bool) -> Callable[[Exchange], tuple[str | None, bool]]:
    """The coding for a request, if any; and whether its client wants nothing that is not coded."""

    def choose(accepted: tuple[bytes, ...]) -> tuple[str | None, bool]:
        ranked = accept.codings(accepted, offered, by_client=by_client)
        return (ranked[0], accept.refuses_identity(accepted)) if ranked else (None, False)

    remembered = lru_cache(maxsize=256)(choose)

    def of(exchange: Exchange) -> tuple[str | None, bool]:
        accepted = tuple(every(exchange.headers, b"accept-encoding"))
        return remembered(accepted) if sum(map(len, accepted)) <= _REMEMBERED else choose(accepted)

    return of


def _length(response: Response, *, is_head: bool) -> int | None:
    """How long the body is, or with GET would be, as far as that is known."""
    body = response.body
    if is_head and body == b"":  # as `files` and servers behind `proxy` answer it
        return fields.said_length(response.headers)
    return len(body) if isinstance(body, bytes) else body.length


def _repeated(names: tuple[Name, ...] | list[Name]) -> list[Name]:
    return [name for number, name in enumerate(names) if name in names[:number]]
