"""Snippets and named matchers: definitions, references and other names, within a file and across files."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from pygls.exceptions import JsonRpcInvalidParams

from edgescript.language.files import standard_file
from edgescript.language.parse import parse
from edgescript.lsp.document import Document, View
from edgescript.lsp.features import definition, links, references, rename
from edgescript.text.source import Source
from tests.lsp.marks import CATALOGUE, URI, at, edited, marked

#: `‸` is where it is asked; `«…»` are the places of the name, the definitions with `=` before them.
TEXTS = {
    "snippet": "=(«s») {\n log\n}\n:80 {\n import «‸s»\n}\n:81 {\n import «s» x\n import t\n}\n",
    "snippet, from its definition": "=(«s‸») {\n log\n}\n:80 {\n import «s»\n}\n",
    "matcher": ":80 {\n =«@a» path /x\n respond «@‸a» 204\n handle «@a» {\n  log «@a»\n }\n}\n",
    "matcher, from its definition": ":80 {\n =«@a‸» path /x\n respond «@a» 204\n}\n",
    "matcher of this site": ":80 {\n =«@a» path /x\n respond «‸@a»\n}\n:81 {\n @a path /y\n respond @a\n}\n",
    "matcher of a block": ":80 {\n @a path /x\n handle {\n  =«@a» path /y\n  respond «‸@a»\n }\n respond @a\n}\n",
    "matcher around a block": ":80 {\n =«@a» path /x\n handle {\n  @a path /y\n  respond @a\n }\n respond «‸@a»\n}\n",
    "matcher below its use": ":80 {\n respond «‸@a»\n =«@a» path /x\n}\n",
    "matcher of the global block": "{\n =«@a» path /x\n}\n:80 {\n respond «‸@a»\n}\n:81 {\n respond «@a»\n}\n",
    "matcher of a snippet": "(s) {\n =«@a» path /x\n}\n:80 {\n import s\n respond «‸@a»\n}\n:81 {\n respond @a\n}\n",
    "matcher used in a snippet": "(s) {\n respond «@a»\n}\n:80 {\n =«@a» path /x\n import s\n respond «‸@a»\n}\n",
    "matchers used in one snippet": (
        "(s) {\n log «@‸a»\n}\n:80 {\n =«@a» path /x\n import s\n}\n:81 {\n =«@a» path /y\n import s\n}\n"
    ),
    "matcher used two snippets deep": "(s) {\n log «@a»\n}\n(t) {\n import s\n}\n:80 {\n =«@a‸» path /x\n import t\n}\n",
    "matcher in a test": ':80 {\n =«@a» path /x\n respond «‸@a»\n}\ntest "x" {\n request GET /x\n expect route «@a»\n}\n',
    "snippets that import each other": "=(«s») {\n import t\n}\n(t) {\n import «s»\n}\n:80 {\n import «‸s»\n}\n",
    "half-written": ":80 {\n =«@a» path /x\n handle {\n  respond «‸@a»\n",
}  # fmt: skip


def places(text: str) -> tuple[str, set[tuple[int, int]], set[tuple[int, int]]]:
    """The text without marks but `‸`, the places that define, and those that use."""
    defining, using, plain = set(), set(), ""
    for part in re.split(r"(=?\(?«[^»]*»)", text):
        name = part.strip("=(«»").replace("‸", "")
        before = "(" if part.startswith("=(«") else ""
        if "«" in part:
            start = len((plain + before).replace("‸", ""))
            (defining if part.startswith("=") else using).add((start, start + len(name)))
            part = before + part.removeprefix("=").removeprefix("(").strip("«»")
        plain += part
    return plain, defining, using


@pytest.mark.parametrize("name", TEXTS)
def test_a_name_is_found_where_it_is_defined_and_used(name: str) -> None:
    text, defining, using = places(TEXTS[name])
    view, offset = marked(text)
    spot = view.document.positions.offset

    def found(locations: list) -> set[tuple[int, int]]:  # type: ignore[type-arg]
        assert {each.uri for each in locations} <= {URI}
        return {(spot(each.range.start), spot(each.range.end)) for each in locations}

    assert found(definition.answer(view, at(view, offset))) == defining
    for declarations in (True, False):
        params = at(view, offset, context=SimpleNamespace(include_declaration=declarations))
        assert found(references.answer(view, params)) == (defining | using if declarations else using)


@pytest.mark.parametrize("name", TEXTS)
def test_a_name_is_changed_wherever_it_stands(name: str) -> None:
    text, defining, using = places(TEXTS[name])
    view, offset = marked(text)
    old = view.document.text
    where = rename.prepared(view, at(view, offset))
    assert where is not None
    edit = rename.answer(view, at(view, offset, new_name="other"))
    assert edit is not None
    assert edit.changes is not None
    new = edited(old, edit.changes[URI], view)
    assert new.count("other") == len(defining | using)
    trees = [parse(Source("Edgefile", each))[0] for each in (old, new)]
    assert len(list(trees[0].lines)) == len(list(trees[1].lines))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (":80 {\n @a path /x\n @b path /y\n respond @‸a\n}\n", "@b"),
        (":80 {\n @a path /x\n @b path /y\n respond @‸a\n}\n", "b"),
        (":80 {\n respond @‸a\n @a path /x\n}\n", "a b"),
        (":80 {\n respond @‸a\n @a path /x\n}\n", "@"),
        ("(s) {\n}\n(t) {\n}\n:80 {\n import ‸s\n}\n", "t"),
        ("(s) {\n}\n:80 {\n import ‸s\n}\n", "std/cors"),
        ("(s) {\n}\n:80 {\n import ‸s\n}\n", ""),
        ("{\n @b path /\n}\n:80 {\n @a‸ path /x\n}\n", "b"),
        ("(s) {\n @b path /\n}\n:80 {\n @a‸ path /x\n import s\n}\n", "b"),
        (":80 {\n @a‸ path /x\n handle {\n  @b path /y\n }\n}\n", "b"),
        ("(s) {\n}\n:80 {\n import ‸s\n}\n", "a)"),
    ],
)
def test_a_bad_name_and_one_that_is_taken_are_refused(text: str, name: str) -> None:
    view, offset = marked(text)
    with pytest.raises(JsonRpcInvalidParams):
        rename.answer(view, at(view, offset, new_name=name))


def test_a_name_that_only_another_site_has_is_free() -> None:
    view, offset = marked(":80 {\n @a path /x\n respond @‸a\n}\n:81 {\n @b path /y\n respond @b\n}\n")
    edit = rename.answer(view, at(view, offset, new_name="b"))
    assert edit is not None
    assert edit.changes is not None
    assert len(edit.changes[URI]) == 2


@pytest.mark.parametrize("text", [":80 {\n res‸pond x\n}\n", ":80 {\n import std/co‸rs *\n}\n", "‸", "# @‸a\n"])
def test_what_has_no_name_of_its_own_is_not_renamed(text: str) -> None:
    view, offset = marked(text)
    assert rename.prepared(view, at(view, offset)) is None
    assert rename.answer(view, at(view, offset, new_name="x")) is None


def test_names_reach_into_imported_files() -> None:
    part = "/nowhere/parts/log.edge", "@b path /y\nlog @a\nlog @b\n"
    shared = "/nowhere/shared.edge", "(s) {\n log\n}\n"
    text = "import shared.edge\n:80 {\n @a path /x\n import parts/*.edge\n import s\n respond @‸b\n}\n"
    view, offset = marked(text, others=[part, shared])
    (found,) = definition.answer(view, at(view, offset))
    assert (found.uri, found.range.start.line, found.range.end.character) == ("file:///nowhere/parts/log.edge", 0, 2)
    for mark, files in (("@a path", "parts/log.edge"), ("s\n respond", "shared.edge"), ("@b\n}", "parts/log.edge")):
        edit = rename.answer(view, at(view, view.document.text.index(mark), new_name="c"))
        assert edit is not None
        assert edit.changes is not None
        assert set(edit.changes) == {URI, f"file:///nowhere/{files}"}


def test_an_imported_file_finds_the_names_of_those_that_import_it() -> None:
    root = "/nowhere/Edgefile", ":80 {\n @a path /x\n import part.edge\n}\n"
    view, offset = marked("log @‸a\n", uri="file:///nowhere/part.edge", others=[root])
    (found,) = definition.answer(view, at(view, offset))
    assert (found.uri, found.range.start.line) == (URI, 1)


def test_an_import_leads_to_its_files(tmp_path: Path) -> None:
    for name in ("a.edge", "b.edge"):
        (tmp_path / name).write_text("log\n", encoding="utf-8")
    uri = (tmp_path / "Edgefile").as_uri()
    a, b = ((tmp_path / name).as_uri() for name in ("a.edge", "b.edge"))
    cors = standard_file("cors").as_uri()
    for name, expected in (("a.edge", [a]), ("*.edge", [a, b]), ("c.edge", []), ("std/cors", [cors]), ("std/no", [])):
        view, offset = marked(f":80 {{\n import ‸{name}\n}}\n", uri=uri)
        assert [each.uri for each in definition.answer(view, at(view, offset))] == expected
        shown = [link.target for link in links.answer(view, at(view, offset))]
        assert shown == (expected if "*" not in name else [])


def test_the_standard_library_is_not_renamed() -> None:
    text = standard_file("cors").read_text(encoding="utf-8")
    view, offset = marked(":80 {\n import std/cors *\n log @std_‸cors\n}\n", others=[("std/cors.edge", text)])
    (found,) = definition.answer(view, at(view, offset))
    assert found.uri == standard_file("cors").as_uri()
    assert rename.prepared(view, at(view, offset)) is None
    with pytest.raises(JsonRpcInvalidParams):
        rename.answer(view, at(view, offset, new_name="x"))


def test_a_file_with_ten_thousand_matchers_is_looked_through_in_one_pass() -> None:
    lines = "".join(f" @m{n} path /{n}\n log @m{n}\n" for n in range(10_000))
    view = View(Document(URI, 1, f":80 {{\n{lines}}}\n"), CATALOGUE)
    found = references.answer(
        view, at(view, view.document.text.index("@m9999"), context=SimpleNamespace(include_declaration=True))
    )
    assert len(found) == 2


def test_quotes_around_a_name_stay() -> None:
    view, offset = marked(':80 {\n @‸a path /x\n respond "@a"\n}\n')
    edit = rename.answer(view, at(view, offset, new_name="b"))
    assert edit is not None
    assert edit.changes is not None
    assert edited(view.document.text, edit.changes[URI], view) == ':80 {\n @b path /x\n respond "@b"\n}\n'


def test_a_file_that_has_two_names_is_changed_once(tmp_path: Path) -> None:
    text = "respond @a x\n"
    (tmp_path / "real.edge").write_text(text)
    (tmp_path / "link.edge").symlink_to("real.edge")
    others = [(str(tmp_path / name), text) for name in ("real.edge", "link.edge")]
    main = ":80 {\n @‸a path /x\n import real.edge\n import link.edge\n}\n"
    view, offset = marked(main, uri=(tmp_path / "Edgefile").as_uri(), others=others)
    edit = rename.answer(view, at(view, offset, new_name="longer"))
    assert edit is not None
    assert [Path(uri).name for uri in edit.changes or ()] == ["Edgefile", "real.edge"]
