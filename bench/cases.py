"""What is measured, against whom, and what must come out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import servers
from editor import REQUESTS, latency
from load import Load
from probes import Effort, Open, Probe, duration, idle_memory, speed, throughput
from reloads import pause
from servers import Place, Start, path_of


@dataclass(frozen=True, slots=True)
class Contender:
    """One side of a comparison."""

    name: str
    #: Which program it needs.
    program: str
    open: Open


@dataclass(frozen=True, slots=True)
class Goal:
    """What the contender `who` must reach: a ratio to another one, or (against None) a figure of its own."""

    against: str | None
    must: float
    aim: float
    who: str = "edge"


@dataclass(frozen=True, slots=True)
class Case:
    """A comparison of contenders, measured in turns."""

    name: str
    title: str
    unit: str
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...]
    more_is_better: bool = True
    needs_wrk: bool = True


_SMALL = Load("/api/things")
_LARGE = Load("/files/large.bin", connections=16)
_GZIP = Load("/files/things.json", connections=16, fields=("Accept-Encoding: gzip",))
_GZIP_FILE = Load("/things.json", connections=32, fields=("Accept-Encoding: gzip",))
_ZSTD = Load("/files/things.json", connections=16, fields=("Accept-Encoding: zstd, gzip",))
_FILE_10K = Load("/small.bin")
_FILE_1M = Load("/large.bin", connections=16)

_PROXIES: dict[str, Start] = {
    "nginx": servers.nginx(servers.nginx_proxy),
    "haproxy": servers.haproxy(servers.haproxy_proxy),
    "caddy": servers.caddy(servers.caddy_proxy),
    "traefik": servers.traefik(servers.traefik_proxy),
    "envoy": servers.envoy(servers.envoy_proxy),
}


def _loaded(edge: servers.Text, load: Load, **peers: Start) -> tuple[Contender, ...]:
    """Ours and the peers under the same load."""
    starts = {"edge": servers.edge(edge)} | peers
    return tuple(Contender(name, name, throughput(start, load)) for name, start in starts.items())


# Many sites, many routes: every request goes to another one, in a scattered order.

_SCATTERED = """
local requests, count, position = {}, %(count)d, 0
init = function(arguments)
    for number = 0, count - 1 do
        requests[number] = wrk.format("GET", %(path)s, {["Host"] = %(host)s})
    end
end
request = function()
    position = (position + 7919) %% count
    return requests[position]
