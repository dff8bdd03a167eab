from __future__ import annotations

import pytest


def test_of_handles_side_by_side_the_first_that_matches_runs(site):
    ask = site(
        """
        handle /a/b {
            respond "exact"
        }
        handle /a/* {
            respond "below"
        }
        handle {
            respond "rest"
        }
        """
    )
    assert [ask(path).text for path in ("/a/b", "/a/c", "/x")] == ["exact", "below", "rest"]


def test_a_request_that_a_handle_leaves_unanswered_goes_on(site):
    assert site("handle /a {\n header X-A yes\n}\nrespond end")("/a").header("x-a") == "yes"


def test_routes_do_not_exclude_each_other(site):
    answer = site("route /a* {\n header A yes\n}\nroute /ab {\n header B yes\n}\nrespond end")("/ab")
    assert (answer.header("a"), answer.header("b")) == ("yes", "yes")


@pytest.mark.parametrize(
    ("pattern", "target", "uri"),
    [
        ("/api/*", "/api/users?a=b", "/users?a=b"),
        ("/api/*", "/api/", "/"),
        ("/api/*", "/api", "elsewhere"),
        ("/api*", "/api", "/"),
        ("/api*", "/apis", "/s"),
        ("/api", "/api", "/"),
        ("/api/*", "/API/Users", "/Users"),
        ("/api/*", "/%61pi/a%2Fb", "/a%2Fb"),
        ("/api/*", "/x/../api/y", "/y"),
        ("/api/*", "/api/../x", "elsewhere"),
        ("/api/*", "/api/%2e%2e/x", "elsewhere"),
        ("/a b/*", "/a%20b/c", "/c"),
        ("/*", "/x", "/x"),
    ],
)
def test_handle_path_takes_its_path_away(site, pattern, target, uri):
    ask = site(f'handle_path "{pattern}" {{\n respond "{{uri}}"\n}}\nrespond elsewhere')
    assert ask(target).text == uri


def test_handle_path_and_handle_exclude_each_other(site):
    ask = site("handle_path /a/* {\n header A {path}\n}\nhandle {\n header B {path}\n}\nrespond end")
    assert [(ask(path).header("a"), ask(path).header("b")) for path in ("/a/x", "/x")] == [("/x", None), (None, "/x")]


@pytest.mark.parametrize(
    "line", ["handle_path {\n respond\n}", "handle_path *.php {\n respond\n}", "handle_path /a/*/b {\n}"]
)
def test_handle_path_needs_a_path(mistakes, line):
    assert mistakes(line)
