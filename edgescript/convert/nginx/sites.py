"""`server` blocks as sites: which hosts and ports each takes, as nginx chooses, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from edgescript.convert.edgefile import Blank, Comment, Node
from edgescript.convert.nginx import body
from edgescript.convert.nginx.context import Context, unconverted
from edgescript.convert.nginx.lines import Line, below, own, walk
from edgescript.convert.nginx.maps import maps
from edgescript.convert.nginx.values import is_network
from edgescript.convert.nginx.variables import BadPattern, pattern
from edgescript.convert.nginx.words import NOT_NEEDED
from edgescript.convert.report import Outcome

_LISTEN = re.compile(r"(?:(\[[^\]]*\]|\*|[^:\[\]]*?):)?(\d+)|(\[[^\]]*\]|[^:\[\]]+)")
_HOST = re.compile(r"(\*|[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.(\*|[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?))*\.?")
#: Where a site that was HTTPS is served as plain HTTP, if port 80 has another of the same name.
PLAIN_PORT = 8443
_EVERY = ("*", "0.0.0.0", "[::]", "")  # noqa: S104 (read, not bound)


@dataclass(frozen=True, slots=True)
class Listen:
    """One `listen` of a server."""

    line: Line | None
    host: str
    port: int
    is_default: bool
    is_https: bool


@dataclass(slots=True)
class Site:
    """A server on its way to be a site."""

    server: Line
    listens: list[Listen]
    addresses: list[str] = field(default_factory=list)
    #: Regular expressions of its names, by the port whose catch-all they belong to.
    expressions: list[str] = field(default_factory=list)


def sites(ctx: Context) -> list[Node]:
    """All servers as sites, in their order."""
    found = [Site(server, _listens(ctx, server)) for server in below(ctx.root, "server") if _is_http(server)]
    _address(ctx, [one for one in found if not _is_left_out(ctx, one)])
    nodes: list[Node] = []
    for one in found:
        nodes += _written(ctx, one)
    return nodes


def _is_http(server: Line) -> bool:
    level = server.parent
    while level is not None:
        if level.name in ("stream", "mail", "upstream"):
            return False
        level = level.parent
    return True


# ---- addresses


def _listens(ctx: Context, server: Line) -> list[Listen]:
    lines = own(server, "listen")
    if not lines:
        return [Listen(None, "", 80, False, False)]
    found = [_listen(ctx, line, server) for line in lines]
    return [one for one in found if one is not None]


def _listen(ctx: Context, line: Line, server: Line) -> Listen | None:
    flags = line.args[1:]
    match = _LISTEN.fullmatch(line.value)
    if match is None or int(match[2] or 80) > 65535:
        ctx.notes.say(line, Outcome.NOT, "an address is [host:]port here; for a socket see `edge help bind`")
        return None
    host, port = match[1] or match[3] or "", int(match[2] or 80)
    is_https = "ssl" in flags or "quic" in flags or any(one.value == "on" for one in own(server, "ssl"))
    ctx.notes.done(line)
    return Listen(line, host, port, "default_server" in flags or "default" in flags, is_https)


def _address(ctx: Context, found: list[Site]) -> None:
    """Give each server the addresses that nginx would choose it for, and none twice."""
    owners: dict[str, Line] = {}
    first: dict[tuple[int, bool], Site] = {}
    for one in found:
        for listen in one.listens:
            key = (listen.port, listen.is_https)
            if key not in first or (listen.is_default and not _is_default(first[key], key)):
                first[key] = one
    for one in found:
        names = list(_names(ctx, one))
        for listen in one.listens:
            hosts = [*names, *([""] if first[listen.port, listen.is_https] is one else [])]
            _take(ctx, one, listen, hosts, owners)


def _is_default(site: Site, key: tuple[int, bool]) -> bool:
    return any(listen.is_default and (listen.port, listen.is_https) == key for listen in site.listens)


def _take(ctx: Context, site: Site, listen: Listen, hosts: list[str], owners: dict[str, Line]) -> None:
    """
    Add the addresses that are still free.

    Without HTTPS, what was served on 443 is served on 80, or on 8443 where another server has that.
    """
    is_moved = listen.is_https and listen.port == 443 and not ctx.has_https
    ports = (80, PLAIN_PORT) if is_moved else (listen.port,)
    for host in hosts:
        for port in ports:
            address = _site(host, port)
            if owners.setdefault(address, site.server) is site.server:
                if address not in site.addresses:
                    site.addresses.append(address)
                break


def _site(name: str, port: int) -> str:
    if not name:
        return f":{port}"
    return f"http://{name}" if port == 80 else f"http://{name}:{port}"


def _names(ctx: Context, site: Site) -> Iterator[str]:
    """The hosts of a server, as a site is addressed."""
    for line in own(site.server, "server_name"):
        ctx.notes.done(line)
        for word in line.args:
            yield from _name(ctx, line, word, site)


def _name(ctx: Context, line: Line, word: str, site: Site) -> Iterator[str]:
    name = word.lower()
    if word.startswith("~"):
        site.expressions.append(word[1:])
    elif name.startswith("."):
        yield from (name[1:], f"*{name}")
        ctx.notes.say(line, Outcome.PARTLY, "`*` stands for one label of a host: not for those of `a.b` below it")
    elif name in ("_", "", "-", "localhost.localdomain", "$hostname", '""') or not _HOST.fullmatch(name) or name == "*":
        pass
    else:
        if "*" in name:
            ctx.notes.say(line, Outcome.PARTLY, "`*` stands for one label of a host: not for several")
        yield name


# ---- the site


def _written(ctx: Context, site: Site) -> list[Node]:
    server = site.server
    ctx.enter(server, next((name for line in own(server, "server_name") for name in line.args if name != "_"), ""))
    ctx.notes.done(server)
    nodes: list[Node] = [Blank(), *ctx.comments(server)]
    if _is_left_out(ctx, site):
        return [*nodes, *_left_out_redirect(ctx, site)]
    if not site.addresses:
        return [*nodes, *_left_out(ctx, server)]
    nodes += _https(ctx, site)
    block = [*_bind(ctx, site), *_by_expression(ctx, site, body.site(ctx, server)), *body.error_pages(ctx, server)]
    block = [*maps(ctx), *block]
    block = [*_left_over(ctx, server), *block]
    addresses = [f"{one}," for one in site.addresses[:-1]] + site.addresses[-1:]
    return [*nodes, ctx.directive(server, *addresses, block=block)]


def _bind(ctx: Context, site: Site) -> list[Node]:
    """The addresses of the machine, where it is not all of them."""
    hosts = list(dict.fromkeys(listen.host for listen in site.listens))
    if any(host in _EVERY for host in hosts):
        return []
    if not all(is_network(host.strip("[]")) or host == "localhost" for host in hosts):
        return []
    return [ctx.directive(site.listens[0].line, "bind", *hosts)]


def _https(ctx: Context, site: Site) -> list[Node]:
    """What is said above a site that was HTTPS."""
    secure = [listen for listen in site.listens if listen.is_https]
    if not secure or ctx.has_https:
        return []
    for listen in secure:
        if listen.line is not None:
            ctx.notes.say(listen.line, Outcome.PARTLY, "HTTPS: not there yet, so the site is plain HTTP")
    return [Comment("not yet there: HTTPS; this site is served as plain HTTP until then")]


def _is_left_out(ctx: Context, site: Site) -> bool:
    """Whether a server only leads to HTTPS, which is not there."""
    return not ctx.has_https and not any(one.is_https for one in site.listens) and _only_leads_to_https(site.server)


def _only_leads_to_https(server: Line) -> bool:
    """Whether a server only sends its clients to HTTPS, which is not there."""
    lines = [
        line for line in server.inner if line.name not in ("listen", "server_name") and line.name not in NOT_NEEDED
    ]
    target = lines[0].args[-1] if len(lines) == 1 and lines[0].args else ""
    if len(lines) != 1 or lines[0].name not in ("return", "rewrite") or not target.startswith("https://"):
        return False
    host = target.removeprefix("https://").partition("/")[0].partition("$request_uri")[0]
    names = {name for line in own(server, "server_name") for name in line.args}
    return host in ("$host", "$server_name", "$http_host") or host in names


def _left_out_redirect(ctx: Context, site: Site) -> list[Node]:
    """A redirect to HTTPS would lead nowhere, or back to where it came from."""
    why = "a redirect to HTTPS, which is not there yet"
    for line in site.server.inner:
        if line.name in ("return", "rewrite"):
            ctx.notes.say(line, Outcome.NOT_YET, why)
        elif line.name not in ("listen", "server_name"):
            ctx.unknown(line)
    return [unconverted(site.server, why, Outcome.NOT_YET)]


def _left_out(ctx: Context, server: Line) -> list[Node]:
    why = "another server takes these addresses first"
    for line in [server, *walk(server)]:
        ctx.notes.say(line, Outcome.NOT, why)
    return [unconverted(server, why)]


def _by_expression(ctx: Context, site: Site, block: list[Node]) -> list[Node]:
    """Names that are regular expressions: a matcher on the field `Host`."""
    if not site.expressions:
        return block
    line = own(site.server, "server_name")[0]
    try:
        written = [pattern(one, ignore_case=True) for one in site.expressions]
    except BadPattern as error:
        return [*ctx.refuse(line, str(error)), *block]
    if len(written) > 1:
        ctx.notes.say(line, Outcome.PARTLY, "only one regular expression of names is kept")
    first = written[0]
    if first.endswith("$") and not first.endswith("\\$"):
        first = f"{first[:-1]}(?::\\d+)?$"
    name = ctx.matcher("host")
    if any(address.startswith(":") for address in site.addresses) and len(site.addresses) == 1:
        ctx.notes.say(line, Outcome.PARTLY, "requests for other hosts are answered 404")
        return [
            ctx.directive(line, name, "header_regexp", "Host", first),
            ctx.directive(line, "handle", name, block=block),
        ]
    ctx.notes.say(
        line,
        Outcome.NOT,
        "names that are regular expressions stand in a site of their own: `@name header_regexp Host …`",
    )
    return [unconverted(line, "write it as a matcher in the site of every host"), *block]


def _left_over(ctx: Context, server: Line) -> list[Node]:
    """Lines that no rule came to: nothing leads to their locations."""
    nodes: list[Node] = []
    for line in walk(server):
        if ctx.notes.knows(line) or not _is_said(ctx, line):
            continue
        if line.parent is not None and own(line.parent, "internal"):
            why = "only a redirect by a server behind leads here (X-Accel-Redirect), which is not there"
            nodes += ctx.refuse(line, why)
        elif line.name == "location":
            nodes += ctx.refuse(line, "no request gets to this location")
            for inner in walk(line):
                if not ctx.notes.knows(inner):
                    ctx.notes.say(inner, Outcome.NOT, "no request gets to this location")
        elif line.parent is server or line.parent is None or ctx.notes.knows(line.parent):
            nodes += _unused(ctx, line)
    return nodes


def _is_said(ctx: Context, line: Line) -> bool:
    """Rows of tables are said with their table."""
    return line.parent is None or line.parent.name not in ("types", "map", "geo", "split_clients")


def _unused(ctx: Context, line: Line) -> list[Node]:
    if line.name in NOT_NEEDED or line.name not in body.READ:
        return ctx.unknown(line)
    if line.name in ("client_header_timeout", "client_body_timeout", "keepalive_timeout", "send_timeout"):
        return ctx.refuse(line, "it holds for the whole server: see `edge help timeouts`")
    if line.name in ("set_real_ip_from", "real_ip_header"):
        return ctx.refuse(line, "it holds for the whole server: see `edge help trusted_proxies`")
    ctx.notes.say(line, Outcome.CONVERTED, "not needed: nothing here uses it")
    return []
