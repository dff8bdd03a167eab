from __future__ import annotations

import asyncio
import hmac
import json

import httpx
import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.shared import Shared
from edgescript.http.exchange import Exchange
from edgescript.observe import tap
from edgescript.observe.writer import DISCARDED
from edgescript.server.serve import serve
from edgescript.text.source import Source

CATALOGUE = Catalogue.load()


@pytest.fixture
def logged(tmp_path):
    """The lines that requests for some paths leave in `access.log`."""

    def lines(directives, *targets):
        source = Source("Edgefile", f":80 {{\n{directives}\n}}\n")
        graph, problems = load(source, catalogue=CATALOGUE, environment={}, directory=str(tmp_path))
        assert graph is not None, problems
        for target in targets:
            exchange = Exchange(Client(), b"GET", target.encode(), "1.1", [(b"host", b"a")], b"", 0.0)
            serve(exchange, graph.listeners[0])
            for ending in exchange.endings or ():
                ending(exchange)
        asyncio.run(graph.close())
        path = tmp_path / "access.log"
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in text.splitlines()]

    return lines


@pytest.fixture
def logged_text(tmp_path):
    """The text of `access.log` that one request with credentials leaves."""

    def text_of(directives, headers=(), target="/"):
        source = Source("Edgefile", f":80 {{\n{directives}\n}}\n")
        graph, problems = load(source, catalogue=CATALOGUE, environment={}, directory=str(tmp_path))
        assert graph is not None, problems
        fields = [(b"host", b"a"), *CREDENTIALS, *headers]
        exchange = Exchange(Client(), b"GET", target.encode(), "1.1", fields, b"", 0.0)
        serve(exchange, graph.listeners[0])
        for ending in exchange.endings or ():
            ending(exchange)
        asyncio.run(graph.close())
        return (tmp_path / "access.log").read_text()

    return text_of


class Client:
    remote_ip = "192.0.2.1"
    trust = None


def test_every_request_leaves_a_line(logged):
    lines = logged("log {\n output file access.log\n}\nrespond /x 204\nerror 403 secret", "/x", "/y?z=1")
    assert [(line["uri"], line["status"], line.get("error")) for line in lines] == [
        ("/x", 204, None),
        ("/y?z=1", 403, "secret"),
    ]


def test_with_a_matcher_only_some_do(logged):
    lines = logged("log /api/* {\n output file access.log\n format json\n}\nrespond", "/x", "/api/y")
    assert [line["uri"] for line in lines] == ["/api/y"]


def test_a_directive_that_logs_twice_writes_whole_lines(logged):
    text = "log {\n output file access.log\n}\nroute /x {\n log {\n  output file access.log\n }\n}\nrespond"
    assert len(logged(text, "/x", "/y")) == 3


def test_nothing_is_written_to_nowhere(logged):
    assert logged("log {\n output discard\n}\nrespond", "/") == []


def test_the_request_id_is_there_once_something_uses_it(logged):
    lines = logged("log {\n output file access.log\n}\nrespond /id {request_id}\nrespond", "/id", "/x")
    assert ["request_id" in line for line in lines] == [True, False]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("output file", "E115 a file needs a path"),
        ("output stdout /x", "E115 stdout has nothing behind it"),
        ("output syslog", "E115 syslog needs the address"),
        ("output syslog logs.example.com", "E106 expected the address of a syslog server"),
        ("output syslog udp://a:70000", "E106"),
        ("output otlp", "E115 otlp needs the URL"),
        ("output otlp http://user:secret@host/", "E106 the URL of a collector has no name and password"),
        ("output carrier_pigeon", "E106"),
        ("output stdout {\n mode 0600\n}", "E115 stdout has no mode; it is for file"),
        ("output file x {\n mode 999\n}", "E106"),
        ("output file x {\n rotate {\n keep 3\n}\n}", "E115 nothing says when the file is turned over"),
        ("output file x {\n rotate {\n at 24:00\n}\n}", "E106"),
        ("output file x {\n roll_size 1MiB\n}", "E102"),
        ("output syslog udp://a {\n structured_data edge\n}", "E115 expected a name and an enterprise number"),
        ("format xml", "E106"),
        ("format template", "E115 a template needs its text"),
        ("format json x", "E115 json has no text"),
        ('format template "a\tb"', "E106 a line of a log has no control characters"),
        ("format template {nonsense.x}", "E104"),
        ("format common\nfields {\n drop uri\n}", "E115 which fields a line has, common itself says"),
        ("fields {\n keep ts\n drop uri\n}", "E115 `keep` and `drop` exclude each other"),
        ("fields {\n mask clientip\n}", 'E115 there is no field "clientip"'),
        ("fields {\n hash status\n}", "E115 status says nothing about a client"),
        ('fields {\n add "a b" x\n}', 'E115 "a b" is no name for a field'),
        ("fields {\n add uri x\n}", 'E115 two fields are called "uri"'),
        ("fields {\n rename uri host\n}", 'E115 two fields are called "host"'),
        ("fields {\n mask client_ip {\n ipv4 33\n}\n}", "E106"),
    ],
)
def test_mistakes(mistakes, line, problem):
    (found,) = mistakes(f"log {{\n{line}\n}}\nrespond")
    assert found.startswith(problem)


