"""How soon the language server answers an editor: a client of its protocol that does nothing but measure."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from machine import SERVER_CORE, NotMeasured, pinned
from probes import Effort, Open, Probe
from servers import Place, path_of

_SITE = """a{number}.example {{
    import hardened
    @api path /api/*
    handle @api {{
        proxy 127.0.0.1:9000 {{
            health /healthz {{
                interval 10s
            }}
        }}
    }}
    respond "ok {{path}}"
}}
"""
_LINES = 2_000
_SNIPPET = "(hardened) {\n    header X-Frame-Options DENY\n}\n"
_TEXT = _SNIPPET + "".join(_SITE.format(number=number) for number in range(_LINES // _SITE.count("\n")))

#: Lines on which something is typed, each after so many seconds: at once after the one before, or so late that the search
#: for problems is under way.
_TYPED = tuple(itertools.product((3, 1002, 1994), (0.0, 0.16, 0.18, 0.25)))


def _at(line: int) -> dict[str, Any]:
    return {"position": {"line": line, "character": 9}}


_WHOLE = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": _LINES, "character": 0}}}
#: What is asked, by the name of its row: the method, and parameters beside the document.
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "hover": ("hover", _at(1003)),
    "completion": ("completion", _at(1003)),
    "signature": ("signatureHelp", _at(1003)),
    "definition": ("definition", _at(1010)),
    "references": ("references", _at(1010) | {"context": {"includeDeclaration": True}}),
    "rename": ("rename", _at(1001) | {"newName": "other"}),
    "symbols": ("documentSymbol", {}),
    "folding": ("foldingRange", {}),
    "tokens": ("semanticTokens/full", {}),
    "inlay": ("inlayHint", _WHOLE),
    "actions": ("codeAction", _WHOLE | {"context": {"diagnostics": []}}),
    "formatting": ("formatting", {"options": {"tabSize": 4, "insertSpaces": True}}),
}


def latency(name: str) -> Open:
    """Milliseconds from an edit to the answer of a request that follows at once: what 19 of 20 stay below."""

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        with _editor(place) as editor:
            rounds = list(itertools.islice(itertools.cycle(_TYPED), 12 + int(8 * effort.seconds)))
            editor.measured(name, *_TYPED[0])
            yield lambda: sorted(editor.measured(name, *typed) for typed in rounds)[int(len(rounds) * 0.95) - 1]

    return open_


@contextlib.contextmanager
def _editor(place: Place) -> Iterator[_Editor]:
    words = pinned([path_of(place, "edge"), "lsp"], SERVER_CORE)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    editor = _Editor(process, (place.directory / "Edgefile").as_uri())
    try:
        editor.begin()
        yield editor
        editor.end()
    finally:
        process.kill()
        process.wait()


class _Editor:
    """One open document."""

    def __init__(self, process: subprocess.Popen[bytes], uri: str) -> None:
        assert process.stdin, "a pipe"
        assert process.stdout, "a pipe"
        self._in, self._out = process.stdin, process.stdout
        self._document = {"uri": uri}
        self._version = 0

    def begin(self) -> None:
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self._tell("initialized", {})
        item = self._document | {"languageId": "edgefile", "version": self._version, "text": _TEXT}
        self._tell("textDocument/didOpen", {"textDocument": item})
        while self._received().get("method") != "textDocument/publishDiagnostics":
            pass  # before that, nothing can be renamed: other files may belong to this one

    def end(self) -> None:
        self.ask("shutdown", None)
        self._tell("exit", None)

    def measured(self, name: str, line: int, pause: float) -> float:
        """Milliseconds from an edit on a line, after a pause, to the answer of a request."""
        method, parameters = REQUESTS[name]
        time.sleep(pause)
        started = time.perf_counter()
        self._type(line)
        self.ask(f"textDocument/{method}", {"textDocument": self._document, **parameters})
        return (time.perf_counter() - started) * 1000

    def _type(self, line: int) -> None:
        """A character at the beginning of a line."""
        self._version += 1
        place = {"line": line, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": " "}
        document = self._document | {"version": self._version}
        self._tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def ask(self, method: str, parameters: Any) -> None:
        self._send({"id": self._version, "method": method, "params": parameters})
        while (answer := self._received()).get("id") != self._version or "method" in answer:
            pass
        if "error" in answer:
            raise NotMeasured(f"{method}: {answer['error']['message']}")

    def _tell(self, method: str, parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._in.flush()

    def _received(self) -> dict[str, Any]:
        size = 0
        while (line := self._out.readline()).strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        if not size:
            raise NotMeasured("the server is gone")
        message: dict[str, Any] = json.loads(self._out.read(size))
        return message
