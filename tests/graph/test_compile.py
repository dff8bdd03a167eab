"""What is written is what runs: order, blocks, alternatives, error routes, sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgescript.graph.model import Graph
from edgescript.server.serve import serve

BodyOf = Callable[..., str]

BLOCKS = """
http://example.com {
    handle /a/* {
        answer /a/one "a one"
        mark x
    }
    handle_path /x/* {
        answer "x"
    }
    @post method POST
    handle @post {
        route /deep/* {
            handle /deep/1 {
                answer "deep 1"
            }
            handle {
                answer /deep/2 "deep 2"
            }
            answer /deep/3 "deep 3"
        }
    }
    answer /late "late"
    route {
        later /wait "waited"
    }
    handle {
        answer /c "c"
    }
}
"""


@pytest.mark.parametrize(
    ("method", "target", "answer"),
    [
        ("GET", "/a/one", "a one /a/one"),
        ("GET", "/a/two", "404"),
        ("GET", "/x/y", "x /y"),
        ("GET", "/X/y", "x /X/y"),
        ("POST", "/deep/1", "deep 1 /deep/1"),
        ("POST", "/deep/2", "deep 2 /deep/2"),
        ("POST", "/deep/3", "deep 3 /deep/3"),
        ("POST", "/deep/4", "404"),
        ("GET", "/deep/1", "404"),
        ("GET", "/late", "late /late"),
        ("POST", "/late", "late /late"),
        ("GET", "/wait", "waited"),
        ("GET", "/c", "c /c"),
        ("POST", "/c", "c /c"),
    ],
)
def test_blocks(body_of: BodyOf, method: str, target: str, answer: str) -> None:
    assert body_of(BLOCKS, target, method=method) == answer


def test_of_many_paths_the_first_written_wins(body_of: BodyOf) -> None:
    lines = [f'    answer /r{number} "exact {number}"' for number in range(50)]
    lines += ["    @text path *.txt", '    answer @text "text"', '    answer /r5* "prefix"', '    answer "rest"']
    text = ":80 {\n" + "\n".join(lines) + "\n}\n"
    assert body_of(text, "/r49") == "exact 49 /r49"
    assert body_of(text, "/R49") == "exact 49 /R49"
    assert body_of(text, "/r5/x") == "prefix /r5/x"
    assert body_of(text, "/r5/x.txt") == "text /r5/x.txt"
    assert body_of(text, "/none") == "rest /none"


def test_a_terminal_that_goes_on_is_followed_by_the_next_that_matches(body_of: BodyOf) -> None:
    text = """
    :80 {
        answer /a* "one" {
            pass_on
        }
        answer /b* "two"
        answer /c* "three"
        answer /ab* "four"
    }
    """
    assert body_of(text, "/abc") == "four /abc"
    assert body_of(text, "/a") == "404"


def test_a_path_is_compared_in_its_normal_form(body_of: BodyOf) -> None:
    text = ':80 {\n answer /admin/* "guarded"\n answer "open"\n}\n'
    for target in (
        "/admin/x",
        "/a/../admin/x",
        "//admin//x",
        "/%61dmin/x",
        "/x/%2e%2e/admin/x",
        "/ADMIN/x",
        "/./admin/x",
    ):
        assert body_of(text, target).startswith("guarded"), target


def test_a_rewrite_is_seen_by_what_is_below_it(body_of: BodyOf) -> None:
    text = ':80 {\n answer /b "too early"\n go_to /a /b\n answer /b "b"\n answer "other"\n}\n'
    assert body_of(text, "/a") == "b /b"
    assert body_of(text, "/b") == "too early /b"


def test_named_matchers_of_the_global_block_of_the_site_and_of_a_block(body_of: BodyOf) -> None:
    text = """
    {
        @post method POST
        @a    path /a
    }
    http://example.com {
        @a path /site-a
        handle @a {
            @inner {
                not path /x
                not {
                    method GET
                    header X-No
                }
            }
            answer @inner "inner"
            answer "outer"
        }
        @expr `method == "PUT" and path.startswith("/p")`
        answer @expr "expression"
        answer @post "post"
    }
    """
    assert body_of(text, "/site-a") == "inner /site-a"
    assert body_of(text, "/site-a", headers={"X-No": "1"}) == "outer /site-a"
    assert body_of(text, "/a") == "404"
    assert body_of(text, "/a", method="POST") == "post /a"
    assert body_of(text, "/p", method="PUT") == "expression /p"


ERRORS = """
http://example.com {
    handle_errors {
        answer "any"
    }
    handle_errors 4xx {
        answer "class"
    }
    fail /404 404
    fail /410 410
    fail /500 500
    handle_errors 404 410 {
        answer /404 "exact"
    }
}
"""


@pytest.mark.parametrize(
    ("target", "answer"), [("/404", "exact /404"), ("/410", "410"), ("/500", "any /500"), ("/", "404")]
)
def test_the_most_specific_error_route_answers(body_of: BodyOf, target: str, answer: str) -> None:
    assert body_of(ERRORS, target) == answer


SITES = """
http://a.example, http://*.a.example, http://c.example:81 {
    answer "a"
}
http://b.example {
    bind 127.0.0.1 [::1]
    answer "b"
}
:81 {
    answer "rest"
}
http://d.example {
    bind unix//run/d.sock
    answer "d"
}
"""


def test_sites_share_the_listeners_they_are_reached_at(compiled: Callable[[str], Graph], ask: Any) -> None:
    graph = compiled(SITES)
    listeners = {(listener.host, listener.port): listener for listener in graph.listeners}
    assert list(listeners) == [("", 80), ("", 81), ("127.0.0.1", 80), ("::1", 80), ("/run/d.sock", None)]

    def answer(host: str, key: tuple[str, int | None]) -> object:
        response: Any = serve(ask(host=host), listeners[key])
        return response.body if response.status == 200 else response.status

    assert answer("x.a.example", ("", 80)) == b"a /"
    assert answer("A.example.:8080", ("", 80)) == b"a /"
    assert answer("b.example", ("", 80)) == 404
    assert answer("b.example", ("::1", 80)) == b"b /"
    assert answer("c.example", ("", 81)) == b"a /"
    assert answer("other", ("", 81)) == b"rest /"
    assert answer("d.example", ("/run/d.sock", None)) == b"d /"


def test_a_graph_closes_what_its_directives_opened(compiled: Callable[[str], Graph], ask: Any) -> None:
    graph = compiled('http://a.example, :81 {\n kept\n answer "x"\n}\n')
    response: Any = serve(ask(host="a.example"), graph.listeners[0])
    assert (b"kept", b"http://a.example,:81 /srv") in response.headers
    *_, resource = graph.resources
    with pytest.raises(StopIteration):
        graph.close().send(None)
    assert resource.closed  # type: ignore[attr-defined]


def test_closing_goes_on_behind_what_cannot_be_closed(compiled: Callable[[str], Graph]) -> None:
    graph = compiled('http://a.example {\n kept\n kept\n answer "x"\n}\n')

    async def fails() -> None:
        raise OSError("stuck")

    *_, first, second = graph.resources
    second.close = fails  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        graph.close().send(None)
    assert first.closed  # type: ignore[attr-defined]


def test_what_cannot_be_set_up_is_a_problem_at_its_line(read: Callable[[str], Any]) -> None:
    graph, problems = read(":80 {\n    broken\n}\n")
    assert graph is None
    assert [(p.code, str(p.span), p.message) for p in problems] == [
        ("E205", "Edgefile:2:5", "broken cannot be set up: no such device")
    ]


def test_an_empty_file_is_an_empty_graph(compiled: Callable[[str], Graph]) -> None:
    assert compiled("").listeners == ()


def test_steps_carry_where_and_how_they_were_written(compiled: Callable[[str], Graph]) -> None:
    (site,) = compiled(':80 {\n    answer  /a  \\\n        "one"\n    answer "two"\n}\n').sites
    assert [(step.name, step.text, str(step.span or "")) for step in site.program.steps] == [
        ("answer", 'answer  /a "one"', "Edgefile:2:5"),
        ("answer", 'answer "two"', "Edgefile:4:5"),
        ("end", "answer 404", ""),
    ]
