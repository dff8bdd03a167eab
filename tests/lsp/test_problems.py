"""Problems while typing, in a file and in those that belong to it, as an editor gets them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.editor import Editor, with_editor

#: One line of a site that is wrong by itself.
WRONG = "respond 200 more and more\n"
RIGHT = "respond 204\n"


def test_what_the_linter_finds_is_shown_and_what_nothing_uses_is_faded(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ":80 {\n    @unused path /x\n    respond 204\n}\n(unused) {\n    log\n}\n")
        found = await editor.problems("Edgefile")
        assert [(each.code, tuple(each.tags or ())) for each in found] == [
            ("W307", (types.DiagnosticTag.Unnecessary,)),
            ("W306", (types.DiagnosticTag.Unnecessary,)),
        ]
        assert found[0].severity is types.DiagnosticSeverity.Warning

    with_editor(tmp_path, use)


def test_what_is_allowed_is_not_shown(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ":80 {\n    @unused path /x # edge: allow W307\n    respond 204\n}\n")
        assert await editor.problems("Edgefile") == []

    with_editor(tmp_path, use)


def test_problems_of_tests_are_shown(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ':80 {\n    respond 204\n}\ntest "x" {\n    request GET /\n    expect nonsense\n}\n')
        (found,) = await editor.problems("Edgefile")
        assert found.range.start.line == 5

    with_editor(tmp_path, use)


def test_what_can_never_run_is_faded_and_says_why(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ":80 {\n    respond 204\n    respond 205\n}\n")
        (found,) = await editor.problems("Edgefile")
        assert (found.code, tuple(found.tags or ())) == ("E201", (types.DiagnosticTag.Unnecessary,))
        assert found.related_information is not None
        assert found.related_information[0].location.range.start == types.Position(1, 4)

    with_editor(tmp_path, use)


def test_an_imported_file_that_is_not_open_shows_its_problems_and_where_it_is_imported(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("part.edge", WRONG)
        editor.open("Edgefile", ":80 {\n    import part.edge\n}\n")
        (found,) = await editor.problems("part.edge")
        assert found.code == "E108"
        assert found.related_information is not None
        assert [(each.message, each.location.uri) for each in found.related_information] == [
            ("imported at", editor.uri("Edgefile"))
        ]

    with_editor(tmp_path, use)


def test_a_change_of_an_imported_file_is_seen_from_its_importer_at_once(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("part.edge", RIGHT)
        editor.open("Edgefile", ":80 {\n    @api path /x\n    import part.edge\n}\n")
        assert await editor.codes("Edgefile") == ["W307"]
        editor.open("part.edge")
        assert await editor.codes("part.edge") == []
        editor.change("part.edge", 2, "respond @api 204\n")
        assert await editor.codes("Edgefile") == []
        assert await editor.codes("part.edge") == []
        editor.change("part.edge", 3, WRONG)
        assert await editor.codes("part.edge") == ["E108"]

    with_editor(tmp_path, use)


def test_an_open_file_is_seen_from_an_importer_that_is_closed(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("Edgefile", ":80 {\n    import sites/part.edge status=204\n}\n")
        editor.open("sites/part.edge", "respond @api {args.status} {args.body}\n")
        assert sorted(map(str, await editor.codes("sites/part.edge"))) == ["E011"]
        editor.written("Edgefile", ":80 {\n    import sites/part.edge status=204 body=x\n}\n")
        assert await editor.codes("sites/part.edge") == ["E111"]
        editor.written("Edgefile", ":80 {\n    @api path /x\n    import sites/part.edge status=204 body=x\n}\n")
        assert await editor.codes("sites/part.edge") == []

    with_editor(tmp_path, use)


def test_a_fragment_that_nobody_imports_has_no_problems_but_its_own(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("part.edge", "respond @given 204 {args.body}\n@own path /x\nheader @own X y\nrespnd 204\n")
        assert await editor.codes("part.edge") == ["E101"]

    with_editor(tmp_path, use)


def test_a_file_of_snippets_has_no_unused_ones(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("snippets.edge", "(one) {\n    log\n}\n(two) {\n    log\n}\n")
        assert await editor.codes("snippets.edge") == []

    with_editor(tmp_path, use)


def test_a_file_that_was_missing_is_found_when_it_is_written(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ":80 {\n    import part.edge\n}\n")
        assert await editor.codes("Edgefile") == ["E008"]
        editor.written("part.edge", RIGHT)
        assert await editor.codes("Edgefile") == []
        editor.written("part.edge", WRONG)
        assert await editor.codes("part.edge") == ["E108"]

    with_editor(tmp_path, use)


def test_files_that_import_each_other_are_looked_at_too(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("b.edge", "import a.edge\n")
        editor.open("a.edge", "import b.edge\n")
        assert await editor.codes("b.edge") == ["E009"]
        editor.open("b.edge")
        assert await editor.codes("b.edge") == ["E009"]
        editor.change("a.edge", 2, RIGHT)
        assert await editor.codes("b.edge") == []

    with_editor(tmp_path, use)


def test_a_closed_document_has_no_problems_left(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", f":80 {{\n{WRONG}}}\n")
        assert await editor.codes("Edgefile") == ["E108"]
        editor.close("Edgefile")
        assert await editor.codes("Edgefile") == []

    with_editor(tmp_path, use)


def test_only_what_a_change_concerns_is_sent_again(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("a/Edgefile", f":80 {{\n{WRONG}}}\n")
        editor.open("b/Edgefile", f":80 {{\n{WRONG}}}\n")
        assert {(await editor.published()).uri for _ in range(2)} == {
            editor.uri("a/Edgefile"),
            editor.uri("b/Edgefile"),
        }
        for version in (2, 3):
            editor.change("a/Edgefile", version, f":8{version} {{\n{WRONG}}}\n")
            sent = await editor.published()
            assert (sent.uri, sent.version) == (editor.uri("a/Edgefile"), version)

    with_editor(tmp_path, use)


def test_problems_are_those_of_the_version_that_they_are_sent_with(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", "")
        for version in range(2, 60):
            editor.change("Edgefile", version, f":80 {{\n{WRONG * version}}}\n")
            if version % 20 == 0:
                await editor.client.text_document_folding_range_async(
                    types.FoldingRangeParams(types.TextDocumentIdentifier(editor.uri("Edgefile")))
                )
        while True:
            sent = await editor.published()
            assert len([each for each in sent.diagnostics if each.code == "E108"]) == (sent.version or 0) * (
                sent.version != 1
            )
            if sent.version == 59:
                break

    with_editor(tmp_path, use)


def test_more_problems_than_someone_reads_are_counted(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", f":80 {{\n{WRONG * 1500}}}\n")
        found = await editor.problems("Edgefile")
        assert len(found) == 500
        assert found[-1].message.endswith("more problems in this file")

    with_editor(tmp_path, use)


def test_a_file_that_is_too_large_has_one_problem_and_everything_else_is_answered(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("Edgefile", "# a comment line\n" * 1_000_000)
        document = types.TextDocumentIdentifier(editor.uri("Edgefile"))
        assert await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(document)) is None
        (found,) = await editor.problems("Edgefile")
        assert (found.code, found.range.start) == ("E014", types.Position(0, 0))

    with_editor(tmp_path, use)


def test_the_client_is_asked_to_watch_files_if_it_can(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        (registration,) = (await editor.registered.get()).registrations
        assert registration.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES

    watched = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    workspace = types.WorkspaceClientCapabilities(did_change_watched_files=watched)
    with_editor(tmp_path, use, types.ClientCapabilities(workspace=workspace))


@pytest.mark.parametrize("uri", ["file:///tmp/a%00b/Edgefile", "file://[bad/x", "file:", "", "untitled:x y"])
def test_a_document_whose_address_is_no_path_does_not_stop_the_problems_of_others(uri: str, tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        item = types.TextDocumentItem(uri, "edgefile", 1, ":80 {\n    import *.edge\n}\n")
        editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        editor.open("Edgefile", ":80 {\n    respon x\n}\n")
        assert await editor.codes("Edgefile") == ["E101"]

    with_editor(tmp_path, use)


def test_an_imported_file_whose_name_is_no_utf_8_is_shown_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a \xff.edge")).write_text("respon x\n")

    async def use(editor: Editor) -> None:
        editor.open("Edgefile", ":80 {\n    import *.edge\n}\n")
        sent = {found.uri: found for found in [await editor.published(), await editor.published()]}
        (problem,) = sent[editor.uri("a ") + "%FF.edge"].diagnostics
        assert problem.code == "E101"

    with_editor(tmp_path, use)


def test_a_file_that_is_imported_by_way_of_the_folder_above_has_its_fixes(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("b.edge", "respon x\n")
        editor.open("sub/Edgefile", ":80 {\n    import ../b.edge\n}\n")
        editor.open("b.edge")
        assert await editor.codes("b.edge") == ["E101"]
        document, everything = (
            types.TextDocumentIdentifier(editor.uri("b.edge")),
            types.Range(types.Position(0, 0), types.Position(1, 0)),
        )
        asked = types.CodeActionParams(document, everything, types.CodeActionContext([]))
        (action,) = await editor.client.text_document_code_action_async(asked) or []
        assert isinstance(action, types.CodeAction)
        assert action.edit is not None
        assert list(action.edit.changes or ()) == [editor.uri("b.edge")]

    with_editor(tmp_path, use)


def test_a_name_is_changed_only_in_files_that_are_as_they_were_read(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.write("b.edge", "respond @a x\n")
        editor.open("Edgefile", ":80 {\n    @a path /x\n    import b.edge\n}\n")
        asked = types.RenameParams(types.TextDocumentIdentifier(editor.uri("Edgefile")), types.Position(1, 5), "@b")
        with pytest.raises(JsonRpcException, match="try again"):  # nobody knows yet what belongs to it
            await editor.client.text_document_rename_async(asked)
        await editor.problems("Edgefile")
        editor.write("b.edge", "# written by someone else\nrespond @a x\n")
        with pytest.raises(JsonRpcException, match="try again"):
            await editor.client.text_document_rename_async(asked)
        await editor.problems("Edgefile")
        edit = await editor.client.text_document_rename_async(asked)
        assert edit is not None
        (changed,) = (edit.changes or {})[editor.uri("b.edge")]
        assert changed.range == types.Range(types.Position(1, 8), types.Position(1, 10))

    with_editor(tmp_path, use)
