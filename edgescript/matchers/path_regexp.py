"""Match the path by a regular expression."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Build, Complaint, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample, matching
from edgescript.graph.captures import capturing, regexp_complaint
from edgescript.http.exchange import Exchange


@matcher("path_regexp")
class PathRegexp:
    r"""
    Match requests in whose path a regular expression finds something.

    `path_regexp [NAME] PATTERN`. The path is decoded and its `.`, `..` and empty segments are resolved before. What the
    groups of the pattern caught is `{re.1}`, and with a name also `{re.NAME.1}`, for all directives below.

    ```edge-test
    :80 {
        @user path_regexp user ^/users/([0-9]+)$
        respond @user "user {re.user.1}"
        respond 404
    }
    test "the number is caught" {
        request GET http://localhost/users/17
        expect body "user 17"
        request GET http://localhost/users/x
        expect status 404
    }
    ```
    """

    #: What it finds replaces what one above it found.
    captures = True

    words: tuple[str, ...] = rest("Perhaps a name for the captures; the regular expression.", least=1)

    def check(self) -> Iterator[Complaint]:
        if len(self.words) > 2:
            yield Complaint("words", "path_regexp takes a name and a pattern, and no more", code="E108")
        elif complaint := regexp_complaint(self.words[-1]):
            yield Complaint("words", complaint, code="E106")

    def sample(self, request: Sample, turn: int) -> None:
        request.path = matching(self.words[-1]) or request.path

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.words[-1:]

    def build(self, build: Build) -> Test:
        capture = capturing(self.words[-1], self.words[0] if len(self.words) == 2 else None)
        return lambda exchange: capture(exchange, exchange.path)

    def reason(self, exchange: Exchange) -> str:
        return f"the path is {exchange.path}"
