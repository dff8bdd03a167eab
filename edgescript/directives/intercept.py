"""Answer in place of a response from below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgescript.declare.entries import Around, Build, Built, Complaint, Rest, Role, Steps, directive
from edgescript.declare.fields import rest, steps
from edgescript.declare.kinds import KindError
from edgescript.directives.header import ResponseMatch
from edgescript.http.body import discard
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response


@directive("intercept", role=Role.RESPONSES, elsewhere=("handle_response", "proxy_intercept_errors"))
class Intercept:
    """
    Look at the responses of what is below, and answer differently.

    Behind the name stands which responses are meant: statuses or classes (`404 5xx`), or `header NAME VALUE` for a field
    that the response has, where `*` at either end of the value stands for anything; without either, all of them. The block
    runs when such a response has come. If one of its directives answers, that is sent and the response is dropped; if none
    does, the response goes on, with what `header` and `replace_status` in the block made of it.

    Inside, `{resp.status}` and `{resp.header.NAME}` tell about the response. `respond "…"` has its status there, and
    another where it gives one; `files` has it if it is an error. Errors that a directive raises itself, such as a server
    that cannot be reached, are no responses: `handle_errors` answers them.

    A `proxy` in the block can send the request's body once more if it was short enough to be at hand. A longer one is gone
    when it was sent on, and the request is answered 500.

    ```edge-test
    :80 {
        intercept 5xx {
            header Retry-After 10
            respond "We are back soon."
        }
        intercept header X-Accel-Redirect * {
            rewrite {resp.header.X-Accel-Redirect}
            respond /internal/report "the report" 200
        }
        proxy 10.0.0.1:8080
    }
    test "the page of a broken server is ours" {
        upstream 10.0.0.1:8080 {
            status 503
            body "Traceback …"
        }
        request GET http://localhost/
        expect status 503
        expect header Retry-After 10
        expect body "We are back soon."
    }
    test "the server says what to send" {
        upstream 10.0.0.1:8080 {
            header X-Accel-Redirect /internal/report
        }
        request GET http://localhost/reports/7
        expect body "the report"
    }
    test "other responses pass" {
        upstream 10.0.0.1:8080 {
            body "hello"
        }
        request GET http://localhost/
        expect status 200
        expect body "hello"
    }
    ```
    """

    words: tuple[str, ...] = rest(
        "Statuses or classes such as `404 5xx`, or `header NAME VALUE`; all, where none is given."
    )
    steps: Steps = steps("The directives that run when such a response has come.")

    def check(self) -> Iterator[Complaint]:
        try:
            self._match.rules()
        except KindError as error:
            yield Complaint(
                "words", error.message, "write `intercept 404 5xx` or `intercept header NAME VALUE`", "E106"
            )

    @property
    def _match(self) -> ResponseMatch:
        words = self.words if not self.words or self.words[0] in ("status", "header") else ("status", *self.words)
        return ResponseMatch(words=words, status=(), header=())

    def build(self, build: Build) -> Built:
        return Built(_around(self._match.build()), around=True)


def _around(fits: Callable[[Response], bool]) -> Around:
    async def run(exchange: Exchange, below: Rest) -> Response:
        response = await below()
        if response.upgrade is not None or not fits(response):
            return response
        outer, exchange.intercepted = exchange.intercepted, response
        try:
            answer = await below(1)
        except BaseException:
            discard(response.body)
            raise
        finally:
            exchange.intercepted = outer
        if answer is not response:
            discard(response.body)
        return answer

    return run
