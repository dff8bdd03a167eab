"""nginx with a configuration beside this server with what it was converted to: the same requests, the same answers."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edgescript.convert.nginx.convert import convert
from edgescript.text.source import Source

CORPUS = Path(__file__).parent.parent / "convert" / "nginx" / "corpus"

_FRAME = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; text/plain txt; text/css css; image/gif gif; image/jpeg jpg; image/png png; }}
    {inner}
}}
"""


class Request(NamedTuple):
    """What a client asks."""

    target: str
    host: str = "harbour.example"
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What both servers must give alike."""

    status: int | str
    location: str | None
    body: str | None
    fields: tuple[tuple[str, str], ...]


class _Upstream(http.server.BaseHTTPRequestHandler):
    """Says in JSON what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith(("/two/", "/redirects")):
            location = f"http://{self.headers['Host']}/two/there"
            self._send(302, b"", Location=location)
            return
        self._send(200, json.dumps(_asked(self)).encode(), **{"X-Upstream": "yes", "Content-Type": "application/json"})

    do_POST = do_GET  # noqa: N815 (names of http.server)
    do_HEAD = do_GET  # noqa: N815

    def _send(self, status: int, body: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


#: Fields that only one of the two sends to the server behind, and that say nothing of the configuration.
_OURS = {"connection", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "accept-encoding"}


def _asked(request: http.server.BaseHTTPRequestHandler) -> dict[str, Any]:
    fields = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _OURS}
    return {"method": request.command, "path": request.path, "fields": dict(sorted(fields.items()))}


@pytest.fixture
def upstream() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def real_nginx(tmp_path: Path, reserve_port: Callable[[], int]) -> Iterator[Callable[[str], dict[int, int]]]:
    """`real_nginx(text)` starts an nginx with servers; gives the port that it took for each that they listen on."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("needs nginx")
    running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(inner: str) -> dict[int, int]:
        ports: dict[int, int] = {}

        def moved(found: re.Match[str]) -> str:
            port = int(found[2])
            ports.setdefault(port, reserve_port())
            return f"{found[1]}127.0.0.1:{ports[port]}"

        inner = re.sub(r"(\blisten )(?:[\d.]+:)?(\d+)", moved, inner)
        if not ports:
            ports[80] = reserve_port()
            inner = inner.replace("server {", f"server {{ listen 127.0.0.1:{ports[80]};")
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(_FRAME.format(folder=tmp_path, inner=inner))
        checked = subprocess.run(
            [program, "-p", str(tmp_path), "-t", "-c", str(configuration), "-e", "stderr"],
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stderr
        process = subprocess.Popen(
            [program, "-p", str(tmp_path), "-c", str(configuration), "-e", str(tmp_path / "early.log")]
        )
        running.append((process, configuration))
        for port in ports.values():
            _wait(port, process)
        return ports

    yield start
    for process, configuration in running:
        subprocess.run([program, "-c", str(configuration), "-e", "stderr", "-s", "stop"], check=False)
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError("nginx ended")


def ask(port: int, request: Request, ports: set[int]) -> Answer:
    """One request, and what is comparable of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(request.method, request.target, headers={"Host": request.host, **dict(request.fields)})
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
    except (http.client.HTTPException, ConnectionError):
        return Answer("no answer", None, None, ())
    finally:
        connection.close()
    # Error pages of their own, and pages that redirects bring, look as each server likes.
    shown = body if response.status < 300 or "page" in body else None
    fields = {name.lower(): value for name, value in response.getheaders()}
    kept = tuple((name, fields[name]) for name in sorted(fields) if name.startswith("x-") or name in _COMPARED)
    status = 301 if response.status == 308 else response.status
    return Answer(status, _place(fields.get("location"), request.host), shown, kept)


_COMPARED = ("cache-control", "access-control-allow-origin")


def _place(location: str | None, host: str) -> str | None:
    """A place of the same server with or without its name is the same."""
    return None if location is None else re.sub(rf"^http://({re.escape(host)}|127\.0\.0\.1)(:\d+)?/", "/", location)


class Both:
    """nginx and this server, side by side with the same configuration."""

    def __init__(self, nginx_port: int, our_port: int, text: str, ports: set[int]) -> None:
        self._nginx_port = nginx_port
        self._our_port = our_port
        self.text = text
        self._ports = ports

    def ask(self, request: Request) -> tuple[Answer, Answer]:
        return ask(self._nginx_port, request, self._ports), ask(self._our_port, request, self._ports)


