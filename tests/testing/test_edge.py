"""An Edgefile under test in Python."""

from __future__ import annotations

import asyncio
import gc
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edgescript.graph.shared import Use
from edgescript.testing import Edge, EdgefileError, Received, Reply, Unanswered
from edgescript.upstream.pool import Pool

SITE = """
http://shop.example {
    @staff client_ip 10.0.0.0/8
    handle /api/* {
        proxy 10.0.0.1:8080 10.0.0.2:8080 {
            balance first
            response_header_timeout 10s
        }
    }
    handle /now {
        respond {time.now}
    }
    handle /gone {
        abort
    }
    handle {
        header +Set-Cookie a=1
        header +Set-Cookie b=2
        respond @staff "hello staff"
        respond 201 `{"hello": "{$NAME:world}"}`
    }
}
"""


@pytest.fixture
def edge() -> Edge:
    return Edge(text=SITE, environment={})


def test_a_request_gives_status_headers_and_body(edge: Edge) -> None:
    response = edge.get("http://shop.example/")
    assert response.status == 201
    assert response.json() == {"hello": "world"}
    assert response.text == '{"hello": "world"}'
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers.every("set-cookie") == ["a=1", "b=2"]
    assert "X-Nothing" not in response.headers
    assert response.headers.get("X-Nothing") is None
    assert set(response.headers) >= {"content-type", "set-cookie", "server"}


def test_a_request_says_which_way_it_went(edge: Edge) -> None:
    response = edge.get("/", ip="10.1.1.1", headers={"Host": "shop.example"})
    assert response.text == "hello staff"
    assert response.route[0] == "http://shop.example"
    assert "@staff" in response.route
    assert 'respond @staff "hello staff"' in response.route
    assert "yes" in response.walk
    assert response.upstream is None
    assert response.sent is None


def test_a_file_is_read_and_its_paths_start_beside_it(tmp_path: Path) -> None:
    (tmp_path / "Edgefile").write_text(":80 {\n    files .\n}\n")
    (tmp_path / "a.txt").write_text("from a file")
    with Edge(tmp_path / "Edgefile") as edge:
        assert edge.get("/a.txt").text == "from a file"


def test_the_environment_may_be_given() -> None:
    assert Edge(text=SITE, environment={"NAME": "there"}).get("/", headers={"Host": "shop.example"}).json() == {
        "hello": "there"
    }


def test_a_file_with_errors_is_told_as_validate_tells_it() -> None:
    with pytest.raises(EdgefileError) as error:
        Edge(text=":80 {\n    respnod\n}\n")
    assert 'did you mean "respond"?' in str(error.value)
    assert [problem.code for problem in error.value.problems] == ["E101"]


def test_a_stand_in_answers_and_tells_what_it_was_sent(edge: Edge) -> None:
    app = edge.upstream("10.0.0.1:8080", status=202, headers={"X-App": "1"}, body=b"\xff\x00")
    response = edge.post("http://shop.example/api/things?now", json={"name": "a thing"})
    assert (response.status, response.headers["x-app"], response.body) == (202, "1", b"\xff\x00")
    assert response.upstream == "10.0.0.1:8080"
    assert response.sent is not None
    assert response.sent.uri == "/api/things?now"
    edge.put("http://shop.example/api/x", body=b"\x00\x01")
    assert [(one.method, one.body) for one in app.received] == [("POST", b'{"name": "a thing"}'), ("PUT", b"\x00\x01")]


def test_stand_ins_answer_in_turn(edge: Edge) -> None:
    edge.upstream("10.0.0.1:8080", body="one")
    edge.upstream("10.0.0.1:8080", fail=True)
    second = edge.upstream("*", body="from the second")
    assert [edge.get("http://shop.example/api/").text for _ in range(2)] == ["one", "from the second"]
    assert len(second.received) == 1


def test_a_function_answers_for_an_upstream(edge: Edge) -> None:
    async def later(request: Received) -> Reply:
        return Reply(404, body=request.method)

    edge.upstream("10.0.0.1:8080", lambda request: Reply(body=request.uri.upper()))
    edge.upstream("10.0.0.1:8080", later)
    assert edge.get("http://shop.example/api/a").text == "/API/A"
    assert edge.delete("http://shop.example/api/a").text == "DELETE"


def test_what_a_function_raises_that_answers_is_raised_by_the_request(edge: Edge) -> None:
    def wrong(request: Received) -> Reply:
        raise LookupError(request.uri)

    edge.upstream("*", wrong)
    with pytest.raises(LookupError, match="/api/a"):
        edge.get("http://shop.example/api/a")
    assert edge.get("http://shop.example/").status == 201


def test_time_is_set_and_passes(edge: Edge) -> None:
    edge.at("2026-01-01T00:00:00Z")
    assert edge.get("http://shop.example/now").text == "2026-01-01T00:00:00Z"
    edge.after("1h")
    edge.after(timedelta(minutes=1))
    edge.after(1.5)
    assert edge.get("http://shop.example/now").text == "2026-01-01T01:01:01Z"
    edge.at(datetime(2000, 1, 1, tzinfo=UTC))
    assert edge.get("http://shop.example/now").text == "2000-01-01T00:00:00Z"
    with pytest.raises(ValueError, match="forward only"):
        edge.after(-1)
    with pytest.raises(ValueError, match="10s"):
        edge.after("soon")


