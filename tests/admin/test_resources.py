"""What each resource answers, and what it answers to those who ask wrongly."""

from __future__ import annotations

import pytest

from edgescript.admin.found import resources
from edgescript.admin.operator import Past
from edgescript.admin.request import MOST_BODY, preferred
from edgescript.tally import REQUESTS
from tests.admin.conftest import TEXT, FakeOperator, RunningAdmin, worker

PATHS = sorted(resources())
READ = [path for path in PATHS if "GET" in resources()[path].handlers]
WRITTEN = [path for path in PATHS if "POST" in resources()[path].handlers]


def test_every_resource_says_what_it_is_for() -> None:
    assert {"/health", "/ready", "/metrics", "/config", "/reload", "/rollback", "/explain"} <= set(PATHS)
    assert {"/upstreams", "/logs", "/events", "/version", "/stop", "/upgrade", "/graph"} <= set(PATHS)
    for resource in resources().values():
        assert resource.doc, resource.path
        assert resource.handlers, resource.path
        assert all(handler.__doc__ for handler in resource.handlers.values()), resource.path


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_refused_with_those_there_are(admin: RunningAdmin, path: str) -> None:
    for method in ("DELETE", "PUT", "PATCH", "BREW", *({"GET", "POST"} - set(resources()[path].handlers))):
        answer = admin.ask(method, path)
        assert answer.status == 405
        assert answer.headers["allow"] == resources()[path].allow.decode()
        assert answer.json["status"] == 405


@pytest.mark.parametrize("path", [path for path in READ if path not in ("/logs", "/events", "/explain")])
def test_head_gives_the_head_of_get(admin: RunningAdmin, path: str) -> None:
    got, head = admin.get(path), admin.ask("HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_parameter_changes_nothing(admin: RunningAdmin, operator: FakeOperator, path: str) -> None:
    """A misspelt `dry_run` must not be a real one."""
    for method in resources()[path].handlers:
        answer = admin.ask(method, f"{path}?dryrun&=", TEXT if method == "POST" else None, content_type="text/edgefile")
        assert answer.status in (200, 400)
        if answer.status == 200:
            assert path in ("/health", "/ready", "/version", "/metrics", "/status")
    assert len(operator.pasts) == 1
    assert not operator.stopped


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/", "/static/nothing.js", "/static/../found.py", "/static/%2e%2e/pages.py", "//x"]
)
def test_what_is_not_there_is_said_in_json(admin: RunningAdmin, path: str) -> None:
    answer = admin.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["title"] == "Not Found"


def test_the_list_of_resources_is_for_programs_and_the_dashboard_for_browsers(admin: RunningAdmin) -> None:
    listed = admin.get("/").json["resources"]
    assert [one["path"] for one in listed] == PATHS
    assert admin.get("/", Accept="text/html,*/*;q=0.8").text.startswith("<!doctype html>")
    assert admin.get("/", Accept="*/*").headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "offered", "found"),
    [
        (None, ("a/b", "c/d"), "a/b"),
        ("c/d", ("a/b", "c/d"), "c/d"),
        ("a/b;q=0.5, c/d", ("a/b", "c/d"), "c/d"),
        ("a/*;q=0.4, */*;q=0.3", ("c/d", "a/b"), "a/b"),
        ("a/b;q=0, */*", ("a/b", "c/d"), "c/d"),
        ("a/b;q=x, c/d;q=0.1", ("a/b", "c/d"), "c/d"),
        ("*/*", ("a/b", "c/d"), "a/b"),
        ("x/y", ("a/b", "c/d"), "a/b"),
    ],
)
def test_the_type_that_a_client_likes_best(accept: str | None, offered: tuple[str, ...], found: str) -> None:
    assert preferred(accept, offered) == found


def test_every_answer_is_safe_to_show_in_a_browser(admin: RunningAdmin) -> None:
    for path in ("/", "/health", "/nothing", "/config", "/static/dashboard.js", "/graph"):
        headers = admin.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"


# ---- the state


