"""`try_files`: Caddy's `{path}` means a file even where the request's path ends with a slash."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, same
from edgescript.convert.edgefile import Comment, Directive, Node


def convert(call: Call) -> list[Node]:
    block = call.options({"policy": same("policy")})
    made = call.directive("try_files", [], block or None)
    words = call.texts(call.arguments)
    made.words += words
    without = [word for word in words if not word.endswith("}")]
    if len(without) == len(words) or any(word.endswith("{path}/") for word in words):
        return [made]
    name = call.context.new_matcher("folder")
    return [Comment("a path that ends with a slash names no file"), _by_ending(made, without, name)]


def _by_ending(made: Directive, without: list[str], matcher: str) -> Directive:
    """For paths that end with a slash, try only what does not end with the path itself."""
    of_folders: list[Node] = [Directive(["try_files", *without], made.block)] if without else []
    handles: list[Node] = [Directive(["handle", matcher], of_folders), Directive(["handle"], [made])]
    return Directive(["route"], [Directive([matcher, "path", "*/"]), *handles])
