"""Values that need a class of their own: what each text means, and how it is written again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from edgescript.declare.scope import KindError
from edgescript.expr.functions import PRIVATE_RANGES
from edgescript.text.problem import Hint

# ---- how others write units

_OTHER_DURATIONS = {"": "s", "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h", "day": "d"}
_OTHER_SIZES = {"k": "KB", "m": "MB", "g": "GB", "t": "TB", "ki": "KiB", "mi": "MiB", "gi": "GiB", "ti": "TiB"}
_OTHER_RATES = {
    "r/s": "/s",
    "r/m": "/m",
    "rps": "/s",
    "/second": "/s",
    "/sec": "/s",
    "/minute": "/m",
    "/min": "/m",
    "/hour": "/h",
}
_NUMBER_AND_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(\D*)")


def _other_unit(text: str, units: dict[str, str]) -> Hint | None:
    """`10min`, `10m` for a size, `10r/s`: a hint with the number and our unit."""
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is None:
        return None
    unit = units.get(match[2].lower(), units.get(match[2].lower().removesuffix("s")))
    return None if unit is None else Hint(f'did you mean "{match[1]}{unit}"?', f"{match[1]}{unit}")


# ---- durations and sizes: a number for each unit

#: Microseconds, longest first.
_DURATION_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000, "us": 1}
_DURATION_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|µs|ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")

#: Bytes. As in Caddy, KB is a thousand and KiB is 1024.
_SIZE_UNITS = {
    "": 1, "B": 1,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?)((?:[KMGT]i?)?B|)", re.ASCII | re.IGNORECASE)
_SIZE_SHOWN = (
    ("TiB", 2**40), ("TB", 10**12), ("GiB", 2**30), ("GB", 10**9),
    ("MiB", 2**20), ("MB", 10**6), ("KiB", 2**10), ("KB", 10**3),
)  # fmt: skip


def duration(text: str) -> float:
    """Seconds of `250ms`, `10s`, `1h30m`, `7d`; a bare `0` is allowed."""
    if text == "0":
        return 0.0
    if _DURATION.fullmatch(text) is None:
        raise KindError("expected a duration such as 10s", hint=_other_unit(text, _OTHER_DURATIONS))
    parts = _DURATION_PART.findall(text)
    return round(sum(float(number) * _DURATION_UNITS[unit.replace("µ", "u")] for number, unit in parts)) / 1e6


def show_duration(seconds: float) -> str:
    """The shortest exact notation: `1h30m`, `250ms`."""
    left = round(seconds * 1_000_000)
    parts = []
    for unit, length in _DURATION_UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def size(text: str) -> int:
    """Bytes of `64KiB`, `10MB`, `512`."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise KindError("expected a size such as 64KiB or 10MB", hint=_other_unit(text, _OTHER_SIZES))
    number, unit = match.groups()
    amount = float(number) * _SIZE_UNITS[unit.upper()] if "." in number else int(number) * _SIZE_UNITS[unit.upper()]
    if amount != int(amount):
        raise KindError("a size is a whole number of bytes")
    return int(amount)


def show_size(size: int) -> str:
    for unit, factor in _SIZE_SHOWN:
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


# ---- rates


@dataclass(frozen=True, slots=True)
class Rate:
    """So many per so much time: `10/s`, `600/10m`."""

    count: int
    #: Seconds.
    period: float

    @property
    def per_second(self) -> float:
        return self.count / self.period


_RATE = re.compile(r"([0-9]{1,15})/((?:[0-9].*)?[a-zµ]+)")


def rate(text: str) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None:
        raise KindError("expected a rate such as 10/s or 600/10m", hint=_other_unit(text, _OTHER_RATES))
    count, period = match.groups()
    try:
        seconds = duration(period if period[0].isdigit() else f"1{period}")
    except KindError as error:
        raise KindError(
            "expected a unit of time behind the slash, such as s or 10m", match.start(2), len(text)
        ) from error
    if seconds <= 0 or int(count) == 0:
        raise KindError("a rate is at least one in a time that is not zero")
    return Rate(int(count), seconds)


def show_rate(rate: Rate) -> str:
    period = show_duration(rate.period)
    return f"{rate.count}/{period.removeprefix('1') if period[1:] in _DURATION_UNITS else period}"


# ---- statuses


@dataclass(frozen=True, slots=True)
class StatusPattern:
    """One status, or with `5xx` a class of them."""

    #: The status, or the hundreds of the class.
    number: int
    is_class: bool

    def matches(self, status: int) -> bool:
        return status // 100 == self.number if self.is_class else status == self.number


_STATUS = re.compile(r"[1-5][0-9][0-9]")


def status(text: str) -> int:
    """A status code, 100 to 599 (RFC 9110 15)."""
    if _STATUS.fullmatch(text) is None:
        raise KindError("expected a status code such as 404")
    return int(text)


