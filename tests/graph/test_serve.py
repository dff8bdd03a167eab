"""The path of a request: steps in order, waits in between, errors answered, changes applied from the inside out."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from edgescript.graph.layout import NOT_FOUND, PLAIN_ERROR
from edgescript.graph.match import HostTable
from edgescript.graph.model import ErrorRoute, Flow, Listener, Matcher, Program, Site, Step
from edgescript.http.body import FileRange
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort, HTTPError, Response
from edgescript.http.pending import Drive, Pending
from edgescript.server.serve import serve
from edgescript.storage.base import StorageError

Run = Callable[[Exchange], Any]


def step(run: Run, *, only: Callable[[Exchange], bool] | None = None, otherwise: int = 0, jump: bool = False) -> Step:
    matcher = None if only is None else Matcher(only, "@only", lambda exchange: "", None)
    flow = Flow.JUMP if jump else Flow.AWAIT if inspect.iscoroutinefunction(run) else Flow.CALL
    return Step("test", "test", None, matcher, flow, run, otherwise, 0)


def program(*steps: Step, end: Step = NOT_FOUND) -> Program:
    every = (*steps, end)
    code = tuple((s.matcher and s.matcher.test, s.run, s.otherwise, s.flow.value) for s in every)
    return Program(every, code)


def listener(*steps: Step, errors: tuple[ErrorRoute, ...] = ()) -> Listener:
    site = Site(("http://example.com",), None, program(*steps), errors)
    return Listener("", 80, HostTable([("example.com", site)]))


def on_error(*steps: Step, statuses: tuple[int, ...] = (), classes: tuple[int, ...] = ()) -> ErrorRoute:
    return ErrorRoute(frozenset(statuses), frozenset(classes), program(*steps, end=PLAIN_ERROR))


def answer(text: str, status: int = 200) -> Run:
    return lambda exchange: Response(status, [], text.encode())


def fail(error: Exception) -> Run:
    def run(exchange: Exchange) -> None:
        raise error

    return run


def served(exchange: Exchange, at: Listener) -> Response:
    """What `serve` gives, driven as the fast lane does where it waits for values that are there."""
    outcome = serve(exchange, at)
    if isinstance(outcome, Response):
        return outcome
    results: list[tuple[Response | None, BaseException | None]] = []
    Drive(outcome, lambda *result: results.append(result)).start()
    ((response, error),) = results
    if error is not None:
        raise error
    assert response is not None
    return response


def test_steps_run_in_order_until_one_answers(ask: Any) -> None:
    seen: list[str] = []
    steps = [
        step(lambda exchange: seen.append("first")),
        step(answer("second")),
        step(lambda exchange: seen.append("third")),
    ]
    response = serve(ask(), listener(*steps))
    assert isinstance(response, Response)
    assert (response.body, seen) == (b"second", ["first"])


def test_a_step_whose_matcher_does_not_match_is_gone_around(ask: Any) -> None:
    at = listener(
        step(answer("inside"), only=lambda exchange: exchange.path == "/in", otherwise=2),
        step(answer("never")),
        step(answer("behind")),
    )
    assert served(ask("/in"), at).body == b"inside"
    assert served(ask("/out"), at).body == b"behind"


def test_a_step_that_chooses_gives_the_position_to_go_on_at(ask: Any) -> None:
    at = listener(step(lambda exchange: 2, jump=True), step(answer("one")), step(answer("two")))
    assert served(ask(), at).body == b"two"


def test_what_nobody_answers_is_not_found(ask: Any) -> None:
    assert served(ask(), listener()).status == 404


def test_a_host_without_a_site_is_not_found(ask: Any) -> None:
    assert served(ask(host="other.example"), listener(step(answer("x")))).status == 404


def test_steps_that_wait_and_steps_that_do_not_take_turns(ask: Any) -> None:
    seen: list[str] = []
    pending: list[Pending[str]] = [Pending(), Pending()]

    def waits(number: int) -> Run:
        async def run(exchange: Exchange) -> None:
            seen.append(await pending[number])

        return run

    at = listener(step(waits(0)), step(lambda exchange: seen.append("between")), step(waits(1)), step(answer("done")))
    outcome = serve(ask(), at)
    assert not isinstance(outcome, Response)
    results: list[Any] = []
    Drive(outcome, lambda *result: results.append(result)).start()
    assert (seen, results) == ([], [])
    pending[0].set("one")
    assert (seen, results) == (["one", "between"], [])
    pending[1].set("two")
    assert seen == ["one", "between", "two"]
    ((response, error),) = results
    assert (response.body, error) == (b"done", None)


def test_a_step_that_waited_may_answer_itself(ask: Any) -> None:
    async def run(exchange: Exchange) -> Response:
        return Response(200, [], b"waited")

    assert served(ask(), listener(step(run), step(answer("never")))).body == b"waited"


async def _fails_later(exchange: Exchange) -> None:
    raise HTTPError(503, "later")


@pytest.mark.parametrize("run", [fail(HTTPError(503, "at once")), _fails_later])
def test_an_error_is_answered_by_the_first_route_that_fits(run: Run, ask: Any) -> None:
    errors = (
        on_error(step(answer("exact", 503)), statuses=(503,)),
        on_error(step(answer("class", 500)), classes=(5,)),
        on_error(step(answer("any", 500))),
    )
    assert served(ask(), listener(step(run), errors=errors)).body == b"exact"
    assert served(ask(), listener(step(run), errors=errors[1:])).body == b"class"
    assert served(ask(), listener(step(run), errors=errors[2:])).body == b"any"


def test_an_error_that_no_route_fits_is_answered_in_words_without_its_reason(ask: Any) -> None:
    at = listener(
        step(fail(HTTPError(503, "secret", [(b"retry-after", b"5")]))),
        errors=(on_error(step(answer("x")), statuses=(404,)),),
    )
    response = served(ask(), at)
    assert (response.status, response.body) == (503, b"503 Service Unavailable\n")
    assert (b"retry-after", b"5") in response.headers


def test_an_error_route_that_answers_nothing_leaves_the_plain_answer(ask: Any) -> None:
    exchange = ask()
    response = served(exchange, listener(step(fail(HTTPError(410))), errors=(on_error(),)))
    assert (response.status, response.body) == (410, b"410 Gone\n")
    assert exchange.error.status == 410


@pytest.mark.parametrize("run", [fail(HTTPError(418)), _fails_later])
def test_an_error_inside_an_error_route_is_answered_in_words_and_not_handled_again(run: Run, ask: Any) -> None:
    response = served(ask(), listener(step(fail(HTTPError(404))), errors=(on_error(step(run)),)))
    assert response.status in (418, 503)


def test_an_error_route_may_wait(ask: Any) -> None:
    async def page(exchange: Exchange) -> Response:
        return Response(404, [], b"a page")

    assert served(ask(), listener(errors=(on_error(step(page)),))).body == b"a page"


def test_a_mistake_of_the_program_is_logged_and_answered_500(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = served(ask(), listener(step(fail(ZeroDivisionError("oops")))))
    assert response.status == 500
    assert b"oops" not in response.body  # type: ignore[operator]
    assert "ZeroDivisionError" in caplog.text
    assert "in the step `test`" in caplog.text


def test_a_store_that_is_away_is_no_mistake_of_the_program(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It has said so itself, once; thousands of requests with a traceback each would be all that the log holds."""
    assert served(ask(), listener(step(fail(StorageError("redis is gone"))))).status == 503
    assert caplog.records == []