end
"""


def _scattered(count: int, *, path: str = '"/"', host: str = '"bench.example"') -> Load:
    return Load(lua=_SCATTERED % {"count": count, "path": path, "host": host})


def _over_routes(count: int) -> Load:
    return _scattered(count, path='"/route-" .. number .. "/x"')


def _sized(name: str, text: Callable[[Effort], servers.Text], load: Callable[[Effort], Load]) -> Contender:
    """Ours, with a configuration and load that depend on the effort."""

    def open_(place: Place, effort: Effort) -> AbstractContextManager[Probe]:
        return throughput(servers.edge(text(effort)), load(effort))(place, effort)

    return Contender(name, "edge", open_)


_MANY = (
    _sized("one site", lambda effort: servers.edge_hello, lambda effort: _scattered(1)),
    _sized("one route", lambda effort: servers.edge_routes(1), lambda effort: _over_routes(1)),
    _sized(
        "many sites",
        lambda effort: servers.edge_sites(effort.sites),
        lambda effort: _scattered(effort.sites, host='"site-" .. number .. ".example"'),
    ),
    _sized(
        "many routes",
        lambda effort: servers.edge_routes(effort.routes),
        lambda effort: _over_routes(effort.routes),
    ),
)


# Files that are only read. Five directives a site, in the words of both languages.

_SITE = """http://site-{number}.example {{
    log
    header X-Frame-Options DENY
    root {every}/srv/site-{number}
    redir /old /new
    {proxy} 10.0.0.1:8080
}}
"""

_TWENTY_LINES = """# A small site.
http://www.example.com {
    redir http://example.com{uri}
}
http://example.com {
    log
    header {
        X-Frame-Options DENY
        -Server
    }
    @writes method POST PUT DELETE
    request_header @writes X-Writes yes
    handle /api/* {
        proxy 10.0.0.1:8080 10.0.0.2:8080
    }
    handle {
        respond 200 "hello"
    }
}
"""


def _sites(place: Place, effort: Effort, name: str, *, every: str, proxy: str) -> str:
    sites = (_SITE.format(number=number, every=every, proxy=proxy) for number in range(effort.sites))
    return str(place.write(name, "\n".join(sites)))


def _edge_validate(place: Place, effort: Effort) -> list[str]:
    return [path_of(place, "edge"), "validate", _sites(place, effort, "Edgefile", every="", proxy="proxy")]


def _caddy_adapt(place: Place, effort: Effort) -> list[str]:
    config = _sites(place, effort, "Caddyfile", every="* ", proxy="reverse_proxy")
    return [path_of(place, "caddy"), "adapt", "--adapter", "caddyfile", "--config", config]


_TEST = """test "site {number} passes requests on" {{
    upstream 10.0.0.1:8080 {{
        body "made"
    }}
    request GET http://site-{number}.example/things
    expect status 200
    expect body "made"
    request GET http://site-{number}.example/old
    expect header Location /new
}}
"""

_SMALL_TESTS = """test "the API is passed on" {
    upstream 10.0.0.1:8080 {
        body "made"
    }
    upstream 10.0.0.2:8080 {
        body "made"
    }
    request POST http://example.com/api/things
    expect body "made"
    expect upstream header X-Writes yes
}
test "a slow upstream" {
    upstream * {
        delay 2m
    }
    request GET http://example.com/api/things
    expect status 504
}
test "www is left out" {
    request GET http://www.example.com/x
    expect header Location http://example.com/x
}
"""


def _small(command: str) -> Callable[[Place, Effort], list[str]]:
    """A command, with a file of 20 lines."""
    text = _TWENTY_LINES + (_SMALL_TESTS if command == "test" else "")
    return lambda place, effort: [path_of(place, "edge"), command, str(place.write("Edgefile", text))]


def _edge_fmt(place: Place, effort: Effort) -> list[str]:
    return [path_of(place, "edge"), "fmt", _sites(place, effort, "Edgefile", every="", proxy="proxy")]


def _edge_test(place: Place, effort: Effort) -> list[str]:
    """A test for every tenth site."""
    _sites(place, effort, "Edgefile", every="", proxy="proxy")
    place.write("sites.test.edge", "\n".join(_TEST.format(number=number) for number in range(0, effort.sites, 10)))
    return [path_of(place, "edge"), "test", str(place.directory / "Edgefile")]


def _command(name: str, title: str, words: Callable[[Place, Effort], list[str]], must: float, aim: float) -> Case:
    """How long a command of ours takes, the whole process."""
    contenders = (Contender("edge", "edge", duration(words)),)
    return Case(name, title, "seconds", contenders, (Goal(None, must, aim),), more_is_better=False, needs_wrk=False)


#: Which part of the reloads stays below the figure.
_QUANTILES = {"half": 0.5, "99 of 100": 0.99, "all": 1.0}

CASES = (
    Case(
        "proxy-small",
        "Small body proxied: one site, one path route, one header change, no log",
        "requests per CPU-second",
        _loaded(servers.edge_proxy, _SMALL, **_PROXIES),
        (Goal("nginx", 0.5, 0.7), Goal("envoy", 2, 2), Goal("traefik", 2, 2), Goal("caddy", 2, 2)),
    ),
    Case(
        "proxy-loaded",
        "The same with metrics, a JSON log to a file, traces that are not recorded, four more wrappers and 20 routes; "
        "nginx is bare",
        "requests per CPU-second",
        _loaded(servers.edge_loaded("0%"), _SMALL, nginx=_PROXIES["nginx"]),
        (Goal("nginx", 0.4, 0.5),),
    ),
    Case(
        "proxy-sampled",
        "The same with 1 % of the requests recorded and sent to a collector",
        "requests per CPU-second",
        (
            Contender("sampled", "edge", throughput(servers.edge(servers.edge_loaded("1%")), _SMALL)),
            Contender("unsampled", "edge", throughput(servers.edge(servers.edge_loaded("0%")), _SMALL)),
        ),
        (Goal("unsampled", 0.9, 0.95, who="sampled"),),
    ),
    Case(
        "workers",
        "100 KiB of JSON compressed for each answer: two workers on both cores, and one",
        "requests per second",
        tuple(
            Contender(name, "edge", speed(servers.edge(servers.edge_busy, workers=count, core=None), _GZIP_FILE))
            for count, name in ((2, "two workers"), (1, "one worker"))
        ),
        (Goal("one worker", 1.8, 1.9, who="two workers"),),
    ),
    Case(
        "hello",
        'A fixed answer: respond 200 "hello"',
        "requests per CPU-second",
        _loaded(
            servers.edge_hello,
            Load("/"),
            nginx=servers.nginx(servers.nginx_hello),
            caddy=servers.caddy(servers.caddy_hello),
        ),
        (Goal("nginx", 0.35, 0.6), Goal("caddy", 1.8, 1.8)),
    ),
    Case(
        "proxy-1m",
        "1 MiB body proxied",
        "requests per CPU-second",
        _loaded(servers.edge_proxy, _LARGE, **_PROXIES),
        (Goal("nginx", 1.0, 1.2), Goal("caddy", 0.8, 1.0), Goal("traefik", 0.8, 1.0), Goal("envoy", 0.8, 1.0)),
    ),
    Case(
        "file-10k",
        "10 KiB file; nginx with sendfile",
        "requests per CPU-second",
        _loaded(servers.edge_files, _FILE_10K, nginx=servers.nginx(servers.nginx_files)),
        (Goal("nginx", 0.3, 0.5),),
    ),
    Case(
        "file-1m",
        "1 MiB file; nginx with sendfile",
        "requests per CPU-second",
        _loaded(servers.edge_files, _FILE_1M, nginx=servers.nginx(servers.nginx_files)),
        (Goal("nginx", 0.9, 1.0),),
    ),
    Case(
        "encode-gzip",
        "100 KiB of JSON proxied and compressed: gzip of the same level on both sides",
        "requests per CPU-second",
        _loaded(servers.edge_encode("gzip"), _GZIP, nginx=servers.nginx(servers.nginx_encode)),
        (Goal("nginx", 0.8, 0.9),),
    ),
    Case(
        "encode-zstd",
        "The same with zstd, and nginx's gzip",
        "requests per CPU-second",
        _loaded(servers.edge_encode("zstd gzip"), _ZSTD, nginx=servers.nginx(servers.nginx_encode)),
        (Goal("nginx", 1.5, 2.0),),
    ),
    Case(
        "many",
        "10,000 sites, or 1,000 path routes, instead of one",
        "requests per CPU-second",
        _MANY,
        (Goal("one site", 0.9, 1.0, who="many sites"), Goal("one route", 0.9, 1.0, who="many routes")),
    ),
    Case(
        "validate-10k",
        "edge validate of 10,000 sites of 5 directives; caddy adapt of the same",
        "seconds",
        (Contender("edge", "edge", duration(_edge_validate)), Contender("caddy", "caddy", duration(_caddy_adapt))),
        (Goal("caddy", 1.0, 2.0),),
        more_is_better=False,
        needs_wrk=False,
    ),
    _command("validate-small", "edge validate of a 20-line file, whole process", _small("validate"), 0.3, 0.15),
    _command("fmt-10k", "edge fmt of 10,000 sites of 5 directives", _edge_fmt, 1, 0.5),
    _command("fmt-small", "edge fmt of a 20-line file, whole process", _small("fmt"), 0.3, 0.15),
    _command(
        "test-10k", "edge test of 10,000 sites of 5 directives with 1,000 tests of 2 requests", _edge_test, 5, 2.5
    ),
    _command("test-small", "edge test of a 20-line file with 3 tests, whole process", _small("test"), 0.3, 0.15),
    Case(
        "lsp",
        "Language server: from an edit of a 2,000-line file to the answer of a request, what 19 of 20 stay below",
        "milliseconds",
        tuple(Contender(name, "edge", latency(name)) for name in REQUESTS),
        tuple(Goal(None, 50, 25, who=name) for name in REQUESTS),
        more_is_better=False,
        needs_wrk=False,
    ),
    Case(
        "reload",
        "SIGHUP under load, 20 routes with a JSON log: the longest gap between the answers that one client gets",
        "milliseconds",
        (
            *(Contender(name, "edge", pause(quantile)) for name, quantile in _QUANTILES.items()),
            Contender("99 of 100 without", "edge", pause(0.99, reload=False)),
        ),
        (Goal(None, 20, 10, who="99 of 100"),),
        more_is_better=False,
    ),
    Case(
        "idle-memory",
        "Memory per idle keep-alive connection, 5,000 open",
        "KiB",
        (
            Contender("edge", "edge", idle_memory(servers.edge(servers.edge_hello), "/")),
            Contender("nginx", "nginx", idle_memory(servers.nginx(servers.nginx_hello), "/")),
            Contender("caddy", "caddy", idle_memory(servers.caddy(servers.caddy_hello), "/")),
        ),
        (Goal(None, 16, 8),),
        more_is_better=False,
        needs_wrk=False,
    ),
)
