"""Over generated files that are valid: formatting changes neither meaning nor comments, and every span holds what it says.

`test_anything.py` beside it takes whatever a parser can be given. Here are Edgefiles that mean something, with directives,
snippets, matchers and imports, written in every way that the language has.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.graph.load import Analysis, analyse
from edgescript.language.format import format_tree
from edgescript.language.lexer import ESCAPES
from edgescript.language.parse import parse
from edgescript.language.tree import Line, Word
from edgescript.lint.run import lint
from edgescript.testing.examples import examples
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.load()
ENVIRONMENT = {"HOME_PAGE": "/home", "N": "9"}

#: What may stand in a block, as words; None opens a block of the lines that follow.
SIMPLE: list[list[str]] = [
    ["header", "X-A", "b c"], ["header", "-Server"], ["header", "/a/*", "X-B", 'say "x"'], ["log"], ["vars", "a", "{path}"],
    ["respond", "/x", "ünï ☃ {host}"], ["respond", "/y/*", "back\\slash {method}"], ["respond", "@m", "204"],
    ["redir", "/old", "{$HOME_PAGE}", "permanent"], ["redir", "/z", "/n{$N:1}"], ["rewrite", "/v1/*", "/api{path}"],
    ["error", "/secret*", "403"], ["respond", "/tick", "a`b"], ["respond", "/hash", "a #b {"], ["respond", "/brace", "{"],
    ["import", "s"], ["import", "t", "one", "x=two words"], ["respond", "/empty", ""], ["respond", "/two", "1\n 2"],
    ["proxy", "/p/*", "localhost:1", "localhost:2"], ["uri", "/q/*", "strip_prefix", "/q"], ["respond", "/tab", "a\tb"],
]  # fmt: skip
BLOCKS: list[tuple[list[str], list[list[str]]]] = [
    (["header"], [["X-C", "d"], ["?X-D", "{uri}"], ["-X-*"]]),
    (["proxy", "/r/*", "localhost:3"], [["balance", "first"], ["header_up", "X-E", "a b"], ["retry", "2"]]),
    (["@w{n}"], [["method", "POST", "PUT"], ["not", "path", "/hooks/*"]]),
    (["map", "{path}", "{vars.c}"], [["/a", "1"], ["~^/b(.*)$", "x${1}"], ["default", "none"]]),
]
GROUPS = [["route"], ["route", "/g/*"], ["handle", "/h{n}/*"], ["handle_path", "/i{n}/*"]]

COMMENTS = ["", "", "", " # said", "\t#", " # {  ünï", ' # "quoted` \\']
NEWLINES = st.sampled_from(["\n", "\r\n"])


@st.composite
def edgefile(draw: Any) -> str:
    """A file with a global block, snippets and sites, written carelessly."""
    writer = _Writer(draw)
    parts = [draw(st.sampled_from(["", "\ufeff"]))]
    if draw(st.booleans()):
        parts.append(writer.block([], [["grace_period", "5s"], ["trusted_proxies", "private_ranges"]]))
    parts.append(writer.block(["(s)"], [["header", "X-S", "s"]]))
    parts.append(writer.block(["(t)"], [["respond", "/t", "{args.0} {args.x}"], ["log"]]))
    names = ["http://a.example,", "http://x.example:80"], ["http://b.example,", "http://y.example:81"]
    parts += map(writer.site, names[: draw(st.integers(1, 2))])
    return "".join(parts)


class _Writer:
    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.number = 0
        self.newline = draw(NEWLINES)

    def pick(self, items: Any) -> Any:
        return items[self.draw(st.integers(0, len(items) - 1))]

    def site(self, names: list[str]) -> str:
        header = f"{names[0]}{self.pick([' ', self.newline])}{names[1]} {{{self.pick(COMMENTS)}{self.newline}"
        return header + self.line(["@m", "path", "/m/*"]) + self.lines(2) + "}" + self.pick(COMMENTS) + self.newline

    def lines(self, depth: int) -> str:
        return "".join(self.something(depth) for _ in range(self.draw(st.integers(0, 4))))

    def something(self, depth: int) -> str:
        self.number += 1
        choice = self.draw(st.integers(0, 9))
        if choice == 0:
            return self.pick(["", " ", "\t", "# alone", "   # further in"]) + self.newline
        if choice == 1:
            return self.block(*self.pick(BLOCKS))
        if choice == 2 and depth:
            words = [word.replace("{n}", str(self.number)) for word in self.pick(GROUPS)]
            inner = self.line(["log"]) + self.lines(depth - 1)
            return f"{' '.join(words)} {{{self.pick(COMMENTS)}{self.newline}{inner}\t}}{self.newline}"
        return self.line(self.pick(SIMPLE))

    def block(self, words: list[str], lines: list[list[str]]) -> str:
        name = " ".join(word.replace("{n}", str(self.number)) for word in words)
        inner = "".join(map(self.line, lines))
        return f"{self.blank()}{name}{' ' if name else ''}{{{self.pick(COMMENTS)}{self.newline}{inner}}}{self.newline}"

    def line(self, words: list[str]) -> str:
        written = [words[0], *(self.word(word, is_import=words[0] == "import") for word in words[1:])]
        gaps = [self.pick([" ", " ", " ", "  ", "\t", f" \\{self.newline}      "]) for _ in written[1:]]
        joined = "".join(part for pair in zip(written, [*gaps, ""], strict=True) for part in pair)
        return f"{self.blank()}{joined}{'' if joined.endswith('END') else self.pick(COMMENTS)}{self.newline}"

    def blank(self) -> str:
        return str(self.pick(["", "    ", "\t", "  "]))

    def word(self, value: str, *, is_import: bool) -> str:
        """A value in one of the ways that it can be written in."""
        ways = []
        if value and not set(value) & set(' \t\n"`#') and value not in ("{", "}"):
            ways.append(value)
        if "`" not in value and not is_import:
            ways.append(f"`{value}`")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        ways += [f'"{escaped}"', '"' + escaped.replace("\t", "\\t") + '"']
        if "\n" in value and not is_import:
            body = "".join(f"  {line}{self.newline}" for line in value.split("\n"))
            ways.append(f"<<END{self.newline}{body}  END")
        return str(self.pick(ways))


def understood(text: str) -> Analysis:
    return analyse(Source("Edgefile", text), catalogue=CATALOGUE, environment=ENVIRONMENT)


def meaning(analysis: Analysis) -> object:
    file = analysis.file
    return (
        said(file.settings),
        [([name.value for name in site.names], said(site.lines)) for site in file.sites],
        said(file.tests),
    )


def said(lines: list[Line]) -> list[object]:
    return [
        ([word.value for word in line.words], None if line.block is None else said(line.block))
        for line in lines
        if line.words or line.block is not None
    ]


def comments(lines: list[Line]) -> Iterator[str]:
    """Every comment in the order written."""
    for line in lines:
        if line.comment is not None:
            yield line.comment.value
        yield from comments(line.block or [])
        if line.block_comment is not None:
            yield line.block_comment.value


def assert_spans_hold(analysis: Analysis) -> None:
    """A word's text, unquoted, is its value; and every problem is about something inside its text."""
    for tree in analysis.file.trees:
        for top in tree.lines:
            for line in top.walk():
                for word in line.words:
                    assert unquoted(word, tree.source.text) == word.value
                if line.comment is not None:
                    assert tree.source.text[line.comment.start : line.comment.end] == line.comment.value
    for problem in [*analysis.problems, *lint(analysis, CATALOGUE)]:
        assert_within(problem)


