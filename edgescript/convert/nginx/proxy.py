"""`proxy_pass`, the `proxy_*` directives and `upstream` as `proxy` with its block."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgescript.convert.edgefile import Comment, Node
from edgescript.convert.nginx.context import Context, unconverted
from edgescript.convert.nginx.lines import Line, inherited, own, setting
from edgescript.convert.nginx.locations import where
from edgescript.convert.nginx.values import duration
from edgescript.convert.nginx.variables import VARIABLE, UnknownVariable, names_of
from edgescript.convert.nginx.words import names
from edgescript.convert.report import Outcome

_URL = re.compile(r"(https?)://(unix:[^:]+|[^/?$:]+(?::\d+)?|\[[^\]]+\](?::\d+)?)(:(?=/|$))?([/?$].*)?", re.DOTALL)
_PORTS = {"http": "80", "https": "443"}

#: Fields that `proxy` looks after by itself: what nginx sets them to here comes to the same.
_BY_ITSELF: dict[str, tuple[str, ...]] = {
    "host": ("$http_host",),
    "upgrade": ("$http_upgrade",),
    "connection": ("", "upgrade", "Upgrade", "$connection_upgrade", "$http_connection", "close", "keep-alive"),
    "x-forwarded-for": ("$proxy_add_x_forwarded_for",),
    "x-forwarded-proto": ("$scheme",),
    "x-forwarded-host": ("$http_host",),
}

_TIMEOUTS: dict[str, tuple[str, ...]] = {
    "proxy_connect_timeout": ("connect_timeout",),
    "proxy_read_timeout": ("response_header_timeout", "idle_timeout"),
}

#: Options of TLS towards servers, by the directive that says the same.
_TLS: dict[str, str] = {
    "proxy_ssl_name": "tls_server_name",
    "proxy_ssl_trusted_certificate": "tls_trust_pool",
}

_BALANCERS: dict[str, str] = {
    "least_conn": "least_conn",
    "ip_hash": "ip_hash",
    "hash": "hash",
    "random": "random",
    "least_time": "least_time",
    "sticky": "cookie",
}


@dataclass(slots=True)
class Target:
    """Where a `proxy_pass` leads."""

    scheme: str
    #: As it is written: host and perhaps port, a socket, or the name of an upstream.
    host: str
    uri: str
    endpoints: list[str] = field(default_factory=list)
    #: Of the upstream group.
    options: list[Node] = field(default_factory=list)


def proxied(ctx: Context, location: Line, line: Line, *, is_rewritten: bool) -> list[Node]:
    """
    The directives that pass a location's requests on.

    :param is_rewritten: the location changes the path by `rewrite … break`, which is then passed on as it is
    """
    try:
        target = _target(ctx, line)
    except UnknownVariable as error:
        refused = ctx.refuse(line, str(error)) if not ctx.notes.knows(line) else []
        return [*refused, ctx.directive(line, "error", "502", "proxy_pass was not converted")]
    if not target.endpoints:
        return [Comment("no server of the group takes requests"), ctx.directive(line, "error", "502")]
    ctx.notes.done(line)
    uri, rewrite = ([], []) if is_rewritten else _uri(ctx, location, line, target)
    block = [*target.options, *rewrite, *_timeouts(ctx, location), *_tls(ctx, location, target)]
    block += [*_headers_up(ctx, location, line, target), *_headers_down(ctx, location, line, target)]
    block += _retries(ctx, location)
    return [*ctx.comments(line), *uri, ctx.directive(line, "proxy", *target.endpoints, block=block or None)]


# ---- where to


def _target(ctx: Context, line: Line) -> Target:
    written = VARIABLE.sub(lambda found: ctx.names.constants.get(found[1] or found[2], found[0]), line.value)
    found = _URL.fullmatch(written)
    if found is None:
        variables = names_of(line.value)
        if variables:
            raise UnknownVariable(f"{variables[0]}, as part of a server's address,")
        raise UnknownVariable(line.value.lstrip("$"))
    target = Target(found[1], found[2], found[4] or "")
    group = ctx.upstreams.get(target.host)
    if group is None:
        target.endpoints = [endpoint(target.host, target.scheme)]
    else:
        _group(ctx, group, target)
    return target


def endpoint(host: str, scheme: str) -> str:
    """A server's address, as `proxy` takes it."""
    if host.startswith("unix:"):
        return f"unix/{host.removeprefix('unix:').rstrip(':')}"
    if scheme == "https":
        return f"https://{host}"
    return host if re.search(r":\d+$", host) else f"{host}:{_PORTS[scheme]}"


