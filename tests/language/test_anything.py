"""Whatever a file holds: it is parsed without a traceback and without loss, and formatting keeps what it means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.language.expand import expand
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.language.tree import Line, Tree
from edgescript.text.formats import json as as_json
from edgescript.text.problem import Problem, in_order
from edgescript.text.render import as_text
from edgescript.text.source import Source

# No test is judged by how long it takes on a busy machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent
SAMPLES = [path.read_bytes() for path in sorted(HERE.glob("*.edge"))]

#: Everything that means something to the lexer, thickly sown.
dense = st.text(alphabet='ab{}"`\\\n\r\t #<EX$:,()@*/\x00\u00a0é\u200b\ufeff日', max_size=120)
fragments = st.lists(
    st.sampled_from(
        ["a ", "{", "}", " {\n", "}\n", "\n", "\r\n", '"', "`", "\\", "\\\n", "#", "<<E\n", "E\n", "import ", "(s) {\n",
         "import s\n", "import again.edge\n", "{$X}", "{$HOME:a}",
         "{args.0}", "{block}", " ", "\t", '"q" ', "`r` ", "test ", "a.example", ","]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@st.composite
def mutated(draw: Any) -> bytes:
    """A real file of which something was lost, doubled or changed."""
    data = draw(st.sampled_from(SAMPLES))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    middle = draw(st.sampled_from([b"", data[start:end] * 2, b"{", b"}", b'"', b"`", b"\n", b"\\", b"\x00", b"\xff"]))
    return bytes(data[:start] + middle + data[end:])


def outcome(source: Source) -> tuple[Tree, list[Problem]]:
    """Parse, expand and render; the file can import itself under another name."""

    def read(name: str) -> bytes:
        if name != "again.edge":
            raise FileNotFoundError(2, "No such file or directory", name)
        return source.text.encode("utf-8", "replace")

    tree, problems = parse(source)
    _, more = expand(tree, environment={}, read=read, find=lambda name: [])
    shown = in_order(problems + more)
    as_text(shown, colour=True).encode()
    as_json.render(shown).encode()
    return tree, problems


def assert_lossless(tree: Tree) -> None:
    """Every character lies in exactly one line, and every word within its line, in order."""
    assert _covered(tree.lines, 0, tree.source.text) == len(tree.source.text)


def _covered(lines: list[Line], position: int, text: str) -> int:
    for line in lines:
        assert line.start == position
        position = line.start
        for word in line.words:
            assert position <= word.start < word.end <= line.header_end
            position = word.end
        if line.comment is not None:
            assert position <= line.comment.start < line.comment.end <= line.header_end
        position = line.header_end
        if line.block is not None:
            position = _covered(line.block, position, text)
            assert line.block_end is None or position <= line.block_end < line.end
            assert line.block_end is None or text[line.block_end] == "}"
        assert position <= line.end
        position = line.end
    return position


@given(st.binary(max_size=200))
def test_any_bytes_come_to_a_lossless_tree(data: bytes) -> None:
    tree, _ = outcome(Source.of_bytes("Edgefile", data))
    assert_lossless(tree)


@given(dense | fragments)
def test_any_text_comes_to_a_lossless_tree(text: str) -> None:
    tree, _ = outcome(Source("Edgefile", text))
    assert_lossless(tree)


@given(mutated())
def test_a_broken_real_file_comes_to_a_lossless_tree(data: bytes) -> None:
    tree, _ = outcome(Source.of_bytes("Edgefile", data))
    assert_lossless(tree)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_file_cut_off_anywhere_comes_to_a_lossless_tree(sample: bytes) -> None:
    for end in range(len(sample)):
        tree, _ = parse(Source.of_bytes("Edgefile", sample[:end]))
        assert_lossless(tree)


# Formatting, of whatever has no problems

bare = st.text(alphabet="abé/*.:@#-=<>{}()\\日", min_size=1, max_size=6).filter(
    lambda word: (
        not word.startswith(("#", "{#", "}#", "<<"))
        and word not in ("{", "{}")
        and word.strip("}")
        and word[-1] not in "\\{"
    )
)
quoted = st.text(alphabet='ab `#{}\\"é', max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
escaped = st.sampled_from([r'"a\nb"', r'"\t"', r'"\{x\}"', r'"\\{x\\}"', '"tab\there"'])
raw = st.text(alphabet='ab "#{}\\\n\té', max_size=8).map(lambda text: f"`{text}`")
heredoc = st.lists(st.text(alphabet='ab {}#"`', max_size=6), max_size=3).map(
    lambda lines: "<<E\n" + "".join(f"  {line}\n" for line in lines) + "  E"
)
gap = st.sampled_from([" ", "  ", "\t", " \\\n  ", " \\\r\n"])
blank = st.sampled_from(["", " ", "\t"])
comment = st.sampled_from(["", " # said", "\t#", " #  {  "])
newline = st.sampled_from(["\n", "\r\n"])


@st.composite
def line(draw: Any) -> str:
    words = draw(st.lists(bare | quoted | escaped | raw | heredoc, min_size=1, max_size=4))
    text = draw(blank)
    for word in words[:-1]:
        text += word + draw(gap)
    return text + words[-1] + draw(comment) + draw(newline)


@st.composite
def block(draw: Any, inner: st.SearchStrategy[str]) -> str:
    header = draw(blank) + " ".join(draw(st.lists(bare | quoted, min_size=1, max_size=2)))
    body = "".join(draw(st.lists(inner, max_size=4)))
    return f"{header} {{{draw(comment)}{draw(newline)}{body}{draw(blank)}}}{draw(comment)}{draw(newline)}"


others = st.sampled_from(["\n", "\r\n", "  \n", "# a comment\n", "   # another\r\n"])
lines = st.recursive(line() | others, lambda inner: block(inner), max_leaves=8)
files = st.lists(lines, max_size=6).map("".join)


@given(files)
def test_formatting_keeps_words_and_comments(text: str) -> None:
    before, problems = parse(Source("Edgefile", text))
    assert not problems
    after, problems = parse(Source("Edgefile", format_tree(before)))
    assert not problems
    assert said_with_comments(before.lines) == said_with_comments(after.lines)


@given(files)
def test_formatting_twice_changes_nothing_more(text: str) -> None:
    once = format_tree(parse(Source("Edgefile", text))[0])
    assert format_tree(parse(Source("Edgefile", once))[0]) == once


@given(dense | fragments)
def test_whatever_parses_can_be_formatted(text: str) -> None:
    before, problems = parse(Source("Edgefile", text))
    if not problems:
        once = format_tree(before)
        after, problems = parse(Source("Edgefile", once))
        assert not problems
        assert said_with_comments(before.lines) == said_with_comments(after.lines)
        assert format_tree(after) == once


@given(files)
def test_line_ends_do_not_change_what_a_file_means(text: str) -> None:
    unix = text.replace("\r\n", "\n")
    dos = unix.replace("\n", "\r\n")
    first, second = (parse(Source("Edgefile", each))[0] for each in (unix, dos))
    assert said_with_comments(first.lines) == said_with_comments(second.lines)


@pytest.mark.parametrize("sample", SAMPLES)
def test_formatting_keeps_what_a_real_file_means(sample: bytes, said: Callable[[list[Line]], list[object]]) -> None:
    tree, problems = parse(Source.of_bytes("Edgefile", sample))
    if problems:
        return
    again, _ = parse(Source("Edgefile", format_tree(tree)))
    before, after = (expand(each, environment={}, find=lambda name: [])[0] for each in (tree, again))
    assert [said(site.lines) for site in before.sites] == [said(site.lines) for site in after.sites]
    assert [[name.value for name in site.names] for site in before.sites] == [
        [name.value for name in site.names] for site in after.sites
    ]


def said_with_comments(lines: list[Line]) -> list[object]:
    said: list[object] = []
    for each in lines:
        words = [word.value for word in each.words]
        comments = [None if word is None else word.value for word in (each.comment, each.block_comment)]
        if words or comments[0] or each.block is not None:
            said.append((words, comments, None if each.block is None else said_with_comments(each.block)))
    return said
