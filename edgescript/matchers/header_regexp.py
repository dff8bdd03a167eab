"""Match a header field by a regular expression."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Build, Complaint, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample, matching
from edgescript.graph.captures import capturing, regexp_complaint
from edgescript.http.exchange import Exchange
from edgescript.http.headers import every
from edgescript.observe.credentials import SECRET_FIELDS, Credential


@matcher("header_regexp")
class HeaderRegexp:
    """
    Match requests with a header field in which a regular expression finds something.

    `header_regexp [NAME] FIELD PATTERN`. What the groups of the pattern caught is `{re.1}`, and with a name also
    `{re.NAME.1}`, for all directives below.

    ```edge-test
    :80 {
        @session header_regexp login Cookie "session=([a-f0-9]+)"
        respond @session "session {re.login.1}"
        respond "no session"
    }
    test "the group is caught" {
        request GET http://localhost/
        header Cookie "a=b; session=c0ffee"
        expect body "session c0ffee"
        request GET http://localhost/
        expect body "no session"
    }
    ```
    """

    #: What it finds replaces what one above it found.
    captures = True

    words: tuple[str, ...] = rest("Perhaps a name for the captures; the field's name; the regular expression.", least=2)

    def check(self) -> Iterator[Complaint]:
        if len(self.words) > 3:
            yield Complaint("words", "header_regexp takes a name, a field and a pattern, and no more", code="E108")
        elif complaint := regexp_complaint(self.words[-1]):
            yield Complaint("words", complaint, code="E106")

    @property
    def _field(self) -> bytes:
        return self.words[-2].lower().encode()

    def sample(self, request: Sample, turn: int) -> None:
        request.headers[self.words[-2]] = matching(self.words[-1]) or ""

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.words[-1:]

    def build(self, build: Build) -> Test:
        field = self._field
        make = Credential if field.decode() in SECRET_FIELDS else None
        capture = capturing(self.words[-1], self.words[0] if len(self.words) == 3 else None, make=make)

        def test(exchange: Exchange) -> bool:
            for key, value in exchange.headers:
                if key == field and capture(exchange, value.decode("utf-8", "surrogateescape")):
                    return True
            return False

        return test

    def reason(self, exchange: Exchange) -> str:
        values = every(exchange.headers, self._field)
        if not values:
            return f"there is no {self.words[-2]}"
        return f"{self.words[-2]} is {', '.join(value.decode('latin-1') for value in values)}"
