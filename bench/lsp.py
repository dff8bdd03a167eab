"""How soon the language server answers right after an edit of a 2,000-line file: `python bench/lsp.py`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from lsprotocol import types
from pygls.lsp.client import LanguageClient

URI = "file:///nowhere/Edgefile"
SITE = """a%d.example {
    @api path /api/*
    handle @api {
        proxy 127.0.0.1:9000 {
            health /healthz {
                interval 10s
            }
        }
    }
    respond "ok {path}"
}
"""
ROUNDS = 40


async def main() -> None:
    client = LanguageClient("bench", "1")
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: None)
    await client.start_io(sys.executable, "-c", "from edgescript.cli.main import main; main()", "lsp")
    await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    text = "".join(SITE % number for number in range(2000 // 11))
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "edgefile", 1, text)))
    document, at = types.TextDocumentIdentifier(URI), types.Position(1003, 9)
    whole = types.Range(types.Position(0, 0), types.Position(2000, 0))
    requests = {
        "hover": (client.text_document_hover_async, types.HoverParams(document, at)),
        "completion": (client.text_document_completion_async, types.CompletionParams(document, at)),
        "signature": (client.text_document_signature_help_async, types.SignatureHelpParams(document, at)),
        "definition": (client.text_document_definition_async, types.DefinitionParams(document, at)),
        "references": (
            client.text_document_references_async,
            types.ReferenceParams(types.ReferenceContext(True), document, at),
        ),
        "symbols": (client.text_document_document_symbol_async, types.DocumentSymbolParams(document)),
        "folding": (client.text_document_folding_range_async, types.FoldingRangeParams(document)),
        "tokens": (client.text_document_semantic_tokens_full_async, types.SemanticTokensParams(document)),
        "inlay": (client.text_document_inlay_hint_async, types.InlayHintParams(document, whole)),
    }
    version = 1
    for name, (ask, params) in requests.items():
        times = []
        for _ in range(ROUNDS):
            version += 1
            change = types.TextDocumentContentChangePartial(
                types.Range(types.Position(0, 0), types.Position(0, 0)), "#\n" if version % 2 else " "
            )
            client.text_document_did_change(
                types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, URI), [change])
            )
            begun = time.perf_counter()
            await ask(params)
            times.append((time.perf_counter() - begun) * 1000)
        print(
            f"{name:12} median {statistics.median(times):6.1f} ms   p95 {sorted(times)[int(ROUNDS * 0.95) - 1]:6.1f} ms"
        )
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


asyncio.run(main())
