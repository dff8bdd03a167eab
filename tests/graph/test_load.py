"""From text to graph: whatever the text is, there is a graph or there are problems, and never an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.text.problem import Severity
from edgescript.text.source import Source

TEXT = """\
{
    grace_period 5s
    @global not path /x
}
(snippet) {
    header X-Snippet {args.0}
}
http://a.example, http://*.b.example:81 {
    bind 127.0.0.1
    import snippet yes
    @assets path /assets/* *.png
    @writes {
        method POST PUT
        not {
            header X-No
            query a=*
        }
    }
    @beta `path.startswith("/api/") and "x" in header["X-Level"]`
    header @writes X-Writes "{method} {path}"
    handle /healthz {
        respond 200 "ok"
    }
    handle_path /api/* {
        rewrite /v1/* /v2{path}
        respond @beta <<END
            several
            lines
            END
    }
    route @assets {
        respond /assets/x 404
        error 410 "gone"
    }
    handle_errors 4xx 500 {
        respond "{err.status}"
    }
}
:8080 {
    redir https://{host}{uri} permanent
}
"""
CATALOGUE = Catalogue.load()


def read(text: str) -> tuple[Any, list[Any]]:
    return load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory="/srv", read=_nothing)


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(name)


def sound(text: str) -> None:
    graph, problems = read(text)
    assert (graph is None) == any(problem.severity is Severity.ERROR for problem in problems)
    for problem in problems:
        spans = [span for span in (problem.span, *(note.span for note in problem.notes)) if span]
        assert all(0 <= span.start <= span.end for span in spans)


def test_a_whole_file_has_no_problem() -> None:
    graph, problems = read(TEXT)
    assert problems == []
    assert [(listener.host, listener.port) for listener in graph.listeners] == [
        ("127.0.0.1", 80),
        ("127.0.0.1", 81),
        ("", 8080),
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_a_file_with_a_part_missing(start: int, end: int) -> None:
    sound(TEXT[: min(start, end)] + TEXT[max(start, end) :])


WORDS = sorted(
    {*TEXT.split(), "{", "}", "\n", "*", "@", '"', "`", "not", "@writes {", "handle {", "tcp://:1", "https://x"}
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_words_of_a_file_in_any_order(words: list[str]) -> None:
    sound(" ".join(words))
    sound(":80 {\n" + " ".join(words) + "\n}\n")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    sound(text)
    sound(":80 {\n" + text + "\n}\n")


def test_all_problems_of_all_passes_are_reported_in_one_run(read: Callable[[str], Any]) -> None:
    _, problems = read(':80 {\n nothing_of_this_name\n answer @no "a"\n answer "b"\n answer "c"\n}\nexample.com {\n')
    assert [problem.code for problem in problems] == ["E101", "E111", "E201", "E203", "E003"]
