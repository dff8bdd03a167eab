"""Caddy's placeholders in ours: `{http.request.host}` and its shorthand `{host}` are `{host}`."""

from __future__ import annotations

import re

from edgescript.convert.caddy.context import Context, NotConverted, not_yet

_REQUEST = "http.request."
_UPSTREAM = "http.reverse_proxy."

#: By their long names, without `http.request.`; None is a long name that has the shorthand's name already.
_OF_THE_REQUEST = {
    "host": "host", "hostport": "hostport", "port": "port", "method": "method", "scheme": "scheme",
    "proto": "protocol", "uuid": "uuid", "uri": "uri", "uri.path": "path", "uri.path.dir": "dir",
    "uri.path.file": "file", "uri.path.file.base": "file.base", "uri.path.file.ext": "file.ext", "uri.query": "query",
    "remote.host": "remote_ip", "remote.port": "remote_port", "remote": "remote_ip}:{remote_port",
    "orig_method": "orig_method", "orig_uri": "orig_uri", "orig_uri.path": "orig_path", "orig_uri.query": "orig_query",
    "tls.version": "tls.version", "tls.server_name": "tls.sni", "tls.client.subject": "tls.client.subject",
}  # fmt: skip
_EXACT = {
    **{_REQUEST + name: ours for name, ours in _OF_THE_REQUEST.items()},
    **{
        name: name
        for name in (
            "host", "hostport", "port", "method", "scheme", "uri", "path", "dir", "file", "query", "client_ip", "uuid",
            "remote_port", "orig_method", "orig_uri", "orig_path", "orig_query", "file.base", "file.ext",
        )
    },
    "remote": "remote_ip}:{remote_port", "remote_host": "remote_ip", "http.vars.client_ip": "client_ip",
    "tls_version": "tls.version", "tls_client_subject": "tls.client.subject",
    "upstream_hostport": "upstream.address", "http.auth.user.id": "user",
    **{
        prefix + name: ours
        for prefix in (_UPSTREAM, "rp.")
        for name, ours in {
            "upstream.hostport": "upstream.address", "upstream.address": "upstream.address",
            "upstream.latency": "upstream.latency", "upstream.latency_ms": "upstream.latency_ms",
            "status_code": "resp.status",
        }.items()
    },
    **{f"http.response.{name}": f"resp.{name}" for name in ("size", "duration", "duration_ms")},
    "resp.status_code": "resp.status", "http.intercept.status_code": "resp.status",
    **{f"http.error.{name}": f"err.{name}" for name in ("status_code", "status_text", "message")},
    **{f"err.{name}": f"err.{name}" for name in ("status_code", "status_text", "message")},
    **{f"time.now{name}": f"time.now{name}" for name in ("", ".http", ".unix", ".unix_ms", ".common_log", ".year")},
}  # fmt: skip
_PREFIXES = {
    "http.request.header.": "header.", "header.": "header.", "http.request.cookie.": "cookie.", "cookie.": "cookie.",
    "http.request.uri.query.": "query.", "query.": "query.", "http.request.uri.path.": "path.", "path.": "path.",
    "http.request.host.labels.": "labels.", "labels.": "labels.", "http.regexp.": "re.", "re.": "re.",
    "http.vars.": "vars.", "vars.": "vars.", "env.": "env.", "http.response.header.": "resp.header.",
    "resp.header.": "resp.header.", "http.reverse_proxy.header.": "resp.header.", "rp.header.": "resp.header.",
    "http.intercept.header.": "resp.header.",
}  # fmt: skip

#: What Caddy takes for a placeholder. `{$NAME}` is replaced before, by both.
_PLACEHOLDER = re.compile(r"\\[{}]|\{\$(?P<env>[^{}]*)\}|\{(?P<name>[A-Za-z_%?][^\s{}\"'`\\,;()]*)\}")
#: What can be one in an Edgefile: anything else in braces stands for itself.
_OURS = re.compile(r"[A-Za-z_][\w-]*(?:\.[^\s{}:;,\"'`()\\]+)?", re.ASCII)


def name_of(name: str, context: Context) -> str:
    """
    Our name of a placeholder.

    :raises NotConverted: if there is none
    """
    if name in context.variables:
        return f"vars.{name}"
    ours = _EXACT.get(name)
    if ours is None:
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix) and len(name) > len(prefix)), None)
        if prefix is None:
            raise NotConverted(f"there is no placeholder for {{{name}}}")
        ours = _PREFIXES[prefix] + name.removeprefix(prefix)
    if context.catalogue.placeholder(ours.split(".")[0].split("}")[0]) is None:
        raise not_yet(f"placeholder {{{ours}}}")
    return ours


def text(word: str, context: Context, *, unknown_stay: bool = False) -> str:
    """
    A text with its placeholders.

    :param unknown_stay: what is no placeholder of Caddy stands for itself
    :raises NotConverted: if there is no placeholder for one of them
    """

    def ours(match: re.Match[str]) -> str:
        if match["env"] is not None:
            return environment(match["env"])
        if match["name"] is None:
            return match[0]
        try:
            return f"{{{name_of(match['name'], context)}}}"
        except NotConverted:
            if unknown_stay and not _is_of_caddy(match["name"]):
                return f"\\{{{match['name']}\\}}" if _OURS.fullmatch(match["name"]) else match[0]
            raise

    return _PLACEHOLDER.sub(ours, word)


def environment(inside: str) -> str:
    """`{$NAME}`: where it is not set and has no default, it is nothing for Caddy and an error in an Edgefile."""
    return f"{{${inside}}}" if ":" in inside else f"{{${inside}:}}"


def _is_of_caddy(name: str) -> bool:
    """Whether it is a placeholder there, which this program has none for."""
    return name in _EXACT or name.startswith(
        ("http.", "system.", "tls_", "time.", "file.", "rp.", "%", "?", *_PREFIXES)
    )
