"""What each rule warns of, at which words, and what it leaves alone."""

from __future__ import annotations

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.text.problem import Problem
from edgescript.text.source import Span
from tests.lint.conftest import Lint


def site(*lines: str) -> str:
    body = "".join(f"    {line}\n" for line in "\n".join(lines).split("\n"))
    return f":8080 {{\n{body}}}\n"


def text_of(span: Span | None) -> str:
    assert span is not None
    return span.source.text[span.start : span.end]


def said(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, text_of(problem.span)) for problem in problems]


#: (what is written, [(code, the words it is about)]).
WARN = [
    # order
    (site("respond /x 200", "log", "files ."), [("W301", "log")]),
    (site("handle /x {", "    respond 200", "}", "log", "files ."), [("W301", "log")]),
    (site("proxy /a/* localhost:1", "header -Server", "files ."), [("W302", "header -Server")]),
    (site("handle /a/* {", "    proxy localhost:1", "}", "header -Server", "files ."), [("W302", "header -Server")]),
    (site("proxy /a/* localhost:1", "header {", "    X-A b", "    -Server", "}", "files ."), [("W302", "header")]),
    (site("respond /a 200", "rewrite /b /c"), [("W303", "rewrite /b /c")]),
    (site("respond /a 200", "header X-A b", "root ."), [("W202", "header X-A b"), ("W303", "root .")]),
    (site("header X-A b", "header X-A b", "files ."), [("W304", "header X-A b")]),
    (site("log {", "    output discard", "}", "log {", "    output discard", "}", "files ."), [("W304", "log")]),
    # unused
    ("(a) {\n    header X-A b\n}\n" + site("files ."), [("W306", "(a)")]),
    (site("@a path /x", "files ."), [("W307", "@a")]),
    ("{\n    @a path /x\n}\n" + site("files ."), [("W307", "@a")]),
    (site("route /x/* {", "    @a {", "        method GET", "    }", "    files .", "}", "files ."), [("W307", "@a")]),
    # what clients write
    (site("redir {query.next}"), [("W308", "{query.next}")]),
    (site("redir /a {header.Referer} 303", "files ."), [("W308", "{header.Referer}")]),
    (site("redir https://{header.Host}{uri}"), [("W308", "{header.Host}")]),
    (site("redir https://{path.0}.example.com/"), [("W308", "{path.0}")]),
    (site("redir https://example.com{query.next}"), [("W308", "{query.next}")]),
    (site("redir //{cookie.to}/"), [("W308", "{cookie.to}")]),
    (site("header Location {query.next}", "respond 302"), [("W308", "{query.next}")]),
    (site("header Location /{query.next}", "respond 302"), [("W308", "{query.next}")]),
    (site('header Refresh "0; url={query.next}"', "respond 200"), [("W308", "{query.next}")]),
    (site("root {query.dir}", "files"), [("W309", "{query.dir}")]),
    (site("root /{header.X-Dir}/www", "files"), [("W309", "{header.X-Dir}")]),
    (site("files {path.0}"), [("W309", "{path.0}")]),
    (site("rewrite {query.to}", "files ."), [("W310", "{query.to}")]),
    (site("rewrite /go/* /{header.X-Path}?a=b", "files ."), [("W310", "{header.X-Path}")]),
    # regular expressions, wherever they stand
    (site(r"@a path_regexp ^/([a-z]+)*$", "respond @a 200", "files ."), [("W311", "^/([a-z]+)*$")]),
    (site(r"@a header_regexp Cookie (x+)+y", "respond @a 200", "files ."), [("W311", "(x+)+y")]),
    (site(r"@a not path_regexp ^(a|ab?b?|b)*$", "respond @a 200", "files ."), [("W311", "^(a|ab?b?|b)*$")]),
    (site(r'@a `re_match("(x+)+y", path)`', "respond @a 200", "files ."), [("W311", "(x+)+y")]),
    (site(r"map {path} {vars.a} {", r"    ~^(\w+)*$ b", "}", "files ."), [("W311", r"^(\w+)*$")]),
    (site(r"uri path_regexp ^(/+)+$ /", "files ."), [("W311", "^(/+)+$")]),
    (site(r"uri query a (x+)+y b", "files ."), [("W311", "(x+)+y")]),
    (site(r"header X-A (x+)+y b", "files ."), [("W311", "(x+)+y")]),
    (site("proxy localhost:1 {", "    header_up X-A (x+)+y b", "}"), [("W311", "(x+)+y")]),
    # who the client is
    (site("@a client_ip 10.0.0.0/8", "respond @a 200", "files ."), [("W312", "@a client_ip 10.0.0.0/8")]),
    (site("@a not client_ip 10.0.0.0/8", "respond @a 200", "files ."), [("W312", "@a not client_ip 10.0.0.0/8")]),
    (site('@a `client_ip == "10.0.0.1"`', "respond @a 200", "files ."), [("W312", '`client_ip == "10.0.0.1"`')]),
    # names of fields
    (site("header X-Frame-Option DENY", "files ."), [("W313", "X-Frame-Option")]),
    (site('header ?Content-Secuirty-Policy "default-src *"', "files ."), [("W313", "Content-Secuirty-Policy")]),
    (site("header {", "    Acess-Control-Allow-Origin *", "}", "files ."), [("W313", "Acess-Control-Allow-Origin")]),
    (site("request_header -Authorisation", "files ."), [("W313", "Authorisation")]),
    (site("proxy localhost:1 {", "    header_down Cache-Contorl no-store", "}"), [("W313", "Cache-Contorl")]),
    (site("@a header Authorizaton *", "respond @a 200", "files ."), [("W313", "Authorizaton")]),
    # secrets
    (site('request_header Authorization "Bearer 0123456789abcdef"', "files ."), [("W314", "0123456789abcdef")]),
    (site('header X-A "Basic dXNlcjpwYXNzd29yZA=="', "files ."), [("W314", "dXNlcjpwYXNzd29yZA==")]),
    (site("request_header X-Api-Key 5f4dcc3b", "files ."), [("W314", "5f4dcc3b")]),
    (site("vars db_password hunter22", "files ."), [("W314", "hunter22")]),
    (site("redir https://joe:hunter22@example.com/"), [("W314", "hunter22")]),
    ("{\n    admin :1 {\n        token 0123456789abcdef\n    }\n}\n" + site("files ."), [("W314", "0123456789abcdef")]),
    (site("vars key AKIAIOSFODNN7EXAMPLE", "files ."), [("W314", "AKIAIOSFODNN7EXAMPLE")]),
    (site("respond `-----BEGIN RSA PRIVATE KEY-----\nMII\n`"), [("W314", "-----BEGIN RSA PRIVATE KEY-----")]),
    # what is always the same, or never
    (site("@a `1 + 1 == 2`", "respond @a 200", "files ."), [("W315", "`1 + 1 == 2`")]),
    (site("log", "header X-A b"), [("W316", ":8080")]),
    (":8080 {\n}\n", [("W316", ":8080")]),
    (site("files .", *["handle_errors {\n    respond 500\n}"] * 2), [("W317", "handle_errors")]),
    (
        site("files .", "handle_errors 404 5xx {\n    respond 500\n}", "handle_errors 404 {\n    respond 404\n}"),
        [("W317", "handle_errors 404")],
    ),
    (site("handle /api/ {", "    proxy localhost:1", "}", "files ."), [("W318", "/api/")]),
    (site("proxy /api/ localhost:1", "files ."), [("W318", "/api/")]),
    (site("log /var/log/edge.log", "files ."), [("W319", "/var/log/edge.log")]),
]

