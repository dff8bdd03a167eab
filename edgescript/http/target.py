"""Request targets (RFC 9112 3.2) and the one normal form of a path that rules and files see."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

#: A path with any of these needs more than a plain decode: escapes, dot segments, empty segments, backslashes.
_UNUSUAL = re.compile(rb"%|/\.|//|\\")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def split(target: bytes, method: bytes = b"OPTIONS") -> tuple[bytes | None, bytes, bytes | None]:
    """
    A request target as (authority, path, query); authority is None but for the absolute form, query None without a `?`.

    :raises ValueError: if it is neither origin-form, absolute-form, nor the `*` of OPTIONS
    """
    authority = None
    if not target.startswith(b"/"):
        if target == b"*" and method == b"OPTIONS":
            return None, target, None
        scheme, separator, rest = target.partition(b"://")
        if not separator or scheme.lower() not in (b"http", b"https"):
            raise ValueError("the request target is neither a path nor an http URL")
        end = len(rest)
        for separator in (b"/", b"?"):
            found = rest.find(separator)
            end = found if 0 <= found < end else end
        authority, target = rest[:end], rest[end:]
        if not authority:  # RFC 9110 4.2.1
            raise ValueError("the request target has no host")
        if not target.startswith(b"/"):
            target = b"/" + target
    path, mark, query = target.partition(b"?")
    return authority, path, query if mark else None


def decode(raw: bytes) -> str:
    """
    The decoded, dot-normalised form of a raw path: escapes resolved, `.` and `..` segments applied, slashes merged.

    It never leaves the root, so that `/a/%2e%2e/b` and `//b` are seen as what a server behind would make of them. Bytes
    that are no UTF-8 are kept as surrogate escapes, for file systems.

    :raises ValueError: on a malformed escape or a NUL
    """
    if _UNUSUAL.search(raw) is None:
        return raw.decode("utf-8", "surrogateescape")
    if _BAD_ESCAPE.search(raw):
        raise ValueError("the path has a malformed percent-escape")
    decoded = unquote_to_bytes(raw)
    if b"\0" in decoded:
        raise ValueError("the path has a NUL character")
    kept: list[bytes] = []
    segments = decoded.replace(b"\\", b"/").split(b"/")
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    path = b"/" + b"/".join(kept)
    if segments[-1] in (b"", b".", b"..") and kept:
        path += b"/"
    return path.decode("utf-8", "surrogateescape")


#: What may stand in a path beside letters, digits and `-._~` (RFC 3986 3.3).
_OF_PATH = "/:@!$&'()*+,;="


def encode(path: str) -> bytes:
    """The raw form of a decoded path, such that `decode(encode(path))` is `path` again."""
    return quote_from_bytes(path.encode("utf-8", "surrogateescape"), safe=_OF_PATH).encode("ascii")


_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::([0-9]{0,5}))?")


#: Longer than any name (RFC 1035 2.3.4) with a port. It also bounds what is remembered.
_MOST_HOST = 253 + 6


@lru_cache(maxsize=16 * 1024)
def host_and_port(authority: bytes) -> tuple[str, int | None]:
    """
    An authority, as in a Host field, as (lower-case host without a trailing dot, port or None).

    :raises ValueError: if it is malformed (RFC 9110 7.2); user information is malformed here
    """
    match = _HOST.fullmatch(authority)
    if match is None or len(authority) > _MOST_HOST:
        raise ValueError("the host is malformed")
    host, port = match.groups()
    return host.decode("ascii").lower().removesuffix("."), int(port) if port else None
