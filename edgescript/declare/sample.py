"""An imagined request that matchers shape until they match it, so that a route can be tried without traffic."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Stands for whatever a `*` covers; texts that are shown have the `*` again.
ANYTHING = "edge-any"


@dataclass(slots=True)
class Sample:
    """
    A request in the making.

    A matcher may have `sample(self, request: Sample, turn: int) -> None`, which changes it to one that the matcher matches;
    where it cannot, it leaves the request alone. Turns count from 0: where there are alternatives, each has its turn.
    """

    method: str = "GET"
    scheme: str = "http"
    host: str = ""
    path: str = "/"
    #: Without the `?`.
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    ip: str = "192.0.2.1"

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def copy(self) -> Sample:
        """The same, to be changed on its own."""
        return Sample(self.method, self.scheme, self.host, self.path, self.query, dict(self.headers), self.ip)


def fitting(pattern: str) -> str:
    """A text that fits a pattern with `*`."""
    return pattern.replace("*", ANYTHING)


def readable(text: str) -> str:
    """A text for a person, with `*` for what stood for anything."""
    return text.replace(ANYTHING, "*")
