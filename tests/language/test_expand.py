from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from edgescript.language import imports
from edgescript.language.expand import expand
from edgescript.language.files import read_file
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.problem import Problem
from edgescript.text.source import Source

Expanded = Callable[..., Any]
Said = Callable[[list[Line]], list[object]]
Told = Callable[[list[Problem]], list[str]]


def test_sites_settings_and_tests_are_told_apart(expanded: Expanded, said: Said) -> None:
    file, problems = expanded('{\n admin off\n}\na.example, b.example {\n log\n}\ntest "one" {\n repeat 2\n}\n')
    assert not problems
    assert said(file.settings) == [["admin", "off"]]
    assert [[name.value for name in site.names] for site in file.sites] == [["a.example", "b.example"]]
    assert said(file.sites[0].lines) == [["log"]]
    assert said(file.tests) == [(["test", "one"], [["repeat", "2"]])]


@pytest.mark.parametrize("written", ["a.example,b.example {", "a.example , b.example {", "a.example,\n\nb.example {"])
def test_addresses_may_be_parted_by_commas_blanks_and_lines(expanded: Expanded, written: str) -> None:
    file, problems = expanded(f"{written}\n log\n}}\n")
    assert not problems
    names = file.sites[0].names
    assert [name.value for name in names] == ["a.example", "b.example"]
    source = file.sites[0].line.origin.source
    assert [source.text[name.start : name.end] for name in names] == ["a.example", "b.example"]


def test_lines_that_need_no_change_are_those_of_the_tree() -> None:
    tree, _ = parse(Source("Edgefile", "a.example {\n log\n}\n"))
    file, _ = expand(tree, environment={})
    assert file.sites[0].lines is tree.lines[0].block


def test_the_only_site_may_go_without_braces(expanded: Expanded, said: Said) -> None:
    file, problems = expanded(":8080\nlog\nhandle /x {\n respond 200\n}\n")
    assert not problems
    assert [name.value for name in file.sites[0].names] == [":8080"]
    assert said(file.sites[0].lines) == [["log"], (["handle", "/x"], [["respond", "200"]])]


def test_a_snippet_takes_arguments_by_number_and_by_name(expanded: Expanded, said: Said) -> None:
    snippet = '(s) {\n header {args.0} "{args.name}-{args[0]}"\n all {args[:]}\n}\n'
    file, problems = expanded(snippet + 'a {\n import s one "name=two words" three `x=y`\n}\n')
    assert not problems
    assert said(file.sites[0].lines) == [["header", "one", "two words-one"], ["all", "one", "three", "x=y"]]


def test_an_argument_may_have_a_default_which_may_hold_placeholders(expanded: Expanded, said: Said) -> None:
    snippet = "(s) {\n a {args.0:/x} {args.to:{host}} {args.1:}\n}\n"
    file, problems = expanded(snippet + "a {\n import s\n import s /y to=z w\n}\n")
    assert not problems
    assert said(file.sites[0].lines) == [["a", "/x", "{host}", ""], ["a", "/y", "z", "w"]]


def test_a_block_is_expanded_where_it_is_written(expanded: Expanded, said: Said) -> None:
    text = "(inner) {\n before\n {block}\n after {args.0}\n}\n(outer) {\n import inner 2 {\n  header {args.0}\n }\n}\n"
    file, problems = expanded(text + "a {\n import outer 1\n import inner 3\n}\n")
    assert not problems
    assert said(file.sites[0].lines) == [
        ["before"], ["header", "1"], ["after", "2"], ["before"], ["after", "3"]
    ]  # fmt: skip


def test_imported_lines_know_where_they_were_imported(expanded: Expanded) -> None:
    file, _ = expanded("a {\n import one.edge\n}\n", {"conf/one.edge": "import two.edge\n", "conf/two.edge": "log\n"})
    span = file.sites[0].lines[0].span()
    places = []
    while span is not None:
        places.append(str(span))
        span = span.imported
    assert places == ["conf/two.edge:1:1", "conf/one.edge:1:1", "conf/Edgefile:2:2"]


def test_a_file_is_found_beside_the_file_that_imports_it(expanded: Expanded, said: Said) -> None:
    files = {"conf/sub/one.edge": "import two.edge\n", "conf/sub/two.edge": "log\n"}
    file, problems = expanded("a {\n import sub/one.edge\n}\n", files)
    assert not problems
    assert said(file.sites[0].lines) == [["log"]]


def test_a_pattern_imports_all_files_in_order_and_may_match_none(expanded: Expanded, said: Said) -> None:
    files = {"conf/sites/b.edge": "b {\n log\n}\n", "conf/sites/a.edge": "(s) {\n encode\n}\na {\n import s\n}\n"}
    file, problems = expanded("import sites/*.edge\nimport none/*.edge\nc {\n import s\n}\n", files)
    assert not problems
    assert [site.names[0].value for site in file.sites] == ["a", "b", "c"]
    assert said(file.sites[2].lines) == [["encode"]]


def test_a_snippet_may_be_defined_behind_its_use_and_in_a_later_file(expanded: Expanded, said: Said) -> None:
    files = {"conf/one.edge": "a {\n import late\n}\n", "conf/two.edge": "(late) {\n log\n}\n"}
    file, problems = expanded("import one.edge\nimport two.edge\n", files)
    assert not problems
    assert said(file.sites[0].lines) == [["log"]]


