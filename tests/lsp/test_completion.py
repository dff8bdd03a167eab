"""What is offered at each kind of place, in whole files and in half-written ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from edgescript.lsp.features import completion
from tests.lsp.marks import CATALOGUE, at, edited, marked


def offered(text: str) -> list[str]:
    view, offset = marked(text)
    return [item.label for item in completion.items(view, offset)]


#: A text, some of what is offered at its mark, and some of what is not.
PLACES = {
    "top": ("‸", "import test :8080 (snippet)", "proxy grace_period"),
    "global block": ("{\n    ‸\n}\n", "grace_period timeouts trusted_proxies", "proxy import"),
    "block of a setting": ("{\n timeouts {\n  ‸\n }\n}\n", "read_header idle", "grace_period proxy"),
    "site": (":80 {\n    ‸\n}\n", "proxy respond handle import", "grace_period balance path_regexp"),
    "site, in a word": (":80 {\n    pro‸\n}\n", "proxy", "grace_period"),
    "group": (":80 {\n handle /x {\n  ‸\n }\n}\n", "proxy respond handle import", "balance"),
    "snippet": ("(s) {\n ‸\n}\n", "proxy respond import", "balance test"),
    "file that is not closed": (":80 {\n handle {\n  route {\n   ‸", "proxy respond", "balance"),
    "below a quote that is not closed": (':80 {\n respond "x\n ‸', "proxy", "balance"),
    "end of a broken line": (":80 {\n proxxy }{ ‸\n", "", "proxy"),
    "options": (":80 {\n proxy :1 {\n  ‸\n }\n}\n", "balance keepalive to", "respond proxy"),
    "options, not closed": (":80 {\n proxy :1 {\n  ‸\n", "balance keepalive to", "respond proxy"),
    "options that are given": (":80 {\n proxy :1 {\n  balance first\n  ‸\n }\n}\n", "to keepalive", "balance"),
    "options behind a matcher": (":80 {\n proxy /x :1 {\n  ‸\n }\n}\n", "balance", "respond"),
    "group of options": (":80 {\n proxy :1 {\n  keepalive {\n   ‸\n", "idle connections age", "balance proxy"),
    "values of a choice": (":80 {\n files /x {\n  symlinks ‸\n", "inside on off", "proxy"),
    "booleans": (":80 {\n proxy :1 {\n  via ‸\n", "on off", "balance"),
    "balancers": (":80 {\n proxy :1 {\n  balance ‸\n", "first random round_robin", "on"),
    "durations": (":80 {\n proxy :1 {\n  connect_timeout ‸\n", "3s", "on"),
    "placeholders": (":80 {\n respond {‸\n}\n", "path client_ip method", "proxy"),
    "placeholders in a word": (":80 {\n rewrite * /x{pa‸}\n}\n", "path", "proxy"),
    "placeholders in quotes": (':80 {\n respond "a {‸"\n}\n', "path", "proxy"),
    "arguments of a snippet": ("(s) {\n respond {‸\n}\n", "args.0 block path", "proxy"),
    "arguments outside of snippets": (":80 {\n respond {‸\n}\n", "path", "args.0 block"),
    "not behind a block": (":80 {\n handle {‸\n}\n}\n", "", "proxy"),
    "named matchers": (":80 {\n @a path /x\n handle {\n  @b path /y\n  respond ‸\n }\n}\n", "@a @b", "proxy"),
    "named matchers of an import": ("(s) {\n @a path /x\n}\n:80 {\n import s\n respond @‸\n}\n", "@a", "proxy"),
    "named matchers of the global block": ("{\n @g path /x\n}\n:80 {\n respond ‸\n}\n", "@g", "proxy"),
    "named matchers of another site": (":81 {\n @a path /x\n}\n:80 {\n respond ‸\n}\n", "", "@a"),
    "matchers": (":80 {\n @a ‸\n}\n", "path method not expression", "proxy @a"),
    "block of matchers": (":80 {\n @a {\n  ‸\n }\n}\n", "path method not", "proxy"),
    "behind not": (":80 {\n @a not ‸\n}\n", "path method", "proxy"),
    "behind not in a block": (":80 {\n @a {\n  not ‸\n", "path method", "proxy"),
    "block of not": (":80 {\n @a not {\n  ‸\n", "path method", "proxy"),
    "methods of a matcher": (":80 {\n @a method ‸\n}\n", "GET POST", "proxy"),
    "methods behind not": (":80 {\n @a not method ‸\n}\n", "GET POST", "path"),
    "imports": ("(s) {\n}\n:80 {\n import ‸\n}\n", "s std/cors std/spa", "proxy"),
    "imports at the top": ("import ‸\n", "std/cors", "proxy"),
    "arguments of an import": (":80 {\n import std/cors * max_age=5 ‸\n}\n", "methods= credentials=", "max_age= std/cors"),
    "test": ('test "x" {\n ‸\n}\n', "request expect upstream after repeat", "proxy status"),
    "methods of a test": ('test "x" {\n request ‸\n}\n', "GET POST", "expect"),
    "subjects": ('test "x" {\n expect ‸\n}\n', "status header body route not", "request"),
    "subjects behind not": ('test "x" {\n expect not ‸\n}\n', "status header body route", "request not"),
    "stand-ins": (':80 {\n proxy /x a:1 b:2\n}\ntest "x" {\n upstream ‸\n}\n', "a:1 b:2 *", "/x status"),
    "expected upstreams": (':80 {\n proxy a:1\n}\ntest "x" {\n expect upstream ‸\n}\n', "a:1 none", "status"),
    "expected routes": (':80 {\n @a path /\n}\ntest "x" {\n expect not route ‸\n}\n', "@a", "status"),
    "upstream of a test": ('test "x" {\n upstream * {\n  ‸\n', "status header body delay fail", "request"),
    "comment": (":80 {\n respond x # ‸\n}\n", "", "@a GET"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_what_belongs_at_a_place_is_offered_and_nothing_else(name: str) -> None:
    text, some, never = PLACES[name]
    found = offered(text)
    assert set(some.split()) <= set(found)
    assert not set(never.split()) & set(found)


@pytest.mark.parametrize(
    "text", ["# ‸", ":80 { # ‸\n}\n", ":80 {\n log # {‸\n}\n", ":80 {\n # ‸\n}\n", ":80 {\n} # ‸\n"]
)
def test_a_comment_offers_nothing(text: str) -> None:
    assert offered(text) == []


def test_files_are_offered_beside_the_document_and_in_the_folder_that_is_typed(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.edge").write_text("", encoding="utf-8")
    (tmp_path / ".hidden").write_text("", encoding="utf-8")
    uri = (tmp_path / "Edgefile").as_uri()
    for line in ("import ‸", "root * ‸", "files ‸"):
        view, offset = marked(f":80 {{\n    {line}\n}}\n", uri=uri)
        labels = [item.label for item in completion.items(view, offset)]
        assert "sites" in labels
        assert ".hidden" not in labels
    for line in ("import sites/‸", 'import "sites/‸"', "files sites/‸"):
        view, offset = marked(f":80 {{\n    {line}\n}}\n", uri=uri)
        assert "sites/a.edge" in [item.label for item in completion.items(view, offset)]


def accepted(text: str, label: str, *, snippets: bool = False) -> str:
    """The text after an offered item was taken."""
    view, offset = marked(text, snippets=snippets)
    (edit,) = [item.text_edit for item in completion.items(view, offset) if item.label == label]
    assert isinstance(edit, types.TextEdit)
    return edited(view.document.text, [edit], view)


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        (":80 {\n    pro‸\n}\n", "proxy", ":80 {\n    proxy\n}\n"),
        (":80 {\n    respond @‸\n    @ab path /\n}\n", "@ab", ":80 {\n    respond @ab\n    @ab path /\n}\n"),
        (":80 {\n    respond {cl‸}\n}\n", "client_ip", ":80 {\n    respond {client_ip}\n}\n"),
        (":80 {\n    respond {cl‸\n}\n", "client_ip", ":80 {\n    respond {client_ip}\n}\n"),
        (':80 {\n    respond "😀 {cl‸"\n}\n', "client_ip", ':80 {\n    respond "😀 {client_ip}"\n}\n'),
        (":80 {\n    import std/c‸\n}\n", "std/cors", ":80 {\n    import std/cors\n}\n"),
        ("‸", ":8080", ":8080"),
    ],
)  # fmt: skip
def test_an_item_replaces_what_was_typed(text: str, label: str, after: str) -> None:
    assert accepted(text, label) == after


def test_blanks_to_fill_in_are_for_clients_that_know_them() -> None:
    assert accepted(":80 {\n    hand‸\n}\n", "handle", snippets=True) == ":80 {\n    handle $1 {\n    $0\n}\n}\n"
    for text in (":80 {\n    ‸\n}\n", "‸", ":80 {\n proxy :1 {\n  ‸\n }\n}\n"):
        view, offset = marked(text)
        for item in completion.items(view, offset):
            assert item.insert_text_format in (None, types.InsertTextFormat.PlainText)
            assert isinstance(item.text_edit, types.TextEdit)
            assert "$" not in item.text_edit.new_text


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        (":80 {\n ‸\n}\n", "proxy", "Pass requests to other servers"),
        (":80 {\n import ‸\n}\n", "std/cors", "Let pages of other origins"),
        (":80 {\n respond {‸\n}\n", "client_ip", "{client_ip}"),
        (":80 {\n proxy :1 {\n  balance ‸\n", "random", "by chance"),
    ],
)
def test_documentation_comes_when_an_item_is_looked_at(text: str, label: str, said: str) -> None:
    view, offset = marked(text)
    (item,) = [item for item in completion.items(view, offset) if item.label == label]
    assert item.documentation is None
    found = completion.resolved(item, CATALOGUE).documentation
    assert isinstance(found, types.MarkupContent)
    assert said in found.value


def test_an_item_of_someone_else_is_resolved_to_itself() -> None:
    for data in (None, 3, {"shelf": "std", "name": "../x"}, {"shelf": "nothing", "name": "x"}, {"name": "x"}):
        item = types.CompletionItem("x", data=data)
        assert completion.resolved(item, CATALOGUE).documentation is None


def test_the_default_is_chosen_beforehand() -> None:
    view, offset = marked(":80 {\n proxy :1 {\n  via ‸\n")
    found = completion.answer(view, at(view, offset)).items
    assert [(item.label, item.preselect) for item in found] == [("on", True), ("off", None)]


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        (":80 {\n import ‸\n}\n", "my file.edge", ":80 {\n import `my file.edge`\n}\n"),
        (":80 {\n import my‸\n}\n", "my file.edge", ":80 {\n import `my file.edge`\n}\n"),
        (':80 {\n import "my‸"\n}\n', "my file.edge", ':80 {\n import "my file.edge"\n}\n'),
        (':80 {\n import "c‸"\n}\n', "common", ':80 {\n import "common"\n}\n'),
        (":80 {\n import ‸\n}\n", "itself", ":80 {\n import itself\n}\n"),
    ],
)
def test_a_name_is_one_word_after_it_was_accepted(tmp_path: Path, text: str, label: str, after: str) -> None:
    (tmp_path / "my file.edge").touch()
    (tmp_path / "itself").symlink_to("itself")
    view, offset = marked(f"(common) {{\n log\n}}\n{text}", uri=(tmp_path / "Edgefile").as_uri())
    (item,) = [item for item in completion.items(view, offset) if item.label == label]
    assert isinstance(item.text_edit, types.TextEdit)
    assert edited(view.document.text, [item.text_edit], view) == f"(common) {{\n log\n}}\n{after}"
