"""What is written into an Edgefile is read from it again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgescript.convert.edgefile import Blank, Comment, Directive, Edgefile, Node, printable, quoted
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.text.source import Source

_CHARACTERS = st.characters(blacklist_categories=("Cs",)) | st.sampled_from('"`\\{}#<> \n\t$')
_WORDS = st.text(_CHARACTERS, max_size=12).filter(lambda text: printable(text) == text)
_FIRST = st.text("abcdefgh_", min_size=1, max_size=6)


@given(st.lists(_WORDS, max_size=5))
def test_words_are_read_as_they_were_given(words: list[str]) -> None:
    text = str(Edgefile(nodes=[Directive([":80"], [Directive(["x", *words])])]))
    tree, problems = parse(Source("Edgefile", text))
    assert problems == []
    (line,) = [line for line in tree.lines[0].block or () if line.words]
    assert [word.value for word in line.words] == ["x", *words]


@given(_WORDS, _WORDS)
def test_comments_stay_comments(above: str, behind: str) -> None:
    directive = Directive(["respond", "x"], comment=behind)
    text = str(Edgefile(nodes=[Directive([":80"], [Comment(above), Blank(), Blank(), directive])]))
    tree, problems = parse(Source("Edgefile", text))
    assert problems == []
    lines = [[word.value for word in line.words] for line in tree.lines[0].block or () if line.words]
    assert lines == [["respond", "x"]]


def test_it_is_written_as_fmt_leaves_it() -> None:
    block: list[Node] = [
        Comment("first\nsecond"),
        Directive(["respond", "a b", "200"], comment="said"),
        Blank(),
        Directive(["x"], []),
    ]
    edgefile = Edgefile([Directive(["grace_period", "5s"])], [Directive(["http://a,", "http://b"], block)])
    text = str(edgefile)
    assert format_tree(parse(Source("Edgefile", text))[0]) == text


def test_plain_words_need_no_quotes() -> None:
    assert [quoted(word) for word in ("/api/*", "{path}", "a b", "", 'say "x"', "{")] == [
        "/api/*", "{path}", '"a b"', '""', '`say "x"`', '"{"',
    ]  # fmt: skip


def test_each_line_knows_its_node() -> None:
    inner = Directive(["respond", "x"])
    site = Directive([":80"], [inner])
    assert [node for _, node in Edgefile(nodes=[site]).lines()] == [site, inner, site]
