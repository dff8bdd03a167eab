"""What a step may do with the trace that its request belongs to.

`exchange.span` is None where requests are not traced. It is there, and `sampled` false, where the trace goes on but nobody
records it: then `child` gives the span itself, and setting values does nothing.
"""

from __future__ import annotations

from typing import Protocol


class Span(Protocol):
    """One piece of work of a trace (W3C Trace Context)."""

    #: 32 and 16 lower-case hexadecimal digits.
    trace_id: str
    span_id: str
    sampled: bool

    def child(self, name: str) -> Span:
        """A span inside this one, which begins now; whoever asks for it ends it."""

    def set(self, name: str, value: str | int | float | bool) -> None:
        """Note something about the work, by OpenTelemetry's names of attributes."""

    def end(self, error: str | None = None) -> None:
        """The work is done; `error` says why in vain."""
