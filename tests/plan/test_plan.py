"""Plans, as text next to texts: each folder here has `old.edge`, `new.edge` and what `edge plan` says, `plan.txt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.plan.model import Plan
from edgescript.plan.render import as_text
from edgescript.text.source import Source

HERE = Path(__file__).parent
Compare = Callable[..., Plan]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in HERE.glob("*/plan.txt")))
def test_golden(name: str, compare: Compare) -> None:
    old, new, golden = ((HERE / name / file).read_text() for file in ("old.edge", "new.edge", "plan.txt"))
    assert as_text(compare(old, new)) + "\n" == golden


# ---- what is no change

LINES = st.sampled_from(
    [
        "header -Server",
        "header X-Frame-Options DENY",
        'header Cache-Control "max-age=60"',
        "request_header X-Tenant {labels.1}",
        "redir /old /new permanent",
        "rewrite /v1/* /api{path}",
        "proxy /api/* 10.0.0.1:8080 10.0.0.2:8080",
        "@writes method POST PUT\nrespond @writes 201",
        'handle /health {\nrespond "ok"\n}',
        "handle_path /files/* {\nproxy 10.0.0.9:80 {\nbalance first\n}\n}",
        "vars {\nname value\n}",
        "root /srv",
        "log",
    ]
)
BODIES = st.lists(LINES, min_size=1, max_size=6, unique=True).map("\n".join)
SITES = st.lists(BODIES, min_size=1, max_size=3)


def text_of(bodies: list[str]) -> str:
    return "".join(f"http://s{number}.example.com {{\n{body}\n}}\n" for number, body in enumerate(bodies))


@given(SITES)
@settings(max_examples=60, deadline=None)
def test_a_file_and_itself_are_the_same(compare: Compare, bodies: list[str]) -> None:
    assert compare(text_of(bodies), text_of(bodies)) == Plan((), ())


@given(SITES)
@settings(max_examples=60, deadline=None)
def test_formatting_and_comments_change_nothing(compare: Compare, bodies: list[str]) -> None:
    text = text_of(bodies)
    formatted = format_tree(parse(Source("old.edge", text))[0])
    assert compare(text, "# a comment\n\n" + formatted) == Plan((), ())


@given(SITES)
@settings(max_examples=60, deadline=None)
def test_a_snippet_is_the_same_as_its_lines(compare: Compare, bodies: list[str]) -> None:
    snippets = "".join(f"(body{number}) {{\n{body}\n}}\n" for number, body in enumerate(bodies))
    imports = text_of([f"import body{number}" for number, _ in enumerate(bodies)])
    assert compare(text_of(bodies), snippets + imports) == Plan((), ())
    files = {f"body{number}.edge": body for number, body in enumerate(bodies)}
    assert compare(snippets + imports, text_of([f"import {name}" for name in files]), files) == Plan((), ())


@given(SITES)
@settings(max_examples=60, deadline=None)
def test_the_order_of_sites_changes_nothing(compare: Compare, bodies: list[str]) -> None:
    blocks = [f"http://s{number}.example.com {{\n{body}\n}}\n" for number, body in enumerate(bodies)]
    assert compare("".join(blocks), "".join(reversed(blocks))) == Plan((), ())


@given(SITES, SITES)
@settings(max_examples=60, deadline=None)
def test_two_files_differ_both_ways_or_not_at_all(compare: Compare, old: list[str], new: list[str]) -> None:
    there, back = compare(text_of(old), text_of(new)), compare(text_of(new), text_of(old))
    assert bool(there.changes) == bool(back.changes)
    assert bool(there.effects) == bool(back.effects)
    if not there.changes:
        assert there.effects == ()
    json.dumps(there.as_json())
    assert as_text(there)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("respond /a 201\nrespond /b 202", "respond /b 202\nrespond /a 201"),
        ("handle /a/* {\nabort\n}\nhandle /b {\nlog\n}", "handle /b {\nlog\n}\nhandle /a/* {\nabort\n}"),
        ("respond /A 201", "@x path /a\nrespond @x 201"),
        ("request_body {\n max_size 1MB\n}", "request_body {\n max_size 1000KB\n}"),
        ("proxy :80 {\n connect_timeout 3s\n}", "proxy :80"),
        ("route {\n respond 201\n}", "respond 201"),
        ("route {\n handle /a {\n log\n }\n handle {\n abort\n }\n}", "handle /a {\n log\n}\nhandle {\n abort\n}"),
        ("handle_errors 404 {\n respond 201\n}\nhandle_errors {\n respond 202\n}\nerror 404",
         "handle_errors {\n respond 202\n}\nhandle_errors 404 {\n respond 201\n}\nerror 404"),
        ("handle_errors 404 {\n respond 201\n}\nhandle_errors 5xx {\n respond 202\n}\nerror 404",
         "handle_errors 5xx {\n respond 202\n}\nhandle_errors 404 {\n respond 201\n}\nerror 404"),
        ("handle_errors 404 {\n respond 201\n}\nrespond /x 202", "respond /x 202\nhandle_errors 404 {\n respond 201\n}"),
    ],
)  # fmt: skip
def test_another_way_to_say_the_same_is_no_change(compare: Compare, old: str, new: str) -> None:
    assert compare(f":80 {{\n{old}\n}}\n", f":80 {{\n{new}\n}}\n") == Plan((), ())


# ---- what is one


@pytest.mark.parametrize(
    ("old", "new", "noticed"),
    [
        ("respond 200", "abort", "requests to :80 now close the connection without an answer, before answer 200"),
        ("respond 200", "proxy :81", "requests to :80 now proxy to http://localhost:81{uri}, before answer 200"),
        ("redir /a /b", "redir /a /c", "requests to /a of :80 now redirect to /c (302), before redirect to /b (302)"),
        ("log\nrespond 200", "respond 200", "responses to :80 no longer pass `log`"),
        ("respond 200", "request_header -X\nrespond 200", "requests to :80 now lose X"),
        ("@a client_ip 10.0.0.0/8\nrespond 200", "@a client_ip 10.0.0.0/8\nrespond @a 403\nrespond 200",
         "requests to /* from 10.0.0.0 of :80 now answer 403, before answer 200"),
        ("respond 200", "@a path_regexp ^/users/(\\d+)/[^/]+$\nredir @a /b\nrespond 200",
         "requests to /users/1/a of :80 now redirect to /b (302), before answer 200"),
        ("respond 200", "@a header_regexp User-Agent curl/.*\nredir @a /b\nrespond 200",
         "requests to /* with User-Agent curl/a of :80 now redirect to /b (302), before answer 200"),
        ("@a query x=1\nrespond 200", "@a query x=1\nredir @a /b\nrespond 200",
         "requests to /*?x=1 of :80 now redirect to /b (302), before answer 200"),
    ],
)  # fmt: skip
def test_what_requests_notice(compare: Compare, old: str, new: str, noticed: str) -> None:
    found = compare(f":80 {{\n{old}\n}}\n", f":80 {{\n{new}\n}}\n")
    assert noticed in [f"{effect.requests} {effect.text}" for effect in found.effects]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # One value of two words is not two values.
        ('header {\n X "a b"\n}\nrespond 200', "header {\n X a b\n}\nrespond 200"),
        # A group that is there without a word of its own.
        ("files /srv", "files /srv {\n precompressed\n}"),
        # Braces, and a directive, between blocks that exclude each other end their choice.
        ("handle /a {\n log\n}\nhandle {\n respond 200\n}",
         "handle /a {\n log\n}\nroute {\n handle {\n respond 200\n }\n}"),
        ("handle /a {\n log\n}\nhandle {\n respond 200\n}",
         "handle /a {\n log\n}\nroute {\n}\nhandle {\n respond 200\n}"),
        ("handle /a {\n log\n}\nrespond /b 204\nhandle {\n respond 200\n}",
         "respond /b 204\nhandle /a {\n log\n}\nhandle {\n respond 200\n}"),
        # Of several that take an error, the first answers it.
        ("handle_errors 404 {\n respond 201\n}\nhandle_errors 4xx {\n respond 202\n}\nerror 404",
         "handle_errors 4xx {\n respond 202\n}\nhandle_errors 404 {\n respond 201\n}\nerror 404"),
        # `{re.1}` is what the last expression caught.
        ("@x {\n path_regexp ^/(a)\n path_regexp ^/a(b)\n}\nredir @x /{re.1}",
         "@x {\n path_regexp ^/a(b)\n path_regexp ^/(a)\n}\nredir @x /{re.1}"),
    ],
)  # fmt: skip
def test_what_looks_alike_and_is_not_the_same_is_a_change(compare: Compare, old: str, new: str) -> None:
    there, back = (compare(f":80 {{\n{a}\n}}\n", f":80 {{\n{b}\n}}\n") for a, b in ((old, new), (new, old)))
    assert there.changes
    assert back.changes


def many_sites(count: int, body: str) -> str:
    return "".join(f"http://s{number}.example {{\n {body}\n}}\n" for number in range(count))


def test_what_is_the_same_on_many_sites_is_told_once(compare: Compare) -> None:
    old, new = (many_sites(20, f"header A {value}\n respond 200") for value in "xy")
    found = compare(old, new)
    assert len(found.changes) == 20
    assert len(found.effects) == 2
    assert as_text(found).count("header A y") == 1
    assert "and 17 more sites" in as_text(found)


def test_of_very_many_sites_some_are_tried_and_the_rest_is_told(compare: Compare) -> None:
    old, new = (many_sites(250, f"header A {value}\n respond 200") for value in "xy")
    found = compare(old, new)
    assert found.untried == ("requests to 50 more sites that differ",)
    assert len(found.changes) == 250


def test_a_site_that_cannot_be_set_up_here_is_compared_and_not_tried(compare: Compare) -> None:
    site = ":80 {\n proxy https://a.example {\n tls_trust_pool /nowhere/ca.pem\n retry %d\n }\n}\n"
    found = compare(site % 1, site % 2)
    assert [change.text for change in found.changes] == ["proxy https://a.example"]
    assert "cannot be set up" in found.untried[0]


def test_a_matcher_that_several_directives_use_is_told_once(compare: Compare) -> None:
    site = ":80 {\n @x path %s\n header @x A b\n header @x C d\n respond @x 201\n}\n"
    found = compare(site % "/a", site % "/b")
    assert [(change.what, change.text) for change in found.changes] == [("matcher", "@x")]


def test_another_argument_of_an_import_is_told_by_its_value(compare: Compare) -> None:
    snippet = "(s) {\n @x {\n header Origin {args.0}\n not path {args.0}\n }\n header A {args.0}\n header @x B c\n}\n"
    old, new = (f"{snippet}:80 {{\n import s {value}\n respond 200\n}}\n" for value in ("/x", "/y"))
    told = [
        (detail.removed, detail.added, detail.on_line)
        for change in compare(old, new).changes
        for detail in change.details
    ]
    assert (("header Origin /x", "not path /x"), ("header Origin /y", "not path /y"), False) in told
    assert (("/x",), ("/y",), False) in told


def test_a_long_list_of_routes_that_is_turned_round_is_no_change_where_none_overlap(compare: Compare) -> None:
    routes = [f'handle /r{number:05} {{\n respond "r{number}"\n}}' for number in range(3000)]
    assert (
        compare(":80 {\n" + "\n".join(routes) + "\n}\n", ":80 {\n" + "\n".join(reversed(routes)) + "\n}\n").changes
        == ()
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "{\n owner me\n}\n", [("added", "owner me")]),
        ("{\n owner me\n}\n", "", [("removed", "owner me")]),
        ("{\n owner me\n}\n", "{\n owner you\n}\n", [("changed", "owner")]),
        ("", "{\n grace_period 10s\n}\n", []),
    ],
)
def test_a_setting_without_default_comes_and_goes(
    compare: Compare, old: str, new: str, told: list[tuple[str, str]]
) -> None:
    site = ":80 {\n respond 200\n}\n"
    assert [(change.kind, change.text) for change in compare(old + site, new + site).changes] == told
