"""Which header fields pass a gateway, and which it writes: values in, values out.

Fields between two neighbours end here (RFC 9110 7.6.1), and so do those that an untrusted client has no business to set: who
it is (X-Forwarded-*, Forwarded) is written by us.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from edgescript.http.headers import Headers, elements, first

Fields = tuple[tuple[bytes, bytes], ...]
_FOR = b"x-forwarded-for"

#: Between neighbours, in either direction. Content-Length is written anew with the body; the last two are for proxies that
#: a client chose, which we are not (RFC 9110 11.7).
ENDS_HERE = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)

_OF_ORIGIN = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})

#: Fields of a request that are not simply passed on.
_SPECIAL = ENDS_HERE | _OF_ORIGIN | {b"expect", b"host"}

#: Asks for nothing that is not so anyway; frequent.
_KEEP_ALIVE = (b"connection", b"keep-alive")

#: Fields that frame, route or authenticate must not come as trailers (RFC 9110 6.5.1), nor those that only we write.
NOT_AS_TRAILERS = (
    ENDS_HERE
    | _OF_ORIGIN
    | {
        b"authorization",
        b"content-encoding",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"set-cookie",
        b"trailer",
    }
)

#: What we call ourselves in Via (RFC 9110 7.6.3).
PSEUDONYM = b"edgescript"


def values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def without_named(headers: Headers, connection: bytes) -> Headers:
    """The fields but those that a Connection field names."""
    named = {token.lower() for token in elements((connection,))} - ENDS_HERE - {b"close", b"host"}
    return [pair for pair in headers if pair[0] not in named] if named else headers


def split_request(headers: Headers) -> tuple[Headers, Headers]:
    """The fields of a request that pass, and those that need thought; in one pass."""
    passing: Headers = []
    special: Headers = []
    for pair in headers:
        if pair[0] not in _SPECIAL:
            passing.append(pair)
        elif pair != _KEEP_ALIVE:
            special.append(pair)
    return passing, special


@lru_cache(maxsize=4096)
def origin_fields(remote_ip: str, scheme: str, host: bytes) -> Fields:
    """X-Forwarded-For, -Proto and -Host of a peer that is believed nothing; one on a unix socket has no address."""
    client = ((_FOR, remote_ip.encode()),) if remote_ip else ()
    return (*client, (b"x-forwarded-proto", scheme.encode()), (b"x-forwarded-host", host))


def vouched_for(origin: Fields, special: Headers) -> Headers:
    """The same of a trusted proxy: what it says is kept, and its own address added to the first."""
    return [(name, _hops(special, own) if name == _FOR else first(special, name) or own) for name, own in origin]


def _hops(special: Headers, remote_ip: bytes) -> bytes:
    return b", ".join([*values(special, _FOR), remote_ip])


def forwarded_field(chain: list[bytes], remote_ip: str, scheme: str, host: bytes) -> bytes:
    """
    The value of Forwarded (RFC 7239).

    :param chain: the hops before this one, from a trusted proxy
    """
    ip = remote_ip.encode()
    node = b'"[%b]"' % ip if b":" in ip else ip or b"unknown"
    named = b";host=" + _token_or_quoted(host) if host else b""
    return b", ".join([*chain, b"for=%b%b;proto=%b" % (node, named, scheme.encode())])


def _token_or_quoted(value: bytes) -> bytes:
    plain = value.replace(b".", b"").replace(b"-", b"").isalnum()
    return value if plain else b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def wants_trailers(special: Headers) -> bool:
    """Whether TE says that trailers are welcome (RFC 9110 10.1.4): the one member of it that can pass on."""
    return b"trailers" in map(bytes.lower, elements(values(special, b"te")))


def expects_continue(special: Headers) -> bool:
    return any(value.lower() == b"100-continue" for value in values(special, b"expect"))


def upgrade_protocol(special: Headers) -> bytes | None:
    """
    The protocol that a request wants to change to, or None.

    Not h2c: requests inside a connection that was changed to HTTP/2 would pass every rule of ours unseen.
    """
    tokens = {token.lower() for token in elements(values(special, b"connection"))}
    protocols = values(special, b"upgrade")
    if b"upgrade" not in tokens or len(protocols) != 1 or b"h2c" in map(bytes.lower, elements(protocols)):
        return None
    return protocols[0]


def last_chunk(trailers: Headers) -> bytes:
    """The end of a chunked body (RFC 9112 7.1)."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n%b\r\n" % b"".join([b"%b: %b\r\n" % pair for pair in passing_trailers(trailers)])


def passing_trailers(trailers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [pair for pair in trailers if pair[0] not in NOT_AS_TRAILERS]
