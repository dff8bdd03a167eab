"""Applications of Starlette and Flask in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

STARLETTE = """
import contextlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute

@contextlib.asynccontextmanager
async def lifespan(app):
    log.append("up")
    yield {"shared": "by all"}
    log.append("down")

log = []

async def show(request):
    body = await request.body()
    return JSONResponse({
        "path": request.url.path, "root": request.scope["root_path"], "link": str(request.url_for("show", name="x")),
        "body": body.decode(), "state": request.state.shared, "client": request.client.host,
    }, background=BackgroundTask(log.append, "behind"))

async def stream(request):
    async def pieces():
        async for piece in request.stream():
            yield piece
    return StreamingResponse(pieces())

async def seen(request): return JSONResponse(log)

async def echo(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())

app = Starlette(
    routes=[
        Route("/show/{name}", show, methods=["GET", "POST"], name="show"),
        Route("/stream", stream, methods=["POST"]),
        Route("/log", seen),
        WebSocketRoute("/echo", echo),
    ],
    middleware=[Middleware(GZipMiddleware, minimum_size=100)],
    lifespan=lifespan,
)
"""

FLASK = """
from flask import Flask, abort, jsonify, redirect, request, stream_with_context, url_for

app = Flask("shop")

@app.route("/show/<name>", methods=["GET", "POST"])
def show(name):
    return jsonify(name=name, root=request.script_root, link=url_for("show", name="x"), body=request.get_data(as_text=True),
                   client=request.remote_addr, form=request.form.get("a"))

@app.route("/stream")
def stream():
    return (f"{number} " for number in range(1000))

@app.route("/gone")
def gone(): return redirect(url_for("show", name="there"))

@app.route("/no")
def no(): abort(403)

@app.route("/fails")
def fails(): raise ValueError("of no use")
"""


def test_starlette(serve_edgefile: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(STARLETTE)
    server = serve_edgefile(
        ":80 {\n    handle_path /shop/* {\n        app main.py:app\n    }\n    app main.py:app\n}\n"
    )
    with httpx.Client(base_url=server.url, timeout=30) as client:
        shown = client.post("/shop/show/it", content=b"some").json()
        assert shown == {
            "path": "/shop/show/it",
            "root": "/shop",
            "link": f"{server.url}/shop/show/x",
            "body": "some",
            "state": "by all",
            "client": "127.0.0.1",
        }
        assert client.get("/show/it").json()["link"] == f"{server.url}/show/x"
        body = json.dumps(list(range(20_000)))
        echoed = client.post("/stream", content=body)
        assert (echoed.text, echoed.headers["content-encoding"]) == (body, "gzip")
        assert client.get("/nowhere").status_code == 404
        assert client.get("/log").json() == ["up", "behind", "behind"]
    with connect(f"ws://127.0.0.1:{server.port}/shop/echo") as websocket:
        websocket.send("ahoy")
        assert websocket.recv(timeout=20) == "AHOY"


def test_flask(serve_edgefile: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FLASK)
    server = serve_edgefile(
        ":80 {\n    handle_path /shop/* {\n        app main.py:app\n    }\n    app main.py:app\n}\n"
    )
    with httpx.Client(base_url=server.url, timeout=30) as client:
        shown = client.post("/shop/show/it", data={"a": "ü"}).json()
        assert shown == {
            "name": "it",
            "root": "/shop",
            "link": "/shop/show/x",
            "body": "a=%C3%BC",
            "client": "127.0.0.1",
            "form": "ü",
        }
        assert client.post("/show/it", content="some").json()["body"] == "some"
        assert client.get("/stream").text == "".join(f"{number} " for number in range(1000))
        assert client.get("/shop/gone").headers["location"] == "/shop/show/there"
        head = client.head("/show/it")
        assert (head.status_code, head.content) == (200, b"")
        assert [client.get(path).status_code for path in ("/no", "/fails", "/nowhere")] == [403, 500, 404]
