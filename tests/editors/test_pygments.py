"""The lexer for Pygments: the parts it finds, that it survives anything, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename

from edgescript.catalog import Catalogue
from edgescript.declare.kinds import DURATION, NUMBER, PERCENTAGE, RATE, SIZE, STATUS, STATUS_PATTERN, WHOLE, Kind
from edgescript.highlight.lexer import TOKENS, EdgefileLexer
from edgescript.highlight.syntax import Part
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.testing.examples import examples
from edgescript.text.source import Source

ROOT = Path(__file__).parents[2]
LEXER = EdgefileLexer(stripnl=False, ensurenl=False)
PARTS = {token: part for part, token in TOKENS.items()}
EDGEFILES = sorted(file for folder in ("examples", "stdlib", "tests") for file in (ROOT / folder).rglob("*")
                   if file.name == "Edgefile" or file.suffix == ".edge")  # fmt: skip


def parts_of(text: str) -> list[tuple[str, Part]]:
    return [(value, PARTS[token]) for token, value in LEXER.get_tokens(text) if token in PARTS]


def test_every_part_of_the_samples_is_found(sample: Any, told: Callable[..., str]) -> None:
    found = LEXER.get_tokens(sample.text)
    assert told((character, PARTS.get(token)) for token, value in found for character in value) == sample.parts


def test_every_part_has_a_token_of_its_own() -> None:
    assert set(TOKENS) == set(Part)
    assert len(PARTS) == len(TOKENS)


@pytest.mark.parametrize("file", EDGEFILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_character_of_a_file_is_lost(file: Path) -> None:
    text = file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    assert "".join(value for _, value in LEXER.get_tokens(text)) == text


PIECES = st.sampled_from(
    ["{", "}", "\n", " ", "\t", "\\", "\\\n", '"', "`", "#", "<<A\n", "A", "@a", "{path}", "{$A:", "handle", "proxy", "test",
     "expect", "(a)", ":80", "404", "10s", "\r\n", "import", "not", "{args[0]}"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_text_comes_out_as_it_went_in(text: str) -> None:
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    assert "".join(value for _, value in LEXER.get_tokens(text)) == text


@pytest.mark.parametrize(
    "kind", [WHOLE, NUMBER, DURATION, SIZE, RATE, PERCENTAGE, STATUS, STATUS_PATTERN], ids=lambda kind: kind.name
)
def test_numbers_are_numbers_with_any_unit(kind: Kind) -> None:
    for written in kind.samples:
        assert (written, Part.NUMBER) in parts_of(f":80 {{\n    respond {written}\n}}\n")


@pytest.mark.parametrize("shelf", ["directives", "matchers", "settings"])
def test_every_entry_is_known_where_it_stands(shelf: str) -> None:
    frames = {"directives": (":80 {{\n{}\n}}\n", {Part.DIRECTIVE, Part.GROUP}),
              "matchers": (":80 {{\n@x {{\n{}\n}}\n}}\n", {Part.MATCHER}),
              "settings": ("{{\n{}\n}}\n", {Part.SETTING})}  # fmt: skip
    frame, expected = frames[shelf]
    for name in Catalogue.load().files(shelf):
        assert {part for text, part in parts_of(frame.format(name)) if text == name} <= expected, name
        assert [part for text, part in parts_of(frame.format(name)) if text == name], name


@pytest.mark.parametrize("text", [example.text for example in examples(Catalogue.load())])
def test_every_word_that_a_test_block_can_have_is_known(text: str) -> None:
    tests = [line for line in parse(Source("Edgefile", text))[0].lines if line.words and line.words[0].value == "test"]
    written = {line.words[0].value for test in tests for line in _below(test)}
    known = {text for text, part in parts_of(text) if part is Part.TEST_WORD}
    assert tests
    assert written <= known


def _below(line: Line) -> Iterator[Line]:
    for inner in line.block or ():
        if inner.words:
            yield inner
            yield from _below(inner)


@pytest.mark.parametrize("name", ["edgefile", "edge"])
def test_it_is_found_by_its_names(name: str) -> None:
    assert isinstance(get_lexer_by_name(name), EdgefileLexer)


@pytest.mark.parametrize("name", ["Edgefile", "site.edge", "shop.test.edge", "/etc/edge/Edgefile"])
def test_it_is_found_by_the_names_of_files(name: str) -> None:
    assert isinstance(get_lexer_for_filename(name), EdgefileLexer)


def test_tokens_of_our_own_have_the_colour_of_what_they_belong_to() -> None:
    html = highlight("{\n    timeouts {\n    }\n}\n", LEXER, HtmlFormatter())
    assert 'class="na' in html


def test_importing_it_imports_no_entry() -> None:
    script = "import edgescript.highlight.lexer, sys; print([m for m in sys.modules if m.startswith('edgescript.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(eval(done.stdout)) == {
        "edgescript.highlight",
        "edgescript.highlight.lexer",
        "edgescript.highlight.syntax",
        "edgescript.highlight.table",
    }
