"""What `proxy` accepts, what it refuses, and what it says that it would do."""

from __future__ import annotations

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.text.source import Source


def problems_of(line: str) -> list[tuple[str, str]]:
    source = Source("Edgefile", f":80 {{\n{line}\n}}")
    _, problems = load(source, catalogue=Catalogue.load(), environment={}, directory="/nowhere")
    return [(problem.code, problem.message) for problem in problems]


@pytest.mark.parametrize(
    "line",
    [
        "proxy localhost:8080",
        "proxy :8080",
        "proxy http://10.0.0.1:80/ https://app.example.com unix//run/app.sock [::1]:8080",
        "proxy {\nto 10.0.0.1:80 10.0.0.2:80\nto 10.0.0.3:80\n}",
        "proxy /api/* 10.0.0.1:80 {\nbalance first\nretry 3\nconnect_timeout 1s\nkeepalive {\nidle 5s\n}\n}",
        "proxy 10.0.0.1:80 {\nheader_up Host {host}\nheader_down -Server\nheader_down Location a b\n}",
    ],
)
def test_an_ordinary_proxy_has_no_problems(line: str) -> None:
    assert problems_of(line) == []


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("proxy", "E107", "there is no server to pass requests to"),
        ("proxy h2c://10.0.0.1:80", "E204", "HTTP/2 to upstreams is not supported by this version"),
        ("proxy srv+http://app.example.com", "E204", "looking up endpoints in DNS is not supported by this version"),
        ("proxy {\nto tcp://10.0.0.1:80\n}", "E204", "TCP is not supported by this version"),
        ("proxy ftp://10.0.0.1:80", "E106", 'the scheme "ftp" is none of'),
        ("proxy http://10.0.0.1/base", "E115", "the address of an endpoint has no path"),
        ("proxy *.example.com:80", "E115", "the address of an endpoint is one host"),
        ("proxy {vars.backend}:80", "E106", "the address of an endpoint cannot have placeholders"),
        ("proxy 10.0.0.1:99999", "E106", "a port is a number from 1 to 65535"),
        ("proxy 10.0.0.1:80 {\nbalance rund_robin\n}", "E117", "rund_robin"),
        ("proxy 10.0.0.1:80 {\nheader_up ?X-A b\n}", "E115", "is for responses"),
        ("proxy 10.0.0.1:80 {\nheader_up Content-Length 5\n}", "E115", "is written by the server itself"),
        ("proxy https://10.0.0.1 {\ntls_trust_pool missing.pem\n}", "E205", "No such file"),
        ("proxy 10.0.0.1:80 {\nretry 1000\n}", "E106", "retry"),
    ],
)
def test_what_makes_no_sense_is_a_problem(line: str, code: str, message: str) -> None:
    (problem,) = problems_of(line)
    assert problem[0] == code
    assert message in problem[1]
