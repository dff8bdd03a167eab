"""A line on its way to an output that wants more than its text: syslog, journald, OTLP."""

from __future__ import annotations

from dataclasses import dataclass

#: Severities of RFC 5424, 6.2.1.
CRITICAL, ERROR, WARNING, INFO, DEBUG = 2, 3, 4, 6, 7


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log."""

    #: Without its newline.
    text: str
    severity: int
    #: Seconds since 1970.
    when: float
    #: What the line is made of: names, values, and whether a value is a number.
    fields: tuple[tuple[str, str, bool], ...] = ()
    #: Of the trace that it belongs to, as hexadecimal digits, or "".
    trace_id: str = ""
    span_id: str = ""

    def __len__(self) -> int:
        """About how much memory it takes."""
        return len(self.text) + 100 + 2 * sum([len(name) + len(value) for name, value, _ in self.fields])


def severity_of(status: int) -> int:
    """A failure of the server's is an error, one of the client's a warning."""
    if status >= 500 or status == 0:
        return ERROR
    return WARNING if status >= 400 else INFO
