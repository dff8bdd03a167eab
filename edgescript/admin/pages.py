"""The dashboard's files, and the list of what there is for those who are no browser."""

from __future__ import annotations

import inspect
from functools import cache, partial
from pathlib import Path

from edgescript.admin import found
from edgescript.admin.request import Request, json_answer
from edgescript.http.message import Response

#: Scripts and styles come from here only, nothing is shown in a frame, and forms go nowhere.
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}


def find(path: str) -> found.Resource | None:
    """The dashboard, or one of its files."""
    if path == "/":
        return found.Resource("/", "The dashboard.", {"GET": _index})
    name = path.removeprefix("/static/")
    if name == path or name not in _files():
        return None
    return found.Resource(path, "A file of the dashboard.", {"GET": partial(_file, name)})


async def _index(request: Request) -> Response:
    if request.prefers("application/json", "text/html") == "text/html":
        return await _file("index.html", request)
    listed = [
        {
            "path": resource.path,
            "doc": resource.doc,
            "methods": {method: inspect.getdoc(handler) or "" for method, handler in resource.handlers.items()},
        }
        for resource in found.resources().values()
    ]
    return json_answer({"resources": listed}, headers=[(b"vary", b"accept")])


async def _file(name: str, request: Request) -> Response:
    body, kind = _files()[name]
    return Response(200, [(b"content-type", kind), (b"vary", b"accept")], body)


@cache
def _files() -> dict[str, tuple[bytes, bytes]]:
    """All of them, with their types: they are few and small."""
    return {file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in _FOLDER.iterdir() if file.suffix in _TYPES}
