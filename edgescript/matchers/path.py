"""Match the path."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.kinds import PathPattern
from edgescript.declare.sample import Sample, fitting
from edgescript.graph.patterns import path_test
from edgescript.http.exchange import Exchange


@matcher("path")
class Path:
    """
    Match requests whose path fits one of the patterns.

    A pattern is exact unless it holds `*`: `/api/*` matches everything below `/api/`, `*.php` by the end, `*x*` anywhere;
    a `*` in the middle stands for a part of one segment. The path is decoded and its `.`, `..` and empty segments are
    resolved before; upper and lower case are the same.

    ```edge-test
    :80 {
        @assets path /css/* *.png
        respond @assets "an asset"
        respond "a page"
    }
    test "by prefix and by ending" {
        request GET http://localhost/css/site.css
        expect body "an asset"
        request GET http://localhost/img/LOGO.png
        expect body "an asset"
        request GET http://localhost/css
        expect body "a page"
    }
    ```
    """

    patterns: tuple[PathPattern, ...] = rest("Patterns, one of which the path must fit.", least=1)

    @property
    def paths(self) -> tuple[str, ...]:
        """For the path index: this matcher is nothing but these patterns."""
        return self.patterns

    def sample(self, request: Sample, turn: int) -> None:
        request.path = fitting(self.patterns[turn % len(self.patterns)])

    def build(self, build: Build) -> Test:
        return path_test(self.patterns)

    def reason(self, exchange: Exchange) -> str:
        return f"the path is {exchange.path}"
