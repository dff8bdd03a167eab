"""The server: open documents, the features of `features/` by their being there, and problems while typing."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import pkgutil
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from edgescript.catalog import Catalogue
from edgescript.graph.load import Analysis
from edgescript.language.files import read_file
from edgescript.language.tree import Tree
from edgescript.lsp import diagnostics, features
from edgescript.lsp.document import Document, View
from edgescript.lsp.features import completion, rename
from edgescript.lsp.positions import changed
from edgescript.text.problem import Problem
from edgescript.version import __version__

#: Seconds without typing before problems are looked for.
_PAUSE = 0.15
#: Bytes of a message; the largest Edgefile fits, escaped.
_MOST = 128 * 1024 * 1024


class _Protocol(LanguageServerProtocol):
    """Leaves documents to the server below, whose lines end where the protocol says, and the process to whoever began it."""

    _server: Server

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        self._server.put(item.uri, item.version, item.text)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = self._server.documents.get(uri)
        text = document.text if document else ""
        for change in params.content_changes:
            text = changed(text, change, self._server.encoding)
        self._server.put(uri, params.text_document.version, text)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self._server.close(params.text_document.uri)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]
        self._server.code = 0 if self._shutdown else 1
        self._server.ended.set()


class Server(LanguageServer):
    """One connection."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__("edge", __version__, protocol_cls=_Protocol)
        self.catalogue = catalogue
        self.documents: dict[str, Document] = {}
        self.ended = Event()
        #: The exit code: 1 where the client went without `shutdown`.
        self.code = 1
        #: What was found, by the URI of the root: the version, the analysis, the problems.
        self._found: dict[str, tuple[int, Analysis, list[Problem]]] = {}
        self._published: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1)
        _register(self)

    @property
    def encoding(self) -> str:
        encoding = self.server_capabilities.position_encoding or "utf-16"
        return str(getattr(encoding, "value", encoding))

    # ---- documents

    def put(self, uri: str, version: int, text: str) -> None:
        self.documents[uri] = Document(uri, version, text, self.encoding)
        self._soon()

    def close(self, uri: str) -> None:
        self.documents.pop(uri, None)
        self._found.pop(uri, None)
        self._soon()

    def view(self, uri: str) -> View:
        """
        :raises JsonRpcInvalidParams: if the document is not open
        """
        document = self.documents.get(uri)
        if document is None:
            raise JsonRpcInvalidParams(f"the document {uri} is not open")
        others, problems = self._others(document), self._problems(document)
        return View(document, self.catalogue, others, problems, self._options(), self._fills_in())

    def _others(self, document: Document) -> list[Tree]:
        open_now = {each.path: each for each in self.documents.values()}
        found: dict[str, Tree] = {}
        for _, analysis, _ in self._found.values():
            names = [tree.source.name for tree in analysis.file.trees]
            if document.path in names:
                found |= {tree.source.name: tree for tree in analysis.file.trees if not tree.source.name.endswith("#")}
        found.pop(document.path, None)
        return [open_now[name].tree if name in open_now else tree for name, tree in found.items()]

    def _problems(self, document: Document) -> list[Problem]:
        """What was found in this very text, by whichever root it belongs to."""
        found = [p for _, _, problems in self._found.values() for p in problems]
        return [
            p for p in found if p.span and p.span.source.name == document.path and p.span.source.text == document.text
        ]

    def _options(self) -> dict[str, Any]:
        return self.initialization if isinstance(self.initialization, dict) else {}

    initialization: Any = None

    def _fills_in(self) -> bool:
        text = self.client_capabilities.text_document
        item = text.completion.completion_item if text and text.completion else None
        return bool(item and item.snippet_support)

    # ---- problems

    def _soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._look)

    def _look(self) -> None:
        if self._looking is not None and not self._looking.done():
            self._soon()  # one at a time; by then there may be more to look at
        else:
            self._looking = asyncio.get_running_loop().create_task(self._examine())

    async def _examine(self) -> None:
        documents = list(self.documents.values())
        for document in documents:
            loop = asyncio.get_running_loop()
            found, problems = await loop.run_in_executor(self._worker, self._examined, document, documents)
            if self.documents.get(document.uri) is document:
                self._found[document.uri] = (document.version, found, problems)
        self._publish(documents)

    def _examined(self, document: Document, documents: list[Document]) -> tuple[Analysis, list[Problem]]:
        texts = {each.path: each.text for each in documents}

        def read(name: str) -> bytes:
            text = texts.get(os.path.normpath(name))
            return read_file(name) if text is None else text.encode("utf-8", "surrogatepass")

        return diagnostics.examined(document, self.catalogue, os.environ, read)

    def _publish(self, documents: list[Document]) -> None:
        for document in documents:
            if self.documents.get(document.uri) is document:
                view = self.view(document.uri)
                shown = {(p.span, p.code, p.message): p for p in self._roots_problems(document)}.values()
                items = [diagnostics.diagnostic(view, p, p.span) for p in shown if p.span is not None]
                self._send(document.uri, document.version, items)
        for uri in self._published - set(self.documents):
            self._send(uri, None, [])
        self._published = {document.uri for document in documents}

    def _roots_problems(self, document: Document) -> list[Problem]:
        """From who imports a document, if anyone does: there it has its arguments and matchers."""
        outer = [
            p
            for uri, (_, analysis, problems) in self._found.items()
            if uri != document.uri and any(tree.source.name == document.path for tree in analysis.file.trees)
            for p in problems
        ]
        imported = any(
            uri != document.uri and any(tree.source.name == document.path for tree in analysis.file.trees)
            for uri, (_, analysis, _) in self._found.items()
        )
        own = self._found[document.uri][2] if document.uri in self._found and not imported else []
        return [p for p in (*outer, *own) if p.span is not None and p.span.source.name == document.path]

    def _send(self, uri: str, version: int | None, items: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, items, version))


