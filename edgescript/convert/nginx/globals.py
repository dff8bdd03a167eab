"""What holds for the whole server: timeouts of clients, and whom to believe about addresses."""

from __future__ import annotations

from edgescript.convert.edgefile import Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, walk
from edgescript.convert.nginx.values import duration, is_network
from edgescript.convert.report import Outcome

_TIMEOUTS = {
    "client_header_timeout": "read_header",
    "client_body_timeout": "read_body_idle",
    "send_timeout": "write_idle",
    "keepalive_timeout": "idle",
}


def settings(ctx: Context) -> list[Node]:
    """The lines of the global block."""
    return [*_workers(ctx), *_timeouts(ctx), *_proxies(ctx)]


def _of_all(ctx: Context, name: str) -> list[Line]:
    """The lines of a name in `http` and in servers: what they say holds for all of this server."""
    return [
        line
        for line in walk(ctx.root)
        if line.name == name and line.parent is not None and line.parent.name in ("http", "server", "")
    ]


def _workers(ctx: Context) -> list[Node]:
    nodes: list[Node] = []
    for line in _of_all(ctx, "worker_processes")[:1]:
        if line.value == "auto" or line.value.isdigit():
            ctx.notes.done(line)
            nodes.append(ctx.directive(line, "workers", line.value))
        else:
            nodes += ctx.refuse(line, "a number of workers, or auto")
    return nodes


def _timeouts(ctx: Context) -> list[Node]:
    block: list[Node] = []
    for name, option in _TIMEOUTS.items():
        lines = _of_all(ctx, name)
        if not lines:
            continue
        if len({line.value for line in lines}) > 1:
            for line in lines[1:]:
                ctx.notes.say(
                    line, Outcome.PARTLY, f"there is one such time for the whole server: that of {lines[0].place}"
                )
        value = duration(lines[0].value)
        if value is None or value == "0s":
            block += ctx.refuse(lines[0], "a time that never ends, or none, is not there: see `edge help timeouts`")
            continue
        ctx.notes.done(*lines)
        block += ctx.commented(lines[0], [ctx.directive(lines[0], option, value)])
    return [ctx.directive(None, "timeouts", block=block)] if block else []


def _proxies(ctx: Context) -> list[Node]:
    lines = _of_all(ctx, "set_real_ip_from")
    networks = list(dict.fromkeys(line.value for line in lines if is_network(line.value)))
    nodes: list[Node] = []
    for line in lines:
        if is_network(line.value):
            ctx.notes.done(line)
        else:
            nodes += ctx.refuse(line, "a proxy is known by its address or network")
    if networks:
        nodes.append(ctx.directive(lines[0], "trusted_proxies", *networks))
    headers = _of_all(ctx, "real_ip_header")
    if headers:
        nodes += _header(ctx, headers)
    elif networks:
        nodes.append(ctx.directive(lines[0], "client_ip_headers", "X-Real-IP"))
    return nodes


def _header(ctx: Context, lines: list[Line]) -> list[Node]:
    line = lines[0]
    if line.value == "proxy_protocol":
        return ctx.refuse(line, "the PROXY protocol: not there yet", Outcome.NOT_YET)
    ctx.notes.done(*lines)
    return [] if line.value.lower() == "x-forwarded-for" else [ctx.directive(line, "client_ip_headers", line.value)]
