"""The hot read path of the graph: from host and path to the steps that answer."""

from __future__ import annotations

from edgescript.graph.model import Site


class HostIndex:
    """Which site answers a host: exact names first, then wildcards by length, then the catch-all."""

    def find(self, host: str) -> Site | None:
        """The most specific site for a lower-case host name, or None."""
        raise NotImplementedError
