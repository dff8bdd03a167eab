"""An editor for tests: pygls' own client, with files in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.lsp.raw import EDGE


class Editor:
    """Opens and changes files, and waits for their problems."""

    def __init__(self, folder: Path, client: LanguageClient) -> None:
        self.folder = folder
        self.client = client
        self._published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.registered: asyncio.Queue[types.RegistrationParams] = asyncio.Queue()
        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: self._published.put_nowait(params))
        client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: self.registered.put_nowait(params))

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def open(self, name: str, text: str | None = None) -> None:
        if text is not None:
            self.write(name, text)
        item = types.TextDocumentItem(self.uri(name), "edgefile", 1, (self.folder / name).read_text())
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, version: int, text: str) -> None:
        document = types.VersionedTextDocumentIdentifier(version, self.uri(name))
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    def close(self, name: str) -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def written(self, name: str, text: str) -> None:
        """Something else wrote a file, and the editor saw that."""
        self.write(name, text)
        event = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    async def published(self) -> types.PublishDiagnosticsParams:
        """What was sent next, whatever it is of."""
        return await self._published.get()

    async def problems(self, name: str) -> list[types.Diagnostic]:
        """What is sent next of a file."""
        while (sent := await self.published()).uri != self.uri(name):
            pass
        return list(sent.diagnostics)

    async def codes(self, name: str) -> list[int | str | None]:
        return [problem.code for problem in await self.problems(name)]


def with_editor(
    folder: Path, use: Callable[[Editor], Awaitable[None]], capabilities: types.ClientCapabilities | None = None
) -> None:
    async def run() -> None:
        client = LanguageClient("test", "1")
        editor = Editor(folder, client)
        await client.start_io(*EDGE)
        folders = [types.WorkspaceFolder(folder.as_uri(), "test")]
        asked = types.InitializeParams(capabilities or types.ClientCapabilities(), workspace_folders=folders)
        await client.initialize_async(asked)
        client.initialized(types.InitializedParams())
        await use(editor)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()

    asyncio.run(run())
