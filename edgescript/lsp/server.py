"""The server: open documents, the features of `features/` by their being there, and problems while typing."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import pkgutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from edgescript.catalog import Catalogue
from edgescript.language.tree import Tree
from edgescript.lsp import features
from edgescript.lsp.diagnostics import diagnostics
from edgescript.lsp.document import Document, View, is_of, path_of, uri_of
from edgescript.lsp.features import completion, rename
from edgescript.lsp.priority import first
from edgescript.lsp.project import Found, Project, look
from edgescript.lsp.workspace import Workspace, folders_of
from edgescript.text.problem import Problem
from edgescript.version import __version__

#: Seconds without typing before problems are looked for.
_PAUSE = 0.15
#: Seconds without any message before garbage is looked for, which nobody has to wait for then.
_IDLE = 2.0

_log = logging.getLogger("edge.lsp")


class _Protocol(LanguageServerProtocol):
    """Leaves documents to the server below, whose lines end where the protocol says, and the process to whoever began it."""

    _server: Server

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        self._server.put(Document(item.uri, item.version, item.text, self._server.encoding))

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        document = self._server.document(params.text_document.uri)
        self._server.put(document.changed(params.text_document.version, params.content_changes))

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self._server.close(params.text_document.uri)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]
        self._server.code = 0 if self._shutdown else 1
        self._server.ended.set()

    @property
    def is_shut_down(self) -> bool:
        return bool(self._shutdown)


class Server(LanguageServer):
    """One connection."""

    protocol: _Protocol

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__("edge", __version__, protocol_cls=_Protocol)
        self.catalogue = catalogue
        self.ended = Event()
        #: The exit code: 1 where the client went without `shutdown`.
        self.code = 1
        #: The process that began this one, if it said so.
        self.parent: int | None = None
        self.initialization: Any = None
        self.project = Project()
        self._workspace = Workspace()
        #: For each URI, the document and the roots that its problems were sent of.
        self._published: dict[str, tuple[Document | None, list[Found]]] = {}
        #: For each URI, the document and the problems in it.
        self._problems: dict[str, tuple[Document, list[Problem]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, "problems")
        self._initialized = False
        _register(self)

    @property
    def encoding(self) -> str:
        encoding = self.server_capabilities.position_encoding or "utf-16"
        return str(getattr(encoding, "value", encoding))

    # ---- messages

    def receive(self, message: Any) -> None:
        """Answer one message, whatever it is."""
        self._busy()
        with first():
            if not _is_message(message):
                self.refuse(None, types.ErrorCodes.InvalidRequest, "this is no message of JSON-RPC 2.0")
            elif self._may_answer(message):
                self._answer(message)

    def _may_answer(self, message: dict[str, Any]) -> bool:
        """Whether it is the time for a message. Those that come too early or late get an error, if they want an answer."""
        method = message.get("method")
        if method in (None, types.EXIT):
            return True
        if self._initialized and method == types.INITIALIZE:
            self.refuse(message.get("id"), types.ErrorCodes.InvalidRequest, "there was an initialize already")
            return False
        if self.protocol.is_shut_down or not (self._initialized or method == types.INITIALIZE):
            early = types.ErrorCodes.ServerNotInitialized
            code = types.ErrorCodes.InvalidRequest if self.protocol.is_shut_down else early
            why = "there was a shutdown" if self.protocol.is_shut_down else "there was no initialize yet"
            if "id" in message:
                self.refuse(message["id"], code, why)
            return False
        return True

    def _answer(self, message: dict[str, Any]) -> None:
        if message.get("method") == types.TEXT_DOCUMENT_DID_CHANGE:
            _clamp(message.get("params"))
        try:
            self.protocol.handle_message(self.protocol.structure_message(message))
        except JsonRpcException as error:
            if "method" in message and "id" in message:
                self.refuse(message["id"], types.ErrorCodes.InvalidParams, "the parameters do not fit the method")
            _log.warning("a message was not understood: %s: %s", message.get("method"), error)
        else:
            self._initialized = self._initialized or message.get("method") == types.INITIALIZE

    def refuse(self, id_: int | str | None, code: types.ErrorCodes, why: str) -> None:
        """Answer with an error; without an id where the message was not understood so far."""
        error = {"code": code.value, "message": why}
        self.protocol._send_data({"jsonrpc": "2.0", "id": id_, "error": error})

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Requests get their errors as answers, and notifications have none: pygls has logged it."""

    def end(self) -> None:
        """Let go of what runs; the client is gone."""
        for later in (self._timer, self._idle, self._looking):
            if later is not None:
                later.cancel()
        self.ended.set()
        self._worker.shutdown(wait=False, cancel_futures=True)

    # ---- documents

    def put(self, document: Document) -> None:
        self.project.documents[document.path] = document
        self._soon()

    def document(self, uri: str) -> Document:
        """
        :raises JsonRpcInvalidParams: if the document is not open
        """
        document = self.project.documents.get(path_of(uri))
        if document is None:
            raise JsonRpcInvalidParams(f"the document {uri} is not open")
        return document

    def close(self, uri: str) -> None:
        self.project.documents.pop(path_of(uri), None)
        self._soon()

    def view(self, uri: str) -> View:
        """
        :raises JsonRpcInvalidParams: if the document is not open
        """
        document = self.document(uri)
        seen, problems = self._problems.get(uri, (None, []))
        return self._view(document, self.project.others(document), problems if seen is document else [])

    def certain_view(self, uri: str) -> View:
        """
        The view for a change of several files, which would be wrong in those that are not as they were.

        :raises JsonRpcInvalidParams: if the document is not open, or it is not known what the other files are by now
        """
        document = self.document(uri)
        overwritten = self.project.overwritten(document)
        if overwritten:
            self.changed_on_disk(uri_of(path) for path in overwritten)
        if overwritten or not self.project.is_known(document):
            raise JsonRpcInvalidParams("the files that belong together are being looked at; try again in a moment")
        return self.view(uri)

    def _view(self, document: Document, others: list[Tree], problems: list[Problem]) -> View:
        options = self.initialization if isinstance(self.initialization, dict) else {}
        return View(document, self.catalogue, others, problems, options, self._fills_in())

    def _fills_in(self) -> bool:
        text = self.client_capabilities.text_document
        item = text.completion.completion_item if text and text.completion else None
        return bool(item and item.snippet_support)

    # ---- problems

    def changed_on_disk(self, uris: Iterable[str]) -> None:
        paths = [path_of(uri) for uri in uris]
        self._workspace.forget(paths)
        self.project.changed_on_disk(paths)
        self._soon()

    def _soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._look)

    def _look(self) -> None:
        if self._looking is not None and not self._looking.done():
            self._soon()  # one at a time; by then there may be more to look at
        else:
            self._looking = asyncio.get_running_loop().create_task(self._examine())
            self._looking.add_done_callback(_tell_failure)

    async def _examine(self) -> None:
        """Look at whatever changed. What is found in a text that changed meanwhile is not shown; the next look follows."""
        project, documents = self.project, dict(self.project.documents)
        folders = folders_of(self._folders(), documents)
        project.closed = await self._in_thread(self._workspace.importers, set(documents), folders, os.environ)
        while project.documents == documents and (root := project.next()) is not None:
            try:
                project.keep(await self._in_thread(look, root, documents, self.catalogue, os.environ))
            except OSError:
                project.lost(root)  # deleted between two looks
        self._publish()

    async def _in_thread(self, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *args)

    def _folders(self) -> list[str]:
        folders = list(self.workspace.folders.values()) if self._initialized else []
        uris = [folder.uri for folder in folders] or [uri for uri in [self.workspace.root_uri] if uri]
        return [path_of(uri) for uri in uris if uri.startswith("file:")]

    def _publish(self) -> None:
        """Send what is wrong with each file, where that may be something else than what was sent."""
        shown = {path: document.uri for path, document in self.project.documents.items()}
        for found in self.project.found.values():
            if found.root in self.project.documents:
                shown |= {p: uri_of(p) for p in _files(found) if p not in shown}
        for path, uri in shown.items():
            roots = self.project.roots_of(path)
            key = (self.project.documents.get(path), roots)
            known = self._published.get(uri)
            if all(self.project.is_fresh(found.root) for found in roots) and known != key:
                self._published[uri] = key
                self._publish_file(path, uri, roots, known=known is not None)
        for uri in self._published.keys() - set(shown.values()):
            del self._published[uri]
            self._problems.pop(uri, None)
            self._send(uri, None, [])

    def _publish_file(self, path: str, uri: str, roots: list[Found], *, known: bool) -> None:
        problems = _distinct(problem for found in roots for problem in found.problems if _is_of(problem, path, found))
        document = self.project.documents.get(path)
        if document is not None:
            self._problems[uri] = (document, problems)
        elif not problems and not known:
            return
        source = next(
            (tree.source for found in roots for tree in found.analysis.file.trees if is_of(tree.source, path)), None
        )
        text = "" if source is None else source.text
        view = self._view(document or Document(uri, 0, text, self.encoding), [], [])
        self._send(uri, document.version if document else None, diagnostics(view, problems))

    def _send(self, uri: str, version: int | None, items: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, items, version))

    # ---- garbage

    def _busy(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE, gc.collect)


