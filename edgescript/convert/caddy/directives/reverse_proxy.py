"""`reverse_proxy` is `proxy`: endpoints, and each sub-directive by a table."""

from __future__ import annotations

import re

from edgescript.convert.caddy.call import Call, Option, missing, never, nothing, same
from edgescript.convert.caddy.context import NotConverted, not_yet
from edgescript.convert.caddy.directives._transport import transport
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node

_RANGE = re.compile(r"(.*:)(\d+)-(\d+)")
_MOST_ENDPOINTS = 256


def convert(call: Call) -> list[Node]:
    first = [endpoint for word in call.arguments for endpoint in endpoints(word)]
    block = call.options(_OPTIONS)
    count = len(first) + sum(len(node.words) - 1 for node in _named(block, "to"))
    if not count:
        raise NotConverted("none of its servers can be converted")
    if count > 1 and not _named(block, "retry"):
        block.append(Directive(["retry", "0"]))
    _no_repeats(block)
    return [call.directive("proxy", first, block or None)]


def _named(block: list[Node], name: str) -> list[Directive]:
    return [node for node in block if isinstance(node, Directive) and node.words[0] == name]


def _no_repeats(block: list[Node]) -> None:
    """What came of several options and means one and the same is written once."""
    seen: set[tuple[str, ...]] = set()
    for node in [node for node in block if isinstance(node, Directive) and not node.words[0].startswith("header_")]:
        if tuple(node.words) in seen:
            block.remove(node)
        seen.add(tuple(node.words))


def endpoints(word: str) -> list[str]:
    """
    The servers that an address of Caddy stands for.

    :raises NotConverted: if there is no such address here
    """
    if "{" in word and "{$" not in word:
        raise NotConverted("an address with placeholders names another server for each request")
    if word.startswith(("h2c://", "unix+h2c/", "srv+", "ws://", "wss://")):
        raise not_yet(f"way to speak to {word.partition('/')[0]}")
    match = _RANGE.fullmatch(word)
    if match is not None:
        first, last = int(match[2]), int(match[3])
        if not first <= last < first + _MOST_ENDPOINTS:
            raise NotConverted("that is no range of ports, or too large a one")
        return [f"{match[1]}{port}" for port in range(first, last + 1)]
    if word.startswith(":"):
        word = f"localhost{word}"
    return [word]


def _to(call: Call, line: Line) -> list[Node]:
    return [Directive(["to", *(endpoint for word in line.arguments for endpoint in endpoints(word))])]


def _balance(call: Call, line: Line) -> list[Node]:
    policy = line.arguments[0] if line.arguments else ""
    if call.context.catalogue.balancer(policy) is None:
        raise not_yet(f"balancing policy {policy}")
    if line.block:
        raise not_yet(f"block of the balancing policy {policy}")
    return [Directive(["balance", *line.arguments])]


def _try_duration(call: Call, line: Line) -> list[Node]:
    raise NotConverted("tries are counted here, not timed: see `retry`")


def _header_up(call: Call, line: Line) -> list[Node]:
    words = line.arguments
    is_host = words[:1] == ["Host"] and len(words) == 2 and words[1] in _HOST_OF_ENDPOINT
    if not is_host:
        return [Directive(["header_up", *call.texts(words)])]
    known = [endpoint for word in call.arguments for endpoint in endpoints(word)]
    if len(known) != 1:
        raise not_yet("placeholder for the server's own name in header_up")
    scheme, _, rest = known[0].rpartition("://")
    if scheme == "https":
        return []  # so it is here for these anyway
    is_name = words[1].endswith("upstream.host}")
    return [Directive(["header_up", "Host", rest.partition(":")[0] if is_name else rest])]


_HOST_OF_ENDPOINT = {
    "{upstream_hostport}", "{http.reverse_proxy.upstream.hostport}", "{http.reverse_proxy.upstream.host}",
    "{rp.upstream.hostport}", "{rp.upstream.host}",
}  # fmt: skip

_HEALTH = (
    "health_uri", "health_path", "health_upstream", "health_port", "health_interval", "health_passes",
    "health_fails", "health_timeout", "health_method", "health_status", "health_request_body", "health_body",
    "health_follow_redirects", "health_headers", "fail_duration", "max_fails", "unhealthy_status",
    "unhealthy_latency", "unhealthy_request_count",
)  # fmt: skip

_OPTIONS: dict[str, Option] = {
    "to": _to,
    "lb_policy": _balance,
    "lb_retries": same("retry"),
    "lb_try_duration": _try_duration,
    "lb_try_interval": never("there is no pause between tries"),
    "lb_retry_match": missing,
    "header_up": _header_up,
    "header_down": same("header_down"),
    "method": same("method"),
    "rewrite": same("rewrite"),
    "transport": transport,
    "flush_interval": nothing,  # bodies are passed on as they come
    "buffer_requests": never("bodies are passed on as they come"),
    "buffer_responses": never("bodies are passed on as they come"),
    "max_buffer_size": never("bodies are passed on as they come"),
    "request_buffers": never("bodies are passed on as they come"),
    "response_buffers": never("bodies are passed on as they come"),
    "stream_buffer_size": nothing,
    "stream_timeout": missing,
    "stream_close_delay": missing,
    "trusted_proxies": never("who is believed is said for all sites, by the global `trusted_proxies`"),
    "dynamic": missing,
    "replace_status": missing,
    "handle_response": missing,
    "verbose_logs": nothing,
    **dict.fromkeys(_HEALTH, missing),
}
