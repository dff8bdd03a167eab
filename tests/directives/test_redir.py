from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "status", "location"),
    [
        ("redir /new", 302, "/new"),
        ("redir * /new permanent", 301, "/new"),
        ("redir https://example.org temporary", 302, "https://example.org"),
        ("redir https://example.org{uri} 307", 307, "https://example.org/a%20b?c=d"),
        ("redir https://{host}{path}", 302, "https://example.com/a%20b"),
        ("redir https://example.org 401", 401, "https://example.org"),
        ("redir https://example.org {query.code}", 302, None),
        ("redir /a* /new 303", 303, "/new"),
        ("redir https://example.org/ü", 302, "https://example.org/%C3%BC"),
    ],
)
def test_where_and_how(site, line, status, location):
    answer = site(line)("/a%20b?c=d" if location else "/?code=302")
    assert (answer.status, answer.header("location")) == (status, location or "https://example.org")
    assert answer.text == ""


def test_a_placeholder_adds_no_field(site):
    answer = site("redir https://example.org/{query.to}")("/?to=x%0d%0aSet-Cookie:%20a=b")
    assert answer.header("location") == "https://example.org/x%0D%0ASet-Cookie:%20a=b"
    assert answer.header("set-cookie") is None


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "///evil.example/x"])
def test_a_path_leads_to_no_other_host(site, target):
    location = site("redir {uri}/")(target).header("location")
    assert location is not None
    assert location.startswith("/evil.example")


def test_two_slashes_in_the_edgefile_are_meant(site):
    assert site("redir //cdn.example.com{uri}")("/x").header("location") == "//cdn.example.com/x"


def test_a_page_that_leads_on(site):
    answer = site("redir https://example.org/?a={query.a} html")('/?a="><script>')
    assert answer.status == 200
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert 'content="0; url=https://example.org/?a=%22%3E%3Cscript%3E"' in answer.text
    assert answer.header("location") is None


def test_a_page_has_no_link_that_runs_a_script(site):
    assert site("redir {query.to} html")("/?to=javascript:alert(1)").status == 400


def test_a_code_that_is_none_is_an_error(site):
    assert site("redir https://example.org {query.code}")("/?code=200").status == 500


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("redir /new permanent", 'E115 "permanent" is no URL to go to'),
        ("redir /new 301", 'E115 "301" is no URL to go to'),
        ("redir https://example.org 200", "E106 expected permanent, temporary, html or a 3xx code"),
        ("redir", "E107"),
    ],
)
def test_mistakes(mistakes, line, problem):
    (found,) = mistakes(line)
    assert found.startswith(problem)