def _tell_failure(looking: asyncio.Task[None]) -> None:
    """A search that failed is told in one line; the next change begins another."""
    error = None if looking.cancelled() else looking.exception()
    if error is not None:
        _log.error("problems could not be looked for: %s: %s", type(error).__name__, error)


def _files(found: Found) -> list[str]:
    """The files that a root was made of, without the standard library."""
    names = [os.path.normpath(tree.source.name) for tree in found.analysis.file.trees]
    return [name for name in names if os.path.isabs(name) and not name.endswith("#")]


def _is_of(problem: Problem, path: str, found: Found) -> bool:
    """Whether a problem is shown in a file; one without a place is shown where the looking began."""
    if problem.span is None:
        return path == found.root
    return is_of(problem.span.source, path)


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, although several roots reach it."""
    return list({(p.span and (p.span.start, p.span.end), p.code, p.message): p for p in problems}.values())


def _is_message(message: Any) -> bool:
    """Whether something is a request, a notification, or a response."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return False
    return (
        isinstance(message.get("method", ""), str)
        and isinstance(message.get("id", 0), int | str)
        and ("method" in message or "id" in message)
    )


def _clamp(params: Any) -> None:
    """Numbers below 0 in the ranges of a change mean 0: without the change, all later ones would be at wrong places."""
    changes = params.get("contentChanges") if isinstance(params, dict) else None
    for change in changes if isinstance(changes, list) else []:
        for place in _values(change.get("range")) if isinstance(change, dict) else []:
            place |= {name: max(number, 0) for name, number in place.items() if isinstance(number, int)}