def _register(server: Server) -> None:
    for found in pkgutil.iter_modules(features.__path__):
        module = importlib.import_module(f"{features.__name__}.{found.name}")
        server.feature(module.METHOD, module.OPTIONS)(_handler(server, module.answer))

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initialization = params.initialization_options

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: types.PrepareRenameParams) -> types.Range | None:
        return rename.prepared(server.view(params.text_document.uri), params)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(item: types.CompletionItem) -> types.CompletionItem:
        return completion.resolved(item, server.catalogue)


def _handler(server: Server, answer: Any) -> Any:
    def handle(params: Any) -> Any:
        return answer(server.view(params.text_document.uri), params)

    return handle


class _Stdin:
    """Standard input without messages that no client means."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readline(self) -> bytes:
        return self._stream.readline(65536)

    def read(self, size: int) -> bytes:
        return self._stream.read(size) if size <= _MOST else b""


def serve_stdio() -> int:
    """Serve the client at standard input and output until it ends; gives the exit code."""
    gc.enable()
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # whatever is printed is no message
    server = Server(Catalogue.load())
    server.protocol.set_writer(StdoutWriter(out))
    reader = StdinAsyncReader(_Stdin(sys.stdin.buffer), ThreadPoolExecutor(1))  # type: ignore[arg-type]
    asyncio.run(run_async(server.ended, reader, server.protocol, error_handler=server.report_server_error))
    return server.code


async def serve_tcp(host: str, port: int, *, ready: Any) -> None:
    """Serve any number of clients, each for itself; `ready` is told the address."""
    gc.enable()
    catalogue = Catalogue.load()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = Server(catalogue)
        server.protocol.set_writer(writer)
        try:
            await run_async(server.ended, reader, server.protocol, error_handler=server.report_server_error)
        except (ValueError, OSError, asyncio.IncompleteReadError):
            pass  # a line without end, or a client that is gone in the middle of a message
        finally:
            writer.close()

    async with await asyncio.start_server(connected, host, port) as listening:
        ready(listening.sockets[0].getsockname())
        await listening.serve_forever()