def test_health_is_answered_as_long_as_the_process_lives(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.workers = []
    assert admin.get("/health").status == 200


def test_ready_says_so_only_if_every_worker_answers(admin: RunningAdmin, operator: FakeOperator) -> None:
    assert admin.get("/ready").status == 200
    operator.workers[1] = worker(1, state="starting")
    answer = admin.get("/ready")
    assert answer.status == 503
    assert "worker 1 is starting" in answer.json["detail"]
    assert answer.headers["retry-after"] == "1"
    operator.workers = []
    assert admin.get("/ready").status == 503


def test_the_version_is_told_with_what_runs(admin: RunningAdmin) -> None:
    told = admin.get("/version").json
    assert told == {"version": "1.0", "pid": 999, "started": 50.0, "addresses": [":80"], "workers": 2, "config": 1}


def test_metrics_come_as_prometheus_or_openmetrics(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.meter.counter(REQUESTS, "example.com", "/api/*", "GET", "200").add(3)
    plain = admin.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'edge_http_requests_total{site="example.com",route="/api/*",method="GET",status="200"} 3' in plain.text
    modern = admin.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert modern.text.endswith("# EOF\n")


# ---- reload and what is like it


def test_a_reload_takes_the_file_over(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.file = ":80 {\n respond 200 other\n}\n"
    answer = admin.post("/reload")
    assert (answer.status, answer.json) == (200, {"done": True, "number": 2, "reason": "", "problems": []})
    assert operator.pasts[0].text == operator.file


def test_problems_of_a_reload_come_as_json_or_as_validate_shows_them(
    admin: RunningAdmin, operator: FakeOperator
) -> None:
    operator.file = ":80 {\n respnd 200\n}\n"
    answer = admin.post("/reload")
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["done"] is False
    assert [problem["code"] for problem in answer.json["problems"]] == ["E101"]
    text = admin.post("/reload", Accept="text/plain")
    assert text.status == 422
    assert 'error[E101]: there is no directive "respnd"' in text.text
    assert 'did you mean "respond"?' in text.text
    assert len(operator.pasts) == 1


def test_what_goes_wrong_beside_the_file_is_a_conflict(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.reason = "cannot listen on :80: the address is in use by another program"
    answer = admin.post("/reload")
    assert answer.status == 409
    assert operator.reason in answer.json["detail"]
    assert answer.json["problems"] == []


def test_a_rollback_takes_the_one_before_or_the_one_that_is_named(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.pasts.insert(0, Past(2, 200.0, "admin", "Edgefile", ":80 {\n respond 200 two\n}\n"))
    assert admin.post("/rollback").json["number"] == 3
    assert operator.pasts[0].text == TEXT
    assert admin.post("/rollback?number=2").json["number"] == 4
    assert "two" in operator.pasts[0].text
    assert admin.post("/rollback?number=99").status == 404
    for wrong in ("-1", "x", "1.5", "", "1" * 30, "%D9%A3"):
        assert admin.post(f"/rollback?number={wrong}").status == 400, wrong


def test_stop_begins_when_the_answer_is_out(admin: RunningAdmin, operator: FakeOperator) -> None:
    assert admin.post("/stop").status == 202
    assert operator.stopped


def test_an_upgrade_gives_the_new_version_or_why_there_is_none(admin: RunningAdmin, operator: FakeOperator) -> None:
    assert admin.post("/upgrade").json == {"version": "9.9"}
    operator.upgrading = RuntimeError("the new program did not start")
    answer = admin.post("/upgrade")
    assert answer.status == 409
    assert "did not start" in answer.json["detail"]


# ---- explain


def test_a_request_is_explained_by_one_worker(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.answers["explain"] = [{"explanation": {"answer": "200"}, "text": "→ 200"}]
    path = "/explain?method=POST&url=http://a/x&header=A:%201&header=B:%202&ip=10.0.0.1"
    assert admin.get(path).json == {"answer": "200"}
    assert admin.get(path, Accept="text/plain").text == "→ 200\n"
    arguments = {"method": "POST", "url": "http://a/x", "headers": ["A: 1", "B: 2"], "ip": "10.0.0.1"}
    assert operator.asked[0] == ("explain", arguments, 0)


def test_what_cannot_be_explained_is_said(admin: RunningAdmin, operator: FakeOperator) -> None:
    assert admin.get("/explain").status == 400
    assert admin.get("/explain?url=/x&nothing=1").status == 400
    assert admin.get("/explain?url=/x").status == 503  # nobody answers
    operator.workers = [worker(0, state="starting")]
    assert admin.get("/explain?url=/x").status == 503
    operator.workers = [worker(0, state="dead"), worker(3)]
    operator.answers["explain"] = [{"error": "nothing listens on port 81"}]
    answer = admin.get("/explain?url=http://a:81/")
    assert (answer.status, answer.json["detail"]) == (400, "nothing listens on port 81")
    assert operator.asked[-1][2] == 3


# ---- servers behind


def upstream(address: str, **more: int) -> dict[str, object]:
    return {"address": address, "in_use": 0, "idle": 0, "waiting": 0, **more}


def test_servers_behind_are_summed_over_all_workers(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.answers["upstreams"] = [
        [upstream("10.0.0.1:80", in_use=1, idle=2)],
        [upstream("10.0.0.1:80", in_use=3, waiting=1), upstream("10.0.0.2:80")],
    ]
    first, second = admin.get("/upstreams").json
    assert (first["address"], first["in_use"], first["idle"], first["waiting"]) == ("10.0.0.1:80", 4, 2, 1)
    assert (first["drained"], first["weight"], first["failures"]) == (False, 1, 0.0)
    assert second["address"] == "10.0.0.2:80"


def test_a_share_is_changed_and_changed_back(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.answers["upstreams"] = [[upstream("10.0.0.1:80"), upstream("10.0.0.2:80")]]
    answer = admin.post("/upstreams", {"address": "10.0.0.1:80", "drained": True})
    assert answer.json == {"address": "10.0.0.1:80", "drained": True, "weight": 1}
    admin.post("/upstreams", {"address": "10.0.0.2:80", "weight": 5})
    assert operator.shares == {
        "10.0.0.1:80": {"drained": True, "weight": 1},
        "10.0.0.2:80": {"drained": False, "weight": 5},
    }
    assert [one["drained"] for one in admin.get("/upstreams").json] == [True, False]
    admin.post("/upstreams", {"address": "10.0.0.1:80", "drained": False})
    assert list(operator.shares) == ["10.0.0.2:80"]
    operator.answers["upstreams"] = []
    admin.post("/upstreams", {"address": "10.0.0.2:80", "weight": 1})  # one that is gone can still be forgotten
    assert operator.shares == {}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"address": "10.0.0.9:80", "drained": True}, 404),
        ({"address": "10.0.0.1:80"}, 422),
        ({"address": "10.0.0.1:80", "drained": 1}, 422),
        ({"address": "10.0.0.1:80", "weight": 0}, 422),
        ({"address": "10.0.0.1:80", "weight": 101}, 422),
        ({"address": "10.0.0.1:80", "weight": True}, 422),
        ({"address": "10.0.0.1:80", "weight": 2.0}, 422),
        ({"address": "10.0.0.1:80", "drained": True, "more": 1}, 422),
        ({"address": 5, "drained": True}, 422),
        ([], 422),
        ("x", 422),
    ],
)
def test_a_share_that_makes_no_sense_is_refused(
    admin: RunningAdmin, operator: FakeOperator, value: object, status: int
) -> None:
    operator.answers["upstreams"] = [[upstream("10.0.0.1:80")]]
    assert admin.post("/upstreams", value).status == status
    assert operator.shares == {}


def test_a_body_is_json_where_json_is_asked_for(admin: RunningAdmin) -> None:
    for body in (b"", b"{", b"\xff", b"[" * 100_000, b"nul"):
        assert admin.ask("POST", "/upstreams", body, content_type="application/json").status == 400
    assert admin.ask("POST", "/upstreams", b"{}", content_type="application/xml").status == 415


def test_a_body_that_is_too_long_is_refused_before_it_is_read(admin: RunningAdmin) -> None:
    with admin.connect() as client:
        client.sendall(
            b"POST /config HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/edgefile\r\n"
            b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1)
        )
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


# ---- the picture


def test_the_configuration_is_drawn(admin: RunningAdmin, operator: FakeOperator) -> None:
    answer = admin.get("/graph")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "respond 200 hello" in answer.text
    operator.pasts.insert(0, Past(2, 200.0, "admin", "Edgefile", ":80 {\n respond 200 <b>other</b>\n}\n"))
    assert "respond 200 &lt;b&gt;other" in admin.get("/graph").text


def test_clients_that_are_slow_keep_nobody_else_waiting(admin: RunningAdmin, operator: FakeOperator) -> None:
    """Each is given up when its head or body does not come in time, by the sweep of the lane."""
    beginnings = (
        b"GET /conf",
        b"POST /config HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/edgefile\r\nContent-Length: 9\r\n\r\n:8",
    )
    slow = [admin.connect() for _ in range(60)]
    for number, client in enumerate(slow):
        client.sendall(beginnings[number % 2])
    assert admin.get("/health").status == 200
    assert admin.post("/reload").status == 200
    assert len(operator.pasts) == 2
    lane = admin.admin._listening.lane  # type: ignore[union-attr]
    bounds = lane.bounds
    assert max(bounds.read_header, bounds.read_body_idle) <= 10
    admin.call(lambda: setattr(lane, "clock", lambda base=lane.clock: base() + 60))
    admin.call(lane.sweep)
    admin.call(lambda: setattr(lane, "clock", lambda base=lane.clock: base() + 60))
    admin.call(lane.sweep)
    for client in slow:
        answer = client.recv(65536)
        assert not answer or b" 408 " in answer.partition(b"\r\n")[0], answer
        client.close()
    assert len(operator.pasts) == 2
