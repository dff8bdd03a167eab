"""Which sibling of a file to send instead of it: `app.js.br` beside `app.js` (RFC 9110 12.5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgescript.http.accept import weights

#: File suffixes by content coding; zstd is RFC 8878's name, br RFC 7932's.
SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

#: Other names of a coding (RFC 9110 8.4.1.3).
_ALIASES = {"gzip": b"x-gzip"}


def order(accept_encoding: Iterable[bytes], offered: Sequence[str]) -> list[str]:
    """
    The codings to look for, best first: by the client's weights, equals in the order offered.

    Without the field a client takes anything, but old ones that say nothing understand nothing: none is tried. A coding
    that the client wants less than the plain file is not tried either.
    """
    listed = weights(accept_encoding)
    if not listed:
        return []
    anything = listed.get(b"*", 0.0)
    plain = listed.get(b"identity", 0.0)
    wanted = [(_weight(listed, coding, anything), coding) for coding in offered]
    ranked = sorted(wanted, key=lambda pair: -pair[0])
    return [coding for weight, coding in ranked if weight > 0 and weight >= plain]


def _weight(listed: dict[bytes, float], coding: str, otherwise: float) -> float:
    alias = _ALIASES.get(coding, b"")
    return listed.get(coding.encode("ascii"), listed.get(alias, otherwise))
