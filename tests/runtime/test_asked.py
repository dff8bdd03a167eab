"""What the admin address asks of a worker."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.runtime import asked
from edgescript.upstream.shares import Membership
from tests.runtime.conftest import Reloading

TEXT = """{
    trusted_proxies 10.0.0.0/8
}
:80 {
    @ours client_ip 192.0.2.1
    respond @ours "ours"
    handle /api/* {
        rewrite /v2{path}
        proxy 127.0.0.1:1 127.0.0.1:2
    }
    respond 404
}
"""


def explain(running: Any, url: str, *headers: str, method: str = "GET", ip: str = "127.0.0.1") -> dict[str, Any]:
    arguments = {"method": method, "url": url, "headers": list(headers), "ip": ip}
    found: dict[str, Any] = running.call(asked.explain, running.server, arguments)
    return found


def test_a_request_is_explained_by_the_graph_in_use(reloading: Reloading) -> None:
    running = reloading.start(TEXT)
    told = explain(running, "/api/x?y=1")
    assert told["explanation"]["answer"].startswith("proxy to one of http://127.0.0.1:1/v2/api/x?y=1 ")
    assert told["text"].startswith("GET http://localhost/api/x?y=1\n")
    assert explain(running, "/x", ip="10.0.0.1")["explanation"]["answer"].startswith("answer 404")
    forwarded = explain(running, "/x", "X-Forwarded-For: 192.0.2.1", "A:b", ip="10.0.0.1")
    assert forwarded["explanation"]["answer"].startswith("answer 200")
    reloading.reload(":80 {\n respond 201\n}\n")
    assert explain(running, "/api/x")["explanation"]["answer"].startswith("answer 201")


@pytest.mark.parametrize(
    ("asking", "words"),
    [
        ({"url": "http://a:81/"}, "nothing listens on port 81"),
        ({"url": "https://a/"}, "nothing listens on port 443"),
        ({"url": "ftp://a/"}, "begins with http://"),
        ({"url": "http:///x"}, "has a host"),
        ({"url": "http://a:x/"}, "Port could not be cast"),
        ({"url": "/a b"}, "neither spaces"),
        ({"url": "/a\n"}, "neither spaces"),
        ({"url": "http://[::1/"}, "IPv6"),
        ({"url": "/%00"}, "is answered 400"),
        ({"url": "/", "method": "GET /"}, "is no method"),
        ({"url": "/", "ip": "x"}, "is no IP address"),
    ],
)
def test_a_request_that_cannot_be_is_told(fast: Reloading, asking: dict[str, str], words: str) -> None:
    running = fast.start(TEXT)
    assert words in explain(running, **asking)["error"]


def test_a_field_that_is_none_is_told(fast: Reloading) -> None:
    running = fast.start(TEXT)
    for field in ("no colon", "bad name: x", "A: b\r\nC: d", ": x"):
        assert "is no field" in explain(running, "/", field)["error"]
    assert "more than one Host" in explain(running, "/", "Host: a", "Host: b")["error"]


def share(running: Any, **shares: tuple[bool, int]) -> None:
    told = {
        f"127.0.0.1:{name[1:]}": {"drained": drained, "weight": weight} for name, (drained, weight) in shares.items()
    }
    running.call(asked.share, running.server, {"shares": told})


def ready(running: Any) -> list[str]:
    """The endpoints of the group in use, as they are chosen from."""
    found = running.call(
        lambda: [
            [pool.address[-1] for pool in one._group.ready]
            for one in running.server.graph.resources
            if isinstance(one, Membership)
        ]
    )
    return ["".join(one) for one in found]


def test_shares_hold_through_reloads(reloading: Reloading) -> None:
    running = reloading.start(TEXT)
    assert ready(running) == ["12"]
    share(running, p1=(True, 1))
    assert ready(running) == ["2"]
    reloading.reload(TEXT + "# another file")
    assert ready(running) == ["2"]
    share(running, p2=(False, 3))
    assert ready(running) == ["2122"]
    share(running)
    assert ready(running) == ["12"]


def test_the_servers_behind_are_those_of_the_graphs_in_use(reloading: Reloading) -> None:
    running = reloading.start(TEXT)
    found = running.call(asked.upstreams, running.server, {})
    assert found == [{"address": f"127.0.0.1:{port}", "in_use": 0, "idle": 0, "waiting": 0} for port in (1, 2)]
    reloading.reload(":80 {\n proxy 127.0.0.1:3\n}\n")
    reloading.wait_for_end_of_old_graphs()
    assert [one["address"] for one in running.call(asked.upstreams, running.server, {})] == ["127.0.0.1:3"]
    reloading.reload(":80 {\n respond 200\n}\n")
    assert running.call(asked.upstreams, running.server, {}) == []
    share(running, p1=(True, 1))  # there is nobody to tell