def test_an_output_in_place_of_the_name(mistakes):
    (found,) = mistakes("log stderr\nrespond")
    assert found == 'E115 a log called "stderr" goes elsewhere'


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_a_server_writes_what_it_sent(serve_edgefile, tmp_path, engine):
    server = serve_edgefile(":80 {\n log {\n output file access.log\n }\n respond /x hello\n}", engine=engine)
    assert httpx.get(f"{server.url}/x", headers={"User-Agent": "a test"}).text == "hello"
    assert httpx.get(f"{server.url}/y").status_code == 404
    server.stop()
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    assert [(line["uri"], line["status"], line["size"]) for line in lines] == [
        ("/x", 200, 5),
        ("/y", 404, 14),
    ]
    assert lines[0]["user_agent"] == "a test"
    assert all(0 < line["duration"] < 60 for line in lines)


def test_a_request_without_an_answer_leaves_a_line_too(serve_edgefile, tmp_path):
    server = serve_edgefile(":80 {\n log {\n output file access.log\n }\n abort\n}")
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url)
    server.stop()
    assert json.loads((tmp_path / "access.log").read_text())["status"] == 0


# ---- which requests


@pytest.mark.parametrize(
    ("options", "logged_uris"),
    [
        ("status 4xx 503", ["/x", "/z"]),
        ("sample 0%", ["/z"]),
        ("sample 100%", ["/", "/x", "/z"]),
        ("status 404\n sample 0%", []),
        ("status 4xx\n min_duration 0s", ["/", "/x", "/z"]),
        ("min_duration 1h", []),
    ],
)
def test_which_requests_are_logged(logged, options, logged_uris):
    text = f"log {{\n output file access.log\n {options}\n}}\nerror /x 404\nerror /z 503\nrespond"
    assert [line["uri"] for line in logged(text, "/", "/x", "/z")] == logged_uris


def test_a_part_is_sampled(logged):
    text = "log {\n output file access.log\n sample 50%\n}\nrespond"
    assert 30 < len(logged(text, *["/"] * 200)) < 170


def test_requests_can_be_left_out_of_the_logs_above(logged):
    text = "log {\n output file access.log\n}\nlog other {\n output file access.log\n}\n{skip}\nrespond"
    for skip, count in [("log_skip /x", 2), ("log_skip /x other", 3), ("log_skip /x nobody", 4)]:
        assert len(logged(text.replace("{skip}", skip), "/", "/x")) == count


# ---- what a line says


def test_fields_are_changed_and_added(logged):
    text = """
    log {
        output file access.log
        fields {
            drop user_agent referer
            rename uri target
            mask client_ip
            mask also {
                ipv4 8
            }
            hash who
            query replace token
            add also {remote_ip}
            add who {header.Host}
            add page {query.token}
            add query {query}
        }
    }
    respond
    """
    (line,) = logged(text, "/a?token=s3cret&b=c")
    assert {name: line[name] for name in ("target", "client_ip", "also", "who", "page", "query")} == {
        "target": "/a?token=REDACTED&b=c",
        "client_ip": "192.0.2.0",
        "also": "192.0.0.0",
        "who": "ca978112ca1bbdca",
        "page": "REDACTED",
        "query": "token=REDACTED&b=c",
    }
    assert not {"user_agent", "referer", "uri"} & set(line)


CREDENTIALS = [
    (b"authorization", b"Bearer s3cret"),
    (b"proxy-authorization", b"s3cret"),
    (b"cookie", b"session=s3cret; theme=s3cret"),
]


@pytest.mark.parametrize(
    "text",
    [
        "{header.Authorization}",
        "{header.PROXY-AUTHORIZATION}",
        "a {header.Cookie} b",
        "{cookie.session}",
        "{resp.header.Set-Cookie}",
    ],
)
@pytest.mark.parametrize("form", ["fields {\n add x TEXT\n}", 'format template "TEXT"', "APPEND"])
def test_credentials_are_never_shown_whoever_asks(logged_text, text, form):
    options = form.replace("TEXT", text if "template" in form else f'"{text}"').replace("APPEND", "")
    append = f'log_append x "{text}"\n' if form == "APPEND" else ""
    line = logged_text(f"log {{\n output file access.log\n {options}\n}}\n{append}header Set-Cookie s3cret\nrespond")
    assert "REDACTED" in line
    assert "s3cret" not in line


def test_credentials_can_be_hashed(logged_text):
    text = """
    log {
        output file access.log
        fields {
            add token {header.Authorization}
            add cookies {header.Cookie}
            add session {cookie.session}
            hash token noted
            cookie hash session
            hash_key "a key of mine"
        }
    }
    log_append noted {header.Authorization}
    respond
    """
    line = json.loads(logged_text(text))
    assert line["token"] == line["noted"] == hmac.new(b"a key of mine", b"Bearer s3cret", "sha256").hexdigest()[:16]
    assert line["cookies"] == f"session={line['session']}; theme=REDACTED"
    assert len(line["session"]) == 16