def assert_within(problem: Problem) -> None:
    fixes = [] if problem.fix is None else [edit.span for edit in problem.fix.edits]
    for span in [problem.span, *(note.span for note in problem.notes), *fixes]:
        while span is not None:
            assert 0 <= span.start <= span.end <= len(span.source.text)
            span = span.imported


def unquoted(word: Word, text: str) -> str:
    written = text[word.start : word.end]
    if word.quote == '"':
        inner, value, at = written[1:-1], "", 0
        while at < len(inner):
            step = 2 if inner[at] == "\\" else 1
            value += ESCAPES[inner[at + 1]] if step == 2 else inner[at]
            at += step
        return value
    if word.quote == "`":
        return written[1:-1].replace("\r\n", "\n")
    return word.value if word.quote == "<<" else written


@settings(deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck))
@given(edgefile())
def test_formatting_a_valid_file_keeps_its_meaning_and_its_comments(text: str) -> None:
    before = understood(text)
    assert not [problem for problem in before.problems if problem.severity is Severity.ERROR and problem.code != "E201"]
    assert_spans_hold(before)
    once = format_tree(before.tree)
    after = understood(once)
    assert meaning(after) == meaning(before)
    assert list(comments(after.tree.lines)) == list(comments(before.tree.lines))
    assert [problem.code for problem in after.problems] == [problem.code for problem in before.problems]
    assert format_tree(after.tree) == once


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(edgefile(), st.data())
def test_a_mutated_file_is_understood_as_far_as_it_goes(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    middle = data.draw(
        st.sampled_from(["", text[start:end] * 2, "{", "}", '"', "`", "\n", "\\", "\0", "{x", "# edge: allow W1 "])
    )
    analysis = understood(text[:start] + middle + text[end:])
    for problem in [*analysis.problems, *lint(analysis, CATALOGUE)]:
        assert_within(problem)


REAL = [
    *(path for folder in ("examples", "stdlib", "tests") for path in sorted((ROOT / folder).rglob("*.edge"))),
    *sorted(ROOT.glob("examples/*/Edgefile")),
]


@pytest.mark.parametrize("text", [
    *[pytest.param(path.read_bytes().decode("utf-8", "surrogateescape"), id=str(path.relative_to(ROOT))) for path in REAL],
    *[pytest.param(example.text, id=example.name) for example in examples(CATALOGUE)],
])  # fmt: skip
def test_formatting_a_file_of_ours_keeps_what_it_says(text: str) -> None:
    tree, problems = parse(Source("Edgefile", text))
    if any(problem.severity is Severity.ERROR for problem in problems):
        return  # such a file is left alone
    once = format_tree(tree)
    after, _ = parse(Source("Edgefile", once))
    assert said(after.lines) == said(tree.lines)
    assert list(comments(after.lines)) == list(comments(tree.lines))
    assert format_tree(after) == once


@pytest.mark.parametrize("path", sorted([*ROOT.glob("examples/*/Edgefile"), *ROOT.glob("stdlib/*.edge")]), ids=str)
def test_what_we_ship_is_formatted(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_tree(parse(Source(str(path), text))[0]) == text
