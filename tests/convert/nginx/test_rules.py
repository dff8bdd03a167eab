"""What single directives of nginx come to."""

from __future__ import annotations

import pytest

from edgescript.convert.nginx.convert import convert, looks_like
from edgescript.convert.nginx.lines import Line
from edgescript.convert.nginx.locations import cases, chosen
from edgescript.convert.nginx.syntax import lines_of
from edgescript.convert.regexp import as_python
from edgescript.convert.report import Conversion, Outcome
from edgescript.text.source import Source


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(name)


def converted(text: str) -> Conversion:
    return convert(Source("nginx.conf", text), read=_nothing, find=lambda _: [])


def parsed(text: str) -> Line:
    return lines_of(Source("nginx.conf", text), read=_nothing, find=lambda _: [])[0]


@pytest.mark.parametrize(
    ("inner", "lines"),
    [
        ("return 301 https://b.example$request_uri;", ["redir https://b.example{orig_uri} 301"]),
        ("return 302 /new;", ["redir * /new 302"]),
        ('return 200 "a {b} $host";', [r"respond 200 `a \{b} {host}`"]),
        (r'return 200 "one\ntwo";', [r'respond 200 "one\ntwo"']),
        ("return 404;", ["error 404"]),
        ("return 444;", ["abort"]),
        ("return http://b.example/;", ["redir http://b.example/ 302"]),
        ("root /srv/$host; location / { }", ["root /srv/{host}", "files"]),
        ("client_max_body_size 10m; return 204;", ["max_size 10MiB"]),
        ("location /a { deny all; }", ["handle /a* {", "error 403"]),
        (
            "location /a { proxy_pass http://unix:/run/a.sock; }",
            ["proxy unix//run/a.sock {", "header_up Host localhost"],
        ),
        ("location /a { proxy_pass https://b.example; proxy_ssl_verify on; }", ["proxy https://b.example {"]),
        ("location /a { proxy_pass http://b.example:81; proxy_set_header X $http_x_y; }", ["header_up X {header.X-Y}"]),
        ("location /a { proxy_pass http://b.example; proxy_next_upstream off; }", ["retry 0"]),
        ("rewrite ^/a/(.*)$ /b/$1?x=1 last; return 200 x;", ["rewrite /b/{re.1}?x=1&{query}"]),
        ("expires 1h; return 200 x;", ["Cache-Control max-age=3600"]),
        ("if ($request_method = POST) { return 403; } return 200 x;", ["@request_method_post method POST"]),
        (
            'if ($http_x !~ "^a") { return 403; } return 200 x;',
            ["@condition not header_regexp X ^a", "error @condition 403"],
        ),
    ],
)
def test_a_directive_comes_to_lines(inner: str, lines: list[str]) -> None:
    conversion = converted(f"server {{ {inner} }}")
    found = [line.strip() for line in conversion.text.splitlines()]
    assert [line for line in lines if line not in found] == [], conversion.text
    assert conversion.report.is_complete, conversion.report.open()


@pytest.mark.parametrize(
    ("inner", "outcome", "reason"),
    [
        ("proxy_cache a;", Outcome.NOT_YET, "a cache of responses: not there yet"),
        ("gunzip on;", Outcome.NOT, "bodies are not decompressed for clients that take no compression"),
        ("sub_filter $host x;", Outcome.NOT, "the text to find cannot have variables"),
        ("location / { fastcgi_pass 127.0.0.1:9000; }", Outcome.NOT_YET, "FastCGI: not there yet"),
        ("no_such_directive x;", Outcome.NOT, "this directive has no counterpart here"),
        ("content_by_lua_block { ngx.say(1) }", Outcome.NOT, "scripts inside the configuration are not converted"),
        ("return 200 $nobody;", Outcome.NOT, "$nobody has no placeholder"),
        (
            "location ~ ^/(?R)x { }",
            Outcome.NOT,
            "the regular expression means nothing here: unknown extension ?R at position 3",
        ),
        ("etag off;", Outcome.NOT, "files always have an entity tag"),
    ],
)
def test_what_is_not_converted_is_a_comment_and_in_the_report(inner: str, outcome: Outcome, reason: str) -> None:
    conversion = converted(f"server {{ {inner} }}")
    (one,) = conversion.report.open()
    assert (one.outcome, one.reason, one.place) == (outcome, reason, "nginx.conf:1")
    assert f"# {outcome}: {one.written.removesuffix(' { … }').rstrip(';')}" in conversion.text


