"""Single rules of the conversion: order, matchers, placeholders, expressions, addresses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgescript.convert.edgefile import quoted
from edgescript.convert.report import Conversion, Outcome

Convert = Callable[..., Conversion]


def _lines(conversion: Conversion) -> list[str]:
    """The lines of the only site."""
    return [line.strip() for line in conversion.text.splitlines()[1:-1] if "as Caddy answers" not in line]


def _site(*lines: str) -> str:
    return "http://harbour.example {\n" + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # By name.
        (["respond a", "redir /x /y", "header A b"], ["header A b", "redir /x /y", "respond a"]),
        # Of one name: the longest path first, and those without a matcher last.
        (["respond a", "respond /a* b", "respond /a/b* c"], ["respond /a/b* c", "respond /a* b", "respond a"]),
        # The exact one before the same with a wildcard.
        (["respond /a* b", "respond /a c"], ["respond /a c", "respond /a* b"]),
        # Of `root` the first that matches counts there, the last one here.
        (["root /a* /x", "root * /y", "respond a"], ["root * /y", "root /a* /x", "respond a"]),
        # Of `vars` the last one counts there too.
        (["vars /a* x 1", "vars x 2", "respond a"], ["vars x 2", "vars /a* x 1", "respond a"]),
        # … and of those that nothing tells apart, the first.
        (
            ["vars @p x 1", "vars @q x 2", "@p method GET", "@q method PUT", "respond a"],
            ["@q method PUT", "vars @q x 2", "@p method GET", "vars @p x 1", "respond a"],
        ),
        # Paths of one length by their letters.
        (["respond /b x", "respond /a y"], ["respond /a y", "respond /b x"]),
        # `route` keeps what is written.
        (["route {", "respond /a b", "header A b", "}"], ["route {", "respond /a b", "header A b", "}"]),
    ],
)
def test_directives_stand_in_the_order_in_which_caddy_runs_them(
    converted: Convert, written: list[str], expected: list[str]
) -> None:
    assert _lines(converted(_site(*written))) == expected


def test_a_global_option_changes_the_order(converted: Convert) -> None:
    text = converted("{\norder respond first\n}\n" + _site("header A b", "respond /a b")).text
    assert text.index("respond /a b") < text.index("header A b")


@pytest.mark.parametrize("option", ["storage file_system /var/lib/x", "storage file_system {\nroot /var/lib/x\n}"])
def test_a_directory_of_state_stays_where_it_is(converted: Convert, option: str) -> None:
    assert "storage disk /var/lib/x" in converted(f"{{\n{option}\n}}\n" + _site("respond a")).text


def test_a_store_of_a_module_is_not_taken_for_one_of_ours(converted: Convert) -> None:
    text = converted("{\nstorage redis {\nhost 10.0.0.1\n}\n}\n" + _site("respond a")).text
    assert "\n    storage redis" not in text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("{http.request.uri.path}", "{path}"),
        ("{remote_host}", "{remote_ip}"),
        ("{http.request.header.X-Pier}", "{header.X-Pier}"),
        ("{re.pier.1}", "{re.pier.1}"),
        ("{http.vars.pier}", "{vars.pier}"),
        ("{remote}", "{remote_ip}:{remote_port}"),
        ("{$PIER}", "{$PIER:}"),
        ("{$PIER:north}", "{$PIER:north}"),
    ],
)
def test_placeholders_have_our_names(converted: Convert, theirs: str, ours: str) -> None:
    assert _lines(converted(_site(f"header A {theirs}"))) == [f"header A {ours}"]


def test_an_unknown_placeholder_is_not_guessed(converted: Convert) -> None:
    conversion = converted(_site("header A {system.hostname}"))
    assert _lines(conversion) == ["# not converted: header A {system.hostname}"]
    assert conversion.report.open()[0].reason == "there is no placeholder for {system.hostname}"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('{method} == "GET" && {path}.startsWith("/a")', 'method == "GET" and path.startswith("/a")'),
        ('!path("/a/*") || host("b")', '(not (path.lower().startswith("/a/"))) or host in ("b",)'),
        ('{header.X-Pier}.matches("^n")', 're_match("^n", header["X-Pier"])'),
        ('{query.a}.contains("b")', '("b" in query.a)'),
        ('method("GET", "post")', 'method in ("GET", "POST",)'),
        ("{err.status_code} in [404, 410]", "int(err.status_code) in (404, 410)"),
        ('remote_ip("10.0.0.0/8")', 'cidr(remote_ip, "10.0.0.0/8")'),
    ],
)
def test_expressions_are_written_as_ours(converted: Convert, theirs: str, ours: str) -> None:
    assert f"@x expression {quoted(ours)}" in _lines(converted(_site(f"@x expression `{theirs}`", "respond @x a")))


def test_lines_of_one_kind_are_alternatives(converted: Convert) -> None:
    text = converted(
        _site("@x {", "path /a", "path /b", "header A b", "header A c", "method GET", "}", "respond @x a")
    ).text
    assert "path /a /b\n        header A b c\n        method GET" in text


def test_a_directive_whose_matcher_is_not_converted_is_not_let_loose(converted: Convert) -> None:
    conversion = converted(_site("@x expression `strange()`", "respond @x secret"))
    assert "# not converted: respond @x secret" in conversion.text
    assert {remark.outcome for remark in conversion.report.open()} == {Outcome.NOT}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("harbour.example", "http://harbour.example"),
        ("https://harbour.example", "http://harbour.example"),
        (":8080", ":8080"),
        ("http://harbour.example:81", "http://harbour.example:81"),
        ("a.example, b.example", "http://a.example, http://b.example"),
        ("*.harbour.example", "http://*.harbour.example"),
    ],
)
def test_addresses_are_for_plain_http(converted: Convert, theirs: str, ours: str) -> None:
    conversion = converted(f"{theirs} {{\nrespond a\n}}\n")
    assert conversion.text.startswith(f"{ours} {{\n")
    assert conversion.report.is_complete == theirs.startswith((":", "http:"))


def test_a_site_without_braces_takes_all_lines(converted: Convert) -> None:
    assert converted(":8080\n\nrespond a\n").text == ":8080 {\n    respond a\n}\n"


@pytest.mark.parametrize("closed", ["basic_auth {\nx y\n}", "forward_auth localhost:1 {\nuri /\n}"])
def test_what_keeps_requests_out_stays_closed(converted: Convert, closed: str) -> None:
    name = closed.split()[0]
    conversion = converted(_site(closed, "respond secret"))
    if f"\n    {name}" not in conversion.text:
        assert f'error @closed_1 501 "{name} is not converted"' in conversion.text


def test_a_snippet_that_stays_together_is_kept(converted: Convert) -> None:
    snippet = "(a) {\nheader A b\nheader C d\n}\n"
    text = converted(
        f"{snippet}http://x.example {{\nimport a\nrespond x\n}}\nhttp://y.example {{\nimport a\nrespond y\n}}\n"
    ).text
    assert text.startswith("(a) {\n    header A b\n    header C d\n}\n")
    assert text.count("    import a\n") == 2


def test_a_snippet_whose_parts_run_apart_is_written_out(converted: Convert) -> None:
    text = converted("(a) {\nheader A b\nrespond x\n}\n" + _site("import a", "redir /y /z")).text
    assert "import" not in text
    assert text.index("header A b") < text.index("redir /y /z") < text.index("respond x")


def test_rewrites_that_may_follow_each_other_exclude_each_other(converted: Convert) -> None:
    text = converted(_site("rewrite /a /b", "rewrite /b /c")).text
    assert "handle /a {\n            rewrite * /b\n" in text


# ---- what is closed stays closed

_ALL = 'expression "1 == 1"'


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ("respond @odd 403", 'error @closed_1 501 "respond is not converted"'),
        ("error @odd 403", 'error @closed_1 501 "error is not converted"'),
        ("abort @odd", 'error @closed_1 501 "abort is not converted"'),
        ("basic_auth @odd {\nme hash\n}", 'error @closed_1 501 "basic_auth is not converted"'),
        ("handle @odd {\nrespond no 401\n}", "handle @closed_1 {"),
        ("route @odd {\nabort\n}", "handle @closed_1 {"),
        ("handle @odd {\nforward_auth localhost:1\n}", "handle @closed_1 {"),
    ],
)
def test_a_refusal_whose_matcher_is_not_converted_refuses_everybody(
    converted: Convert, refusal: str, expected: str
) -> None:
    lines = _lines(converted(_site("@odd harbour_of_client north", refusal, "file_server")))
    assert lines[lines.index(expected) - 1] == f"@closed_1 {_ALL}"
    assert lines.index(expected) < lines.index("files {")


def test_of_a_matcher_the_lines_that_are_converted_say_who_is_refused(converted: Convert) -> None:
    matcher = ("@odd {", "path /admin/*", "harbour_of_client north", "method POST", "}")
    lines = _lines(converted(_site(*matcher, "respond @odd 403", "file_server")))
    at = lines.index("@closed_1 {")
    assert lines[at : at + 4] == ["@closed_1 {", "path /admin/*", "method POST", "}"]


def test_values_of_one_kind_are_alternatives_and_count_only_together(converted: Convert) -> None:
    matcher = ("@odd {", "path /admin/*", "path {unknown.of.all}", "}")
    lines = _lines(converted(_site(*matcher, "respond @odd 403", "file_server")))
    assert f"@closed_1 {_ALL}" in lines


def test_a_refusal_that_itself_is_not_converted_refuses_the_same_requests(converted: Convert) -> None:
    lines = _lines(converted(_site("@x path /x*", 'error @x "{unknown.of.all}" 403', "file_server")))
    assert 'error @x 501 "error is not converted"' in lines


def test_a_matcher_that_is_invalid_here_leaves_nothing_open(converted: Convert) -> None:
    lines = _lines(converted(_site("@x remote_ip nowhere", "respond @x 403", "handle @x {\nabort\n}", "file_server")))
    assert any(line.startswith("error @refused_") for line in lines)
    assert any(line.startswith("handle @refused_") for line in lines)


def test_a_plug_in_that_asks_who_a_client_is_refuses_before_anything_answers(converted: Convert) -> None:
    lines = _lines(converted(_site("reverse_proxy localhost:9000", "authorize with policy")))
    assert lines.index('error @closed_1 501 "authorize is not converted"') < lines.index("proxy localhost:9000")


def test_what_refuses_nobody_closes_nothing(converted: Convert) -> None:
    text = converted(_site("@odd harbour_of_client north", "header @odd A b", "respond @odd hello 200")).text
    assert "501" not in text


# ---- nothing is dropped silently


@pytest.mark.parametrize("name", ["sites/*.conf", "missing"])
def test_an_import_that_brings_nothing_stays_as_a_comment_at_its_place(converted: Convert, name: str) -> None:
    conversion = converted(_site("respond a", "handle /x {", f"import {name}", "respond b", "}"))
    lines = _lines(conversion)
    at = next(number for number, line in enumerate(lines) if line.startswith(f"# not converted: import {name} ("))
    assert lines[at - 1] == "handle /x {"
    assert [one.outcome for one in conversion.report.remarks if one.written == f"import {name}"] == [Outcome.NOT]


def test_a_value_that_ends_with_a_semicolon_keeps_it(converted: Convert) -> None:
    conversion = converted(_site("header Strict-Transport-Security max-age=31536000;", "respond a"))
    assert 'header Strict-Transport-Security "max-age=31536000;"' in _lines(conversion)
    assert conversion.report.is_complete


@pytest.mark.parametrize(
    "option",
    ["health_uri /up", "lb_policy cookie", "dynamic a x 80", "handle_response {", "replace_status 404 200",
     "@error status 500", "lb_retry_match method GET", "stream_timeout 1h", "max_fails 3"],
)  # fmt: skip
def test_what_a_proxy_cannot_yet_is_named_as_such(converted: Convert, option: str) -> None:
    lines = (option, "}") if option.endswith("{") else (option,)
    conversion = converted(_site("reverse_proxy localhost:9000 {", *lines, "}"))
    assert [one.outcome for one in conversion.report.open()] == [Outcome.NOT_YET]


@pytest.mark.parametrize("name", ["php_fastcgi", "forward_auth",
                                  "push", "acme_server", "rate_limit", "cache", "fs", "log_name"])  # fmt: skip
def test_a_directive_that_is_not_there_yet_is_named_as_such(converted: Convert, name: str) -> None:
    conversion = converted(_site(f"{name} x"))
    assert [one.outcome for one in conversion.report.open()] == [Outcome.NOT_YET]


def test_tracing_is_trace_and_records_everything_as_caddy_does(converted: Convert) -> None:
    conversion = converted(_site("tracing {", "span shop", "span_attributes {", "a {method}", "}", "}", "respond b"))
    lines = _lines(conversion)
    at = lines.index("trace {")
    assert lines[at + 1 : at + 4] == ["sample 100%", "span shop", "attribute a {method}"]
    assert conversion.report.is_complete


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("handle_response {", "respond a 200", "}"), "intercept {"),
        (("@e status 404 5xx", "handle_response @e {", "respond a 200", "}"), "intercept 404 5xx {"),
        (("@e {", "header X-A b*", "}", "handle_response @e {", "respond a 200", "}"), "intercept header X-A b* {"),
    ],
)
def test_intercept_says_itself_which_responses_it_is_for(
    converted: Convert, lines: tuple[str, ...], expected: str
) -> None:
    conversion = converted(_site("intercept {", *lines, "}", "respond b"))
    assert expected in _lines(conversion)
    assert [one.outcome for one in conversion.report.open()] == [Outcome.PARTLY]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("@e status 404", "replace_status @e 410"), ["intercept 404 {", "replace_status 410", "}"]),
        (("replace_status 410",), ["intercept {", "replace_status 410", "}"]),
    ],
)
def test_an_intercept_that_replaces_the_status_has_it_in_its_block(
    converted: Convert, lines: tuple[str, ...], expected: list[str]
) -> None:
    conversion = converted(_site("intercept {", *lines, "}", "respond b"))
    found = _lines(conversion)
    at = found.index(expected[0])
    assert found[at : at + 3] == expected
    assert conversion.report.is_complete


@pytest.mark.parametrize(
    "lines",
    [
        ("replace_status @nobody 404",),
        ("handle_response {", "respond a", "}", "handle_response {", "respond b", "}"),
        ("handle_response @nobody {", "respond a", "}"),
        ("@e {", "status 404", "header X y", "}", "handle_response @e {", "respond a", "}"),
        ("@e header !X", "handle_response @e {", "respond a", "}"),
        (),
    ],
)
def test_an_intercept_that_says_more_than_ours_can_stays_as_a_comment(
    converted: Convert, lines: tuple[str, ...]
) -> None:
    conversion = converted(_site("intercept {", *lines, "}", "respond b"))
    assert [one.outcome for one in conversion.report.open()] == [Outcome.NOT]


def test_a_snippet_that_nothing_imports_stays_as_a_comment(converted: Convert) -> None:
    conversion = converted("(spare) {\nrespond /x 403\n}\n" + _site("respond a"))
    assert "# nothing imports it: (spare) {\n#     respond /x 403\n# }\n" in conversion.text
    assert [one.reason for one in conversion.report.remarks if one.written == "(spare)"] == [
        "not needed: nothing imports it"
    ]
    assert conversion.report.is_complete


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("encode",), "encode zstd gzip"),
        (("encode gzip zstd",), "encode gzip zstd"),
        (("encode {", "zstd better", "gzip", "}"), "encode zstd gzip {\n        level zstd 7\n    }"),
        (
            ("encode {", "match {", "header Content-Type text/*", "header Content-Type font/*", "status 2xx", "}", "}"),
            "encode zstd gzip {\n        types text/* font/*\n        match {\n            status 2xx\n        }\n    }",
        ),
        (
            ("encode gzip {", "match header X-Pack yes", "}"),
            "encode gzip {\n        types *\n        match {\n            header X-Pack yes\n        }\n    }",
        ),
    ],
)
def test_encode_keeps_its_codings_levels_and_types(converted: Convert, lines: tuple[str, ...], expected: str) -> None:
    conversion = converted(_site(*lines))
    assert expected in conversion.text
    assert conversion.report.is_complete


def test_a_coding_or_a_level_that_is_not_there_is_said(converted: Convert) -> None:
    assert not converted(_site("encode lz4")).report.is_complete
    assert not converted(_site("encode {", "gzip 12", "}")).report.is_complete
