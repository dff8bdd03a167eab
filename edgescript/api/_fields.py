"""Header fields, query parameters and form fields as handlers see them: by name, with every value of a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from urllib.parse import parse_qsl

from edgescript.http import headers as fields
from edgescript.http.edit import field_value

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Headers(MutableMapping[str, str]):
    """
    Header fields by name, in any case. A name may have several values: `headers["x"]` gives the first, `every("x")` all.

    Values are UTF-8. Line ends and NUL in a value that is set become spaces, so that no value can begin another field.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: fields.Headers) -> None:
        #: (lower-case name, value) pairs of bytes, in order; what is changed here is changed there.
        self.raw = raw

    def __getitem__(self, name: str) -> str:
        """:raises KeyError: if there is no such field"""
        value = fields.first(self.raw, _key(name))
        if value is None:
            raise KeyError(name)
        return _text(value)

    def __setitem__(self, name: str, value: str) -> None:
        """
        Give the field this one value.

        :raises ValueError: if the name is none
        """
        pair = _pair(name, value)
        fields.replace(self.raw, *pair)

    def __delitem__(self, name: str) -> None:
        """:raises KeyError: if there is no such field"""
        if name not in self:
            raise KeyError(name)
        fields.remove(self.raw, _key(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and fields.first(self.raw, _key(name)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(_text(name) for name, _ in self.raw))

    def __len__(self) -> int:
        return len({name for name, _ in self.raw})

    def __repr__(self) -> str:
        return f"Headers({[(_text(name), _text(value)) for name, value in self.raw]!r})"

    def every(self, name: str) -> list[str]:
        """All values of a field, in order; empty where there is none."""
        return [_text(value) for value in fields.every(self.raw, _key(name))]

    def add(self, name: str, value: str) -> None:
        """
        Add a value beside those that the field has (`Set-Cookie`).

        :raises ValueError: if the name is none
        """
        self.raw.append(_pair(name, value))


def raw_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> fields.Headers:
    """
    Pairs of bytes, out of a mapping or of pairs where a name comes more than once.

    :raises ValueError: if one of the names is none
    """
    if isinstance(headers, Headers):
        return list(headers.raw)
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [_pair(name, value) for name, value in pairs]


def _pair(name: str, value: str) -> tuple[bytes, bytes]:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a header field")
    return name.lower().encode("ascii"), field_value(value)


def _key(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


class Values(Mapping[str, str]):
    """Decoded parameters of a query or form. `values["x"]` gives the first of a name, `every("x")` all."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        #: In order.
        self.pairs = tuple(pairs)

    def __getitem__(self, name: str) -> str:
        """:raises KeyError: if there is none of this name"""
        for key, value in self.pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self.pairs))

    def __len__(self) -> int:
        return len({name for name, _ in self.pairs})

    def __repr__(self) -> str:
        return f"Values({list(self.pairs)!r})"

    def every(self, name: str) -> list[str]:
        """All values of a name, in order; empty where there is none."""
        return [value for key, value in self.pairs if key == name]


#: Parameters that a query or form may have; Django has 1000.
MOST_PARAMETERS = 1000


def parse_values(data: bytes) -> Values:
    """
    What `application/x-www-form-urlencoded` says, as UTF-8; bytes that are none are replaced.

    :raises ValueError: if there are too many parameters
    """
    text = data.decode("utf-8", "replace")
    return Values(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
