"""A headless Chromium, worked by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import connect


def program() -> str | None:
    """Where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One page of a browser of its own."""

    def __init__(self, folder: Path) -> None:
        found = program()
        assert found is not None
        self._process = subprocess.Popen(
            [
                found, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
                "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port_file = folder / "DevToolsActivePort"
        port = self._waited(lambda: port_file.exists() and port_file.read_text().partition("\n")[0])
        with urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
            targets = json.loads(answer.read())
        address = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(address, max_size=None))
        self._number = 0
        #: What the page has logged as an error, exceptions included.
        self.errors: list[str] = []
        #: The addresses of everything that was loaded.
        self.loaded: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._process.terminate()
        self._process.wait(20)

    @staticmethod
    def _waited(found: Any, seconds: float = 40.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < deadline, "the browser did not do it in time"
            time.sleep(0.02)
        return value

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command, and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        for message in self._messages():
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
        raise AssertionError("the browser is gone")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            message = json.loads(self._socket.recv(timeout=40))
            self._note(message)
            yield message

    def _note(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:800])
            case "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error" and entry["source"] != "network":  # a 422 is an answer like any other
                    self.errors.append(json.dumps(entry)[:800])
            case "Network.requestWillBeSent":
                self.loaded.append(message["params"]["request"]["url"])

    def open(self, url: str, **headers: str) -> None:
        self.call("Network.setExtraHTTPHeaders", headers=headers)
        self.call("Page.navigate", url=url)

    def look(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """What the window is like, and what its user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """The value of an expression as soon as it is something; until then it may fail, because the page is being loaded."""
        guarded = f"(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()"
        return self._waited(lambda: self.ask(guarded))

    def press(self, key: str) -> None:
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Save what the page looks like."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def whole_picture(self, path: Path, width: int, *, dark: bool) -> None:
        """Save what the page looks like from its top to its end."""
        self.look(width=width, dark=dark)
        height = int(self.ask("document.documentElement.scrollHeight"))
        self.look(width=width, height=height, dark=dark)
        self.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.picture(path)