def _group(ctx: Context, group: Line, target: Target) -> None:
    """The servers of an `upstream`, and how they share the work."""
    ctx.notes.done(group)
    backups: list[str] = []
    for line in own(group, "server"):
        address = endpoint(line.value, target.scheme)
        flags = line.args[1:]
        if "down" in flags:
            ctx.notes.done(line)
            target.options.append(Comment(f"{address} is down"))
            continue
        (backups if "backup" in flags else target.endpoints).append(address)
        _flags(ctx, line, flags, target)
    if backups:
        _stand_ins(ctx, group, backups, target)
    elif len(target.endpoints) > 1:
        target.options.insert(0, _balance(ctx, group))
    target.options += _kept(ctx, group)
    for line in group.inner:
        if line.name not in ("server", "keepalive", "keepalive_timeout", "keepalive_time", *_BALANCERS):
            target.options += ctx.unknown(line)


def _flags(ctx: Context, line: Line, flags: list[str], target: Target) -> None:
    ctx.notes.done(line)
    lost = [flag for flag in flags if flag.startswith("weight=") and flag != "weight=1"]
    if lost:
        ctx.notes.say(line, Outcome.PARTLY, "weights are not there yet: the servers get equal shares")
    for flag in flags:
        if flag.startswith(("max_fails=", "fail_timeout=", "slow_start=")) and flag != "max_fails=1":
            ctx.notes.say(line, Outcome.PARTLY, "a server that fails is passed over for each request, not for a time")
            lost.append(flag)
        elif flag.startswith("max_conns="):
            target.options.append(ctx.directive(line, "max_connections", flag.partition("=")[2]))
        elif flag in ("resolve",) or flag.startswith(("service=", "route=")):
            ctx.notes.say(line, Outcome.PARTLY, f"{flag} has no counterpart")
            lost.append(flag)
    if lost:
        outcome = ctx.notes.outcome(line) or Outcome.PARTLY
        target.options.append(Comment(f"{outcome}: {line.value} {' '.join(lost)}"))


def _stand_ins(ctx: Context, group: Line, backups: list[str], target: Target) -> None:
    """Backups are asked when the others do not answer: so it is with `first`, in the order written."""
    if len(target.endpoints) > 1:
        ctx.notes.say(group, Outcome.PARTLY, "with backups, the first server gets all requests as long as it answers")
        target.options.append(Comment("partly: the servers do not share the work, each stands in for those before it"))
    target.endpoints += backups
    target.options.insert(0, ctx.directive(group, "balance", "first"))


def _balance(ctx: Context, group: Line) -> Node:
    for line in own(group, *_BALANCERS):
        name = _BALANCERS[line.name]
        if ctx.catalogue.balancer(name) is not None and len(line.args) == 0:
            ctx.notes.done(line)
            return ctx.directive(line, "balance", name)
        ctx.notes.say(line, Outcome.NOT_YET, f"`balance {name}`: not there yet, so the servers take turns")
        made = ctx.directive(group, "balance", "round_robin")
        made.comment = f"not yet there: {line}"
        return made
    return ctx.directive(group, "balance", "round_robin")


def _kept(ctx: Context, group: Line) -> list[Node]:
    """`keepalive` and its time."""
    block: list[Node] = []
    for line in own(group, "keepalive", "keepalive_timeout", "keepalive_time"):
        option = {"keepalive": "connections", "keepalive_timeout": "idle", "keepalive_time": "age"}[line.name]
        value = line.value if option == "connections" else duration(line.value)
        if value is None:
            block.append(unconverted(line, "this is no time"))
        else:
            block.append(ctx.directive(line, option, value))
        ctx.notes.done(line)
    return [ctx.directive(group, "keepalive", block=block)] if block else []


