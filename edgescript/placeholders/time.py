"""The time of day."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate

from edgescript.declare.entries import Placeholder
from edgescript.http.clock import wall


def _now() -> datetime:
    return datetime.fromtimestamp(wall(), UTC)


PLACEHOLDER = Placeholder(
    "time",
    "`{time.now}` is the time in UTC, as `2026-01-31T12:00:00Z`; `{time.now.unix}` in seconds since 1970, "
    "`{time.now.unix_ms}` in milliseconds, `{time.now.http}` as HTTP writes it, `{time.now.common_log}` as access logs "
    "of old do; `{time.now.year}` is the year.",
    members={
        "now": lambda exchange: f"{_now():%Y-%m-%dT%H:%M:%SZ}",
        "now.http": lambda exchange: formatdate(wall(), usegmt=True),
        "now.unix": lambda exchange: str(int(wall())),
        "now.unix_ms": lambda exchange: str(int(wall() * 1000)),
        "now.common_log": lambda exchange: f"{_now():%d/%b/%Y:%H:%M:%S %z}",
        "now.year": lambda exchange: str(_now().year),
    },
)
