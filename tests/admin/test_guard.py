"""Who may use the admin address, and who is refused."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.admin.guard import check_host, check_user, policy_of, shown_token
from edgescript.http.message import HTTPError
from tests.admin.conftest import TEXT, TOKEN, FakeOperator, RunningAdmin, setting_of


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "10.1.2.3", "edge.internal", "ops.example"]
)
def test_a_host_that_means_this_address_is_let_in(host: str) -> None:
    policy = policy_of(setting_of(address="edge.internal:2019", origins=("https://ops.example:444",), token=TOKEN))
    check_host(host, "10.1.2.3", policy)


@pytest.mark.parametrize(
    "host", ["evil.example", "", "localhost.evil.example", "127.0.0.1.nip.io", "10.1.2.4", "0.0.0.0", "localhost."]
)
def test_a_name_that_was_rebound_is_refused(host: str) -> None:
    with pytest.raises(HTTPError) as refused:
        check_host(host, "10.1.2.3", policy_of(setting_of()))
    assert refused.value.status == 403


@pytest.mark.parametrize("address", ["[2001:db8::1]:2019", "[2001:DB8::1]:2019"])
def test_an_ipv6_address_is_written_in_brackets_by_its_clients(address: str) -> None:
    check_host("[2001:db8::1]", "fd00::9", policy_of(setting_of(address=address, token=TOKEN)))
    check_host("[fd00::9]", "fd00::9", policy_of(setting_of(address=address, token=TOKEN)))
    with pytest.raises(HTTPError):
        check_host("[2001:db8::2]", "fd00::9", policy_of(setting_of(address=address, token=TOKEN)))


@pytest.mark.parametrize("host", ["localhost", "localhost:2019", "[::1]", "[::1]:2019"])
def test_loopback_is_let_in_on_the_wire(admin: RunningAdmin, host: str) -> None:
    assert admin.get("/health", host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:2019", "[::2]", "example.com"])
def test_rebinding_is_refused_on_the_wire(admin: RunningAdmin, host: str) -> None:
    for path in ("/", "/config", "/nothing", "/static/dashboard.js"):
        answer = admin.get(path, host=host)
        assert answer.status == 403
        assert "host" in answer.json["detail"]


def test_a_request_without_a_host_is_refused(admin: RunningAdmin) -> None:
    with admin.connect() as client:
        client.sendall(b"GET /config HTTP/1.0\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "https://localhost"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
    ],
)
def test_pages_of_other_sites_are_refused(admin: RunningAdmin, operator: FakeOperator, headers: dict[str, str]) -> None:
    assert admin.get("/config", **headers).status == 403
    assert admin.ask("POST", "/reload", **headers).status == 403
    assert admin.ask("OPTIONS", "/reload", **headers).status == 403
    assert len(operator.pasts) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_refused_where_no_browser_says_whose_it_is(
    admin: RunningAdmin, operator: FakeOperator, kind: str
) -> None:
    assert admin.ask("POST", "/reload", "x", content_type=kind).status == 415
    assert len(operator.pasts) == 1


def test_the_dashboard_itself_may_write(admin: RunningAdmin) -> None:
    own = f"http://127.0.0.1:{admin.port}"
    assert admin.ask("POST", "/reload", origin=own, sec_fetch_site="same-origin").status == 200


def test_pages_of_origins_that_are_named_may_use_it(
    run_admin: Callable[..., RunningAdmin], operator: FakeOperator
) -> None:
    admin = run_admin(operator, origins=("https://ops.example",))
    headers = {"origin": "https://ops.example", "sec_fetch_site": "cross-site"}
    answer = admin.ask("POST", "/reload", **headers)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://ops.example"
    asked = admin.ask("OPTIONS", "/config", access_control_request_method="POST", **headers)
    assert asked.status == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in admin.get("/config").headers
    assert admin.get("/config", origin="https://ops.example.evil").status == 403


def test_a_preflight_has_no_token_and_what_follows_needs_one(
    run_admin: Callable[..., RunningAdmin], operator: FakeOperator
) -> None:
    admin = run_admin(operator, origins=("https://ops.example",), token=TOKEN)
    headers = {"origin": "https://ops.example", "sec_fetch_site": "cross-site"}
    asked = admin.ask("OPTIONS", "/config", access_control_request_method="POST", **headers)
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, "https://ops.example")
    refused = admin.ask("POST", "/reload", **headers)
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "https://ops.example")
    assert len(operator.pasts) == 1
    assert admin.ask("POST", "/reload", authorization=f"Bearer {TOKEN}", **headers).status == 200
    assert admin.ask("OPTIONS", "/config", origin="https://evil.example").status == 403
    assert admin.ask("OPTIONS", "/config").status == 401


def test_several_origins_are_none(admin: RunningAdmin, operator: FakeOperator) -> None:
    with admin.connect() as client:
        own = "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example"
        client.sendall(f"POST /reload HTTP/1.1\r\n{own}\r\nContent-Length: 0\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 403 ")
    assert len(operator.pasts) == 1


# ---- the token


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        (b"Bearer abc", b"abc"),
        (b"bearer  abc", b"abc"),
        (b"Basic " + base64.b64encode(b"any:abc"), b"abc"),
        (b"Basic " + base64.b64encode(b"any"), b""),
        (b"Basic abc%", None),
        (b"Digest x", None),
        (b"", None),
        (None, None),
    ],
)
def test_the_token_is_shown_as_programs_or_as_browsers_do(authorization: bytes | None, token: bytes | None) -> None:
    assert shown_token(authorization) == token


def test_nothing_is_told_without_the_token(run_admin: Callable[..., RunningAdmin], operator: FakeOperator) -> None:
    admin = run_admin(operator, token=TOKEN)
    for wrong in (
        "",
        "Bearer",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Basic Og==",
        "Bearer \xe9",
    ):
        for path in ("/", "/health", "/config", "/events", "/logs", "/nothing", "/static/dashboard.js"):
            answer = admin.get(path, **({"authorization": wrong} if wrong else {}))
            assert answer.status == 401
            assert "Bearer" in answer.headers["www-authenticate"] or "Basic" in answer.headers["www-authenticate"]
            assert TOKEN not in answer.text
    assert admin.ask("POST", "/reload", authorization="Bearer wrong").status == 401
    assert len(operator.pasts) == 1


def test_the_token_opens_everything(run_admin: Callable[..., RunningAdmin], operator: FakeOperator) -> None:
    admin = run_admin(operator, token=TOKEN)
    assert admin.get("/config", authorization=f"Bearer {TOKEN}").status == 200
    basic = base64.b64encode(f"me:{TOKEN}".encode()).decode()
    assert admin.get("/", authorization=f"Basic {basic}", accept="text/html").status == 200


# ---- unix sockets


def unix_request(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(request)
        return client.recv(65536)


GET = b"GET /health HTTP/1.1\r\nHost: %b\r\n\r\n"


def test_a_unix_socket_is_its_owners(run_admin: Callable[..., RunningAdmin], tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    run_admin(FakeOperator(), address=f"unix/{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for host in (b"localhost", b"anything.example"):  # no browser comes here
        assert unix_request(path, GET % host).startswith(b"HTTP/1.1 200 ")


def test_only_known_users_may_use_a_unix_socket() -> None:
    check_user(0, frozenset((0, 5)))
    check_user(None, frozenset((0, 5)))  # a system that does not say: the mode of the file holds
    with pytest.raises(HTTPError) as refused:
        check_user(6, frozenset((0, 5)))
    assert refused.value.status == 403
    assert policy_of(setting_of(address="unix//run/x.sock", users=(7,))).users == {0, os.geteuid(), 7}


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("curl") is None, reason="only root can be somebody else")
def test_another_user_is_refused_even_where_the_file_lets_it_in(run_admin: Callable[..., RunningAdmin]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "admin.sock")
        run_admin(FakeOperator(), address=f"unix/{path}")
        Path(folder).chmod(0o755)
        path.chmod(0o666)
        command = ["curl", "-sS", "--unix-socket", str(path), "http://localhost/config"]
        refused = subprocess.run(command, user=65534, cwd="/", capture_output=True, text=True, check=True)
        assert '"the user 65534 may not use this socket"' in refused.stdout
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == TEXT
