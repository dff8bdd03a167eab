"""
Every contender's configuration, and how it is started.

They are meant to be equal: one worker or thread, no access log (but where the case asks for one), no limits that bite, a
pool of kept-alive connections to the upstream, `X-Forwarded-For` and one response header added where the case proxies.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine import LOAD_CORE, SERVER_CORE, Server, free_port
from programs import Programs


@dataclass(frozen=True, slots=True)
class Place:
    """Where one contender of one case is set up."""

    programs: Programs
    #: For its configuration, logs and pids; its own.
    directory: Path
    #: The files that are served: small (10 KiB) and large (1 MiB).
    files: Path
    upstream_port: int

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        return path


#: Gives the configuration for a port.
Text = Callable[[Place, int], str]
#: Starts a server that listens on the port it returns.
Start = Callable[[Place], tuple[Server, int]]


def nginx(text: Text, *, core: int = SERVER_CORE) -> Start:
    """nginx with one worker and the given content of `http`."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        config = place.write(
            "nginx.conf",
            f"""
            daemon off; worker_processes 1;
            pid {place.directory}/nginx.pid; error_log {place.directory}/error.log;
            events {{ worker_connections 8192; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600s;
                default_type text/plain; server_tokens off;
                client_body_temp_path {place.directory}/b; proxy_temp_path {place.directory}/p;
                fastcgi_temp_path {place.directory}/f; uwsgi_temp_path {place.directory}/u;
                scgi_temp_path {place.directory}/s;
                {text(place, port)}
            }}
            """,
        )
        program = path_of(place, "nginx")
        return Server([program, "-c", str(config)], core=core, log=place.directory / "out.log"), port

    return start


def origin(place: Place) -> tuple[Server, int]:
    """The upstream of every proxy: nginx, on the core of the load."""

    body = "hello from the upstream, in a body of one hundred bytes ".ljust(100, ".")

    def text(place: Place, port: int) -> str:
        return f"""
        server {{
            listen 127.0.0.1:{port} backlog=1024;
            location /api/ {{ return 200 "{body}"; }}
            location /files/ {{ alias {place.files}/; types {{ application/json json; }} }}
        }}"""

    return nginx(text, core=LOAD_CORE)(place)


