"""What an Edgefile says about a collector of OpenTelemetry: its URL, and the header fields that it is sent."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from edgescript.declare.entries import record
from edgescript.declare.fields import arg
from edgescript.declare.kinds import HeaderName, Kind, KindError, Scope, Secret

_EXPECTED = "the URL of a collector, such as http://localhost:4318"
#: RFC 9110 5.5, in ASCII.
_FIELD_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")


def collector_url(text: str, scope: Scope | None = None) -> str:
    """
    A text that is the URL of a collector.

    :raises KindError: if it is none, or holds a password, which would be shown wherever the URL is
    """
    try:
        url = urlsplit(text)
        is_sound = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_sound = False
    else:
        if "@" in url.netloc:
            start = text.index("//") + 2
            end = start + url.netloc.rindex("@")
            hint = "write `header Authorization …`"
            raise KindError("the URL of a collector has no name and password", start, end, hint, is_secret=True)
    if not is_sound or not text.isascii() or not text.isprintable() or " " in text:
        raise KindError(f"expected {_EXPECTED}")
    return text


def _field_value(text: str, scope: Scope) -> Secret:
    if _FIELD_VALUE.fullmatch(text) is None:
        raise KindError("expected the value of a header field: printable ASCII", is_secret=True)
    return Secret(text)


CollectorUrl = Annotated[str, Kind("collector", _EXPECTED, ("http://localhost:4318",), collector_url)]
_FieldValue = Annotated[
    Secret, Kind("secret", "the value of a header field, which is not shown again", ("{$OTLP_KEY}",), _field_value)
]


@record
class SentField:
    """A header field that a collector is sent."""

    name: HeaderName = arg("Its name.")
    value: _FieldValue = arg(
        "Its value, often a key, which is not shown again: `{$OTLP_KEY}` takes it from the environment."
    )

    @property
    def pair(self) -> tuple[str, str]:
        return self.name.decode(), self.value.value