FINE = [
    site("log", "respond /x 200", "files ."),
    site("log /api/* {\n    output file /var/log/edge.log\n}", "files ."),
    site("@a path /x", "respond /y 200", "log @a", "files ."),
    site("header -Server", "proxy localhost:1"),
    site("respond /a 200", "header -Server", "files ."),
    site("handle /a/* {", "    header -Server", "    proxy localhost:1", "}", "files ."),
    site("rewrite /b /c", "files ."),
    site("route /x/* {", "    uri strip_prefix /x", "}", "files ."),
    site("header X-A b", "header X-A c", "header /x X-A b", "files ."),
    site("header /a X-A b", "rewrite /b /a", "header /a X-A b", "files ."),
    "(a) {\n    header X-A b\n}\n" + site("import a", "files ."),
    "(a) {\n    header X-A b\n}\n",
    "(a) {\n    @x path /x\n}\n" + site("import a", "respond @x 200") + site("import a", "files .").replace("8080", "81"),
    site("@a path /x", "handle /y/* {", "    respond @a 200", "}", "files ."),
    site("redir https://{host}{uri}"),
    site("redir {uri} permanent"),
    site("redir {path}/ 308"),
    site("redir /login?next={query.next}"),
    site("redir https://example.com/{query.next}"),
    site("redir https://example.com{uri}"),
    site("redir https://example.com?{query}"),
    site(r"redir \{query.next\}"),
    site("root /srv/{query.dir}", "files"),
    site("root /srv/sites/{host}", "files"),
    site("root {host}", "files"),
    site("rewrite /files/{query.to}", "files ."),
    site("rewrite {path}.html", "files ."),
    site("rewrite ?to={query.to}", "files ."),
    site(r"@a path_regexp ^/([a-z]+/)*[a-z]+$", "respond @a 200", "files ."),
    "{\n    trusted_proxies private_ranges\n}\n" + site("@a client_ip 10.0.0.0/8", "respond @a 200", "files ."),
    site("@a remote_ip 10.0.0.0/8", "respond @a 200", "files ."),
    site("header X-Client {client_ip}", "files ."),
    site("header X-Frame-Options DENY", "header content-security-policy x", "header -X-*", "files ."),
    site("header X-Shop-Version 7", "header X-Fame-Count 3", "header X-Clacks-Overhead a", "files ."),
    site('request_header Authorization "Bearer {env.TOKEN}"', "files ."),
    site("request_header X-Api-Key {$TOKEN}", "files ."),
    site('header WWW-Authenticate "Basic realm=x"', "respond 401"),
    site("@a header Authorization Bearer*", "respond @a 200", "files ."),
    site("respond /password 200", "respond /reset-password/secret 200", "files ."),
    site("proxy localhost:1 {", "    tls_client_auth /etc/cert.pem /etc/private-key.pem", "}"),
    site('@a `method == "GET"`', "respond @a 200", "files ."),
    site("handle {", "    respond 200", "}"),
    site("files .", "handle_errors 404 {\n    respond 404\n}", "handle_errors 4xx {\n    respond 400\n}"),
    site("handle / {", "    respond 200", "}", "redir /a/ /b", "files ."),
    site("@a path /api/ /api/*", "handle /x/* {", "    respond 200", "}", "respond @a 200", "files ."),
    site("files .") + 'test "a secret" {\n    request GET http://localhost:8080/\n'
    '    header Authorization "Bearer 0123456789abcdef"\n    expect status 404\n}\n',
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WARN)
def test_what_is_hardly_ever_meant_gets_one_warning_at_the_words_it_is_about(
    text: str, expected: list[tuple[str, str]], warnings: Lint
) -> None:
    assert said(warnings(text)) == expected


