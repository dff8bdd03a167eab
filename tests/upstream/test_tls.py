"""Endpoints that are reached by TLS: their certificates are verified, and our own is shown where asked for."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")


def make_certificate(folder: Path, name: str, subject: str) -> tuple[str, str]:
    """A self-signed certificate for `subject`, which is an authority for itself: (certificate, key)."""
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", f"/CN={subject}", "-addext", f"subjectAltName={subject_name(subject)}"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def subject_name(subject: str) -> str:
    return f"IP:{subject}" if subject[0].isdigit() else f"DNS:{subject}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_certificate(folder, name.replace(".", "-"), name) for name in ("127.0.0.1", "app.internal")}


@pytest.fixture
def secure_origin(origin: Callable[..., Any]) -> Callable[..., Any]:
    """`secure_origin(certificate, asks_for=None)`: an origin that speaks TLS; its address is the last of the pair."""

    def start(
        certificate: tuple[str, str], asks_for: str | None = None, seen: list[Any] | None = None
    ) -> tuple[Any, str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        names: list[Any] = seen if seen is not None else []
        context.sni_callback = lambda connection, name, _: names.append(name)
        if asks_for is not None:
            context.load_verify_locations(asks_for)
            context.verify_mode = ssl.CERT_REQUIRED

        def behave(connection: Any, number: int) -> None:
            with context.wrap_socket(connection.socket, server_side=True) as secure:
                connection.socket = secure
                while True:
                    connection.read_request()
                    connection.send(OK)

        listening = socket.create_server(("127.0.0.1", 0))
        return origin(behave, listening), f"127.0.0.1:{listening.getsockname()[1]}"

    return start


def test_a_trusted_certificate_with_the_right_name_is_accepted(
    secure_origin: Any, proxy_to: Any, ask: Any, certificates: Any
) -> None:
    made, address = secure_origin(certificates["127.0.0.1"])
    server = proxy_to(f"https://{address}", f"tls_trust_pool {certificates['127.0.0.1'][0]}")
    assert [ask(server)[-2:] for _ in range(2)] == [b"ok"] * 2
    assert made.accepted == 1
    assert f"\r\nhost: {address}\r\n".encode() in made.heads[0], "the name is the endpoint's own"
    assert b"\r\nx-forwarded-host: shop.example.com\r\n" in made.heads[0]


def test_the_name_may_be_another_one(secure_origin: Any, proxy_to: Any, ask: Any, certificates: Any) -> None:
    seen: list[str] = []
    _, address = secure_origin(certificates["app.internal"], seen=seen)
    trust = f"tls_trust_pool {certificates['app.internal'][0]}"
    assert ask(proxy_to(address, trust, "tls_server_name app.internal")).endswith(b"ok")
    assert seen == ["app.internal"]
    assert ask(proxy_to(address, trust)).startswith(b"HTTP/1.1 502")


def test_an_unknown_certificate_is_refused_with_a_reason(
    secure_origin: Any, serve_edgefile: Any, ask: Any, certificates: Any
) -> None:
    _, address = secure_origin(certificates["127.0.0.1"])
    text = f':80 {{\nproxy https://{address}\nhandle_errors {{\nrespond {{err.status}} "{{err.message}}"\n}}\n}}'
    answer = ask(serve_edgefile(text))
    assert answer.startswith(b"HTTP/1.1 502")
    assert b"its certificate is not trusted: self-signed certificate" in answer


def test_any_certificate_is_accepted_where_that_is_asked_for(
    secure_origin: Any, proxy_to: Any, ask: Any, certificates: Any
) -> None:
    _, address = secure_origin(certificates["app.internal"])
    assert ask(proxy_to(f"https://{address}", "tls_insecure_skip_verify")).endswith(b"ok")


def test_a_certificate_is_shown_to_a_server_that_asks(
    secure_origin: Any, proxy_to: Any, ask: Any, certificates: Any
) -> None:
    trusted, own = certificates["127.0.0.1"], certificates["app.internal"]
    _, address = secure_origin(trusted, asks_for=own[0])
    trust = f"tls_trust_pool {trusted[0]}"
    assert ask(proxy_to(f"https://{address}", trust, f"tls_client_auth {own[0]} {own[1]}")).endswith(b"ok")
    assert ask(proxy_to(f"https://{address}", trust)).startswith(b"HTTP/1.1 502")


def test_plain_text_where_tls_is_expected_is_an_error(origin: Any, proxy_to: Any, ask: Any) -> None:
    made = origin(lambda connection, number: connection.send(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"))
    assert ask(proxy_to(f"https://{made.address}")).startswith(b"HTTP/1.1 502")
