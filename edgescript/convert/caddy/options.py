"""The global options of a Caddyfile, and what they are here."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.convert.caddy import order
from edgescript.convert.caddy.call import Call, not_converted
from edgescript.convert.caddy.context import Context, NotConverted, not_yet
from edgescript.convert.caddy.directives import log
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Blank, Comment, Directive, Node
from edgescript.convert.report import Outcome

Converter = Callable[[Line, Context], list[Node]]


def settings(lines: list[Line], context: Context, table: dict[str, Converter] | None = None) -> list[Node]:
    """The lines of the global block."""
    found: list[Node] = []
    for line in lines:
        found += [*([Blank()] if line.is_apart else []), *(Comment(text) for text in line.above)]
        if line.words:
            found += _setting(line, context, _OPTIONS if table is None else table)
    return found


def _setting(line: Line, context: Context, table: dict[str, Converter]) -> list[Node]:
    context.remarks = []
    try:
        nodes = _converter(line.name, context, table)(line, context)
    except NotConverted as error:
        context.note(line, error.outcome, error.reason)
        return [not_converted(line)]
    outcome = Outcome.PARTLY if context.remarks else Outcome.CONVERTED
    context.note(line, outcome, "; ".join(context.remarks))
    for node in nodes:
        if isinstance(node, Directive) and node.origin is None:
            node.origin, node.comment = (line.place, line.written), line.behind
    return nodes


def _converter(name: str, context: Context, table: dict[str, Converter]) -> Converter:
    if name in table:
        return table[name]
    if table is _OPTIONS and context.catalogue.setting(name) is not None and name in _OF_CADDY:
        return _same
    if name in _OF_CADDY:
        raise not_yet(f"setting {name}")
    raise NotConverted(f"Caddy itself has no option {name}")


def _same(line: Line, context: Context) -> list[Node]:
    return [_as_it_stands(line)]


def _as_it_stands(line: Line) -> Directive:
    block: list[Node] | None = None
    if line.block is not None:
        block = [_as_it_stands(inner) for inner in line.block if inner.words]
    return Directive(list(line.words), block)


def _nothing(line: Line, context: Context) -> list[Node]:
    return []


def _http_port(line: Line, context: Context) -> list[Node]:
    context.http_port = line.arguments[0] if line.arguments else "80"
    return []  # the addresses of the sites have it


def _https_port(line: Line, context: Context) -> list[Node]:
    context.https_port = line.arguments[0] if line.arguments else "443"
    return []


def _order(line: Line, context: Context) -> list[Node]:
    """`order NAME first|last|before OTHER|after OTHER`: the directives of all sites are sorted by it."""
    words = [order.ALIASES.get(word, word) for word in line.arguments]
    name = words[0] if words else ""
    places = {"first": 0, "last": len(context.order)}
    if len(words) == 2 and words[1] in places:
        at = places[words[1]]
    elif len(words) == 3 and words[1] in ("before", "after") and words[2] in context.order:
        at = context.order.index(words[2]) + (words[1] == "after")
    else:
        raise NotConverted("it is `order NAME first`, `last`, `before OTHER` or `after OTHER`")
    rest = [None if one == name else one for one in context.order]
    context.order = [one for one in [*rest[:at], name, *rest[at:]] if one is not None]
    return []  # the directives of the sites stand in this order


def _auto_https(line: Line, context: Context) -> list[Node]:
    return []  # there is only plain HTTP


def _admin(line: Line, context: Context) -> list[Node]:
    """`admin off`, or an address; other origins than the address itself are always refused here (`enforce_origin`)."""
    inside: list[Node] = []
    for option in line.block or ():
        if option.name == "origins":
            named = [word if "://" in word else f"http://{word}" for word in option.arguments]
            inside.append(Directive(["origins", *named], None, option.behind))
        elif option.words and option.name != "enforce_origin":
            raise NotConverted(f"there is nothing like {option.name} of admin here")
    if line.arguments[:1] != ["off"]:
        context.differs("the interface is another one: see the guide, admin")
    address = [word.partition("|")[0] for word in line.arguments]  # unix//path|0600, which the mode always is
    return [Directive(["admin", *address], inside or None)]


def _servers(line: Line, context: Context) -> list[Node]:
    if line.arguments:
        context.differs(f"it holds for all sites, not only for {line.arguments[0]}")
    remarks = context.remarks
    nodes = settings(line.block or [], context, _SERVERS)
    context.remarks = remarks
    return nodes


def _storage(line: Line, context: Context) -> list[Node]:
    """`storage file_system PATH`, or with `root PATH` in a block."""
    if line.arguments[:1] != ["file_system"]:
        raise NotConverted("write where state is kept as `storage disk`, `storage memory` or `storage redis URL`")
    roots = [
        *line.arguments[1:],
        *(word for inner in line.block or () if inner.name == "root" for word in inner.arguments),
    ]
    context.differs("what Caddy keeps in this directory is not taken over")
    return [Directive(["storage", "disk", *roots[:1]])]


def _trusted_proxies(line: Line, context: Context) -> list[Node]:
    if line.arguments[:1] != ["static"]:
        raise not_yet(f"source of trusted proxies {' '.join(line.arguments[:1])}")
    return [Directive(["trusted_proxies", *line.arguments[1:]])]


def _timeouts(line: Line, context: Context) -> list[Node]:
    names = {
        "read_header": "read_header",
        "idle": "idle",
        "read_body_idle": "read_body_idle",
        "write_idle": "write_idle",
    }
    inside: list[Node] = []
    for option in line.block or ():
        if option.name in names:
            inside.append(Directive([names[option.name], *option.arguments[:1]], None, option.behind))
        elif option.words:
            reason = "a transfer may take as long as it makes progress: see read_body_idle and write_idle"
            context.note(option, Outcome.NOT, reason)
            context.differs(f"{option.name} is not converted")
            inside.append(not_converted(option))
    return [Directive(["timeouts"], inside)]


def _max_header_size(line: Line, context: Context) -> list[Node]:
    return [Directive(["limits"], [Directive(["max_header_size", *line.arguments])])]


def _client_ip_headers(line: Line, context: Context) -> list[Node]:
    return [Directive(list(line.words))]


def _protocols(line: Line, context: Context) -> list[Node]:
    if set(line.arguments) - {"h1"}:
        raise not_yet("HTTP version but 1.1")
    return []


_SERVERS: dict[str, Converter] = {
    "trusted_proxies": _trusted_proxies,
    "trusted_proxies_strict": _nothing,  # so it is here anyway
    "client_ip_headers": _client_ip_headers,
    "timeouts": _timeouts,
    "max_header_size": _max_header_size,
    "protocols": _protocols,
    "protocol": _protocols,
    "metrics": _nothing,
    "name": _nothing,
}


def _log(line: Line, context: Context) -> list[Node]:
    return log.convert_program(Call(line, None, line.arguments, context, lambda lines, is_sorted: []))


_OPTIONS: dict[str, Converter] = {
    "log": _log,
    "http_port": _http_port,
    "https_port": _https_port,
    "order": _order,
    "auto_https": _auto_https,
    "metrics": _nothing,  # everything is counted anyway
    "servers": _servers,
    "storage": _storage,
    "admin": _admin,
}
_OF_CADDY = frozenset((
    "debug", "default_bind", "storage", "storage_check", "storage_clean_interval", "admin", "persist_config",
    "log", "grace_period", "shutdown_delay", "email", "acme_ca", "acme_ca_root", "acme_eab", "acme_dns", "dns",
    "tls_resolvers", "default_sni", "fallback_sni", "local_certs", "skip_install_trust", "on_demand_tls",
    "key_type", "cert_issuer", "cert_lifetime", "renew_interval", "renewal_window_ratio", "preferred_chains",
    "ocsp_interval", "ocsp_stapling", "ech", "filesystem", "pki", "events", "experimental_http3",
    "listener_wrappers", "packet_conn_wrappers", "keepalive_interval", "keepalive_idle", "keepalive_count",
    "0rtt", "trusted_proxies_unix", "enable_full_duplex", "expected_underscore_headers", "expected_dot_headers",
    "log_credentials", "strict_sni_host", "trace",
))  # fmt: skip