def test_a_mistake_is_logged_with_the_step_that_waited(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def waits(exchange: Exchange) -> None:
        raise KeyError("later")

    async def goes_on(exchange: Exchange) -> None:
        return None

    with caplog.at_level(logging.ERROR):
        assert served(ask(), listener(step(goes_on), step(waits))).status == 500
    assert caplog.text.count("in the step") == 1


async def _aborts_later(exchange: Exchange) -> None:
    raise Abort


@pytest.mark.parametrize("run", [fail(Abort()), _aborts_later])
def test_abort_comes_out_of_serve(run: Run, ask: Any) -> None:
    with pytest.raises(Abort):
        served(ask(), listener(step(run), errors=(on_error(step(answer("x"))),)))


def test_abort_comes_out_of_an_error_route(ask: Any) -> None:
    with pytest.raises(Abort):
        served(ask(), listener(errors=(on_error(step(fail(Abort()))),)))


def _change(mark: bytes) -> Run:
    def change(exchange: Exchange, response: Response) -> None:
        response.headers.append((b"x-mark", mark))

    return lambda exchange: exchange.on_response(change)


def test_changes_run_from_the_inside_out_on_answers_and_on_errors(ask: Any) -> None:
    for last in (step(answer("x")), step(fail(HTTPError(400)))):
        response = served(ask(), listener(step(_change(b"outer")), step(_change(b"inner")), last))
        assert [value for name, value in response.headers if name == b"x-mark"] == [b"inner", b"outer"]


def test_the_response_is_known_to_changes_and_afterwards(ask: Any) -> None:
    exchange = ask()
    statuses: list[int] = []
    noting = step(lambda exchange: exchange.on_response(lambda exchange, _: statuses.append(exchange.response.status)))
    response = served(exchange, listener(noting, step(answer("x", 202))))
    assert statuses == [202]
    assert exchange.response is response


def test_a_change_that_fails_gives_500_and_frees_the_body(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    reading, writing = os.pipe()

    def run(exchange: Exchange) -> Response:
        exchange.on_response(lambda exchange, response: 1 // 0)
        return Response(200, [], FileRange(reading, 0, 1))

    assert served(ask(), listener(step(run))).status == 500
    os.close(writing)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


def test_a_change_that_fails_cancels_a_body_that_streams(ask: Any) -> None:
    class Streaming:
        cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

    body = Streaming()

    def run(exchange: Exchange) -> Response:
        exchange.on_response(lambda exchange, response: 1 // 0)
        return Response(200, [], body)  # type: ignore[arg-type]

    assert served(ask(), listener(step(run))).status == 500
    assert body.cancelled
