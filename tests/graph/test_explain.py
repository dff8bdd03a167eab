"""The explanation of a request, as text next to text: the first line of each `explain/*.txt` is the request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgescript.graph.adapt import adapt
from edgescript.graph.explain import Explanation, explain, render
from edgescript.graph.model import Graph

HERE = Path(__file__).parent / "explain"
TEXT = (HERE / "site.edge").read_text()


@pytest.fixture
def explained(compiled: Callable[[str], Graph], ask: Any) -> Callable[..., Explanation]:
    def explained(request: str, text: str = TEXT) -> Explanation:
        method, url = request.split()
        parts = urlsplit(url)
        graph = compiled(text)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return explain(graph, ask(target, method=method, host=parts.netloc), graph.listeners[0])

    return explained


@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("*.txt")))
def test_golden(name: str, explained: Callable[..., Explanation]) -> None:
    golden = (HERE / f"{name}.txt").read_text()
    assert render(explained(golden.partition("\n")[0])) + "\n" == golden


def test_a_choice_among_very_many_shows_the_first_and_the_last(explained: Callable[..., Explanation]) -> None:
    lines = "\n".join(f'answer /r{number} "r"' for number in range(100))
    text = render(explained("GET http://x/r90", ":80 {\n" + lines + "\n}\n"))
    assert "… 78 more" in text
    assert "answer /r89 " not in text
    assert "answer /r90 " in text


def test_a_terminal_is_not_run(explained: Callable[..., Explanation]) -> None:
    assert explained("GET http://x/", ":80 {\n fail 500\n}\n").answer == "fail 500"


def test_a_rewriter_that_fails_is_shown_with_its_error(explained: Callable[..., Explanation]) -> None:
    text = ':80 {\n go_to /%zz\n handle_errors 4xx {\n answer "bad"\n }\n}\n'
    explanation = explained("GET http://x/", text)
    assert [told.text for told in explanation.steps] == ["go_to /%zz", "error 400", "handle_errors 4xx", 'answer "bad"']
    assert explanation.answer == "bad /"


def test_as_json(explained: Callable[..., Explanation]) -> None:
    said = json.loads(json.dumps(explained("PUT http://api.example.com/health").as_json()))
    assert said["site"] == ["http://api.example.com", "http://*.api.example.com"]
    assert [step["outcome"] for step in said["steps"]] == ["wrap", "skip", "choose", "answer"]
    assert said["steps"][0]["verdict"]["parts"][1]["parts"][0]["matched"] is False
    assert said["answer"] == "fine /health"


def test_the_graph_as_json(compiled: Callable[[str], Graph]) -> None:
    said = json.loads(json.dumps(adapt(compiled("{\n grace_period 5s\n}\n" + TEXT))))
    (listener,) = said["listeners"]
    assert listener["hosts"] == {"api.example.com": 0, "*.api.example.com": 0, "*": 1}
    assert said["settings"] == {"grace_period": {"duration": 5.0}} or "grace_period" in said["settings"]
    steps = said["sites"][0]["steps"]
    assert [step["name"] for step in steps] == [
        "mark", "go_to", "choose", "answer", "end", "handle_path", "mark", "answer", "end", "answer", "fail", "end"
    ]  # fmt: skip
    assert [choice["position"] for choice in steps[2]["choices"]] == [3, 5, 9]
    assert said["sites"][0]["errors"][0]["statuses"] == [410]
