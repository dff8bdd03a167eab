"""Every route of a file as a tree, as text next to text."""

from __future__ import annotations

from pathlib import Path

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Role
from edgescript.graph.load import analyse
from edgescript.graph.outline import WORDS, Outline, outline
from edgescript.picture.model import Kind
from edgescript.text.source import Source

HERE = Path(__file__).parent / "outline"


def outlined(text: str) -> Outline:
    found = analyse(Source("Edgefile", text), catalogue=Catalogue.load(), environment={})
    assert found.problems == []
    assert found.bound is not None
    return outline(found.bound)


def test_golden() -> None:
    assert outlined((HERE / "site.edge").read_text()).as_text() + "\n" == (HERE / "site.txt").read_text()


def test_every_role_has_a_word_and_a_kind_of_box() -> None:
    assert set(WORDS) == set(Role)
    assert set(WORDS.values()) <= {str(kind) for kind in Kind}


def test_a_site_of_several_listeners_is_shown_once() -> None:
    text = outlined("http://a.example, http://a.example:81 {\n respond 200\n}\n").as_text()
    assert text.count("respond 200") == 1
    assert "as above" in text


def test_error_routes_stand_in_the_order_in_which_they_are_tried() -> None:
    text = (
        ":80 {\n handle_errors {\n abort\n }\n handle_errors 5xx {\n abort\n }\n handle_errors 404 {\n abort\n }\n}\n"
    )
    (site,) = outlined(text).sites
    assert [item.text for item in site.errors] == ["handle_errors 404", "handle_errors 5xx", "handle_errors"]


def test_what_nothing_answers_is_shown_where_there_is_something_left() -> None:
    assert "otherwise 404" in outlined(":80 {\n respond /x 200\n}\n").as_text()
    assert "otherwise 404" not in outlined(":80 {\n respond 200\n}\n").as_text()
