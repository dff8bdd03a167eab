"""What is in a folder, as a page for people or as JSON for programs.

A folder is read while nobody else is served: a thousand entries take some milliseconds, which is why `Listing.most` is there.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from edgescript.files.resolve import Tree
from edgescript.http.accept import weights
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, every
from edgescript.http.message import HTTPError, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    import jinja2

_TEMPLATE = Path(__file__).with_name("listing.html")


@dataclass(frozen=True, slots=True)
class Item:
    """One file or folder of a listing."""

    #: As shown; bytes that are no text are replaced. Folders end with a slash.
    name: str
    #: Relative to the folder, escaped.
    url: str
    size: int
    #: Seconds since 1970.
    modified: float
    mode: int
    is_directory: bool
    is_symlink: bool

    @property
    def date(self) -> str:
        return _date(self.modified)

    @property
    def readable_size(self) -> str:
        return readable(self.size)


#: `?sort=`, by the names that Caddy's listings use.
SORTS: dict[str, Callable[[Item], Any]] = {
    "namedirfirst": lambda item: (not item.is_directory, item.name.casefold()),
    "name": lambda item: item.name.casefold(),
    "size": lambda item: (-1 if item.is_directory else item.size, item.name.casefold()),
    "time": lambda item: (item.modified, item.name.casefold()),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What the query of a listing asks for."""

    sort: str
    descending: bool
    limit: int | None
    offset: int


def order(query: bytes | None) -> Order:
    """`sort`, `order`, `limit` and `offset` of a query; what has no meaning there is passed over."""
    try:
        asked = dict(parse_qsl((query or b"").decode("latin-1"), max_num_fields=32))
    except ValueError:
        asked = {}
    sort = asked.get("sort", "")
    return Order(
        sort if sort in SORTS else "namedirfirst",
        asked.get("order") == "desc",
        _count(asked.get("limit", "")),
        _count(asked.get("offset", "")) or 0,
    )


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How folders without an index file are listed."""

    #: Folders may hold more than is good for a page, or for the server that makes it.
    most: int = 10_000
    #: A page of one's own instead of the built-in one.
    template: str | None = None

    def response(self, exchange: Exchange, tree: Tree, descriptor: int) -> Response:
        """
        The listing of the open folder that the exchange's path means.

        :raises HTTPError: 403, if it may not be read
        """
        items, is_cut = self._items(exchange.path, tree, descriptor)
        asked = order(exchange.query)
        items.sort(key=SORTS[asked.sort], reverse=asked.descending)
        shown = items[asked.offset :] if asked.limit is None else items[asked.offset : asked.offset + asked.limit]
        if wants_json(exchange.headers):
            kind, content = b"application/json", _as_json(shown)
        else:
            kind, content = (
                b"text/html; charset=utf-8",
                self._as_page(exchange.path, shown, items, asked, is_cut=is_cut),
            )
        headers = [(b"content-type", kind), (b"vary", b"accept")]
        if exchange.method == b"HEAD":
            return Response(200, [*headers, (b"content-length", b"%d" % len(content))])
        return Response(200, headers, content)

    def _items(self, path: str, tree: Tree, descriptor: int) -> tuple[list[Item], bool]:
        base = path if path.endswith("/") else path + "/"
        try:
            with os.scandir(descriptor) as entries:
                items = [item for entry in islice(entries, self.most) if (item := _item(entry, base, tree)) is not None]
                return items, next(entries, None) is not None
        except OSError as error:
            # The folder may be entered, not read.
            raise HTTPError(403, f"cannot list the folder: {error.strerror}") from error

    def _as_page(self, path: str, shown: list[Item], items: list[Item], asked: Order, *, is_cut: bool) -> bytes:
        values = {
            "path": _shown(path),
            "crumbs": _crumbs(path),
            "items": shown,
            "folders": sum(item.is_directory for item in items),
            "files": sum(not item.is_directory for item in items),
            "total": readable(sum(item.size for item in items if not item.is_directory)),
            "order": asked,
            "most": self.most if is_cut else None,
        }
        return _rendered(self.template or str(_TEMPLATE), values)


def _item(entry: os.DirEntry[str], base: str, tree: Tree) -> Item | None:
    """An entry of a folder as it is listed; None for what would not be served either."""
    raw = os.fsencode(entry.name)
    path = base + raw.decode("utf-8", "surrogateescape")
    try:
        status = _status(entry, path, tree)
    except OSError:
        # It was removed meanwhile.
        return None
    if status is None:
        return None
    is_directory = stat.S_ISDIR(status.st_mode)
    slash = "/" if is_directory else ""
    return Item(
        name=raw.decode("utf-8", "replace") + slash,
        # The dot keeps a colon in the name from being read as the end of a scheme.
        url=f"./{quote(raw, safe='')}{slash}",
        size=status.st_size,
        modified=status.st_mtime,
        mode=status.st_mode,
        is_directory=is_directory,
        is_symlink=entry.is_symlink(),
    )


def _status(entry: os.DirEntry[str], path: str, tree: Tree) -> os.stat_result | None:
    # Where these lead, or whether it is our configuration, only opening them tells.
    if entry.is_symlink() or tree.hidden.has_own_name(entry.name):
        return tree.peek(path)
    if tree.hidden.hides(path, tree.root):
        return None
    status = entry.stat(follow_symlinks=False)
    return status if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode) else None


def _as_json(items: list[Item]) -> bytes:
    """The same members as Caddy's."""
    listed = [
        {
            "name": item.name,
            "size": item.size,
            "url": item.url,
            "mod_time": _date(item.modified),
            "mode": item.mode,
            "is_dir": item.is_directory,
            "is_symlink": item.is_symlink,
        }
        for item in items
    ]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def wants_json(headers: Headers) -> bool:
    """Whether Accept prefers JSON to a page."""
    listed = weights(every(headers, b"accept"))
    return listed.get(b"application/json", 0.0) > listed.get(b"text/html", 0.0)


def _crumbs(path: str) -> list[tuple[str, str]]:
    """The folders above, each with the way up to it."""
    segments = [segment for segment in path.split("/") if segment]
    names = ["/", *[_shown(segment) + "/" for segment in segments]]
    return [(name, "../" * (len(segments) - depth) or "./") for depth, name in enumerate(names)]


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        # File systems can hold years that calendars do not.
        return ""


def readable(size: int) -> str:
    """`4.2 MiB`."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def check_page(path: str) -> None:
    """
    Read a page of somebody's own, before anybody asks for it.

    :raises OSError: if it cannot be read
    :raises ValueError: if it has a mistake
    """
    import jinja2

    try:
        _template(path)
    except jinja2.TemplateError as error:
        raise ValueError(f"{path}: {error}") from error


def _rendered(template: str, values: dict[str, Any]) -> bytes:
    """
    :raises HTTPError: 500, if a page of somebody's own fails
    """
    import jinja2

    try:
        return _template(template).render(values).encode("utf-8", "replace")
    except (OSError, ValueError, jinja2.TemplateError) as error:
        raise HTTPError(500, f"the listing page {template}: {error}") from error


@cache
def _template(path: str) -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(Path(path).read_text("utf-8"))