@pytest.fixture
def both(
    real_nginx: Callable[[str], dict[int, int]], serve_edgefile: Callable[..., Any], upstream: int, tmp_path: Path
) -> Callable[[str], Both]:
    """`both(text)` runs a configuration, whose files are below `/srv` and whose servers behind on 127.0.0.1:90xx."""

    def start(text: str) -> Both:
        text = re.sub(r"(?<!listen )127\.0\.0\.1:90\d\d", f"127.0.0.1:{upstream}", text)
        text = text.replace("/srv/", f"{tmp_path}/srv/")
        _files(tmp_path, text)
        converted = convert(Source("nginx.conf", text), read=_no_file, find=lambda _: [])
        ports = real_nginx(_inside_http(text))
        server = serve_edgefile(converted.text, directory=str(tmp_path))
        return Both(next(iter(ports.values())), server.port, converted.text, {upstream})

    return start


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def _inside_http(text: str) -> str:
    """What stands in `http`; the frame has the rest."""
    found = re.search(r"^http \{\n(.*)^\}", text, re.DOTALL | re.MULTILINE)
    inner = found[1] if found else text
    return re.sub(r"^\s*(access_log|include) (?!off).*;$", "", inner, flags=re.MULTILINE)


def _files(folder: Path, text: str) -> None:
    """Some files in every folder that a configuration names."""
    for name in set(re.findall(rf"{re.escape(str(folder))}/srv/[\w/-]+", text)):
        root = Path(name)
        for path in ("", "docs", "images", "news", "sub/deep", "always", "documents", "system"):
            (root / path).mkdir(parents=True, exist_ok=True)
            # A folder without an index file is 404 here and 403 there; with one it is the same.
            for file in ("index.html", "page.html", "picture.png", "notes.txt"):
                (root / path / file).write_text(f"page {path}/{file} of {root.name}")
        for file in ("404.html", "50x.html", "images/default.gif", "start.html"):
            (root / file).write_text(f"page {file} of {root.name}")


def _requests(text: str) -> list[Request]:
    """Requests that try what a configuration names: each location, a bit more, and what it leaves open."""
    paths = [
        "/",
        "/missing",
        "/index.html",
        "/page.html",
        "/picture.png",
        "/docs/page.html",
        "/sub/deep",
        "/sub/deep/notes.txt",
    ]
    for modifier, at in re.findall(r"location (=|\^~|~\*?|) ?(/[\w/.-]*)", text):
        paths += (
            [at]
            if modifier == "="
            else [at, f"{at.rstrip('/')}/page.html", f"{at.rstrip('/')}/a%20b?x=1&y=2", f"{at}x"]
        )
    hosts = [
        name
        for names in re.findall(r"server_name ([^;]+);", text)
        for name in names.split()
        if re.fullmatch(r"[\w.]+", name)
    ]
    return [Request(path, host) for path in dict.fromkeys(paths) for host in dict.fromkeys(["other.example", *hosts])]


#: What does not run on plain ports with nginx's usual modules, cannot be the same, or depends on time; the reports say why.
_NOT_RUN = frozenset(
    line
    for text in (
        "auth-request beginners-fastcgi core-satisfy core-try-php empty-gif fastcgi grpc https-both https-optimised",
        "https-server memcached secure-link ssi stream stub-status uwsgi wiki-drupal wiki-mediawiki wiki-ssl-offloader",
        "wiki-symfony wiki-wordpress proxy-https referer limit-conn limit-req",
    )
    for line in text.split()
)
#: Requests that the file itself does not suggest.
_MORE: dict[str, list[Request]] = {
    "names-expressions": [Request("/index.html", "red.harbour.example")],
    "wiki-referer-spam": [Request("/", fields=(("Referer", "http://casino.example/"),))],
    "rewrite-if": [Request("/?slow=1"), Request("/", method="POST"), Request("/", "www.harbour.example")],
    "map": [Request("/", "a.harbour.example", fields=(("User-Agent", "Some Phone"),))],
    "realip": [Request("/", fields=(("X-Forwarded-For", "203.0.113.9"),))],
}
#: Requests whose answers differ, with the reason that stands in the file's report.
_KNOWN: dict[str, Callable[[Request], bool]] = {
    "converting-mongrel": lambda request: request.target == "/",  # `{path}` is a folder there
    "names-expressions": lambda request: request.host == "other.example",  # hosts that do not fit are 404
}
_RUN = sorted(path.stem for path in CORPUS.glob("*.conf") if path.stem not in _NOT_RUN)


