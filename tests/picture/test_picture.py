"""Pictures of files: what is in them, that nothing overlaps, and that each format's own reader takes them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.graph.outline import outline
from edgescript.picture import model, svg
from edgescript.picture.dot import as_dot
from edgescript.picture.layout import Box, Layout, laid_out
from edgescript.picture.mermaid import as_mermaid
from edgescript.picture.metrics import cells, shortened
from edgescript.picture.model import Kind, Line, Picture, picture
from edgescript.picture.svg import as_svg
from edgescript.text.source import Source

SHOP = (Path(__file__).parent / "shop.edge").read_text()
CATALOGUE = Catalogue.load()


def drawn(text: str, name: str = "Edgefile", only: frozenset[int] | None = None) -> Picture:
    found = analyse(Source(name, text), catalogue=CATALOGUE, environment={})
    assert [problem for problem in found.problems if problem.code.startswith("E")] == []
    assert found.bound is not None
    return picture(outline(found.bound), name, only=only)


def words_of(text: str) -> str:
    """An Edgefile with a text that somebody else chose at every place that is shown."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("{", "\\{").replace("}", "\\}") + '"'
    return f":80 {{\n header X-A {quoted}\n respond 200 {quoted}\n}}\n"


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=90).filter(str.strip)


# ---- the model


def test_servers_are_shared() -> None:
    found = drawn(SHOP)
    assert [server.label for server in found.servers].count("10.0.0.4:8080") == 1
    (shared,) = [server.id for server in found.servers if server.label == "10.0.0.4:8080"]
    assert len([edge for edge in found.edges if edge.target == shared]) == 2


def test_the_way_of_a_request_leads_from_the_first_directive_to_every_other_and_errors_stand_apart() -> None:
    for site in drawn(SHOP).sites:
        running = [node for node in site.walk() if node.id.startswith(f"{site.id}n") or node.id.endswith("end")]
        edges = [edge for edge in drawn(SHOP).edges if edge.line is Line.FLOWS]
        reached = {running[0].id}
        for _ in running:
            reached |= {edge.target for edge in edges if edge.source in reached}
        assert {node.id for node in running} == reached


def test_alternatives_are_if_else_if_and_else() -> None:
    (site,) = drawn(":80 {\n handle /a {\n abort\n }\n handle /b {\n abort\n }\n handle {\n abort\n }\n}\n").sites
    assert [node.tag for node in site.children] == ["if", "else if", "else"]


def test_tooltips_have_the_place() -> None:
    assert "Edgefile:2:5" in [node.tooltip.split("\n")[-1] for site in drawn(SHOP).sites for node in site.children]


def test_of_very_many_sites_the_first_are_drawn_and_the_rest_is_counted() -> None:
    found = drawn(
        "".join(f"http://s{number}.example {{\n proxy 10.0.0.1:{number + 1}\n}}\n" for number in range(10_000))
    )
    assert len(found.sites) == model.MOST_SITES + 1
    assert found.sites[-1].label == f"… {10_000 - model.MOST_SITES:,} more sites"
    assert len(as_svg(found)) < 200_000


def test_of_very_many_directives_and_servers_too() -> None:
    routes = "".join(f"proxy /{number} 10.0.0.1:{number + 1}\n" for number in range(1000))
    found = drawn(f":80 {{\n{routes}}}\n")
    assert found.sites[0].children[-1].label == f"… {1000 - model.MOST_ITEMS} more directives"
    assert len(found.servers) == model.MOST_SERVERS + 1
    known = {
        node.id for column in (found.listeners, found.sites, found.servers) for top in column for node in top.walk()
    }
    assert {end for edge in found.edges for end in (edge.source, edge.target)} <= known


def test_one_site_may_be_drawn_alone() -> None:
    found = drawn(SHOP, only=frozenset([2]))
    assert [site.label for site in found.sites] == ["http://static.example.com"]
    assert [listener.label for listener in found.listeners] == [":80"]
    assert found.servers == ()