def test_a_location_that_asks_for_a_password_lets_nobody_in() -> None:
    text = converted(
        'server { location / { auth_basic "x"; auth_basic_user_file /f; proxy_pass http://127.0.0.1:1; } }'
    ).text
    assert "error 401" in text
    assert "proxy " not in text


def test_programs_are_never_sent_as_files() -> None:
    text = converted("server { root /srv; index index.php; location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; } }").text
    assert "index.php" not in text
    assert 'error 501 "fastcgi_pass was not converted"' in text


def test_comments_stay_with_their_directives() -> None:
    text = converted("# the site\nserver {\n    # the folder\n    root /srv; # behind\n    # at the end\n}\n").text
    assert text == "# the site\n:80 {\n    # at the end\n    # the folder\n    # behind\n    root /srv\n    files\n}\n"


def test_servers_take_the_hosts_and_ports_that_nginx_would_choose_them_for() -> None:
    text = converted(
        """
        server { listen 80; server_name a.example; return 200 a; }
        server { listen 8080; server_name b.example; return 200 b; }
        server { listen 80 default_server; server_name _; return 200 c; }
        server { listen 443 ssl; server_name a.example; return 200 d; }
        server { listen 443 ssl; server_name d.example; return 200 e; }
        """
    ).text
    sites = [line.removesuffix(" {") for line in text.splitlines() if line.endswith("{")]
    assert sites == [
        "http://a.example",
        "http://b.example:8080, :8080",
        ":80",
        "http://a.example:8443, :8443",
        "http://d.example",
    ]


def test_locations_stand_in_the_order_in_which_nginx_chooses() -> None:
    server = parsed(
        "location / {} location /a/ {} location ^~ /a/b/ {} location ~ x {} location = /y {} location /a/b/c/ {}"
        "location ~* z {}"
    )
    assert [case.matchers for case in cases(server)] == [
        (("path", "/y"),),
        (("path", "/a/b/*"), ("not", "path", "/a/b/c/*")),
        (("path_regexp", "x"),),
        (("path_regexp", "(?i)z"),),
        (("path", "/a/b/c/*"),),
        (("path", "/a/*"),),
        (),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/a/x.php", "\\.php$"),
        ("/b/x.php", "/b/"),
        ("/a/in/y", "/a/in/"),
        ("/a/in/x.php", "in\\.php"),
        ("/q", "/"),
    ],
)
def test_a_location_is_chosen_for_a_path_while_converting(path: str, expected: str) -> None:
    server = parsed(
        "location / {} location /a/ { location /a/in/ { location ~ x\\.php {} } } location ~ \\.php$ {} location ^~ /b/ {}"
        if expected != "in\\.php"
        else "location / {} location /a/ { location ~ in\\.php {} location ~ in/x {} } location ~ \\.php$ {}"
    )
    found = chosen(server, path)
    assert found is not None
    if expected != "in\\.php":
        assert found.args[-1] == expected
    else:
        assert found.args[-1] == "in/x"


@pytest.mark.parametrize(
    ("text", "is_nginx"),
    [
        ("server {\n    listen 80;\n}\n", True),
        ("location / {\n    proxy_pass http://a;\n}\n", True),
        ("example.com {\n    reverse_proxy localhost:9000\n}\n", False),
        (":80\nfile_server\n", False),
        ("", False),
    ],
)
def test_a_text_is_told_apart_from_a_caddyfile(text: str, is_nginx: bool) -> None:
    assert looks_like(Source("x", text)) is is_nginx


# ---- what is closed stays closed


@pytest.mark.parametrize(
    "inner",
    [
        "if ($geoip_country_code != SE) { return 403; }",
        "valid_referers none; if ($invalid_referer) { return 444; }",
        "set $bad 0; if ($gzip_ratio ~ 1) { set $bad 1; } if ($bad = 1) { return 403; }",
        "set $bad $gzip_ratio; if ($bad) { return 403; }",
    ],
)
def test_a_refusal_whose_condition_is_not_converted_refuses_everybody(inner: str) -> None:
    lines = [line.strip() for line in converted(f"server {{ {inner} root /srv; }}").text.splitlines()]
    at = lines.index('error @refused 501 "if was not converted"')
    assert lines[at - 1] == '@refused expression "1 == 1"'
    assert at < lines.index("files")


def test_a_condition_about_files_closes_nothing() -> None:
    assert "@refused" not in converted("server { if (-f /srv/off) { return 404; } root /srv; }").text


@pytest.mark.parametrize("inner", ["deny all;", "return 403;", "fastcgi_pass unix:/run/php.sock;", "auth_basic x;"])
def test_a_location_that_is_lost_stays_closed(inner: str) -> None:
    text = converted(f"server {{ root /srv; location ~ (?|a)x {{ {inner} }} location / {{ }} }}").text
    assert text.index("error 501") < text.index("files")


