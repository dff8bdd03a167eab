"""What two graphs describe alike is the same in both: connections to upstreams, and whose turn it is."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgescript.upstream.tls import ClientTls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def asked(server: Any) -> bytes:
    return server.exchange(GET).partition(b"\r\n\r\n")[2]


def test_a_connection_is_kept_where_nothing_about_its_upstream_changed(
    no_leaks: None, reloading: Any, origin: Any
) -> None:
    upstream = origin(OK)
    server = reloading.start(f":80 {{\n proxy {upstream.address}\n}}")
    assert asked(server) == b"ok"
    for number in range(3):
        reloading.reload(f":80 {{\n header X-Number {number}\n proxy {upstream.address} {{\n  header_up X-A b\n }}\n}}")
        assert asked(server) == b"ok"
    assert upstream.accepted == 1


@pytest.mark.parametrize("option", ["response_header_timeout 10s", "max_connections 5", "keepalive {\n idle 10s\n }"])
def test_another_limit_makes_another_pool_and_closes_the_idle_connections_of_the_old(
    no_leaks: None, reloading: Any, origin: Any, option: str
) -> None:
    ended: list[bytes] = []

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK)
        if number == 1:
            ended.append(connection.wait_for_end())
        else:
            connection.wait_for_end()

    upstream = origin(behave)
    server = reloading.start(f":80 {{\n proxy {upstream.address}\n}}")
    assert asked(server) == b"ok"
    reloading.reload(f":80 {{\n proxy {upstream.address} {{\n {option}\n }}\n}}")
    assert asked(server) == b"ok"
    assert upstream.accepted == 2
    reloading.wait_until(lambda: ended == [b""], "the old connection is closed")


def test_a_configuration_that_cannot_be_set_up_takes_nothing_with_it(
    no_leaks: None, reloading: Any, origin: Any
) -> None:
    upstream = origin(OK)
    server = reloading.start(f":80 {{\n proxy {upstream.address}\n}}")
    assert asked(server) == b"ok"
    text = f":80 {{\n proxy {upstream.address}\n}}\n:81 {{\n proxy https://a {{\n tls_trust_pool absent.pem\n }}\n}}"
    for _ in range(3):
        with pytest.raises(AssertionError, match="proxy cannot be set up"):
            reloading.graph(text)
        server.call(reloading.shared.close_left)
    reloading.reload(":80 {\n respond 200\n}")
    reloading.wait_for_end_of_old_graphs()
    assert reloading.shared_things("proxy pool") == [], "the count of users was right"


def test_round_robin_goes_on_where_it_was(no_leaks: None, reloading: Any, origin: Any) -> None:
    addresses = [origin(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number).address for number in range(3)]
    text = f":80 {{\n header X-Number %d\n proxy {' '.join(addresses)} {{\n  balance round_robin\n }}\n}}"
    server = reloading.start(text % 0)
    answers = b""
    for number in range(6):
        answers += asked(server)
        reloading.reload(text % number)
    assert answers == b"012012"


# ---- files of TLS


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, bytes]]:
    """Two certificates for 127.0.0.1, with their keys."""
    if shutil.which("openssl") is None:
        pytest.skip("makes certificates with openssl")
    folder = tmp_path_factory.mktemp("certificates")
    made = []
    for number in range(2):
        key, certificate = folder / f"{number}.key", folder / f"{number}.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", f"/CN=number-{number}", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        made.append((certificate.read_bytes(), key.read_bytes()))
    return made


def test_a_renewed_certificate_is_shown_after_the_next_reload(
    no_leaks: None, origin: Any, reloading: Any, tmp_path: Path, pairs: list[tuple[bytes, bytes]]
) -> None:
    certificate, key, authorities = (tmp_path / name for name in ("own.pem", "own.key", "authorities.pem"))
    certificate.write_bytes(pairs[0][0])
    key.write_bytes(pairs[0][1])
    authorities.write_bytes(pairs[0][0] + pairs[1][0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    shown: list[Any] = []

    def behave(connection: Any, number: int) -> None:
        with context.wrap_socket(connection.socket, server_side=True) as secure:
            shown.append(dict(part[0] for part in secure.getpeercert()["subject"])["commonName"])
            connection.socket = secure
            while True:
                connection.read_request()
                connection.send(OK)

    address = origin(behave).address
    text = (
        f":80 {{\n proxy https://{address} {{\n  tls_trust_pool authorities.pem\n"
        "  tls_client_auth own.pem own.key\n }\n}"
    )
    server = reloading.start(text)
    assert asked(server) == b"ok"
    reloading.reload(text)
    assert asked(server) == b"ok"
    certificate.touch()
    reloading.reload(text)
    assert asked(server) == b"ok"
    assert shown == ["number-0"], "files of the same content change nothing"
    certificate.write_bytes(pairs[1][0])
    key.write_bytes(pairs[1][1])
    reloading.reload(text)
    assert asked(server) == b"ok"
    assert shown == ["number-0", "number-1"]


def test_what_pools_are_kept_by_shows_nothing_of_keys(tmp_path: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    key = tmp_path / "own.key"
    key.write_bytes(pairs[0][0] + pairs[0][1])
    tls = ClientTls(certificate=str(key))
    secret = pairs[0][1].splitlines()[1].decode()
    assert secret not in repr(tls)
    assert secret not in repr(tls._said)
