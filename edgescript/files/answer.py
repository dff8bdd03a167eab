"""What a request for a file is answered: one page from the path to the response.

The stages: a file that is known already → look it up (index files, canonical addresses) → method → preconditions → ranges →
body. A descriptor is closed by whoever decides not to send from it; one that is handed on in a `FileRange` or a
`Multipart` is closed by the engine.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from edgescript.files import conditional, precompressed, ranges
from edgescript.files.conditional import CONDITIONS, Outcome, Validators
from edgescript.files.listing import Listing
from edgescript.files.ranges import Multipart, Range
from edgescript.files.resolve import (
    OPEN_FLAGS,
    Found,
    Hidden,
    Identity,
    Symlinks,
    Tree,
    identity,
    raise_unless_missing,
)
from edgescript.files.types import content_type
from edgescript.http import target as targets
from edgescript.http.accept import codings
from edgescript.http.body import Body, FileRange
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, every, replace
from edgescript.http.message import HTTPError, Response

#: Up to so many bytes, a file is read and sent with its head in one write; a longer one is left to sendfile. Measured in
#: requests per CPU-second: reading wins by a tenth at 16 and 32 KiB, nothing at 64 KiB, and loses by a tenth at 256 KiB.
SMALL = 32768

#: Files whose headers are remembered, of each root, and roots of one directive (they may come from placeholders).
MOST_KNOWN = 4096
MOST_ROOTS = 256

_READING = (b"GET", b"HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How files are served."""

    hidden: Hidden
    index: tuple[str, ...] = ("index.html", "index.txt")
    symlinks: Symlinks = "inside"
    listing: Listing | None = None
    #: Content codings, by preference.
    codings: tuple[str, ...] = ()
    #: Instead of 200.
    status: int | None = None
    canonical: bool = True
    pass_thru: bool = False


class Known:
    """What was found out about a file, true while its identity stays."""

    __slots__ = ("full", "headers", "identity", "path", "size", "type", "validators")

    def __init__(self, found: Found, path: str, coding: str | None, *, varies: bool) -> None:
        """`path` is the file's own, below the root, without the suffix of a coding: it tells the type."""
        status = found.status
        self.full = found.full
        self.path = path
        self.identity: Identity = identity(status)
        self.size = status.st_size
        self.type = content_type(path)
        self.validators = conditional.validators(status.st_mtime_ns, status.st_size, time.time(), coding or "")
        self.headers = _headers(self.type, self.validators, coding, varies=varies)


def _headers(kind: bytes, validators: Validators, coding: str | None, *, varies: bool) -> Headers:
    headers: Headers = [(b"content-type", kind)]
    if validators.etag is not None:
        headers.append((b"etag", validators.etag))
    if validators.modified is not None:
        headers.append((b"last-modified", conditional.http_date(validators.modified)))
    headers.append((b"accept-ranges", b"bytes"))
    if coding is not None:
        headers.append((b"content-encoding", coding.encode("ascii")))
    if varies:
        headers.append((b"vary", b"accept-encoding"))
    return headers


