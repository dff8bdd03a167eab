"""What must not be left open: in place of a directive that keeps requests out and is not converted stands a refusal."""

from __future__ import annotations

import re

from edgescript.convert import mend
from edgescript.convert.caddy import order
from edgescript.convert.caddy.context import Context
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Comment, Directive, Node

#: Without these, requests would be answered that Caddy would have refused, or files sent that it would have run.
_GUARDS = {"basic_auth": None, "forward_auth": None, "php_fastcgi": "*.php", "php_server": "*.php"}
#: Directives of plug-ins that ask who a client is: `authorize`, `authenticate`, `jwtauth`, `oidc`…
_OF_PLUGINS = re.compile(r"auth|jwt|oidc|saml|ipfilter|geoip")
_BLOCKS = ("handle", "handle_path", "route")


def is_guard(name: str) -> bool:
    """Whether a directive, whatever it says, keeps requests out."""
    is_known = name in order.ORDER or name in order.UNORDERED
    return name in _GUARDS or (not is_known and _OF_PLUGINS.search(name) is not None)


def guard(name: str, matcher: str | None, line: Line, context: Context) -> list[Node]:
    """In place of a directive that keeps something closed: refuse what it would have looked after."""
    if not _keeps_out(line, context):
        return []
    message = f"{name} is not converted"
    pattern = _GUARDS.get(name)
    found: list[Node] = [Comment(f"closed, because {name} is not {'there' if is_guard(name) else 'converted'}")]
    if name == "handle_path" and line.arguments:
        matcher = line.arguments[0]
    is_known = matcher is not None and matcher not in context.broken
    if pattern is not None:
        test: list[Node] = [Directive(["path", pattern])]
    elif matcher is not None and is_known:
        if name in _BLOCKS:
            return [*found, Directive(["handle", matcher], [Directive(["error", "501", message])])]
        return [*found, Directive(["error", matcher, "501", message])]
    else:
        test = context.wider.get(matcher or "", [])
    return [*found, *mend.refusal(context.new_matcher("closed"), message, test=test, for_block=name in _BLOCKS)]


def _keeps_out(line: Line, context: Context, depth: int = 0) -> bool:
    """Whether a directive refuses requests, or its block has one that does."""
    name = order.ALIASES.get(line.name, line.name)
    if is_guard(name) or name in ("error", "abort"):
        return True
    if name == "respond":
        return any(re.fullmatch(r"4\d\d", word) for word in line.arguments)
    if name not in (*_BLOCKS, "invoke") or depth > 20:
        return False
    inside = context.routes.get(line.arguments[-1], []) if name == "invoke" and line.arguments else line.block
    return any(_keeps_out(one, context, depth + 1) for one in inside or ())
