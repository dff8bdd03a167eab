"""What a step may do with the trace that its request belongs to.

`exchange.span` is None where requests are not traced. It is there, and `sampled` false, where the trace goes on but nobody
records it: then `child` gives the span itself, and setting values does nothing.
"""

from __future__ import annotations

from typing import Protocol

from edgescript.http.headers import Headers


class Span(Protocol):
    """One piece of work of a trace (W3C Trace Context)."""

    @property
    def trace_id(self) -> str:
        """32 lower-case hexadecimal digits."""

    @property
    def span_id(self) -> str:
        """16 lower-case hexadecimal digits."""

    @property
    def sampled(self) -> bool:
        """It is recorded."""

    def child(self, name: str, *, client: bool = False) -> Span:
        """
        A span inside this one, which begins now; whoever asks for it ends it.

        :param client: it is the asking side of a request to another server
        """

    def set(self, name: str, value: str | int | float | bool) -> None:
        """Note something about the work, by OpenTelemetry's names of attributes."""

    def end(self, error: str | None = None) -> None:
        """The work is done; `error` says why in vain."""

    def inject(self, headers: Headers) -> None:
        """Have the header of a request to another server say that it belongs to this work."""