def status_pattern(text: str) -> StatusPattern:
    if len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx":
        return StatusPattern(int(text[0]), True)
    if _STATUS.fullmatch(text) is None:
        raise KindError("expected a status code such as 404, or a class such as 5xx")
    return StatusPattern(int(text), False)


def show_status_pattern(pattern: StatusPattern) -> str:
    return f"{pattern.number}xx" if pattern.is_class else str(pattern.number)


# ---- addresses


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to, or to listen: a scheme ("" where none is written), host and port, or the path of a socket."""

    #: As written.
    text: str = field(compare=False)
    scheme: str
    #: Without the brackets of IPv6; "" for all interfaces, or where there is a socket path.
    host: str
    port: int | None
    #: Of `unix//run/app.sock`: the file. Of a URL: its path, usually "".
    path: str = ""

    @property
    def is_unix(self) -> bool:
        return self.scheme == "unix"


ADDRESS_SCHEMES = ("http", "https", "h2c", "unix", "srv+http", "srv+https", "tcp", "udp")
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def address(text: str) -> Address:
    """`host:port`, `:8080`, `http://…`, `unix//run/app.sock`, `srv+http://name`, IPv6 in brackets; a host may do alone."""
    if text.startswith(("unix/", "unix:")):
        return _unix(text)
    match = _SCHEME.match(text)
    scheme, start = (match[1].lower(), match.end()) if match else ("", 0)
    if scheme not in ("", *ADDRESS_SCHEMES):
        known = ", ".join(ADDRESS_SCHEMES)
        raise KindError(f'the scheme "{scheme}" is none of {known}', 0, len(scheme))
    slash = text.find("/", start)
    end = len(text) if slash < 0 else slash
    if slash >= 0 and not scheme:
        raise KindError("expected an address such as localhost:8080; a path needs a scheme in front", slash, len(text))
    host, port = _host_and_port(text, start, end)
    if not host and (port is None or scheme.startswith("srv+")):
        raise KindError("expected an address such as localhost:8080 or :8080")
    return Address(text, scheme, host, port, text[end:])


def _unix(text: str) -> Address:
    path = text[5:] if text.startswith("unix/") else text.removeprefix("unix:").removeprefix("//")
    if not path.startswith(("/", "@")) or "\0" in path or len(path) < 2:
        raise KindError("expected the path of a socket, such as unix//run/app.sock")
    return Address(text, "unix", "", None, path)


def _host_and_port(text: str, start: int, end: int) -> tuple[str, int | None]:
    if text.startswith("[", start):
        close = text.find("]", start, end)
        host, rest = text[start + 1 : close], close + 1
        if close < 0 or not _is_ipv6(host):
            raise KindError("expected an IPv6 address in brackets, such as [::1]:8080", start, end)
    else:
        colon = text.find(":", start, end)
        rest = end if colon < 0 else colon
        host = text[start:rest]
        if "@" in text[start:end]:
            raise KindError(
                "an address has no user and no password; send them with `header_up Authorization`", start, end
            )
        if host.isdecimal():
            raise KindError(
                "a host cannot be a number", start, rest, Hint(f"write `:{host}` for a port of this machine")
            )
        if text.count(":", start, end) > 1:
            raise KindError("an IPv6 address stands in brackets, such as [::1]:8080", start, end)
        if host and _HOST.fullmatch(host) is None:
            raise KindError("the host has a character that no host name has", start, rest)
    if rest == end:
        return host, None
    digits = text[rest + 1 : end]
    if text[rest] != ":" or not re.fullmatch(r"[0-9]{1,5}", digits) or not 1 <= int(digits) <= 65535:
        raise KindError("a port is a number from 1 to 65535", min(rest + 1, end - 1), end)
    return host, int(digits)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def show_address(address: Address) -> str:
    if address.is_unix:
        return f"unix/{address.path}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = "" if address.port is None else f":{address.port}"
    return f"{address.scheme}://{host}{port}{address.path}" if address.scheme else f"{host}{port}"


# ---- networks


@dataclass(frozen=True, slots=True)
class Cidr:
    """IP networks that one word stands for."""

    text: str = field(compare=False)
    networks: tuple[IPv4Network | IPv6Network, ...]


def cidr(text: str) -> Cidr:
    """`10.0.0.0/8`, a single address, or `private_ranges`."""
    if text == "private_ranges":
        return Cidr(text, tuple(ip_network(network, strict=False) for network in PRIVATE_RANGES))
    try:
        # Bits behind the prefix are ignored, as Caddy and nginx do.
        return Cidr(text, (ip_network(text.removeprefix("[").removesuffix("]"), strict=False),))
    except ValueError:
        raise KindError("expected an IP address, a network such as 10.0.0.0/8, or private_ranges") from None


def show_cidr(cidr: Cidr) -> str:
    if len(cidr.networks) != 1:
        return "private_ranges"
    network = cidr.networks[0]
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
