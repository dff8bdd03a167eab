"""The server as an editor meets it: pygls' own client, over standard input and output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

EDGE = [sys.executable, "-c", "from edgescript.cli.main import main; main()", "lsp"]
URI = "file:///nowhere/Edgefile"
AT = types.TextDocumentIdentifier(URI)


def with_server(text: str, use: Callable[[LanguageClient, Any], Awaitable[None]]) -> None:
    async def run() -> None:
        client = LanguageClient("test", "1")
        published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: published.put_nowait(params))
        await client.start_io(*EDGE)
        await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        client.initialized(types.InitializedParams())
        item = types.TextDocumentItem(URI, "edgefile", 1, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        await use(client, published)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()

    asyncio.run(run())


def test_problems_are_shown_with_their_code_and_place_in_utf_16() -> None:
    async def use(client: LanguageClient, published: Any) -> None:
        (found,) = (await published.get()).diagnostics
        assert (found.code, found.range.start) == ("E108", types.Position(1, 21))

    with_server(':80 {\r\n    respond "😀" 200 more\r\n}\r\n', use)


def test_an_unclosed_block_is_completed_by_its_options() -> None:
    async def use(client: LanguageClient, published: Any) -> None:
        params = types.CompletionParams(AT, types.Position(2, 8))
        found = await client.text_document_completion_async(params)
        assert "balance" in [item.label for item in found.items]

    with_server(":80 {\n    proxy 127.0.0.1:1 {\n        \n", use)


def test_a_named_matcher_is_found_and_renamed_where_it_holds() -> None:
    async def use(client: LanguageClient, published: Any) -> None:
        await published.get()  # another name waits until it is known which files have it
        place = types.Position(2, 13)
        (found,) = await client.text_document_definition_async(types.DefinitionParams(AT, place))
        assert found.range == types.Range(types.Position(1, 4), types.Position(1, 6))
        edit = await client.text_document_rename_async(types.RenameParams(AT, place, "b"))
        assert [e.new_text for e in edit.changes[URI]] == ["@b", "@b"]

    with_server(":80 {\n    @a path /x\n    respond @a 204\n}\n:81 {\n    @a path /y\n}\n", use)


def test_every_other_feature_answers() -> None:
    async def use(client: LanguageClient, published: Any) -> None:
        everything = types.Range(types.Position(0, 0), types.Position(9, 0))
        hover = await client.text_document_hover_async(types.HoverParams(AT, types.Position(1, 6)))
        assert "respond" in hover.contents.value
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(AT))
        assert [symbol.name for symbol in symbols] == [":80"]
        folds = await client.text_document_folding_range_async(types.FoldingRangeParams(AT))
        assert [(fold.start_line, fold.end_line) for fold in folds] == [(0, 2)]
        tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(AT))
        assert list(tokens.data[:5]) == [0, 0, 3, 2, 0]
        (edit,) = await client.text_document_formatting_async(
            types.DocumentFormattingParams(AT, types.FormattingOptions(4, True))
        )
        assert edit.new_text == ':80 {\n    respond "x"\n}\n'
        await client.text_document_inlay_hint_async(types.InlayHintParams(AT, everything))
        help_ = await client.text_document_signature_help_async(types.SignatureHelpParams(AT, types.Position(1, 12)))
        assert help_.signatures
        actions = types.CodeActionParams(AT, everything, types.CodeActionContext([]))
        assert not await client.text_document_code_action_async(actions)

    with_server(':80 {\n  respond   "x"\n}\n', use)


def test_a_malformed_message_does_not_end_the_server() -> None:
    body = b'{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"capabilities":{}}}'
    text = b"nonsense\r\nContent-Length: 3\r\n\r\n{{{" + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    done = subprocess.run(EDGE, input=text, capture_output=True, timeout=60)
    assert b'"id": 7' in done.stdout or b'"id":7' in done.stdout
    assert done.returncode == 1  # the client went without shutdown
