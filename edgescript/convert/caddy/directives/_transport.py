"""`transport` of `reverse_proxy`: connections, their limits, and TLS."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, Option, missing, never, nothing, same
from edgescript.convert.caddy.context import NotConverted, not_yet
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def transport(call: Call, line: Line) -> list[Node]:
    if line.arguments != ["http"]:
        raise not_yet(f"transport {' '.join(line.arguments)}")
    return _joined(call.options(_OPTIONS, line.block))


def _joined(nodes: list[Node]) -> list[Node]:
    """All that is said about unused connections in one block, `keepalive`."""
    keepalive = [node for node in nodes if isinstance(node, Directive) and node.words == ["keepalive"]]
    for node in keepalive[1:]:
        assert keepalive[0].block is not None
        keepalive[0].block += node.block or []
    return [node for node in nodes if node not in keepalive[1:]]


def _keepalive(option: str) -> Option:
    def convert(call: Call, line: Line) -> list[Node]:
        if line.arguments == ["off"]:
            return [Directive(["keepalive"], [Directive(["connections", "0"])])]
        return [Directive(["keepalive"], [Directive([option, *line.arguments])])]

    return convert


def _versions(call: Call, line: Line) -> list[Node]:
    if set(line.arguments) <= {"1.1", "2"} and "1.1" in line.arguments:
        return []  # 2 is only tried where the server offers it
    raise not_yet(f"HTTP version {' '.join(line.arguments)} to servers")


def _trust(call: Call, line: Line) -> list[Node]:
    if len(line.arguments) == 2 and line.arguments[0] == "file":
        return [Directive(["tls_trust_pool", line.arguments[1]])]
    if line.name == "tls_trusted_ca_certs" and len(line.arguments) == 1:
        return [Directive(["tls_trust_pool", line.arguments[0]])]
    raise not_yet("trust pool but one file")


def _client_auth(call: Call, line: Line) -> list[Node]:
    if len(line.arguments) != 2:
        raise not_yet("client certificate that is not in two files")
    return [Directive(["tls_client_auth", *line.arguments])]


def _time(call: Call, line: Line) -> list[Node]:
    raise NotConverted("a body may take as long as it makes progress: see `idle_timeout`")


_OPTIONS: dict[str, Option] = {
    "dial_timeout": same("connect_timeout"),
    "response_header_timeout": same("response_header_timeout"),
    "read_timeout": _time,
    "write_timeout": _time,
    "dial_fallback_delay": nothing,
    "read_buffer": nothing,
    "write_buffer": nothing,
    "max_response_header": missing,
    "proxy_protocol": missing,
    "expect_continue_timeout": missing,
    "resolvers": missing,
    "tls": lambda call, line: [Directive(["tls"])],
    "tls_insecure_skip_verify": lambda call, line: [Directive(["tls"]), Directive(["tls_insecure_skip_verify"])],
    "tls_server_name": lambda call, line: [
        Directive(["tls"]),
        Directive(["tls_server_name", *call.texts(line.arguments)]),
    ],
    "tls_trusted_ca_certs": _trust,
    "tls_trust_pool": _trust,
    "tls_client_auth": _client_auth,
    "tls_timeout": missing,
    "tls_curves": missing,
    "tls_renegotiation": missing,
    "tls_except_ports": missing,
    "keepalive": _keepalive("idle"),
    "keepalive_interval": nothing,
    "keepalive_idle_conns": never("unused connections are counted for each server: keepalive_idle_conns_per_host"),
    "keepalive_idle_conns_per_host": _keepalive("connections"),
    "versions": _versions,
    "compression": nothing,
    "max_conns_per_host": same("max_connections"),
    "network_proxy": missing,
    "forward_proxy_url": missing,
    "local_address": missing,
}
