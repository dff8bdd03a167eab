"""What each command prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]

SITE = """http://example.com {
    @writes method POST PUT
    header X-Served-By edge
    handle /api/* {
        proxy 10.0.0.1:8080
    }
    handle {
        respond @writes 405 "no"
        respond "hello"
    }
}
"""
WRONG = "http://example.com {\n    respnod hello\n    proxi x\n}\n"
UNFORMATTED = 'http://example.com {\n  # kept\n\trespond   "hello"   # and this\n}\n'
FORMATTED = 'http://example.com {\n    # kept\n    respond "hello" # and this\n}\n'


# ---- validate


def test_validate_says_that_a_file_is_valid(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    result = call("validate")
    assert (result.exit_code, result.output) == (0, "Edgefile: valid\n")


def test_validate_reports_every_problem_in_one_run(call: Call) -> None:
    result = call("validate", "-", stdin=WRONG)
    assert result.exit_code == 1
    assert "<stdin>:2:5" in result.output
    assert "<stdin>:3:5" in result.output
    assert 'did you mean "respond"?' in result.output
    assert result.output.endswith("<stdin>: 2 errors\n")


def test_validate_gives_json_for_tools(call: Call) -> None:
    result = call("validate", "-", "--format", "json", stdin=WRONG)
    assert result.exit_code == 1
    assert [problem["code"] for problem in json.loads(result.output)] == ["E101", "E101"]


def test_validate_looks_at_tests_as_well(call: Call) -> None:
    result = call("validate", "-", stdin=f'{SITE}test "it" {{\n    reqest GET /\n}}\n')
    assert result.exit_code == 1
    assert 'did you mean "request"?' in result.output


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0", b"{{{{", b'"', b"a {\n" * 1000, b"\x80 {\n}\n"])
def test_bytes_that_are_no_edgefile_are_problems(call: Call, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Edgefile").write_bytes(content)
    result = call("validate")
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)


# ---- fmt


def test_fmt_prints_the_formatted_text(call: Call) -> None:
    result = call("fmt", "-", stdin=UNFORMATTED)
    assert (result.exit_code, result.output) == (0, FORMATTED)


def test_fmt_check_shows_the_difference_and_fails(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(UNFORMATTED)
    result = call("fmt", "--check")
    assert result.exit_code == 1
    assert '+    respond "hello" # and this' in result.output
    assert (tmp_path / "Edgefile").read_text() == UNFORMATTED


def test_fmt_check_is_silent_where_nothing_would_change(call: Call) -> None:
    result = call("fmt", "--check", "-", stdin=FORMATTED)
    assert (result.exit_code, result.output) == (0, "")


def test_fmt_diff_shows_the_difference_and_succeeds(call: Call) -> None:
    result = call("fmt", "--diff", "-", stdin=UNFORMATTED)
    assert result.exit_code == 0
    assert "-  # kept" in result.output


def test_fmt_write_changes_the_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(UNFORMATTED)
    result = call("fmt", "--write")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "Edgefile").read_text() == FORMATTED


def test_fmt_takes_several_files_and_folders(call: Call, tmp_path: Path) -> None:
    names = ["a.edge", "sub/Edgefile", "sub/.hidden/b.edge", "sub/notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(UNFORMATTED)
    assert call("fmt", "--check", "a.edge", "sub").exit_code == 1
    assert call("fmt", "--write", "a.edge", "sub").exit_code == 0
    assert [(tmp_path / name).read_text() for name in names] == [FORMATTED, FORMATTED, UNFORMATTED, UNFORMATTED]
    assert call("fmt", "--check", "a.edge", "sub").exit_code == 0
    assert call("fmt", "a.edge", "sub").exit_code == 2


def test_fmt_goes_on_behind_a_file_with_errors(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.edge").write_text(":80 {\n")
    (tmp_path / "b.edge").write_text(UNFORMATTED)
    result = call("fmt", "--write", "a.edge", "b.edge")
    assert result.exit_code == 1
    assert "a.edge" in result.stderr
    assert [(tmp_path / name).read_text() for name in ("a.edge", "b.edge")] == [":80 {\n", FORMATTED]


def test_fmt_cannot_write_standard_input(call: Call) -> None:
    assert call("fmt", "--write", "-", stdin=FORMATTED).exit_code == 2


def test_fmt_leaves_a_file_with_errors_alone(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text('http://a.example {\n  respond "x\n')
    result = call("fmt", "--write")
    assert result.exit_code == 1
    assert (tmp_path / "Edgefile").read_text() == 'http://a.example {\n  respond "x\n'


# ---- explain


def test_explain_tells_the_site_the_steps_and_the_target(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    result = call("explain", "POST", "http://example.com/api/things?x=1")
    assert result.exit_code == 0
    assert "Edgefile:1:1" in result.output
    assert "Edgefile:5:9" in result.output
    assert "http://10.0.0.1:8080/api/things?x=1" in result.output


def test_explain_takes_get_and_http_for_granted(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    result = call("explain", "example.com/")
    assert result.exit_code == 0
    assert result.output.startswith("GET http://example.com/")
    assert "the method is GET" in result.output


def test_explain_uses_headers_and_the_address(call: Call, tmp_path: Path) -> None:
    text = ":80 {\n    @x header X-Test yes\n    @ip remote_ip 10.0.0.0/8\n    respond @x 201\n    respond @ip 202\n}\n"
    (tmp_path / "Edgefile").write_text(text)
    assert "201" in call("explain", "/", "-H", "X-Test: yes").output.splitlines()[-1]
    assert "202" in call("explain", "/", "--ip", "10.1.1.1").output.splitlines()[-1]
    assert "404" in call("explain", "/").output.splitlines()[-1]


def test_explain_as_json(call: Call) -> None:
    result = call("explain", "--config", "-", "--format", "json", "example.com/", stdin=SITE)
    assert json.loads(result.output)["site"] == ["http://example.com"]


@pytest.mark.parametrize(
    "words",
    [
        ["a", "b", "c"],
        ["ftp://x/"],
        ["/", "-H", "nocolon"],
        ["/", "-H", "not a name: x"],
        ["/", "--ip", "nix"],
        ["http://x:y/"],
        ["http://x/a b"],
    ],
)
def test_explain_with_wrong_usage(call: Call, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    assert call("explain", *words).exit_code == 2


def test_explain_says_when_nothing_listens_there(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    result = call("explain", "http://example.com:81/")
    assert result.exit_code == 1
    assert "nothing listens on port 81" in result.output


def test_explain_says_that_a_malformed_request_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(SITE)
    result = call("explain", "http://example.com/%zz")
    assert result.exit_code == 1
    assert "answered 400" in result.output


def test_explain_tells_where_an_error_leads(call: Call) -> None:
    text = ':80 {\n    error /x 403 "no"\n    handle_errors 403 {\n        respond "sorry" 403\n    }\n}\n'
    output = call("explain", "--config", "-", "/x", stdin=text).output
    assert "raise error 403" in output
    assert "handle_errors 403" in output
    assert output.splitlines()[-1] == "→ answer 403"


def test_explain_of_files_looks_whether_there_is_one(call: Call, tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("x")
    (tmp_path / "Edgefile").write_text(
        ":80 {\n    files . {\n        pass_thru\n    }\n    redir * /elsewhere 308\n}\n"
    )
    assert call("explain", "/there.txt").output.splitlines()[-1] == f"→ answer 200 with {tmp_path}/there.txt"
    assert call("explain", "/folder").output.splitlines()[-1] == "→ redirect to /folder/ (308)"
    output = call("explain", "/missing").output
    assert "it lets the request go on" in output
    assert output.splitlines()[-1] == "→ redirect to /elsewhere (308)"


def test_explain_of_a_file_that_is_not_there_is_its_error(call: Call, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(":80 {\n    files .\n}\n")
    output = call("explain", "/missing").output
    assert f"{tmp_path}/missing" in output
    assert output.splitlines()[-1] == "→ 404, as no handle_errors fits"


def test_explain_of_early_hints_goes_on(call: Call) -> None:
    text = ':80 {\n    respond 103\n    respond "hello"\n}\n'
    output = call("explain", "--config", "-", "/", stdin=text).output
    assert output.splitlines()[-1] == "→ answer 200"


# ---- adapt


def test_adapt_prints_the_graph_as_json(call: Call) -> None:
    graph = json.loads(call("adapt", "-", stdin=SITE).output)
    assert graph["sites"][0]["names"] == ["http://example.com"]
    assert graph["listeners"][0]["port"] == 80


def test_adapt_of_a_wrong_file_prints_problems_only_as_complaints(call: Call) -> None:
    result = call("adapt", "-", stdin=WRONG)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "E101" in result.stderr


def test_what_is_wrong_with_sites_and_with_tests_is_told_in_one_run(call: Call) -> None:
    text = ':80 {\n    respnod\n}\ntest "a" {\n    reqest GET /\n    expect status 200\n}\n'
    output = call("validate", "-", stdin=text).output
    assert "E101" in output
    assert "E102" in output
    assert "2 errors" in output


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without end")
@pytest.mark.parametrize("command", ["validate", "fmt", "adapt"])
def test_a_file_without_end_is_one_problem(call: Call, command: str) -> None:
    result = call(command, "/dev/zero")
    assert result.exit_code == 1
    assert (result.stdout + result.stderr).count("error[E014]") == 1


# ---- very many problems


def test_of_very_many_problems_the_first_are_shown(call: Call) -> None:
    text = ":80 {\n" + "    respnod\n" * 600 + "}\n"
    result = call("validate", "-", stdin=text)
    assert result.exit_code == 1
    assert result.output.count("error[E101]") == 500
    assert "… and 100 more problems" in result.output
    assert result.output.splitlines()[-1] == "<stdin>: 600 errors"
    assert len(json.loads(call("validate", "--format", "json", "-", stdin=text).output)) == 600


def test_blocks_that_are_nested_too_deep_are_one_problem(call: Call) -> None:
    text = ":80 {\n" + "handle {\n" * 200 + "}\n" * 201
    assert call("validate", "-", stdin=text).output.count("error[") == 1


# ---- what a Caddyfile has otherwise


def test_an_expression_of_several_words_belongs_between_backticks(call: Call) -> None:
    output = call("validate", "-", stdin=':80 {\n@a expression method == "GET"\nrespond @a x\n}\n').output
    assert '"expression" takes one argument' in output
    assert "put the expression between backticks" in output


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("reverse_proxy localhost:1", 'it is called "proxy" here'),
        ("file_server", 'it is called "files" here'),
        ("proxy a:1 {\n lb_policy first\n}", 'it is called "balance" here'),
        ("respond {remote_host}", 'it is called "remote_ip" here'),
        ("respond {http.request.host}", 'it is called "host" here'),
        ("respond {http.request.header.X-Y}", 'it is called "header.X-Y" here'),
        ("respond {http.regexp.a.1}", 'it is called "re.a.1" here'),
    ],
)
def test_the_names_of_a_caddyfile_are_answered_with_ours(call: Call, line: str, hint: str) -> None:
    assert hint in call("validate", "-", stdin=f":80 {{\n{line}\n}}\n").output


# ---- help


def test_help_lists_every_shelf(call: Call) -> None:
    output = call("help").output
    for title in ("Directives:", "Matchers:", "Placeholders:", "Balancing policies:", "Global settings:"):
        assert title in output
    assert max(map(len, output.splitlines())) <= 140


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("respond", "respond: directive"),
        ("path_regexp", "path_regexp: matcher"),
        ("{query.page}", "query: placeholder"),
        ("{client_ip}", "client_ip: placeholder"),
        ("round_robin", "round_robin: balancing policy"),
        ("trusted_proxies", "trusted_proxies: global setting"),
    ],
)
def test_help_explains_an_entry(call: Call, name: str, told: str) -> None:
    result = call("help", name)
    assert result.exit_code == 0
    assert told in result.output


def test_help_shows_every_entry_of_a_name(call: Call) -> None:
    output = call("help", "header").output
    assert "header: directive" in output
    assert "header: matcher" in output
    assert "header: placeholder" in output


def test_help_suggests_the_nearest_name(call: Call) -> None:
    result = call("help", "respnod")
    assert result.exit_code == 1
    assert 'nothing is called "respnod"; did you mean "respond"?' in result.output


@pytest.mark.parametrize(
    "url", ["/\udcff", "http://\udcff.example/", "/ä?ö", "http://[::1", "/\n", "http://a b/", "//x", "/%00"]
)
def test_explain_of_a_strange_url_is_no_traceback(call: Call, tmp_path: Path, url: str) -> None:
    (tmp_path / "Edgefile").write_text(':80 {\n    respond "hello"\n}\n')
    result = call("explain", url)
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