def test_a_slow_upstream_is_given_up_on_without_waiting(edge: Edge) -> None:
    edge.upstream("*", delay=30)
    assert edge.post("http://shop.example/api/").status == 504


def test_a_connection_that_is_closed_without_answer_is_told(edge: Edge) -> None:
    response = edge.get("http://shop.example/gone")
    assert (response.aborted, response.status) == (True, 0)


@pytest.mark.parametrize("url", ["https://shop.example/", "http://shop.example:81/"])
def test_a_port_that_is_not_listened_on_is_told(edge: Edge, url: str) -> None:
    with pytest.raises(Unanswered, match="nothing listens on port"):
        edge.get(url)


def test_a_url_for_https_says_that_there_is_none(edge: Edge) -> None:
    with pytest.raises(Unanswered, match="this version serves no HTTPS: ask for http://"):
        edge.get("https://shop.example/")


def test_a_malformed_url_is_a_value_error(edge: Edge) -> None:
    with pytest.raises(ValueError, match="begins with http://"):
        edge.get("ftp://x")


@pytest.mark.parametrize("headers", [{"Bad Name": "x"}, {"X": "a\nb"}, [("", "x")]])
def test_a_malformed_header_field_is_a_value_error(edge: Edge, headers: object) -> None:
    with pytest.raises(ValueError, match="is no header field"):
        edge.get("http://shop.example/", headers=headers)


def test_a_malformed_address_of_a_client_is_a_value_error(edge: Edge) -> None:
    with pytest.raises(ValueError, match="nobody"):
        edge.get("/hello", ip="nobody")


def test_a_function_that_answers_must_give_a_reply() -> None:
    edge = Edge(text=":80 {\n proxy 10.0.0.1:80\n}\n")
    edge.upstream("10.0.0.1:80", lambda request: None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gives a Reply, and not None"):
        edge.get("/")


def test_a_reply_has_no_malformed_field() -> None:
    edge = Edge(text=":80 {\n proxy 10.0.0.1:80\n}\n")
    edge.upstream("10.0.0.1:80", headers={"X": "a\r\nY: b"})
    with pytest.raises(ValueError, match="no header field"):
        edge.get("/")


def test_a_reply_may_say_how_long_it_is() -> None:
    edge = Edge(text=":80 {\n proxy 10.0.0.1:80\n}\n")
    edge.upstream("10.0.0.1:80", headers={"Content-Length": "5"}, body="hello")
    assert edge.get("/").body == b"hello"
    assert edge.head("/").headers["Content-Length"] == "5"


def test_fields_that_are_no_ascii_come_back_as_they_were_sent(edge: Edge) -> None:
    app = edge.upstream("*", headers={"X-Name": "Zoë"})
    response = edge.get("http://shop.example/api/", headers={"X-Name": "Žofie \udcff"})
    assert response.headers["X-Name"] == "Zoë"
    assert ("X-Name", "Žofie \udcff") in [(name.title(), value) for name, value in app.received[0].headers]


def test_an_answer_has_what_the_engine_adds(edge: Edge) -> None:
    assert edge.get("http://shop.example/now").headers["Server"] == "edge"
    assert edge.get("http://shop.example/now").headers["Content-Length"] == "20"
    assert edge.head("http://shop.example/now").headers["Content-Length"] == "20"
    edge.upstream("*", status=204)
    assert "Content-Length" not in edge.get("http://shop.example/api/").headers


def test_two_know_nothing_of_each_other() -> None:
    one, other = Edge(text=SITE), Edge(text=SITE)
    one.upstream("*", body="one")
    assert other.get("http://shop.example/api/").status == 502
    assert one.get("http://shop.example/api/").text == "one"


def test_nobody_has_to_close_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edge = Edge(text=SITE)
        edge.get("http://shop.example/api/")
        del edge
        gc.collect()


def test_a_coroutine_is_told_to_use_it_elsewhere(edge: Edge) -> None:
    async def story() -> None:
        edge.get("http://shop.example/")

    with pytest.raises(RuntimeError, match="in a plain function"):
        asyncio.run(story())


def test_the_package_says_what_it_does_not_have() -> None:
    import edgescript.testing

    with pytest.raises(AttributeError, match="Egde"):
        edgescript.testing.Egde  # noqa: B018


def test_closing_closes_what_the_routes_opened() -> None:
    edge = Edge(text=":80 {\n proxy 10.0.0.1:8080 10.0.0.2:8080\n}")
    edge.upstream("*", body="made")
    assert {edge.get("/").body for _ in range(10)} == {b"made"}
    shared = [resource._held.thing for resource in edge._stage._sites._resources if isinstance(resource, Use)]
    pools = [thing for thing in shared if isinstance(thing, Pool)]
    assert sum(pool.idle for pool in pools) == 2
    edge.close()
    assert [(pool.idle, pool.in_use, pool._closed) for pool in pools] == [(0, 0, True)] * 2