def test_a_template_is_a_line_of_its_own(logged_text):
    text = """
    log {
        output file access.log
        format template "{client_ip} {method} é {uri} \\"{header.X-Odd}\\" {resp.status} {resp.size} {header.Referer}"
        fields {
            mask client_ip
            query drop token
        }
    }
    respond hello
    """
    headers = [(b"x-odd", b'"\x1b\n"'), (b"referer", b"http://a/?token=s3cret")]
    assert logged_text(text, headers, "/a?token=s3cret") == (
        '192.0.2.0 GET é /a "\\x22\\x1B\\x0A\\x22" 200 0 http://a/\n'
    )


def test_a_field_is_appended_when_the_line_is_written(logged):
    text = "log {\n output file access.log\n}\nlog_append /x kind {resp.header.Content-Type}\nrespond hello"
    lines = logged(text, "/x", "/y")
    assert [line.get("kind") for line in lines] == ["text/plain; charset=utf-8", None]


@pytest.mark.parametrize(
    ("line", "problem"),
    [("log_append status x", "every line has a field"), ('log_append "a b" x', "is no name for a field")],
)
def test_mistakes_about_appended_fields(mistakes, line, problem):
    (found,) = mistakes(f"{line}\nrespond")
    assert problem in found


def test_who_listens_sees_every_line_as_it_is_written(logged_text):
    lines: list[str] = []
    stop = tap.listen(lines.append)
    line = logged_text("log {\n output file access.log\n format combined\n}\nrespond")
    stop()
    assert lines == [line]


@pytest.mark.parametrize(
    "lines",
    [
        "vars kept {header.Authorization}\nlog_append x {vars.kept}",
        'vars kept "a {cookie.session}"\nvars copy "b {vars.kept}"\nlog_append x "{method} {vars.copy}"',
        "@known header_regexp Authorization ^Bearer (.*)\nvars @known kept {re.1}\nlog_append x {vars.kept}",
        "@known header_regexp found Cookie session=(.*)\nheader @known A b\nlog_append x {re.found.1}",
        "map {header.Authorization} {kept} {\n ~(.*) ${1}\n}\nlog_append x {vars.kept}",
        "vars kept {header.Authorization}\nrequest_header -Authorization\nlog_append x {vars.kept}",
    ],
)
def test_what_is_copied_of_a_credential_is_shown_neither(logged_text, lines):
    lines = lines.replace("^Bearer (.*)", '"^Bearer (.*)"')
    for form in ("json", 'template "{vars.kept} {re.1}"'):
        line = logged_text(f"log {{\n output file access.log\n format {form}\n}}\n{lines}\nrespond")
        assert "s3cret" not in line
        assert "REDACTED" in line or form != "json"


def test_a_variable_that_is_no_credential_is_shown(logged):
    lines = "vars kept {header.Host}\nlog_append x {vars.kept}\nrespond"
    assert [line["x"] for line in logged(f"log {{\n output file access.log\n}}\n{lines}", "/")] == ["a"]


def test_what_happens_to_a_field_happens_to_what_is_appended(logged):
    (line,) = logged(
        "log {\n output file access.log\n fields {\n query replace token\n mask client_ip\n hash method\n}\n}\n"
        'log_append from "{client_ip} {uri}"\nlog_append token {query.token}\nlog_append how {method}\nrespond',
        "/x?token=secret&a=b",
    )
    assert (line["from"], line["token"]) == ("192.0.2.0 /x?token=REDACTED&a=b", "REDACTED")
    assert line["how"] == line["method"] != "GET"


def test_logs_to_one_place_share_what_writes_there(tmp_path):
    shared = Shared()
    text = ":80 {\n log {\n  output file a.log\n }\n log /x {\n  output file a.log\n }\n respond\n}"
    graphs = [
        load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=str(tmp_path), shared=shared)[0]
        for _ in range(2)
    ]
    # And what both watch of their process.
    assert len(shared) == 2
    for graph in graphs:
        asyncio.run(graph.close())
    assert len(shared) == 0


def test_tests_of_an_edgefile_write_nothing(tmp_path):
    token = DISCARDED.set(True)
    try:
        source = Source("Edgefile", ":80 {\n log {\n  output file access.log\n }\n respond\n}")
        graph, _ = load(source, catalogue=CATALOGUE, environment={}, directory=str(tmp_path))
    finally:
        DISCARDED.reset(token)
    exchange = Exchange(Client(), b"GET", b"/", "1.1", [(b"host", b"a")], b"", 0.0)
    serve(exchange, graph.listeners[0])
    assert exchange.endings is None
    asyncio.run(graph.close())
    assert not list(tmp_path.iterdir())
