"""Header fields of responses, `expires`, `client_max_body_size`, and who may come in."""

from __future__ import annotations

from edgescript.convert.edgefile import Directive, Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, inherited, own, setting
from edgescript.convert.nginx.values import is_network, seconds, size
from edgescript.convert.nginx.variables import UnknownVariable
from edgescript.convert.nginx.words import GUARDS, OPEN
from edgescript.convert.report import Outcome

#: Without `always`, nginx adds fields to these responses: all that are neither errors nor unusual.
_GOOD = ("match", "status", "2xx", "3xx")


def headers(ctx: Context, block: Line) -> list[Node]:
    """`add_header`, as it counts in a block."""
    always: list[Node] = []
    usual: list[Node] = []
    nodes: list[Node] = []
    for line in inherited(block, "add_header"):
        if len(line.args) < 2:
            nodes += ctx.refuse(line, "add_header takes a name and a value")
            continue
        try:
            change = ctx.directive(line, f"+{line.value}", ctx.names.template(line.args[1]))
        except UnknownVariable as error:
            nodes += ctx.refuse(line, str(error)) if line.parent is block else []
            ctx.notes.say(line, Outcome.NOT, str(error))
            continue
        ctx.notes.done(line)
        (always if "always" in line.args[2:] else usual).extend(ctx.commented(line, [change]))
    return [*nodes, *_header(ctx, always), *_header(ctx, usual, usually=True)]


def _header(ctx: Context, changes: list[Node], *, usually: bool = False) -> list[Node]:
    if not changes:
        return []
    if len(changes) == 1 and isinstance(changes[0], Directive) and not usually:
        changes[0].words.insert(0, "header")
        return changes
    first = [ctx.directive(None, *_GOOD)] if usually else []
    return [ctx.directive(None, "header", block=[*first, *changes])]


def expires(ctx: Context, block: Line) -> list[Node]:
    """`expires`, as it counts in a block."""
    line = setting(block, "expires")
    if line is None:
        return []
    ctx.notes.done(line)
    match line.value:
        case "off":
            return []
        case "epoch":
            value = "no-cache"
        case "max":
            value = "max-age=315360000"
        case text:
            number = seconds(text.lstrip("-+"))
            if number is None or len(line.args) > 1:
                return ctx.refuse(line, "write it with `header Cache-Control`")
            value = "no-cache" if text.startswith("-") else f"max-age={int(number)}"
    ctx.notes.say(line, Outcome.CONVERTED, "as Cache-Control, which counts more than Expires")
    return _header(ctx, ctx.commented(line, [ctx.directive(line, "Cache-Control", value)]), usually=True)


def body_limit(ctx: Context, block: Line) -> list[Node]:
    """`client_max_body_size`, where it is said."""
    line = setting(block, "client_max_body_size")
    if line is None:
        return []
    ctx.notes.done(line)
    most = size(line.value)
    if most is None:
        return ctx.refuse(line, "this is no size")
    if most == "0":
        return []
    limit = ctx.directive(line, "request_body", block=[ctx.directive(line, "max_size", most)])
    return ctx.commented(line, [limit])


# ---- who may come in


def access(ctx: Context, block: Line) -> tuple[list[Node], bool]:
    """`allow`, `deny` and what asks for a password; whether nobody gets further."""
    nodes, closed = _networks(ctx, block)
    if closed:
        return nodes, True
    guards, closed = _guards(ctx, block)
    return [*nodes, *guards], closed


def _networks(ctx: Context, block: Line) -> tuple[list[Node], bool]:
    allowed: list[str] = []
    nodes: list[Node] = []
    for line in inherited(block, "allow", "deny"):
        if line.value != "all" and not is_network(line.value):
            nodes += ctx.refuse(line, "this is neither an address nor a network")
        elif line.name == "allow" and line.value == "all":
            ctx.notes.done(line)
            break
        elif line.name == "allow":
            ctx.notes.done(line)
            allowed.append(line.value)
        elif line.value == "all":
            ctx.notes.done(line)
            return [*nodes, *_denied(ctx, line, [], allowed)], not allowed
        else:
            ctx.notes.done(line)
            nodes += _denied(ctx, line, [line.value], allowed)
    return nodes, False


def _denied(ctx: Context, line: Line, denied: list[str], allowed: list[str]) -> list[Node]:
    """Refuse those who are in `denied` (everybody, where it is empty) and not in `allowed`."""
    if not denied and not allowed:
        return ctx.commented(line, [ctx.directive(line, "error", "403")])
    name = ctx.matcher("denied")
    rules = [("client_ip", *denied)] if denied else []
    rules += [("not", "client_ip", *allowed)] if allowed else []
    if len(rules) == 1:
        definition = ctx.directive(line, name, *rules[0])
    else:
        definition = ctx.directive(line, name, block=[ctx.directive(line, *rule) for rule in rules])
    return ctx.commented(line, [definition, ctx.directive(line, "error", name, "403")])


def _guards(ctx: Context, block: Line) -> tuple[list[Node], bool]:
    """What asks for a password is not converted: requests are refused rather than let in."""
    for name in sorted(GUARDS):
        line = setting(block, name)
        if line is not None and line.value not in OPEN:
            if not own(block, name):
                ctx.notes.done(line)
            refusal = ctx.directive(line, "error", "401", f"{name} was not converted")
            refusal.comment = "nobody comes in until this is replaced"
            return [refusal], True
    return [], False