# ---- the path


def _uri(ctx: Context, location: Line, line: Line, target: Target) -> tuple[list[Node], list[Node]]:
    """How the path changes on its way: directives above `proxy`, and options inside."""
    if not target.uri:
        return [], []
    if "$" in target.uri:
        return [], [ctx.directive(line, "rewrite", ctx.names.target(target.uri))]
    at = where(location) if location.name == "location" else None
    if at is None or at.is_regexp or at.modifier == "@":
        return [ctx.directive(line, "rewrite", target.uri)], []
    if at.modifier == "=":
        return [ctx.directive(line, "rewrite", target.uri)], []
    if at.text == target.uri:
        return [], []
    if target.uri == "/" and at.text.endswith("/"):
        return [ctx.directive(line, "uri", "strip_prefix", at.text.rstrip("/"))], []
    return [ctx.directive(line, "uri", "path_regexp", f"^{re.escape(at.text)}", target.uri)], []


# ---- header fields


def _headers_up(ctx: Context, location: Line, line: Line, target: Target) -> list[Node]:
    nodes: list[Node] = []
    has_host = False
    for field_line in inherited(location, "proxy_set_header"):
        name = field_line.value
        value = field_line.args[1] if len(field_line.args) > 1 else ""
        has_host = has_host or name.lower() == "host"
        nodes += _field(ctx, field_line, name, value, target)
    if not has_host:
        nodes[:0] = _own_host(ctx, line, target)
    return nodes


def _field(ctx: Context, line: Line, name: str, value: str, target: Target) -> list[Node]:
    is_ours = value in _BY_ITSELF.get(name.lower(), ()) and not (name.lower() == "host" and target.scheme == "https")
    if is_ours:
        said = name.lower()
        why = "not needed: `proxy` does so by itself"
        if said == "x-forwarded-for":
            why += "; what a client says about itself counts only from `trusted_proxies`"
        ctx.notes.say(line, Outcome.CONVERTED, "" if said == "host" else why)
        return ctx.comments(line)
    if value == "$proxy_host":
        ctx.notes.done(line)
        return _own_host(ctx, line, target)
    try:
        words = (name, ctx.names.template(value)) if value else (f"-{name}",)
    except UnknownVariable as error:
        return ctx.refuse(line, str(error)) if not ctx.notes.knows(line) else [unconverted(line, str(error))]
    ctx.notes.done(line)
    return ctx.commented(line, [ctx.directive(line, "header_up", *words)])


def _own_host(ctx: Context, line: Line, target: Target) -> list[Node]:
    """nginx sends the name that stands in `proxy_pass`, where nothing else is said."""
    if target.scheme == "https" and target.host not in ctx.upstreams:
        return []
    host = "localhost" if target.host.startswith("unix:") else target.host
    return [ctx.directive(line, "header_up", "Host", host.removesuffix(f":{_PORTS[target.scheme]}"))]


def _headers_down(ctx: Context, location: Line, line: Line, target: Target) -> list[Node]:
    nodes: list[Node] = []
    for hidden in inherited(location, "proxy_hide_header"):
        ctx.notes.done(hidden)
        nodes += ctx.commented(hidden, [ctx.directive(hidden, "header_down", f"-{hidden.value}")])
    return [*nodes, *_redirects(ctx, location, line, target)]


def _redirects(ctx: Context, location: Line, line: Line, target: Target) -> list[Node]:
    """`proxy_redirect`: without it, redirects to the server's own address lead to this one."""
    said = inherited(location, "proxy_redirect")
    if not said:
        has_host = any(one.value.lower() == "host" for one in inherited(location, "proxy_set_header"))
        return [] if has_host else _default_redirect(ctx, location, line, target)
    nodes: list[Node] = []
    for one in said:
        ctx.notes.done(one)
        if one.value == "off":
            continue
        if one.value == "default":
            nodes += _default_redirect(ctx, location, one, target)
            continue
        try:
            nodes += ctx.commented(one, [_redirect(ctx, one)])
        except UnknownVariable as error:
            nodes += ctx.refuse(one, str(error))
    return nodes