def haproxy(text: Text) -> Start:
    """HAProxy with one thread and the given sections."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        config = place.write(
            "haproxy.cfg",
            f"""
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 60s
{text(place, port)}
""",
        )
        command = [path_of(place, "haproxy"), "-db", "-f", str(config)]
        return Server(command, core=SERVER_CORE, log=place.directory / "out.log"), port

    return start


def caddy(text: Text) -> Start:
    """Caddy with GOMAXPROCS=1 and the given site."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        options = "{\n    admin off\n    auto_https off\n    persist_config off\n}\n"
        config = place.write("Caddyfile", options + text(place, port))
        command = [path_of(place, "caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]
        return Server(command, core=SERVER_CORE, log=place.directory / "out.log", environment=_home(place)), port

    return start


def traefik(dynamic: Text) -> Start:
    """Traefik with GOMAXPROCS=1 and the given file-provider configuration."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        routes = place.write("routes.yaml", dynamic(place, port))
        config = place.write(
            "traefik.yaml",
            f"""
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
log: {{level: ERROR}}
entryPoints:
  web:
    address: "127.0.0.1:{port}"
    transport: {{respondingTimeouts: {{idleTimeout: 600s}}}}
providers: {{file: {{filename: "{routes}", watch: false}}}}
""",
        )
        command = [path_of(place, "traefik"), f"--configfile={config}"]
        return Server(command, core=SERVER_CORE, log=place.directory / "out.log", environment=_home(place)), port

    return start


def envoy(cluster: Text) -> Start:
    """Envoy with one worker, one route with a header change, and the given cluster."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        config = place.write("envoy.yaml", cluster(place, port))
        command = [path_of(place, "envoy"), "-c", str(config), "--concurrency", "1", "--log-level", "error"]
        command += ["--disable-hot-restart"]
        return Server(command, core=SERVER_CORE, log=place.directory / "out.log", environment=_home(place)), port

    return start


def edge(text: Text, *, workers: int = 1, core: int | None = SERVER_CORE) -> Start:
    """EdgeScript with the given Edgefile: the supervisor, whose time counts too, and its workers."""

    def start(place: Place) -> tuple[Server, int]:
        port = free_port()
        config = place.write("Edgefile", text(place, port))
        command = [path_of(place, "edge"), "run", "--workers", str(workers), "--config", str(config)]
        environment = {"STATE_DIRECTORY": str(place.directory)}
        return Server(command, core=core, log=place.directory / "out.log", environment=environment), port

    return start


def path_of(place: Place, name: str) -> str:
    """Where a program is that was looked for before."""
    found = place.programs.find(name)
    assert found is not None, f"{name} was looked for before"
    return found


def _home(place: Place) -> dict[str, str]:
    return {"GOMAXPROCS": "1", "HOME": str(place.directory), "XDG_DATA_HOME": str(place.directory)}


# One response header, one path route, the rest of the request to the upstream.


def nginx_proxy(place: Place, port: int) -> str:
    return f"""
    upstream origin {{ server 127.0.0.1:{place.upstream_port}; keepalive 256; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024; server_name bench.example;
        location /api/ {{ {_NGINX_PASS} }}
        location /files/ {{ {_NGINX_PASS} }}
    }}"""


_NGINX_PASS = """
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
            add_header X-Served-By bench; proxy_pass http://origin;"""


def haproxy_proxy(place: Place, port: int) -> str:
    return f"""
frontend web
    bind 127.0.0.1:{port} backlog 1024
    acl served path_beg /api/ /files/
    use_backend origin if served
backend origin
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-response set-header X-Served-By bench
    server origin 127.0.0.1:{place.upstream_port} pool-max-conn 256
"""


def caddy_proxy(place: Place, port: int) -> str:
    return f"""
http://bench.example:{port} {{
    bind 127.0.0.1
    header X-Served-By bench
    @served path /api/* /files/*
    reverse_proxy @served 127.0.0.1:{place.upstream_port} {{
        transport http {{
            keepalive_idle_conns_per_host 256
        }}
    }}
}}
"""


def traefik_proxy(place: Place, port: int) -> str:
    return f"""
http:
  routers:
    api:
      entryPoints: [web]
      rule: "Host(`bench.example`) && (PathPrefix(`/api/`) || PathPrefix(`/files/`))"
      middlewares: [served]
      service: origin
  middlewares:
    served: {{headers: {{customResponseHeaders: {{X-Served-By: bench}}}}}}
  services:
    origin:
      loadBalancer:
        serversTransport: pooled
        servers: [{{url: "http://127.0.0.1:{place.upstream_port}"}}]
  serversTransports:
    pooled: {{maxIdleConnsPerHost: 256}}
"""


def envoy_proxy(place: Place, port: int) -> str:
    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    kind = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "use_remote_address": True,
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}}
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "bench",
                    "domains": ["bench.example"],
                    "routes": [
                        {
                            "match": {"prefix": prefix},
                            "route": {"cluster": "origin"},
                            "response_headers_to_add": [{"header": {"key": "x-served-by", "value": "bench"}}],
                        }
                        for prefix in ("/api/", "/files/")
                    ],
                }
            ]
        },
    }
    listener = {
        "address": address(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoint = {"endpoint": {"address": address(place.upstream_port)}}
    cluster = {
        "name": "origin",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}, indent=1)


def edge_proxy(place: Place, port: int) -> str:
    return f"""
http://bench.example:{port} {{
    header X-Served-By bench
    @served path /api/* /files/*
    proxy @served 127.0.0.1:{place.upstream_port}
}}
"""


def edge_loaded(sample: str) -> Text:
    """
    Everything at once: metrics, a JSON log into a file, traces, four more wrappers, and twenty routes; one is proxied.

    :param sample: how many of the requests are recorded as spans, which the origin is sent as a collector would be
    """
    others = "\n".join(f'    handle /other-{number}/* {{\n        respond 200 "other"\n    }}' for number in range(19))
    return lambda place, port: (
        f"""
{{
    tracing {{
        endpoint http://127.0.0.1:{place.upstream_port}/api/v1/traces
    }}
}}
http://bench.example:{port} {{
    log {{
        output file {place.directory}/access.log
    }}
    trace {{
        sample {sample}
    }}
    header X-Served-By bench
    header X-Frame-Options DENY
    header -X-Powered-By
    header +Cache-Control no-transform
    request_header X-Bench 1
{others}
    handle /api/* {{
        proxy 127.0.0.1:{place.upstream_port}
    }}
}}
"""
    )


# A fixed answer.


def nginx_encode(place: Place, port: int) -> str:
    return nginx_proxy(place, port).replace(
        "server {",
        f"server {{ gzip on; gzip_comp_level {GZIP_LEVEL}; gzip_types application/json; gzip_proxied any;",
        1,
    )


def edge_encode(coding: str) -> Text:
    """The proxied site, with compression."""

    def text(place: Place, port: int) -> str:
        return f"""
http://bench.example:{port} {{
    encode {coding} {{
        level gzip {GZIP_LEVEL}
    }}
    header X-Served-By bench
    @served path /api/* /files/*
    proxy @served 127.0.0.1:{place.upstream_port}
}}
"""

    return text


#: What `encode` uses where nothing is said, so that both do the same work.
GZIP_LEVEL = 5


def nginx_hello(place: Place, port: int) -> str:
    return f"""
    server {{
        listen 127.0.0.1:{port} backlog=1024; server_name bench.example;
        location / {{ return 200 "hello"; }}
    }}"""


def caddy_hello(place: Place, port: int) -> str:
    return f'http://bench.example:{port} {{\n    bind 127.0.0.1\n    respond "hello" 200\n}}\n'


def edge_hello(place: Place, port: int) -> str:
    return f'http://bench.example:{port} {{\n    respond 200 "hello"\n}}\n'


def edge_sites(count: int) -> Text:
    """As many sites, each with a fixed answer."""

    def text(place: Place, port: int) -> str:
        return "\n".join(
            f'http://site-{number}.example:{port} {{\n    respond 200 "hello"\n}}' for number in range(count)
        )

    return text


def edge_routes(count: int) -> Text:
    """One site with as many path routes, each with a fixed answer."""

    def text(place: Place, port: int) -> str:
        routes = "\n".join(
            f'    handle /route-{number}/* {{\n        respond 200 "hello"\n    }}' for number in range(count)
        )
        return f"http://bench.example:{port} {{\n{routes}\n}}\n"

    return text


# Files.


def nginx_files(place: Place, port: int) -> str:
    return f"server {{ listen 127.0.0.1:{port} backlog=1024; root {place.files}; }}"


def caddy_files(place: Place, port: int) -> str:
    return f"http://bench.example:{port} {{\n    bind 127.0.0.1\n    root * {place.files}\n    file_server\n}}\n"


def edge_busy(place: Place, port: int) -> str:
    """So much work for each answer that the load needs next to nothing beside it."""
    return f"http://bench.example:{port} {{\n    encode gzip\n    files {place.files}\n}}\n"


def edge_files(place: Place, port: int) -> str:
    return f"http://bench.example:{port} {{\n    files {place.files}\n}}\n"