def _values(range_: Any) -> list[dict[str, Any]]:
    """The two places of a range, if it is one."""
    return [place for place in range_.values() if isinstance(place, dict)] if isinstance(range_, dict) else []


# ---- methods


def _register(server: Server) -> None:
    for found in pkgutil.iter_modules(features.__path__):
        module = importlib.import_module(f"{features.__name__}.{found.name}")
        view_of = server.certain_view if module is rename else server.view
        server.feature(module.METHOD, module.OPTIONS)(_handler(view_of, module.answer))

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initialization = params.initialization_options
        server.parent = params.process_id if params.process_id and params.process_id > 0 else None

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        _watch_files(server)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.changed_on_disk([params.text_document.uri])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed(params: types.DidChangeWatchedFilesParams) -> None:
        server.changed_on_disk(change.uri for change in params.changes)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.changed_on_disk([])

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: types.PrepareRenameParams) -> types.Range | None:
        return rename.prepared(server.view(params.text_document.uri), params)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(item: types.CompletionItem) -> types.CompletionItem:
        return completion.resolved(item, server.catalogue)


def _watch_files(server: Server) -> None:
    """Ask the client to tell about files that are written by others, if it can."""
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    if not (watched and watched.dynamic_registration):
        return
    watchers = [types.FileSystemWatcher("**/Edgefile"), types.FileSystemWatcher("**/*.edge")]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    server.client_register_capability(types.RegistrationParams([types.Registration("files", method, options)]))


def _handler(view_of: Callable[[str], View], answer: Any) -> Any:
    """What a feature answers; nothing for a text that is too large to be answered about at once."""

    def handle(params: Any) -> Any:
        view = view_of(params.text_document.uri)
        return None if view.document.is_large else answer(view, params)

    return handle


class _Expected(logging.Filter):
    """Leaves out what only tells that a client asked for something that is not there; it got that as its answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BrokenPipeError):
            return False  # the client is gone; reading ends as well
        if isinstance(error, JsonRpcException):
            return isinstance(error, JsonRpcInternalError)
        return not str(record.msg).startswith("Unable to deserialize")  # `_answer` says so in one line


for _name in ("pygls.protocol.json_rpc", "pygls.protocol"):
    logging.getLogger(_name).addFilter(_Expected())
