"""Answer with files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Build, Built, Complaint, Role, directive, record
from edgescript.declare.fields import Risk, arg, group, option, rest
from edgescript.declare.kinds import PathTemplate, Status
from edgescript.directives._root import finder
from edgescript.files import roots
from edgescript.files.answer import FileServer, Options
from edgescript.files.listing import Listing, check_page
from edgescript.files.resolve import Hidden
from edgescript.http.body import discard
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first
from edgescript.http.message import HTTPError, Response


@record
class Browse:
    """How a folder without an index file is listed."""

    template: str | None = arg("A jinja2 page to use instead of the built-in one.")
    limit: int = option("How many entries of a folder are read.", default="10000", least=1, most=1_000_000)


@record
class Precompressed:
    """Which compressed files are looked for."""

    codings: tuple[Literal["br", "zstd", "gzip"], ...] = rest(
        "By preference; all three, in this order, if none is given."
    )


@directive("files", role=Role.TERMINAL, elsewhere=("file_server",))
class Files:
    """
    Answer GET and HEAD with files of a folder.

    A folder is answered with its index file, at an address that ends with a slash; a file at one that does not. Conditional
    and range requests, entity tags and modification times are looked after. Nothing outside the folder can be reached, nor
    what is hidden: the Edgefile, `*.edge`, and names that begin with a dot (but `.well-known`).

    ```edge-test
    http://example.com {
        files /srv/none
    }
    test "a file that is not there" {
        request GET http://example.com/missing.txt
        expect status 404
    }
    ```
    """

    root: PathTemplate | None = arg(
        "The folder; the one set by `root` if left out, else the folder of the Edgefile.", risk=Risk.FOLDER
    )
    index: tuple[str, ...] = option(
        "Names of index files, the first that exists is taken.", default="index.html index.txt"
    )
    hide: tuple[tuple[str, ...], ...] = option(
        "Names (`*.bak`), or paths on disk if there is a slash (`./private`), that are treated as if they were not there.",
        repeated=True,
    )
    dotfiles: bool = option("Serve names that begin with a dot too.", default="off")
    browse: Browse | None = group("List folders that have no index file, as a page, or as JSON where that is accepted.")
    precompressed: Precompressed | None = group(
        "Send `app.js.br`, `.zst` or `.gz` for `app.js` to clients that accept it."
    )
    symlinks: Literal["inside", "off", "on"] = option(
        "Follow symbolic links that end inside the folder, none, or all of them.", default="inside"
    )
    status: Status | None = option(
        "The status to answer with, instead of 200; below `handle_errors`, that of the error."
    )
    canonical_uris: bool = option("Redirect to the address with, or without, a slash at its end.", default="on")
    pass_thru: bool = option(
        "Leave what is not found to the directives below, instead of answering 404.", default="off"
    )

    @property
    def falls_through(self) -> bool:
        return self.pass_thru

    def check(self) -> Iterator[Complaint]:
        if self.root is not None and self.root.text == "browse" and self.browse is None:
            yield Complaint(
                "root", '"browse" would be the folder here', 'write "browse" on a line of the block, or "./browse"'
            )
        if any("/" in name for name in self.index):
            yield Complaint("index", "an index file is a name, without a slash")

    def build(self, build: Build) -> Built:
        directory = roots.absolute(".", build.directory())
        find_root = finder(self.root, directory)
        server = FileServer(self._options(directory, build.source()))

        def files(exchange: Exchange) -> Response | None:
            return server.answer(exchange, find_root(exchange))

        def explain(exchange: Exchange) -> str | None:
            root = find_root(exchange)
            path = _printable(root.rstrip("/") + exchange.path)
            try:
                response = server.answer(exchange, root)
            except HTTPError as error:
                raise HTTPError(error.status, f"{error.reason} ({path})") from None
            return None if response is None else _told(response, path)

        return Built(files, explain)

    def _options(self, directory: str, own: str) -> Options:
        patterns = [pattern for line in self.hide for pattern in line]
        codings = () if self.precompressed is None else self.precompressed.codings or ("br", "zstd", "gzip")
        return Options(
            hidden=Hidden(patterns, dotfiles=self.dotfiles, directory=directory, own=own),
            index=self.index,
            symlinks=self.symlinks,
            listing=None if self.browse is None else _listing(self.browse, directory),
            codings=codings,
            status=self.status,
            canonical=self.canonical_uris,
            pass_thru=self.pass_thru,
        )


def _told(response: Response, path: str) -> str:
    """For `edge explain`: which file, or where it leads."""
    discard(response.body)
    location = first(response.headers, b"location")
    if location is not None:
        return f"redirect to {location.decode('latin-1')} ({response.status})"
    return f"answer {response.status} with {path}"


def _printable(path: str) -> str:
    """What is no text cannot be printed either."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _listing(browse: Browse, directory: str) -> Listing:
    template = None if browse.template is None else roots.absolute(browse.template, directory)
    if template is not None:
        check_page(template)
    return Listing(most=browse.limit, template=template)
