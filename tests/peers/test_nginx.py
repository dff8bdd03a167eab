"""nginx behind the proxy."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest


def get(port: int, path: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=fields)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def test_files_ranges_and_conditions_pass(nginx: Callable[..., Any], proxy_to: Callable[..., Any]) -> None:
    upstream = nginx()
    data = os.urandom(300_000)
    upstream.file("data.bin", data)
    server = proxy_to(upstream.address)
    status, fields, body = get(server.port, "/data.bin")
    assert (status, body) == (200, data)
    status, ranged, body = get(server.port, "/data.bin", Range="bytes=100-70099")
    assert (status, body, ranged["content-range"]) == (206, data[100:70100], "bytes 100-70099/300000")
    assert get(server.port, "/data.bin", **{"If-None-Match": fields["etag"]})[0] == 304
    assert get(server.port, "/missing")[0] == 404
    assert get(server.port, "/echo?a=%20b")[2] == b"GET /echo?a=%20b 127.0.0.1"


def test_a_large_body_passes_both_ways(nginx: Callable[..., Any], proxy_to: Callable[..., Any]) -> None:
    upstream = nginx()
    data = os.urandom(1 << 20) * 32
    upstream.file("large.bin", data)
    server = proxy_to(upstream.address)
    assert hashlib.sha256(get(server.port, "/large.bin")[2]).digest() == hashlib.sha256(data).digest()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/upload", body=data)
    assert connection.getresponse().read() == b"hello from nginx\n"
    connection.close()


@pytest.mark.parametrize("how", ["stop", "quit"])
def test_no_client_sees_that_one_of_two_upstreams_stops(
    nginx: Callable[..., Any], proxy_to: Callable[..., Any], how: str
) -> None:
    first, second = nginx("first"), nginx("second")
    server = proxy_to(f"{first.address} {second.address}", "balance round_robin")
    stopped = threading.Event()
    results: list[tuple[int, bytes]] = []
    under_way = threading.Semaphore(0)

    def load() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        after = 0
        while after < 50:
            connection.request("GET", "/hello")
            response = connection.getresponse()
            results.append((response.status, response.read()))
            under_way.release()
            after += stopped.is_set()
        connection.close()

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(400):
        under_way.acquire()
    first.stop(how)
    stopped.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in results} == {200}
    assert {body for _, body in results} == {b"hello from first\n", b"hello from second\n"}