# ---- SVG


def boxes(layout: Layout) -> Iterator[tuple[Box, ...]]:
    """Boxes that stand beside or below each other."""
    for column in (layout.listeners, layout.sites, layout.servers):
        yield column
        yield from (box.boxes for top in column for box in top.walk())


def test_nothing_overlaps_and_everything_stands_in_what_holds_it() -> None:
    layout = laid_out(drawn(SHOP))
    for neighbours in boxes(layout):
        for above, below in pairwise(neighbours):
            assert above.y + above.height <= below.y
    for site in layout.sites:
        for box in site.walk():
            for inner in box.boxes:
                assert box.x < inner.x
                assert inner.x + inner.width < box.x + box.width
                assert inner.y + inner.height < box.y + box.height
    assert max(box.x + box.width for box in layout.listeners) < layout.sites[0].x
    assert layout.right < min(box.x for box in layout.servers)


def test_it_is_well_formed_with_a_title_and_a_description_and_draws_every_label() -> None:
    found = drawn(SHOP)
    root = ElementTree.fromstring(as_svg(found))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert root[0].text == "Edgefile"
    assert (root[1].text or "").startswith("The routes of 4 sites on 2 listeners")
    for top in (*found.sites, *found.listeners, *found.servers):
        for node in top.walk():
            assert shortened(node.label, 72) in texts
            assert node.tooltip in titles


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_any_text_is_escaped(text: str) -> None:
    root = ElementTree.fromstring(as_svg(drawn(words_of(text), text)))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g"
    }  # fmt: skip


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("kind", Kind)
def test_every_text_has_enough_contrast(kind: Kind) -> None:
    fill, colour = svg._COLOURS[kind]
    for ink in (colour, svg._INK, svg._MUTED):
        lighter, darker = sorted((luminance(fill), luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_wide_characters_take_two_columns() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert shortened("日本語のテキスト", 6) == "日本…"


# ---- Graphviz and Mermaid


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("text", [SHOP, words_of('a "quoted" \\N & <b>é</b> 日本 &amp; ; --> }{|'), ":80 {\n}\n"])
def test_graphviz_takes_it_and_shows_the_labels(text: str) -> None:
    found = drawn(text)
    done = subprocess.run(
        ["dot", "-Tjson"], input=as_dot(found), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    objects = json.loads(done.stdout)["objects"]
    assert {server.id for server in found.servers} <= {one["name"] for one in objects}


QUOTED = re.compile(r'"[^"\n]*"')
ENTITY = re.compile(r"#\d+;|<br/>")
LINE_OF_MERMAID = re.compile(
    r"""flowchart\ LR | accTitle:.* | accDescr:.* | direction\ TB | end | classDef\ \w+\ [\w:#,]+
    | subgraph\ \w+\["T"\] | \w+(\(\[|\[\(|\{\{|\(|\[)"T"(\]\)|\)\]|\}\}|\)|\])(:::\w+)?
    | \w+\ (==>|-->|-\.->)(\|"T"\|)?\ \w+""",
    re.VERBOSE,
)


def assert_mermaid(text: str) -> None:
    """By its rules: one statement a line, and no character in a label that means anything."""
    for line in text.splitlines():
        assert LINE_OF_MERMAID.fullmatch(QUOTED.sub('"T"', line).strip()), line
        for label in [] if line.strip().startswith("acc") else QUOTED.findall(line):
            assert not set(ENTITY.sub("", label[1:-1])) & set('"<>#;{}[]()|`\\&%'), line


def test_mermaid_is_written_by_its_rules() -> None:
    assert_mermaid(as_mermaid(drawn(SHOP)))


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_mermaid_with_any_text_is_written_by_its_rules(text: str) -> None:
    assert_mermaid(as_mermaid(drawn(words_of(text), text)))


def test_a_file_without_sites_is_an_empty_picture() -> None:
    for write in (as_svg, as_dot, as_mermaid):
        assert write(drawn("# nothing yet\n"))
