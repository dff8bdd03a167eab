"""Change the status of responses."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, directive
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Status
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response

#: They say something about what the client has, which no other status does.
_FIXED = frozenset((101, 206, 304))


@directive("replace_status", role=Role.WRAPPER, elsewhere=("copy_response",))
class ReplaceStatus:
    """
    Change the status of responses, and nothing else.

    In the block of `intercept` it changes the response that was looked at, which goes on with its fields and its body;
    elsewhere every response from below, errors included. Parts of files (206) and answers to questions whether something
    has changed (304) stay as they are.

    ```edge-test
    :80 {
        intercept 404 {
            replace_status 200
        }
        proxy 10.0.0.1:8080
    }
    test "a page that is missing is one of the application's" {
        upstream 10.0.0.1:8080 {
            status 404
            header X-App yes
            body "<div id=app>"
        }
        request GET http://localhost/orders/7
        expect status 200
        expect header X-App yes
        expect body "<div id=app>"
    }
    ```
    """

    status: Status = arg("The new status.")

    def check(self) -> Iterator[Complaint]:
        if self.status < 200 or self.status in _FIXED:
            yield Complaint("status", "no response can be given this status", "write one such as 200 or 404", "E106")

    def effects(self) -> Iterator[str]:
        yield f"get the status {self.status}"

    def build(self, build: Build) -> Action:
        status = self.status

        def change(exchange: Exchange, response: Response) -> None:
            if response.status not in _FIXED:
                response.status = status

        return lambda exchange: exchange.on_response(change)
