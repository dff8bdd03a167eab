"""`edge validate`: `--fix` and the formats."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from edgescript.cli.mending import Mended, mended
from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Source, Span

Call = Callable[..., Result]

NGINX = """:8080
{
    proxy_pass http://localhost:3000; # behind
}
"""
CADDY = """:8080 {
    reverse_proxy localhost:3000
}
"""


def test_safe_fixes_are_carried_out_told_and_written(call: Call) -> None:
    Path("Edgefile").write_text(NGINX)
    result = call("validate", "--fix")
    assert result.exit_code == 0
    assert Path("Edgefile").read_text() == ":8080 {\n    proxy http://localhost:3000 # behind\n}\n"
    assert result.stdout.splitlines() == [
        'Edgefile:2:1: fixed E005: write "{" at the end of the line above',
        'Edgefile:3:5: fixed E101: write "proxy"',
        "Edgefile:3:37: fixed E017: take it out",
        "Edgefile: valid",
    ]


def test_a_guess_is_not_carried_out(call: Call) -> None:
    text = ":8080 {\n    proxxy localhost:3000\n}\n"
    Path("Edgefile").write_text(text)
    result = call("validate", "--fix")
    assert result.exit_code == 1
    assert 'did you mean "proxy"?' in result.stdout
    assert Path("Edgefile").read_text() == text


def test_what_a_fix_brings_to_light_is_mended_too(call: Call) -> None:
    Path("Edgefile").write_text(
        ":8080 {\n    reverse_proxy localhost:3000 {\n        lb_retries 2\n        via true\n    }\n}\n"
    )
    assert call("validate", "--fix").exit_code == 0
    assert "    proxy localhost:3000 {\n        retry 2\n        via on\n    }\n" in Path("Edgefile").read_text()


def test_what_is_left_is_reported(call: Call) -> None:
    Path("Edgefile").write_text(":8080 {\n    reverse_proxy localhost:3000\n    teleport /mars\n}\n")
    result = call("validate", "--fix")
    assert result.exit_code == 1
    assert "fixed E101" in result.stdout
    assert 'there is no directive "teleport"' in result.stdout
    assert "reverse_proxy" not in Path("Edgefile").read_text()


def test_imported_files_are_mended_and_the_standard_library_is_not(call: Call) -> None:
    Path("parts").mkdir()
    Path("parts/app.edge").write_text("reverse_proxy localhost:3000;\n")
    main = ":8080 {\n    import std/security-headers\n    import parts/app.edge\n}\n"
    Path("Edgefile").write_text(main)
    result = call("validate", "--fix")
    assert result.exit_code == 0, result.output
    assert Path("parts/app.edge").read_text() == "proxy localhost:3000\n"
    assert Path("Edgefile").read_text() == main
    assert "parts/app.edge:1:1: fixed E101" in result.stdout


def test_a_file_that_is_right_is_not_written(call: Call) -> None:
    Path("Edgefile").write_text(":8080 {\n    files\n}\n")
    before = os.stat("Edgefile")
    assert call("validate", "--fix").exit_code == 0
    after = os.stat("Edgefile")
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_fix_that_adds_an_error_is_left_undone() -> None:
    def check(source: Source, read: Callable[[str], bytes]) -> list[Problem]:
        """Every a is one error, every b two; the fix of the first a makes a b of it, that of the second a c."""
        text = source.text
        found = [Problem("E101", "b", None) for _ in range(2 * text.count("b"))]
        for number, place in enumerate([place for place, letter in enumerate(text) if letter == "a"]):
            edit = Edit(Span(source, place, place + 1), "b" if number == 0 and len(text) == 3 else "c")
            found.append(Problem("E101", "a", edit.span, fix=Fix("do", (edit,), safe=True)))
        return found

    result = mended(Source("x", "a a"), check)
    assert "b" not in result.source.text
    assert result.source.text == "a c"


def test_the_mended_text_of_standard_input_is_printed(call: Call) -> None:
    result = call("validate", "--fix", "-", stdin=CADDY)
    assert result.exit_code == 0
    assert result.stdout == ":8080 {\n    proxy localhost:3000\n}\n"
    assert result.stderr.splitlines() == ['<stdin>:2:5: fixed E101: write "proxy"', "<stdin>: valid"]


def test_standard_output_cannot_have_both(call: Call) -> None:
    assert call("validate", "--fix", "--format", "json", "-", stdin=CADDY).exit_code == 2


def test_bytes_that_are_no_text_and_line_ends_stay_as_they_are(call: Call) -> None:
    Path("Edgefile").write_bytes(b":8080 {\r\n    # caf\xe9\r\n    reverse_proxy localhost:3000\r\n}\r\n")
    assert call("validate", "--fix").exit_code == 1
    assert Path("Edgefile").read_bytes() == b":8080 {\r\n    # caf\xe9\r\n    proxy localhost:3000\r\n}\r\n"


def test_the_summary_tells_how_many_safe_fixes_there_are(call: Call) -> None:
    Path("Edgefile").write_text(CADDY)
    assert call("validate").stdout.endswith("Edgefile: 1 error; safe fixes for 1: `edge validate --fix`\n")


def test_formats_for_tools(call: Call) -> None:
    Path("Edgefile").write_text(CADDY)
    found = call("validate", "--format", "github")
    assert found.exit_code == 1
    assert found.stdout.startswith("::error file=Edgefile,line=2,endLine=2,col=5,endColumn=17,title=E101::")
    log = json.loads(call("validate", "--format", "sarif").stdout)
    assert log["runs"][0]["results"][0]["ruleId"] == "E101"
    assert json.loads(call("validate", "--format", "json").stdout)[0]["fix"]["safe"] is True


def test_with_a_format_for_tools_what_was_fixed_is_told_aside(call: Call) -> None:
    Path("Edgefile").write_text(CADDY)
    result = call("validate", "--fix", "--format", "json")
    assert json.loads(result.stdout) == []
    assert result.stderr == 'Edgefile:2:5: fixed E101: write "proxy"\n'


@pytest.mark.parametrize("name", ["E012", "e012"])
def test_help_explains_a_code(call: Call, name: str) -> None:
    result = call("help", name)
    assert result.exit_code == 0
    assert result.stdout.startswith("E012: a malformed escape in a quoted text\n")
    assert '    respond 200 "C:\\files"\n' in result.stdout


def test_an_unknown_code_is_answered_with_the_nearest(call: Call) -> None:
    result = call("help", "E0122")
    assert result.exit_code == 1
    assert 'there is no code "E0122"; did you mean "E012"?' in result.output


def test_a_file_with_thousands_of_fixes_is_looked_at_a_few_times() -> None:
    """Even where each of them brings something else to light."""
    looks = 0

    def check(source: Source, read: Callable[[str], bytes]) -> list[Problem]:
        nonlocal looks
        looks += 1
        places = [(place, letter) for place, letter in enumerate(source.text) if letter in "ab"]
        fix = {place: Fix("do", (Edit(Span(source, place, place + 1), "b"),), safe=True) for place, _ in places}
        return [Problem("E101", letter, None, fix=fix[place] if letter == "a" else None) for place, letter in places]

    assert mended(Source("x", "a " * 3000), check).source.text == "b " * 3000
    assert looks < 10


def test_fix_writes_no_file_that_was_changed_meanwhile(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("Edgefile").write_text(CADDY)

    def mended_slowly(source: Source, check: Callable[..., list[Problem]]) -> Mended:
        Path("Edgefile").write_text("# by an editor\n")
        return mended(source, check)

    monkeypatch.setattr("edgescript.cli.mending.mended", mended_slowly)
    result = call("validate", "--fix")
    assert result.exit_code == 1
    assert "was changed meanwhile" in result.output
    assert Path("Edgefile").read_text() == "# by an editor\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_fix_leaves_a_read_only_file_alone(call: Call) -> None:
    Path("Edgefile").write_text(CADDY)
    Path("Edgefile").chmod(0o444)
    assert call("validate", "--fix").exit_code == 1
    assert Path("Edgefile").read_text() == CADDY