def _redirect(ctx: Context, line: Line) -> Node:
    before, after = (*line.args, "", "")[:2]
    if before.startswith("~"):
        found = f"(?i){before[2:]}" if before.startswith("~*") else before[1:]
    else:
        found = f"^{re.escape(ctx.names.template(before))}"
    return ctx.directive(
        line, "header_down", "Location", found, ctx.names.template(re.sub(r"\$(\d)", "\0\\1", after)).replace("\0", "$")
    )


def _default_redirect(ctx: Context, location: Line, line: Line, target: Target) -> list[Node]:
    if "$" in line.value or "$" in target.uri or target.host.startswith("unix:"):
        return []
    at = where(location) if location.name == "location" else None
    prefix = at.text if at is not None and target.uri and not at.is_regexp else "/"
    origin = re.escape(f"{target.scheme}://{target.host}{target.uri or '/'}")
    return [ctx.directive(line, "header_down", "Location", f"^{origin}", prefix)]


# ---- the rest


def _timeouts(ctx: Context, location: Line) -> list[Node]:
    nodes: list[Node] = []
    for name, options in _TIMEOUTS.items():
        line = setting(location, name)
        if line is None:
            continue
        value = duration(" ".join(line.args))
        if value is None:
            nodes += ctx.refuse(line, "this is no time")
            continue
        ctx.notes.done(line)
        nodes += ctx.commented(line, [ctx.directive(line, option, value) for option in options])
    line = setting(location, "proxy_send_timeout")
    if line is not None:
        ctx.notes.say(line, Outcome.CONVERTED, "not needed: `idle_timeout` holds for both directions")
    return nodes


def _tls(ctx: Context, location: Line, target: Target) -> list[Node]:
    if target.scheme != "https":
        return []
    nodes: list[Node] = []
    for name, option in _TLS.items():
        line = setting(location, name)
        if line is not None and "$" not in line.value:
            ctx.notes.done(line)
            nodes.append(ctx.directive(line, option, line.value))
    certificate, key = setting(location, "proxy_ssl_certificate"), setting(location, "proxy_ssl_certificate_key")
    if certificate is not None and key is not None:
        ctx.notes.done(certificate, key)
        nodes.append(ctx.directive(certificate, "tls_client_auth", certificate.value, key.value))
    return [*nodes, *_verified(ctx, location)]


def _verified(ctx: Context, location: Line) -> list[Node]:
    line = setting(location, "proxy_ssl_verify")
    if line is not None:
        ctx.notes.done(line)
    if line is not None and line.value == "on":
        return []
    made = ctx.directive(line or location, "tls_insecure_skip_verify")
    made.comment = "as nginx does without proxy_ssl_verify; better take this line away"
    return [made]


def _retries(ctx: Context, location: Line) -> list[Node]:
    line = setting(location, "proxy_next_upstream")
    tries = setting(location, "proxy_next_upstream_tries")
    if tries is not None and tries.value.isdigit() and int(tries.value) > 0:
        ctx.notes.done(tries)
        return [ctx.directive(tries, "retry", str(min(int(tries.value) - 1, 100)))]
    if line is None:
        return []
    if "off" in line.args:
        ctx.notes.done(line)
        return [ctx.directive(line, "retry", "0")]
    if {*line.args} - {"error", "timeout"}:
        ctx.notes.say(line, Outcome.PARTLY, "requests that get no answer are tried again, not those that get an error")
        return [*ctx.comments(line), unconverted(line, "only what gets no answer is tried again", Outcome.PARTLY)]
    ctx.notes.done(line)
    return []


#: Directives that the functions above read.
READ = frozenset(
    names(
        """proxy_pass proxy_set_header proxy_hide_header proxy_redirect proxy_send_timeout
            proxy_ssl_certificate proxy_ssl_certificate_key proxy_ssl_verify proxy_next_upstream
            proxy_next_upstream_tries"""
    )
) | {*_TIMEOUTS, *_TLS}