def test_values_of_the_environment_stay_within_their_word(expanded: Expanded, said: Said) -> None:
    environment = {"HOST": "a.example, b.example {", "VALUE": 'x } "\n# y'}
    text = '{$HOST} {\n header {$VALUE} "<{$VALUE}>" `{$VALUE}` \\{$VALUE} {$NONE:de fault} {$NONE:{path}}\n}\n'
    file, problems = expanded(text.replace("de fault", "default"), None, environment)
    assert not problems
    assert [name.value for name in file.sites[0].names] == ["a.example, b.example {"]
    value = environment["VALUE"]
    assert said(file.sites[0].lines) == [
        ["header", value, f"<{value}>", value, "\\{$VALUE}", "default", "{path}"]
    ]  # fmt: skip


def test_a_line_without_its_value_is_reported_once_and_left_out(expanded: Expanded, said: Said, told: Told) -> None:
    file, problems = expanded("a {\n header {$NO} {$NEITHER}\n log\n}\n")
    assert told(problems) == [
        'E007 2:9 the environment variable "NO" is not set',
        'E007 2:15 the environment variable "NEITHER" is not set',
    ]
    assert said(file.sites[0].lines) == [["log"]]


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("(a) {\n import a\n}\nx {\n import a\n}\n", "a → a"),
        ("(a) {\n import b\n}\n(b) {\n import a\n}\nx {\n import a\n}\n", "a → b → a"),
        ("x {\n import Edgefile\n}\n", "Edgefile → Edgefile"),
        ("x {\n import f.edge\n}\n", "f.edge → f.edge"),
    ],
)
def test_an_import_that_imports_itself_is_told_with_its_chain(expanded: Expanded, text: str, chain: str) -> None:
    _, problems = expanded(text, {"conf/f.edge": "import f.edge\n", "conf/Edgefile": text})
    assert [problem.code for problem in problems] == ["E009"]
    assert problems[0].message.endswith(chain)


def _doubling(body: str, last: str) -> str:
    snippets = [f"(s{level}) {{\n{body.replace('NEXT', f's{level + 1}')}\n}}\n" for level in range(31)]
    return "".join(snippets) + f"(s31) {{\n {last}\n}}\nx {{\n import s0 xxxxxxxxxxxxxxxx {{\n  log\n }}\n}}\n"


@pytest.mark.parametrize(
    "text",
    [
        _doubling(" import NEXT\n import NEXT", "log"),
        _doubling(" import NEXT\n import NEXT", "# nothing"),
        _doubling(" import NEXT {args.0}{args.0}", "header {args.0}"),
        _doubling(" import NEXT {args[:]} {args[:]}", "header {args[:]}"),
        _doubling(" import NEXT {\n {block}\n {block}\n }", "{block}"),
        _doubling(" import nope\n import NEXT\n import NEXT", "log"),
    ],
    ids=["lines", "nothing", "text", "words", "blocks", "problems"],
)
def test_imports_that_multiply_end_in_a_problem(expanded: Expanded, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_IMPORTED_LINES", 20_000)
    file, problems = expanded(text)
    assert problems[-1].code == "E014"
    assert not file.sites


def test_imports_that_are_nested_too_deep_end_in_a_problem(expanded: Expanded) -> None:
    snippets = "".join(f"(s{level}) {{\n import s{level + 1}\n}}\n" for level in range(100))
    _, problems = expanded(f"{snippets}x {{\n import s0\n}}\n")
    assert [problem.code for problem in problems] == ["E014"]


def test_problems_of_an_imported_file_are_told_once(expanded: Expanded) -> None:
    text = "a {\n import f.edge\n}\nb {\n import f.edge\n}\n"
    _, problems = expanded(text, {"conf/f.edge": 'header "x\n'})
    assert [problem.code for problem in problems] == ["E002"]


def test_what_is_no_file_cannot_be_imported(tmp_path: Any) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # nobody writes into it
    for name in (str(tmp_path), "/dev/zero", str(pipe)):
        with pytest.raises(OSError, match=r"no regular file|directory|denied"):
            read_file(name)


@pytest.mark.parametrize("name", ["security-headers", "no-hidden-files"])
def test_the_standard_library_can_be_imported(expanded: Expanded, name: str) -> None:
    file, problems = expanded(f"a {{\n import std/{name}\n}}\n")
    assert not problems
    assert any(line.words for line in file.sites[0].lines)


def test_a_brace_that_is_glued_to_a_word_is_told_with_its_import(
    expanded: Expanded,
) -> None:
    _, problems = expanded("a.example {\nimport part\n}\n", {"conf/part": "handle{\n}\n"})
    (problem,) = problems
    assert problem.span is not None
    assert problem.code == "E005"
    assert str(problem.span.imported) == "conf/Edgefile:2:8"


def test_formatting_keeps_an_argument_of_an_import_named() -> None:
    """Between backticks it would not be."""
    line = 'import x "name=a\\\\b" "say=\\"hi\\"" `plain=c`\n'
    assert format_tree(parse(Source("Edgefile", line))[0]) == line
