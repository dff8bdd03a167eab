"""`intercept`: which responses, what answers in their place, and what becomes of theirs."""

from __future__ import annotations

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.explain import explain
from edgescript.graph.load import load
from edgescript.graph.outline import outline
from edgescript.http.body import Sink
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.http.pending import Drive
from edgescript.server.serve import serve
from edgescript.testing import Edge
from edgescript.text.source import Source


def answered(lines: str, path: str = "/", method: str = "GET") -> tuple[int, str, dict[str, str]]:
    answer = Edge(text=f":80 {{\n{lines}\n}}\n").request(method, f"http://localhost{path}")
    return answer.status, answer.text, dict(answer.headers)


@pytest.mark.parametrize(
    ("lines", "status", "body"),
    [
        ("intercept 404 {\nrespond sorry\n}\nrespond 404", 404, "sorry"),
        ("intercept 4xx {\nrespond sorry\n}\nrespond 404", 404, "sorry"),
        ("intercept 5xx 404 {\nrespond sorry 200\n}\nrespond 404", 200, "sorry"),
        ("intercept status 404 {\nrespond sorry\n}\nrespond 404", 404, "sorry"),
        ("intercept 5xx {\nrespond sorry\n}\nrespond here", 200, "here"),
        ("intercept {\nrespond {resp.status}\n}\nrespond 201 made", 201, "201"),
        ("intercept header X-Kind a* {\nrespond yes\n}\nheader X-Kind abc\nrespond no", 200, "yes"),
        ("intercept header X-Kind b* {\nrespond yes\n}\nheader X-Kind abc\nrespond no", 200, "no"),
        ("intercept /a/* 404 {\nrespond sorry\n}\nrespond 404 gone", 404, "gone"),
        ("@b path /\nintercept @b 404 {\nrespond sorry\n}\nrespond 404 gone", 404, "sorry"),
        # The innermost looks first, and what it answers is a response for the next.
        ("intercept 404 {\nrespond outer\n}\nintercept 403 {\nrespond inner 404\n}\nrespond 403", 404, "outer"),
        # A block that answers nothing leaves the response.
        ("intercept 404 {\nheader X-Seen yes\nrespond /other no\n}\nrespond 404 gone", 404, "gone"),
        # Nothing of an error that is raised.
        ("intercept 404 {\nrespond no\n}\nerror 404\nhandle_errors {\nrespond handled\n}", 404, "handled"),
        # An error in the block is an error of the site, with its own status.
        ("intercept 404 {\nerror 503\n}\nrespond 404\nhandle_errors {\nrespond handled\n}", 503, "handled"),
        # Inside a block, only for what is in it and below.
        ("handle /x {\nintercept 404 {\nrespond no\n}\n}\nrespond 404 gone", 404, "gone"),
        ("intercept 404 {\nhandle /x {\nrespond x\n}\nhandle {\nrespond else\n}\n}\nrespond 404", 404, "else"),
    ],
)
def test_what_is_sent_is_what_the_file_says(lines: str, status: int, body: str) -> None:
    assert answered(lines)[:2] == (status, body)


def test_header_lines_of_the_block_change_a_response_that_goes_on() -> None:
    _, _, headers = answered("intercept 404 {\nheader X-Seen yes\n}\nheader X-Below yes\nrespond 404")
    assert (headers["x-seen"], headers["x-below"]) == ("yes", "yes")


def test_a_post_gets_the_page_too() -> None:
    assert answered("intercept 404 {\nrespond sorry\n}\nrespond 404", method="POST")[:2] == (404, "sorry")


class _Body:
    """A body that says what became of it."""

    length = 3

    def __init__(self) -> None:
        self.cancelled = False

    def start(self, sink: Sink) -> None:
        raise AssertionError("nobody reads it")

    def cancel(self) -> None:
        self.cancelled = True


def test_a_response_that_is_dropped_is_freed_and_never_read() -> None:
    text = ":80 {\nintercept {\nrespond other\n}\nrespond 200\n}\n"
    graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=".")
    assert graph is not None, problems
    body = _Body()
    site = graph.sites[0]
    position = next(number for number, step in enumerate(site.program.steps) if step.text == "respond 200")
    code = list(site.program.code)
    code[position] = (None, lambda exchange: Response(200, [], body), position + 1, 0)  # type: ignore[arg-type]
    object.__setattr__(site.program, "code", tuple(code))
    exchange = Exchange(None, b"GET", b"/", "1.1", [(b"host", b"x")], b"", 0.0)  # type: ignore[arg-type]
    outcome = serve(exchange, graph.listeners[0])
    assert not isinstance(outcome, Response)
    given: list[Response | None] = []
    Drive(outcome, lambda response, error: given.append(response)).start()
    assert given[0] is not None
    assert given[0].body == b"other"
    assert body.cancelled


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("intercept nonsense {\nrespond x\n}", "a class such as 5xx"),
        ("intercept 600 {\nrespond x\n}", "a class such as 5xx"),
        ("intercept header {\nrespond x\n}", "header NAME VALUE"),
        ("intercept 404", "block"),
    ],
)
def test_a_condition_that_makes_no_sense_is_a_problem(line: str, message: str) -> None:
    text = f":80 {{\n{line}\nrespond 200\n}}\n"
    graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=".")
    assert graph is None
    assert any(message in f"{problem.message} {problem.hint}" for problem in problems), problems


def test_explain_names_it_and_does_not_go_into_its_block() -> None:
    text = ":80 {\nintercept 404 {\nrespond inside\n}\nrespond 404\n}\n"
    graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=".")
    assert graph is not None, problems
    client = type("Client", (), {"remote_ip": "127.0.0.1", "scheme": "http", "trust": None})()
    exchange = Exchange(client, b"GET", b"/", "1.1", [(b"host", b"x")], b"", 0.0)
    told = explain(graph, exchange, graph.listeners[0]).as_text()
    assert "intercept 404" in told
    assert "inside" not in told
    assert told.splitlines()[-1].strip().startswith("answer") or "404" in told


def test_a_directive_below_that_answers_everything_does_not_make_the_block_unreachable() -> None:
    text = ":80 {\nintercept {\nrespond a\nrespond b\n}\nrespond c\n}\n"
    _, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=".")
    assert [problem.code for problem in problems] == ["E201"]


def test_the_outline_holds_its_block() -> None:
    from edgescript.graph.load import analyse

    text = ":80 {\nintercept 404 {\nrespond inside\n}\nrespond 404\n}\n"
    found = analyse(Source("Edgefile", text), catalogue=Catalogue.load(), environment={})
    assert found.bound is not None
    told = outline(found.bound).as_text()
    assert "intercept 404" in told
    assert "respond inside" in told