@pytest.mark.parametrize("name", _RUN)
def test_a_converted_file_answers_as_nginx_does(name: str, both: Callable[[str], Both]) -> None:
    text = (CORPUS / f"{name}.conf").read_text()
    servers = both(text)
    different = []
    for request in [*_requests(text), *_MORE.get(name, [])]:
        theirs, ours = servers.ask(request)
        if theirs != ours and not _KNOWN.get(name, lambda request: False)(request):
            different.append(f"{request.host}{request.target}\n  nginx {theirs}\n  ours  {ours}")
    assert not different, servers.text + "\n".join(different)


def _server(inner: str, before: str = "") -> str:
    return f"{before}\nserver {{\n    listen 80;\n    root /srv/site;\n{inner}\n}}\n"


def _gets(*targets: str, host: str = "harbour.example") -> list[Request]:
    return [Request(target, host) for target in targets]


#: What to ask of configurations, each of which is about one of nginx's rules.
MEANING: dict[str, tuple[str, list[Request]]] = {
    "an expression beats a longer prefix, but not behind ^~ and not an exact location": (
        _server(
            """
            location = /a/b.php { return 200 exact; }
            location / { return 200 root; }
            location /a/ { return 200 prefix; }
            location /a/b/ { return 200 longer; }
            location ^~ /c/ { return 200 caret; }
            location /c/d/ { return 200 inside-caret; }
            location ^~ /c/d/e/ { return 200 caret-again; }
            location ~ \\.php$ { return 200 php; }
            location ~* \\.(PNG|php)$ { return 200 pictures; }
            """
        ),
        _gets(
            *("/", "/x", "/a/", "/a", "/a/b.php", "/a/c.php", "/a/b/x", "/a/b/x.php", "/c/x", "/c/x.php", "/c/d/x"),
            *("/c/d/x.php", "/c/d/e/x.php", "/x.png", "/x.PNG", "/x.PHP", "/c/x.png", "//a//b//x", "/a/../c/x.php"),
            *("/%61/b/x", "/a/./b/x", "/x.php?y=.png"),
        ),
    ),
    "locations inside a prefix come before the expressions outside": (
        _server(
            """
            location / { return 200 root; }
            location /app/ {
                location = /app/one { return 200 one; }
                location /app/deep/ { return 200 deep; }
                location ~ \\.php$ { return 200 inner-php; }
                return 200 app;
            }
            location ^~ /fixed/ {
                location /fixed/deep/ { return 200 fixed-deep; }
                return 200 fixed;
            }
            location ~ \\.(php|txt)$ { return 200 outer; }
            """
        ),
        _gets(
            *("/app/", "/app/one", "/app/deep/x", "/app/x.php", "/app/x.txt", "/app/deep/x.txt", "/app/deep/x.php"),
            *("/x.php", "/fixed/x.txt", "/fixed/deep/x.txt", "/fixed/", "/other"),
        ),
    ),
    "expressions are tried in the order of the file and keep what they caught": (
        _server(
            """
            location ~ ^/user/(?<name>[a-z]+)/(\\d+)$ { return 200 "user $name $2"; }
            location ~ ^/user/(.*)$ { return 200 "rest $1"; }
            location ~ ^/user { return 200 never; }
            """
        ),
        _gets("/user/anna/17", "/user/anna/x", "/user/", "/user", "/users"),
    ),
    "rewrite goes on, ends its phase, or redirects": (
        _server(
            """
            rewrite ^/first/(.*)$ /second/$1;
            rewrite ^/second/(.*)$ /third/$1 last;
            rewrite ^/third/(.*)$ /never/$1 last;
            rewrite ^/query/(\\w+)$ /find?name=$1 last;
            rewrite ^/bare/(\\w+)$ /find?name=$1? last;
            rewrite ^/away/(.*)$ http://pier.example/$1 permanent;
            rewrite ^/here/(.*)$ /there/$1 redirect;
            location / { return 200 "$uri $args"; }
            location /third/ { return 200 "third $uri"; }
            location /inner/ { rewrite ^/inner/(.*)$ /third/$1 last; return 404; }
            location /stay/ { rewrite ^/stay/(.*)$ /page.html break; }
            location /back/ { rewrite ^/back/(.*)$ /kept/$1 break; proxy_pass http://127.0.0.1:9000; }
            """
        ),
        _gets(
            *(
                "/first/x",
                "/second/x",
                "/third/x",
                "/query/anna?page=2",
                "/bare/anna?page=2",
                "/away/x/y?z=1",
                "/here/x?y=2",
            ),
            *("/inner/x", "/stay/x", "/back/x/y?z=1", "/back/a%20b", "/else?x=1"),
        ),
    ),
    "conditions choose": (
        _server(
            """
            if ($request_method = POST) { return 405; }
            if ($http_x_team = red) { return 200 "red team"; }
            if ($http_user_agent ~* "(bot|crawler)") { return 403; }
            if ($arg_old) { return 301 /new; }
            if ($host != harbour.example) { return 302 http://harbour.example$request_uri; }
            set $colour blue;
            if ($cookie_colour ~ "^(green|grey)$") { set $colour $1; }
            location / { return 200 "$colour $request_uri"; }
            location /status { if ($args ~ "code=5") { return 503; } return 200 fine; }
            """
        ),
        [
            *_gets("/", "/?old=1", "/?old=0", "/?old=", "/status", "/status?code=500", "/a%20b?c=%20d"),
            *_gets("/x?y=1", host="pier.example"),
            Request("/", method="POST"),
            Request("/", fields=(("X-Team", "red"),)),
            Request("/", fields=(("User-Agent", "SomeBot/1"),)),
            Request("/", fields=(("Cookie", "colour=green"),)),
            Request("/", fields=(("Cookie", "colour=yellow"),)),
        ],
    ),
    "a map looks up texts without regard to case, then hosts, then expressions": (
        _server(
            '            location / { return 200 "$kind|$site|$upper"; }',
            """
            map $http_x_kind $kind { default other; Alpha first; ~^be(.*)$ "b-$1"; ~*^GAM third; "" none; }
            map $host $site { hostnames; default unknown; harbour.example main; *.harbour.example sub; .pier.example pier; }
            map $arg_x $upper { a $kind; default "none"; }
            """,
        ),
        [
            *(
                Request("/?x=a", fields=(("X-Kind", kind),))
                for kind in ("Alpha", "alpha", "ALPHA", "beta", "BETA", "gamma", "alphabet", "")
            ),
            *(
                Request("/", host)
                for host in (
                    "harbour.example",
                    "a.harbour.example",
                    "a.b.harbour.example",
                    "pier.example",
                    "x.pier.example",
                )
            ),
        ],
    ),
    "files are tried in their order": (
        _server(
            """
            location / { try_files $uri $uri/ /index.html; }
            location /docs/ { try_files $uri $uri.html =404; }
            location /news/ { try_files $uri @app; }
            location /images/ { try_files $uri /images/default.gif; }
            location @app { proxy_pass http://127.0.0.1:9000; }
            location /always/ { try_files $uri /index.html?from=$uri&$args; }
            """
        ),
        _gets(
            *("/", "/page.html", "/nothing", "/sub/deep", "/sub/deep/", "/docs/page", "/docs/page.html", "/docs/none"),
            *("/news/page.html", "/news/none?x=1", "/news/", "/images/picture.png", "/images/none", "/always/none"),
        ),
    ),
    "a server behind sees the path that proxy_pass asks for": (
        _server(
            """
            location /plain/ { proxy_pass http://127.0.0.1:9000; }
            location /name/ { proxy_pass http://127.0.0.1:9000/remote/; }
            location /cut/ { proxy_pass http://127.0.0.1:9000/; }
            location /word { proxy_pass http://127.0.0.1:9000/other; }
            location = /one { proxy_pass http://127.0.0.1:9000/exactly; }
            location ~ ^/re/(\\w+)$ { proxy_pass http://127.0.0.1:9000/found/$1; }
            location /whole { proxy_pass http://127.0.0.1:9000$request_uri; }
            location /fields/ {
                proxy_set_header Host $host;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Scheme $scheme;
                proxy_set_header X-Asked "$request_method $request_uri";
                proxy_set_header X-Gone "";
                proxy_hide_header X-Upstream;
                proxy_pass http://127.0.0.1:9000;
            }
            """
        ),
        [
            *_gets(
                *(
                    "/plain/a%20b?x=1",
                    "/name/",
                    "/name/x/y?z=1",
                    "/cut/",
                    "/cut/x?y=1",
                    "/wordy",
                    "/word/x",
                ),
                *("/one", "/one?x=1", "/re/anna", "/whole/x?y=%20", "/fields/x?y=1", "/cut/two/x", "/cut/redirects"),
            ),
            Request("/plain/x", method="POST"),
            Request("/fields/x", fields=(("X-Gone", "here"), ("X-Kept", "yes"))),
        ],
    ),
    "errors have pages": (
        _server(
            """
            error_page 404 /404.html;
            error_page 500 502 503 504 /50x.html;
            error_page 403 =200 /page.html;
            error_page 410 @gone;
            error_page 402 http://pier.example/pay;
            location /forbidden { return 403; }
            location /broken { return 503; }
            location /gone { return 410; }
            location /pay { return 402; }
            location /dead { proxy_pass http://127.0.0.1:1; }
            location /own/ { error_page 404 /page.html; }
            location @gone { return 200 "named page"; }
            """
        ),
        _gets("/none", "/forbidden", "/broken", "/pay", "/own/none", "/dead"),
    ),
    "header fields are those of the innermost level that has any": (
        _server(
            """
            add_header X-Outer outer;
            add_header X-Every every always;
            location / { return 200 root; }
            location /own/ { add_header X-Own own; return 200 own; }
            location /missing/ { return 404; }
            location /moved { return 301 /new; }
            location /wrong { return 500 "text"; }
            """
        ),
        _gets("/", "/own/", "/missing/", "/moved", "/wrong"),
    ),
    "who may come in is decided in the order of the lines": (
        _server(
            """
            location /open { return 200 open; }
            location /none/ { deny all; }
            location /local/ { allow 127.0.0.0/8; deny all; }
            location /others/ { deny 127.0.0.1; allow all; }
            location /except/ { deny 10.0.0.1; allow 127.0.0.1; deny all; }
            """
        ),
        _gets("/open", "/none/page.html", "/local/page.html", "/others/page.html", "/except/page.html"),
    ),
    "aliases and folders of their own": (
        _server(
            """
            location /pictures/ { alias /srv/other/images/; }
            location = /single { alias /srv/other/page.html; }
            location /other/ { root /srv; }
            location /start/ { alias /srv/other/; index start.html; }
            """
        ),
        _gets(
            "/pictures/picture.png",
            "/pictures/none",
            "/single",
            "/other/page.html",
            "/start/",
            "/start/news/page.html",
            "/",
        ),
    ),
    "the server is chosen by its name": (
        """
        server { listen 80; server_name harbour.example *.harbour.example; return 200 harbour; }
        server { listen 80; server_name www.harbour.example; return 200 exact; }
        server { listen 80 default_server; server_name _; return 200 default; }
        server { listen 80; server_name pier.*; return 200 pier; }
        """,
        [
            Request("/", host)
            for host in (
                "harbour.example",
                "www.harbour.example",
                "x.harbour.example",
                "HARBOUR.example",
                "other.example",
                "pier.example",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", MEANING)
def test_a_rule_of_nginx_means_the_same_here(name: str, both: Callable[[str], Both]) -> None:
    text, requests = MEANING[name]
    servers = both(text)
    different = []
    for request in requests:
        theirs, ours = servers.ask(request)
        if theirs != ours:
            different.append(f"{request}\n  nginx {theirs}\n  ours  {ours}")
    assert not different, servers.text + "\n".join(different)


def test_a_websocket_goes_through_both(
    real_nginx: Callable[[str], dict[int, int]],
    serve_edgefile: Callable[..., Any],
    websocket_echo: int,
    through_websocket: Callable[[int, str], list[str]],
) -> None:
    text = f"""
        map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
        server {{
            listen 80;
            location /ws/ {{
                proxy_pass http://127.0.0.1:{websocket_echo};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $connection_upgrade;
            }}
        }}
    """
    server = serve_edgefile(convert(Source("nginx.conf", text), read=_no_file, find=lambda _: []).text)
    port = next(iter(real_nginx(text).values()))
    there, here = through_websocket(port, "/ws/"), through_websocket(server.port, "/ws/")
    assert here == there == ["ahoy", "", "x" * 100_000]


def test_the_guide_says_how_many_files_run_beside_nginx() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "from-nginx-converted.md"
    assert f"Of these files, {len(_RUN)} run in the tests" in guide.read_text("utf-8")
