"""Rewrite the request to the first of several files that exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from edgescript.declare.entries import Action, Build, Complaint, Role, directive
from edgescript.declare.fields import option, rest
from edgescript.declare.kinds import STATUS, TEMPLATE, Kind, KindError, Scope, Template
from edgescript.directives._uri import change, query_template
from edgescript.files.candidates import POLICIES, Present, normal, present
from edgescript.files.roots import absolute
from edgescript.http import target as targets
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing to try: a path, perhaps with the query to go with it, or `=404`."""

    text: str
    path: Template
    query: Template | None
    status: int | None


def _parse(text: str, scope: Scope) -> Candidate:
    path, mark, query = text.partition("?")
    try:
        status = scope.value(STATUS, text[1:]) if text.startswith("=") else None
    except KindError as error:
        raise KindError("expected a status code behind the =, such as =404") from error
    brought = query_template(query, len(path) + 1, scope) if mark else None
    return Candidate(text, scope.value(TEMPLATE, path), brought, status)


CANDIDATE = Kind(
    "file to try",
    "a path such as {path} or /index.html, or a status such as =404",
    ("{path}", "/index.html", "/index.php?{query}", "=404"),
    _parse,
    lambda candidate: candidate.text,
)


@directive("try_files", role=Role.REWRITER, matcher=False)
class TryFiles:
    """
    Rewrite the request to the first of several files that exists.

    A path that ends with a slash means a folder, any other a file; both are looked for below `root`. With `?…` it brings its
    own query. If none is there, the request stays as it is, or is answered with the status given last. A site whose pages
    are made in the browser wants `try_files {path} /index.html`.

    ```edge-test
    http://example.com {
        root /srv/none
        try_files {path} {path}/ =404
        files
    }
    test "what is not there is not found" {
        request GET http://example.com/missing
        expect status 404
    }
    ```
    """

    files: tuple[Annotated[Candidate, CANDIDATE], ...] = rest(
        "What to try, in this order; last, perhaps, a status.", least=1
    )
    policy: Literal[
        "first_exist", "first_exist_fallback", "smallest_size", "largest_size", "most_recently_modified"
    ] = option(
        "Which one to take of those that exist; `first_exist_fallback` takes the last one whether it exists or not.",
        default="first_exist",
    )

    def check(self) -> Iterator[Complaint]:
        if any(file.status is not None for file in self.files[:-1]):
            yield Complaint("files", "a status can only be the last thing to try")
        if len(self.files) == 1 and self.files[0].status is not None:
            yield Complaint(
                "files", "there is nothing to try before the status", 'use "error" to answer every request so'
            )

    def build(self, build: Build) -> Action:
        directory = absolute(".", build.directory())
        tried = [file for file in self.files if file.status is None]
        status = self.files[-1].status
        falls_back = self.policy == "first_exist_fallback"
        choose = POLICIES["first_exist" if falls_back else self.policy]

        def try_files(exchange: Exchange) -> None:
            root = exchange.root or directory
            chosen = choose(present(root, (file.path.read(exchange) for file in tried)))
            if chosen is None and falls_back:
                chosen = Present(len(tried) - 1, normal(tried[-1].path.read(exchange)) or "/", 0, 0)
            if chosen is not None:
                _rewrite(exchange, chosen.path, tried[chosen.number].query)
            elif status is not None:
                raise HTTPError(status, "none of the files to try exists")

        return try_files


def _rewrite(exchange: Exchange, path: str, query: Template | None) -> None:
    # A path that stays keeps the client's own encoding.
    raw_path = exchange.raw_path if path == exchange.path else targets.encode(path)
    if query is not None:
        change(exchange, raw_path, query.read(exchange).encode("utf-8", "surrogateescape") or None)
    elif raw_path != exchange.raw_path:
        exchange.set_uri(raw_path, exchange.query)