def test_a_location_that_kept_nothing_closed_is_only_left_out() -> None:
    assert "501" not in converted("server { root /srv; location ~ (?|a)x { expires 1h; } location / { } }").text


@pytest.mark.parametrize("guard", ["ssl_verify_client on;", "access_by_lua_block { ngx.exit(403) }", "auth_pam x;"])
def test_what_asks_who_a_client_is_refuses_everybody(guard: str) -> None:
    assert "error 401" in converted(f"server {{ root /srv; {guard} }}").text


def test_client_certificates_that_nobody_needs_close_nothing() -> None:
    assert "401" not in converted("server { root /srv; ssl_verify_client optional; }").text


# ---- regular expressions


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("[[:alpha:]_]+", "[A-Za-z_]+"),
        ("[^[:space:]]", r"[^\s]"),
        (r"a\z", r"a\Z"),
        (r"\[:alpha:\]", r"\[:alpha:\]"),
        ("(?<name>x)(?'other'y)", "(?P<name>x)(?P<other>y)"),
    ],
)
def test_a_regular_expression_is_written_as_python_has_it(theirs: str, ours: str) -> None:
    assert as_python(theirs) == ours


@pytest.mark.parametrize("theirs", ["[[.a.]]", "(?|a)", "[a", "[[:nothing:]]"])
def test_a_regular_expression_that_would_mean_something_else_is_refused(theirs: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_python(theirs)


@pytest.mark.parametrize(
    "table",
    [
        "map $ssl_client_s_dn $bad { default 1; }",
        "map $host $bad { default 0; include hosts.map; }",
        "map $host $bad { default 0; ~(?|a) 1; }",
        "geo $bad { default 0; include networks.conf; }",
        "geo $arg_ip $bad { default 0; 10.0.0.0/8 1; }",
        "geo $other $one { 10.0.0.0/8 1; } map $one $bad { 1 1; }",
    ],
)
def test_a_refusal_by_a_table_that_is_not_whole_refuses_everybody(table: str) -> None:
    text = converted(f"http {{ {table} server {{ if ($bad) {{ return 403; }} root /srv; }} }}").text
    assert 'error @refused 501 "if was not converted"' in text


def test_a_table_that_is_whole_is_relied_on() -> None:
    text = converted("http { map $host $bad { default 0; a.example 1; } server { if ($bad) { return 403; } } }").text
    assert "@refused" not in text
    assert "error @bad 403" in text


@pytest.mark.parametrize(
    "last", ["/index.php", "/index.php$is_args$args", "/index.php$request_uri", "/index.php?$args"]
)
def test_a_last_resort_that_is_a_program_is_not_sent_as_a_file(last: str) -> None:
    php = r"location ~ \.php(/|$) { fastcgi_pass unix:/run/php.sock; }"
    text = converted(f"server {{ root /srv; {php} location / {{ try_files $uri {last}; }} }}").text
    below = text[text.index("    handle {\n") :]
    assert below.rindex("error 501") > below.rindex("files")


def test_an_if_with_more_than_rewriting_says_that_what_stands_below_it_is_left_out() -> None:
    inner = "location / { if ($http_origin = x) { add_header A b; } return 204; }"
    (remark,) = converted(f"server {{ {inner} }}").report.open()
    assert remark.outcome is Outcome.PARTLY
    assert "nothing runs for these requests" in remark.reason


@pytest.mark.parametrize(
    ("inner", "lines"),
    [
        ("gzip on;", ["encode gzip {", "level gzip 1", "minimum_length 20", "types text/html", "}"]),
        (
            "gzip on; gzip_vary on; gzip_comp_level 6; gzip_min_length 1k; gzip_types *;",
            ["encode gzip {", "level gzip 6", "minimum_length 1KiB", "types *", "}"],
        ),
        ("gzip off; gzip_types text/css;", []),
        ("sub_filter 12 '';", ["replace {", "once", "types text/html", '12 ""', "}"]),
        (
            "sub_filter a$ 'b$host'; sub_filter_once off; sub_filter_types text/css;",
            ["replace {", "types text/html text/css", r"`~(?i)a\$` b{host}", "}"],
        ),
    ],
)
def test_changes_of_bodies(inner: str, lines: list[str]) -> None:
    conversion = converted(f"server {{ {inner} return 200 x; }}")
    assert conversion.report.is_complete
    written = [line.strip() for line in conversion.text.splitlines()]
    assert written[1 : written.index("respond 200 x")] == lines
