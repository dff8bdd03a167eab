"""`encode` and `replace` on the wire, on both engines: streams, pauses, slow readers, clients that go."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import socket
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd

READ = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}
LINE = b"a line of text that is there many times\n"
LONG = LINE * 20_000

pytestmark = pytest.mark.usefixtures("no_leaks")


def get(*fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} /text.txt HTTP/{version}", "Host: a", *fields, "", ""]).encode()


@pytest.fixture
def served(serve_edgefile: Callable[..., Any], tmp_path: Path, engine: str) -> Callable[..., Any]:
    """`served("encode", data)` serves these bytes as `/text.txt`, behind these directives."""

    def start(directives: str, data: bytes = LONG) -> Any:
        (tmp_path / "text.txt").write_bytes(data)
        return serve_edgefile(f":80 {{\n{directives}\nfiles\n}}", engine=engine)

    return start


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("size", [1000, 30_000, 100_000, 800_000])
def test_files_of_every_size_arrive(served: Callable[..., Any], connect: Any, coding: str, size: int) -> None:
    client = connect(served("encode", LONG[:size]))
    for _ in range(2):  # the connection goes on
        client.send(get(f"Accept-Encoding: {coding}"))
        answer = client.read_answer()
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["etag"].startswith('W/"')
        assert "accept-ranges" not in answer.headers
        assert READ[coding](answer.body) == LONG[:size]


def test_a_file_has_not_changed_for_a_client_that_has_the_compressed_one(
    served: Callable[..., Any], connect: Any
) -> None:
    client = connect(served("encode"))
    client.send(get("Accept-Encoding: gzip"))
    tag = client.read_answer().headers["etag"]
    client.send(get("Accept-Encoding: gzip", f"If-None-Match: {tag}"))
    again = client.read_answer()
    assert (again.status, again.headers["etag"]) == (304, tag)
    client.send(get(f"If-None-Match: {tag.removeprefix('W/')}"))
    assert client.read_answer().headers["etag"] == tag.removeprefix("W/")


def test_parts_of_a_file_are_parts_of_the_file_itself(served: Callable[..., Any], connect: Any) -> None:
    client = connect(served("encode\nreplace line LINE"))
    client.send(get("Accept-Encoding: gzip", "Range: bytes=2-5"))
    answer = client.read_answer()
    assert (answer.status, answer.body) == (206, b"line")
    assert "content-encoding" not in answer.headers


def test_head_has_the_fields_of_get(served: Callable[..., Any], connect: Any) -> None:
    client = connect(served("encode"))
    client.send(get("Accept-Encoding: br"))
    got = client.read_answer().headers
    client.send(get("Accept-Encoding: br", method="HEAD"))
    head = client.read_answer(method="HEAD").headers
    changing = {"date", "transfer-encoding", "content-length"}
    assert {name: head[name] for name in head.keys() - changing} == {name: got[name] for name in got.keys() - changing}
    assert "content-length" not in head
    client.send(get())
    assert client.read_answer().body == LONG


def test_a_client_of_http_1_0_gets_the_end_of_the_connection(served: Callable[..., Any], connect: Any) -> None:
    client = connect(served("encode"))
    client.send(get("Accept-Encoding: gzip", version="1.0"))
    answer = client.read_answer()
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == LONG
    assert client.closed()


def test_a_long_file_is_changed_as_in_one_piece(served: Callable[..., Any], connect: Any) -> None:
    client = connect(served("replace ~(?m)^a.line(.*)$ <$1>\nreplace there here"))
    client.send(get())
    assert client.read_answer().body == LONG.replace(b"a line", b"<").replace(b"times", b"times>").replace(
        b"there", b"here"
    )


def test_precompressed_files_are_sent_as_they_are(
    serve_edgefile: Callable[..., Any], tmp_path: Path, engine: str, connect: Any
) -> None:
    (tmp_path / "text.txt").write_bytes(LONG)
    (tmp_path / "text.txt.br").write_bytes(brotli.compress(b"from the disk"))
    server = serve_edgefile(":80 {\nencode gzip br\nfiles {\nprecompressed br\n}\n}", engine=engine)
    client = connect(server)
    client.send(get("Accept-Encoding: gzip, br"))
    answer = client.read_answer()
    assert answer.headers["content-encoding"] == "br"
    assert brotli.decompress(answer.body) == b"from the disk"
    assert not answer.headers["etag"].startswith("W/")


# ---- upstreams


@pytest.mark.parametrize(
    ("said", "coding"), [("Content-Length: 5000\r\n", "gzip"), ("Content-Length: 5\r\n", None), ("", "gzip")]
)
def test_head_of_a_server_counts_by_the_length_that_it_says(
    proxied: Callable[..., Any], connect: Any, said: str, coding: str | None
) -> None:
    client = connect(proxied("encode", f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{said}\r\n".encode()))
    client.send(get("Accept-Encoding: gzip", method="HEAD"))
    headers = client.read_answer(method="HEAD").headers
    assert headers.get("content-encoding") == coding
    assert headers.get("content-length") == ("5" if said and coding is None else None)


def streamed(head: str, *pieces: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces
    )


@pytest.fixture
def proxied(serve_edgefile: Callable[..., Any], origin: Callable[..., Any], engine: str) -> Callable[..., Any]:
    """`proxied("encode", behave)` puts these directives in front of an origin."""

    def start(directives: str, behave: Any) -> Any:
        return serve_edgefile(f":80 {{\n{directives}\nproxy {origin(behave).address}\n}}", engine=engine)

    return start


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_what_came_before_a_pause_arrives_before_what_comes_behind_it(
    proxied: Callable[..., Any], connect: Any, kind: str, coding: str
) -> None:
    """The origin sends the next event only when the client has seen the one before."""
    seen = [threading.Event() for _ in range(5)]

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(streamed(f"Content-Type: {kind}\r\n"))
        for number, one in enumerate(seen):
            connection.send(streamed("", b"data: old %d\n\n" % number).partition(b"\r\n\r\n")[2])
            assert one.wait(20)
        connection.send(b"0\r\n\r\n")

    client = connect(proxied("encode\nreplace ~o(l)d new", behave))
    client.send(get(f"Accept-Encoding: {coding}"))
    assert client.read_head()[1]["content-encoding"] == coding
    decode: Any = {
        "gzip": zlib.decompressobj(31).decompress,
        "br": brotli.Decompressor().process,
        "zstd": zstd.ZstdDecompressor().decompress,
    }[coding]
    for number, one in enumerate(seen):
        event = b""
        while event != b"data: new %d\n\n" % number:
            piece = client.read(int(client.read_until(b"\r\n"), 16))
            assert client.read(2) == b"\r\n"
            event += decode(piece)
        one.set()
    assert client.read_chunks() is not None


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_body_is_changed_and_compressed_again(
    proxied: Callable[..., Any], connect: Any, coding: str
) -> None:
    write = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}[coding]
    data = write(LONG)
    pieces = [data[start : start + 97] for start in range(0, len(data), 97)]
    head = f'Content-Type: text/plain\r\nContent-Encoding: {coding}\r\nETag: "x"\r\n'
    client = connect(proxied("encode\nreplace text TEXT", streamed(head, *pieces, b"")[:-2] + b"\r\n"))
    client.send(get(f"Accept-Encoding: {coding}"))
    answer = client.read_answer()
    assert answer.headers["content-encoding"] == coding
    assert answer.headers["etag"] == 'W/"x"'
    assert READ[coding](answer.body) == LONG.replace(b"text", b"TEXT")


@pytest.mark.parametrize("broken", [b"this is no gzip", gzip.compress(LINE, mtime=0)[:-4]], ids=["none", "cut"])
def test_a_body_that_is_not_what_it_says_does_not_look_whole(
    proxied: Callable[..., Any], connect: Any, broken: bytes
) -> None:
    head = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"
    client = connect(proxied("replace a b", streamed(head, broken, b"")[:-2] + b"\r\n"))
    client.send(get("Accept-Encoding: gzip", "Connection: close"))
    everything = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.socket.recv(65536):
            everything += piece
    assert everything.startswith(b"HTTP/1.1 502") or not everything.endswith(b"0\r\n\r\n")


def test_an_upstream_that_breaks_off_breaks_the_compressed_body_off(proxied: Callable[..., Any], connect: Any) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(streamed("Content-Type: text/plain\r\n", LINE))

    client = connect(proxied("encode", behave))
    client.send(get("Accept-Encoding: gzip"))
    with contextlib.suppress(ConnectionError):
        while piece := client.socket.recv(65536):
            client.rest += piece
    assert not client.rest.endswith(b"0\r\n\r\n")


def test_trailers_pass_but_for_digests(
    serve_edgefile: Callable[..., Any], origin: Callable[..., Any], connect: Any
) -> None:
    """ASGI has none."""
    data = streamed("Content-Type: text/plain\r\nTrailer: X-Sum\r\n", LINE * 100)
    upstream = origin(data + b"0\r\nX-Sum: 5\r\nContent-Digest: x\r\n\r\n")
    client = connect(serve_edgefile(f":80 {{\nencode\nproxy {upstream.address}\n}}"))
    client.send(get("Accept-Encoding: gzip"))
    client.read_head()
    body = b""
    while size := int(client.read_until(b"\r\n"), 16):
        body += client.read(size)
        client.read(2)
    assert gzip.decompress(body) == LINE * 100
    assert client.read_until(b"\r\n\r\n").lower() == b"x-sum: 5\r\n\r\n"


def test_a_client_that_does_not_read_stops_the_upstream(proxied: Callable[..., Any], connect: Any) -> None:
    """What cannot be compressed comes out as it goes in: only backpressure can stop it."""
    sent, given_up = [0], threading.Event()
    noise = os.urandom(1024 * 1024)  # more than the window, so that it does not find it again

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(streamed("Content-Type: text/plain\r\n"))
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.socket.settimeout(1)
        try:
            while sent[0] < 200_000_000:
                connection.send(b"%x\r\n%b\r\n" % (len(noise), noise))
                sent[0] += len(noise)
        except TimeoutError:
            given_up.set()
            connection.socket.settimeout(20)
            connection.wait_for_end()

    client = connect(proxied("encode zstd", behave))
    client.send(get("Accept-Encoding: zstd"))
    client.read_head()
    assert given_up.wait(60)
    assert sent[0] < 40_000_000
    client.socket.close()


@pytest.mark.parametrize("is_read", [1, 1000])
def test_a_client_that_goes_frees_everything(
    served: Callable[..., Any], proxied: Callable[..., Any], is_read: int
) -> None:
    """The fixture `no_leaks` looks for the file and the sockets."""
    ended = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(streamed("Content-Type: text/plain\r\n"))
        try:
            while True:
                connection.send(b"%x\r\n%b\r\n" % (len(LONG), LONG))
        finally:
            ended.set()

    for server in (served("encode\nreplace there here", LONG * 10), proxied("encode", behave)):
        with server.connect() as client:
            client.sendall(get("Accept-Encoding: gzip"))
            assert client.recv(is_read)
    assert ended.wait(20)


def test_a_body_of_100_mb_streams_with_little_memory(
    serve_edgefile: Callable[..., Any], tmp_path: Path, engine: str, connect: Any
) -> None:
    with (tmp_path / "text.txt").open("wb") as file:
        for _ in range(100):
            file.write(LINE * 26_000)
    size = (tmp_path / "text.txt").stat().st_size
    client = connect(serve_edgefile(":80 {\nencode zstd\nfiles\n}", engine=engine))
    client.send(get("Accept-Encoding: zstd"))
    client.read_head()
    decode = zstd.ZstdDecompressor().decompress
    client.send(b"")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    while count := int(client.read_until(b"\r\n"), 16):
        total += len(decode(client.read(count)))
        client.read(2)
    assert total == size > 100_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
