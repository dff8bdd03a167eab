"""`file_server` is `files`; Caddy's hides no names that begin with a dot, and follows every symbolic link."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, Option, missing, never, nothing, same
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    call.several(1)
    if call.arguments not in ([], ["browse"]):
        raise NotConverted(f'"{call.arguments[0]}" is no argument of file_server')
    browse: list[Node] = [Directive(["browse"])] if call.arguments else []
    root = [word for line in call.line.block or () if line.name == "root" for word in call.texts(line.arguments[:1])]
    block = [*browse, *call.options(_OPTIONS), Directive(["dotfiles", "on"]), Directive(["symlinks", "on"])]
    made = call.directive("files", [] if call.matcher is None and root else root, block)
    if call.matcher is None and root:
        made.words += ["*", *root]
    return [made]


def _browse(call: Call, line: Line) -> list[Node]:
    if call.arguments:
        return []
    if line.arguments:
        raise NotConverted("templates of Caddy for listings are written in another language")
    return [Directive(["browse"], call.options(_BROWSE, line.block or ()) or None)]


def _hide(call: Call, line: Line) -> list[Node]:
    return [Directive(["hide", *call.texts(line.arguments)])]


_BROWSE: dict[str, Option] = {"file_limit": same("limit"), "reveal_symlinks": missing, "sort": missing}
_OPTIONS: dict[str, Option] = {
    "root": nothing,
    "index": same("index"),
    "hide": _hide,
    "browse": _browse,
    "precompressed": same("precompressed"),
    "status": same("status"),
    "disable_canonical_uris": lambda call, line: [Directive(["canonical_uris", "off"])],
    "pass_thru": lambda call, line: [Directive(["pass_thru"])],
    "fs": never("files come from the disk only"),
    "etag_file_extensions": never("entity tags come from the files themselves"),
}