@pytest.mark.parametrize("text", FINE)
def test_what_is_usual_gets_no_warning(text: str, warnings: Lint) -> None:
    assert said(warnings(text)) == []


def test_a_secret_is_in_no_message(warnings: Lint) -> None:
    secrets = [(text, secret) for text, expected in WARN for code, secret in expected if code == "W314"]
    assert secrets
    for text, secret in secrets:
        for problem in warnings(text):
            assert secret not in problem.message + str(problem.hint)


def test_trusted_proxies_are_missed_once_in_a_file(warnings: Lint) -> None:
    lines = [f"@a{number} client_ip 10.0.0.{number}\nrespond @a{number} 200" for number in range(3)]
    assert [problem.code for problem in warnings(site(*lines, "files ."))] == ["W312"]


def test_a_mistyped_field_and_a_path_have_a_fix_that_is_a_guess(warnings: Lint) -> None:
    for text, after in (
        (site("header -X-Frame-Option", "files ."), site("header -X-Frame-Options", "files .")),
        (site("handle /a/ {", "    files .", "}"), site("handle /a/* {", "    files .", "}")),
    ):
        (problem,) = warnings(text)
        assert problem.fix is not None
        assert not problem.fix.safe
        (edit,) = problem.fix.edits
        assert text[: edit.span.start] + edit.text + text[edit.span.end :] == after


def test_an_endpoint_that_a_client_chooses_is_an_error_that_says_why(warnings: Lint) -> None:
    (problem,) = warnings(site("proxy {header.X-To}"))
    assert problem.code.startswith("E")
    assert "client" in problem.message + str(problem.hint)


def test_in_a_file_with_errors_only_what_is_certain_is_said(warnings: Lint) -> None:
    text = site("@a path /x", "header X-Frame-Option DENY", "respnd @a 200")
    assert [problem.code for problem in warnings(text)] == ["E101", "W313"]


@directive("keep", role=Role.WRAPPER, inside=("ask",))
class Keep:
    """Keeps answers."""

    def build(self, build: Build) -> Action:
        return lambda exchange: None


@directive("ask", role=Role.WRAPPER)
class Ask:
    """Asks who it is."""

    def build(self, build: Build) -> Action:
        return lambda exchange: None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["keep", "ask", "files ."], [("W305", "keep")]),
        (["keep", "handle /a/* {", "    ask", "    files .", "}", "files ."], [("W305", "keep")]),
        (["ask", "keep", "files ."], []),
        (["handle /a/* {", "    keep", "    files .", "}", "handle {", "    ask", "    files .", "}"], []),
        (["keep", "files ."], []),
    ],
)
def test_what_keeps_answers_stands_below_what_asks_who_it_is(
    lines: list[str], expected: list[tuple[str, str]], warnings: Lint, catalogue: Catalogue
) -> None:
    assert said(warnings(site(*lines), names=catalogue.with_entries(Keep, Ask))) == expected