class _Folder:
    """One root, and the files in it that are known, by the path asked for."""

    __slots__ = ("known", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.known: dict[str, Known] = {}

    def remember(self, path: str, known: Known) -> None:
        if len(self.known) >= MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[path] = known


class FileServer:
    """Answers requests with files."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._folders: dict[str, _Folder] = {}

    def answer(self, exchange: Exchange, root: str) -> Response | None:
        """
        The answer of the file that the exchange's path means below `root`; None to go on, where `pass_thru` says so.

        :raises HTTPError: 404, 403, 405, 412, 416, or 5xx where the system fails
        """
        folder = self._folders.get(root)
        if folder is None:
            folder = self._folder(root)
        known = folder.known.get(exchange.path)
        # The client's own path ends as ours does: there can be no slash to add or to take away.
        if known is not None and exchange.target.endswith(exchange.uri):
            descriptor = _reopened(known)
            if descriptor is not None:
                return self._file(exchange, folder, known, descriptor)
        return self._look_up(exchange, folder)

    def _folder(self, root: str) -> _Folder:
        if len(self._folders) >= MOST_ROOTS:
            del self._folders[next(iter(self._folders))]
        tree = Tree(root, symlinks=self.options.symlinks, hidden=self.options.hidden)
        folder = self._folders[root] = _Folder(tree)
        return folder

    # ---- from the path to a file

    def _look_up(self, exchange: Exchange, folder: _Folder) -> Response | None:
        path = exchange.path
        found = folder.tree.open(path if path == "/" else path.removesuffix("/"))
        if found is None:
            return self._go_on(exchange)
        if found.is_directory:
            return self._directory(exchange, folder, found)
        moved = self._canonical(exchange, slash=False)
        if moved is not None:
            os.close(found.descriptor)
            return moved
        known = self._known(found, path.removesuffix("/"))
        if not path.endswith("/"):
            folder.remember(path, known)
        return self._file(exchange, folder, known, found.descriptor)

    def _directory(self, exchange: Exchange, folder: _Folder, found: Found) -> Response | None:
        path = exchange.path
        base = path if path.endswith("/") else path + "/"
        try:
            for number, name in enumerate(self.options.index):
                index = folder.tree.open(base + name)
                if index is None:
                    continue
                if index.is_directory:
                    os.close(index.descriptor)
                    continue
                return self._index(exchange, folder, index, base + name, is_first=number == 0)
            if self.options.listing is None:
                return self._go_on(exchange)
            moved = self._canonical(exchange, slash=True)
            if moved is not None:
                return moved
            _check_method(exchange)
            return self.options.listing.response(exchange, folder.tree, found.descriptor)
        finally:
            os.close(found.descriptor)

    def _index(self, exchange: Exchange, folder: _Folder, found: Found, path: str, *, is_first: bool) -> Response:
        moved = self._canonical(exchange, slash=True)
        if moved is not None:
            os.close(found.descriptor)
            return moved
        known = self._known(found, path)
        if is_first:
            # An index file that is not the first may be overtaken by one that appears: it is looked for every time.
            folder.remember(exchange.path, known)
        return self._file(exchange, folder, known, found.descriptor)

    def _known(self, found: Found, path: str) -> Known:
        return Known(found, path, None, varies=bool(self.options.codings))

    def _go_on(self, exchange: Exchange) -> Response | None:
        if self.options.pass_thru:
            return None
        raise HTTPError(404, f"there is no file for {exchange.path!r}")

    def _canonical(self, exchange: Exchange, *, slash: bool) -> Response | None:
        """
        A redirect to the address with, or without, a slash at its end; None where the client asked for that one.

        Its own address counts, not what rewriters made of it; and none is sent where they changed the last segment, for
        they may have their reasons, and a loop may be one of the results (caddyserver/caddy#4205).
        """
        if not self.options.canonical:
            return None
        _, raw_path, query = targets.split(exchange.target)
        asked = targets.decode(raw_path)
        if asked.endswith("/") == slash or _last(asked) != _last(exchange.path):
            return None
        # The normal form begins with exactly one slash and has no backslash: it cannot be read as another host.
        location = targets.encode(asked.rstrip("/") + "/" * slash)
        if query is not None:
            location += b"?" + query
        return Response(308, [(b"location", location)])

    # ---- from the file to a response

    def _file(self, exchange: Exchange, folder: _Folder, known: Known, descriptor: int) -> Response:
        try:
            _check_method(exchange)
            if self.options.codings:
                known, descriptor = self._precompressed(exchange, folder, known, descriptor)
            status = self.options.status or _status_in_place(exchange)
            if status == 200 and any(name in CONDITIONS for name, _ in exchange.headers):
                return _conditional(exchange, known, descriptor)
            return _whole(exchange, known, descriptor, status)
        except OSError as error:
            os.close(descriptor)
            raise HTTPError(500, f"cannot read the file: {error.strerror}") from error
        except HTTPError:
            os.close(descriptor)
            raise

    def _precompressed(self, exchange: Exchange, folder: _Folder, plain: Known, descriptor: int) -> tuple[Known, int]:
        """The best sibling that there is, in place of the file itself."""
        for coding in codings(every(exchange.headers, b"accept-encoding"), self.options.codings):
            # A name that no path has: `/app.js.gz` can also be asked for itself, and is no coding of anything then.
            name = f"{plain.path}\0{coding}"
            sibling = folder.known.get(name)
            opened = None if sibling is None else _reopened(sibling)
            if sibling is None or opened is None:
                found = _sibling(folder.tree, plain.path + precompressed.SUFFIXES[coding])
                if found is None:
                    continue
                opened = found.descriptor
                sibling = Known(found, plain.path, coding, varies=True)
                folder.remember(name, sibling)
            os.close(descriptor)
            return sibling, opened
        return plain, descriptor


def _reopened(known: Known) -> int | None:
    """A descriptor of a file that is known, if it is still the same one."""
    try:
        descriptor = os.open(known.full, OPEN_FLAGS)
    except OSError as error:
        raise_unless_missing(error)
        return None
    if identity(os.fstat(descriptor)) == known.identity:
        return descriptor
    os.close(descriptor)
    return None


def _sibling(tree: Tree, path: str) -> Found | None:
    """The precompressed file at `path`. One that may not be read does as if it were not there: the plain file does."""
    try:
        found = tree.open(path)
    except HTTPError as error:
        if error.status != 403:
            raise
        return None
    if found is not None and found.is_directory:
        os.close(found.descriptor)
        return None
    return found


def _status_in_place(exchange: Exchange) -> int:
    """The status of a file: that of the error in whose place it is sent, whoever raised it, or 200."""
    if exchange.intercepted is not None:
        status = exchange.intercepted.status
        return status if status >= 400 else 200
    return 200 if exchange.error is None else exchange.error.status


def _check_method(exchange: Exchange) -> None:
    """
    :raises HTTPError: 405; but not while an error or another response is answered, whatever method led to it
    """
    if exchange.method not in _READING and exchange.error is None and exchange.intercepted is None:
        raise HTTPError(405, "files can only be read", [(b"allow", b"GET, HEAD")])


def _conditional(exchange: Exchange, known: Known, descriptor: int) -> Response:
    headers = exchange.headers
    outcome = conditional.evaluate(exchange.method, headers, known.validators)
    if outcome is Outcome.FAILED:
        raise HTTPError(412, "a precondition does not hold")
    if outcome is Outcome.NOT_MODIFIED:
        os.close(descriptor)
        return Response(304, [pair for pair in known.headers if pair[0] in _OF_NOT_MODIFIED])
    asked = every(headers, b"range")
    if (
        exchange.method != b"GET"
        or len(asked) != 1
        or not conditional.range_applies(headers, known.validators, time.time())
    ):
        return _whole(exchange, known, descriptor, 200)
    selected = ranges.select(asked[0], known.size)
    if selected is None:
        return _whole(exchange, known, descriptor, 200)
    if not selected:
        # RFC 9110 15.5.17: how long the file really is.
        raise HTTPError(
            416, "none of the ranges is there", [(b"content-range", ranges.content_range(None, known.size))]
        )
    return _parts(known, descriptor, selected)


#: What a 304 repeats of the 200 that it stands for (RFC 9110 15.4.5).
_OF_NOT_MODIFIED = frozenset((b"etag", b"last-modified", b"vary"))


def _whole(exchange: Exchange, known: Known, descriptor: int, status: int) -> Response:
    headers = known.headers.copy()
    if exchange.method == b"HEAD":
        os.close(descriptor)
        headers.append((b"content-length", b"%d" % known.size))
        return Response(status, headers)
    return Response(status, headers, _content(descriptor, 0, known.size))


def _parts(known: Known, descriptor: int, selected: list[Range]) -> Response:
    headers = known.headers.copy()
    body: bytes | FileRange | Body
    if len(selected) == 1:
        headers.append((b"content-range", ranges.content_range(selected[0], known.size)))
        body = _content(descriptor, selected[0].start, selected[0].length)
    else:
        body = Multipart(descriptor, selected, known.size, known.type)
        replace(headers, b"content-type", b"multipart/byteranges; boundary=" + body.boundary)
    return Response(206, headers, body)


def _content(descriptor: int, start: int, length: int) -> bytes | FileRange:
    if length > SMALL:
        return FileRange(descriptor, start, length)
    data = os.pread(descriptor, length, start)
    if len(data) != length:
        raise HTTPError(500, "the file became shorter while it was read")
    os.close(descriptor)
    return data


def _last(path: str) -> str:
    return path.removesuffix("/").rpartition("/")[2]
