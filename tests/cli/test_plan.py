"""`edge plan`, `edge explain --all`: exit codes, formats, and what is wrong with what they are given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]

OLD = 'http://example.com {\n    redir /old /new\n    respond "hello"\n}\n'
NEW = OLD.replace("/new", "/newer")


@pytest.fixture
def two(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(OLD)
    (tmp_path / "new").write_text(NEW)


@pytest.mark.usefixtures("two")
def test_the_exit_code_says_whether_something_changes(call: Call) -> None:
    same, other = call("plan", "old", "old"), call("plan", "old", "new")
    assert (same.exit_code, same.output) == (0, "nothing changes\n")
    assert other.exit_code == 2
    assert (
        "requests to /old of http://example.com now redirect to /newer (302), before redirect to /new" in other.output
    )


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("words", [("old", "-"), ("-", "new")])
def test_one_side_may_be_standard_input(call: Call, words: tuple[str, str]) -> None:
    result = call("plan", *words, stdin=NEW if words[1] == "-" else OLD)
    assert result.exit_code == 2
    assert "<stdin>:2:5" in result.output


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("form", [("--json",), ("--format", "json")])
def test_a_plan_as_json(call: Call, form: tuple[str, ...]) -> None:
    said = json.loads(call("plan", *form, "old", "new").output)
    (change,) = said["changes"]
    assert (change["kind"], change["what"], change["site"]) == ("changed", "directive", "http://example.com")
    assert (change["old"], change["new"]) == ("old:2:5", "new:2:5")
    details = {"name": "to", "about": "The URL to go to.", "removed": ["/new"], "added": ["/newer"]}
    assert change["details"] == [details]
    (effect,) = said["effects"]
    assert effect["example"] == "http://example.com/old"
    assert said["untried"] == []


@pytest.mark.usefixtures("two")
def test_an_example_of_a_plan_can_be_explained(call: Call) -> None:
    (effect,) = json.loads(call("plan", "--json", "old", "new").output)["effects"]
    assert call("explain", "--config", "new", effect["example"]).output.endswith("→ redirect to /newer (302)\n")


@pytest.mark.usefixtures("two")
def test_the_problems_of_both_files_are_told(call: Call, tmp_path: Path) -> None:
    (tmp_path / "old").write_text(":80 {\n    respnd\n}\n")
    (tmp_path / "new").write_text(":80 {\n    abrt\n}\n")
    result = call("plan", "old", "new")
    assert result.exit_code == 1
    assert "respond" in result.stderr
    assert "abort" in result.stderr
    assert result.stdout == ""


@pytest.mark.usefixtures("two")
def test_what_a_plan_is_given_wrongly(call: Call) -> None:
    assert call("plan", "-", "-").exit_code == 2
    assert call("plan", "old").exit_code == 2
    assert call("plan", "old", "new", "--format", "xml").exit_code == 2


def test_a_file_that_is_not_there_is_one_line(process: Callable[..., object]) -> None:
    done = process("plan", "nowhere", "nowhere")
    assert done.returncode == 1  # type: ignore[attr-defined]
    assert done.stderr == "edge: nowhere: no such file or directory\n"  # type: ignore[attr-defined]


def test_a_file_that_takes_the_place_of_another_has_its_relative_paths_there(call: Call, tmp_path: Path) -> None:
    for folder, status in (("old", 200), ("new", 201)):
        (tmp_path / folder / "site").mkdir(parents=True)
        text = f":80 {{\n    header / A b\n    respond /x {status}\n    files site\n}}\n"
        (tmp_path / folder / "Edgefile").write_text(text)
    (tmp_path / "new" / "site" / "index.html").write_text("hello")
    said = json.loads(call("plan", "--json", "old/Edgefile", "new/Edgefile").output)
    assert [effect["routes"] for effect in said["effects"]] == ["/x"]


# ---- explain --all


def test_explain_all_tells_every_route(call: Call) -> None:
    text = call("explain", "--all", "--config", "-", stdin=OLD).output
    assert text.splitlines()[0] == "listen :80"
    assert "├─ redir /old /new       <stdin>:2:5  answer" in text
    assert '└─ respond "hello"       <stdin>:3:5  answer' in text


def test_explain_all_as_json(call: Call) -> None:
    said = json.loads(call("explain", "--all", "--json", "--config", "-", stdin=OLD).output)
    assert said["listeners"] == [{"at": ":80", "sites": [0]}]
    (site,) = said["sites"]
    assert [item["text"] for item in site["items"]] == ["redir /old /new", 'respond "hello"']


def test_explain_takes_a_request_or_all(call: Call) -> None:
    assert call("explain", "--config", "-", stdin=OLD).exit_code == 2
    assert call("explain", "--all", "/", "--config", "-", stdin=OLD).exit_code == 2


def test_explain_all_of_a_file_with_problems_tells_them(call: Call) -> None:
    result = call("explain", "--all", "--config", "-", stdin=":80 {\n    respnd\n}\n")
    assert result.exit_code == 1
    assert "respond" in result.stderr


# ---- graph


@pytest.mark.parametrize(
    ("name", "start"), [("x.svg", "<svg "), ("x.mmd", "flowchart "), ("x.dot", "digraph "), ("x", "<svg ")]
)
def test_the_format_of_a_picture_is_that_of_the_file(call: Call, tmp_path: Path, name: str, start: str) -> None:
    assert call("graph", "-", "-o", name, stdin=OLD).output == ""
    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize(("form", "start"), [("svg", "<svg "), ("mermaid", "flowchart "), ("dot", "digraph ")])
def test_a_picture_goes_to_standard_output(call: Call, form: str, start: str) -> None:
    assert call("graph", "-", "--format", form, stdin=OLD).output.startswith(start)


def test_a_picture_of_one_site(call: Call) -> None:
    text = OLD + OLD.replace("example.com", "example.org")
    assert "example.org" not in call("graph", "-", "--site", "example.com", stdin=text).output
    result = call("graph", "-", "--site", "exmple.com", stdin=text)
    assert result.exit_code == 1
    assert 'there is no site exmple.com: did you mean "example.com"?' in result.output


def test_a_picture_of_a_file_with_problems_is_its_problems(call: Call) -> None:
    result = call("graph", "-", stdin=":80 {\n    respnd\n}\n")
    assert result.exit_code == 1
    assert "respond" in result.stderr
    assert result.stdout == ""


def test_a_picture_that_cannot_be_written_is_one_line(process: Callable[..., object]) -> None:
    done = process("graph", "-", "-o", "nowhere/x.svg", stdin=OLD)
    assert done.returncode == 1  # type: ignore[attr-defined]
    assert done.stderr == "edge: nowhere/x.svg: no such file or directory\n"  # type: ignore[attr-defined]
