"""The way that a request really took: the code of a program is wrapped where it is made for a test, and nowhere else.

What is noted is what `edge explain` tells, so that it is shown by the same text; but everything here has happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from edgescript.declare.entries import Rest, Role
from edgescript.graph.explain import (
    SHOWN_REFUSALS,
    Explanation,
    Outcome,
    Told,
    Verdict,
    changed,
    heading,
    place_of,
    site_reason,
    verdict_of,
    verdict_of_choice,
)
from edgescript.graph.model import Choice, ErrorRoute, Flow, Program, Site, Step
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response

_Code = tuple[Callable[[Exchange], bool] | None, Callable[[Exchange], Any], int, int]

#: Of a site: the number of a program (0, and from 1 on those of `handle_errors`), a position in it, and which of a step's
#: choices was taken (-1: the step itself).
Touch = tuple[int, int, int]

_DONE = {
    Role.WRAPPER: Outcome.WRAPS,
    Role.RESPONSES: Outcome.WRAPS,
    Role.GROUP: Outcome.ENTERED,
    Role.TERMINAL: Outcome.ANSWERED,
}


class Recorder:
    """What the requests of one test did. `begin` starts anew."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.site: Site | None = None
        #: What the request went through, by the names that `expect route` knows: addresses, lines, matchers.
        self.routes: list[str] = []
        #: What was touched in any request, by site.
        self.touched: dict[int, set[Touch]] = {}
        self._reason = ""

    def begin(self) -> None:
        self.told = []
        self.site = None
        self.routes = []
        self._reason = ""

    def enter(self, site: Site | None, host: str, name: str | None) -> None:
        """Note which site a host led to, and by which of its names."""
        self.site = site
        if site is None:
            self._reason = f"the host is {host or 'empty'}, and no site here has it"
        else:
            self._reason = site_reason(host, name)
            self.routes += site.names

    def watched(self, number: int, site: Site) -> Site:
        """The same site, whose steps are noted when they run."""
        touched = self.touched.setdefault(number, set())
        errors = tuple(
            replace(route, program=_Watching(self, touched, n, route).program(route.program))
            for n, route in enumerate(site.errors, 1)
        )
        return replace(site, program=_Watching(self, touched, 0, None).program(site.program), errors=errors)

    # ---- afterwards

    def explanation(self, request: str, listener: str, answer: str) -> Explanation:
        """The walk of the last request."""
        site = self.site
        return Explanation(
            request=request,
            listener=listener,
            site=None if site is None else site.names,
            site_place=None if site is None else place_of(site.span),
            site_reason=self._reason,
            steps=tuple(self.told),
            answer=answer,
        )


class _Watching:
    """Wraps the steps of one program."""

    def __init__(self, recorder: Recorder, touched: set[Touch], number: int, route: ErrorRoute | None) -> None:
        self._recorder = recorder
        self._touched = touched
        self._number = number
        self._route = route
        self._depth = 0 if route is None else 1
        self._verdict: Verdict | None = None

    def program(self, program: Program) -> Program:
        code = [self._code(position, step) for position, step in enumerate(program.steps)]
        if self._route is not None:
            code[0] = self._entrance(*code[0])
        return Program(program.steps, tuple(code))

    def _code(self, position: int, step: Step) -> _Code:
        test = None if step.matcher is None else self._test(step)
        return test, self._run(position, step), step.otherwise, step.flow.value

    def _entrance(
        self, test: Callable[[Exchange], bool] | None, run: Callable[[Exchange], Any], otherwise: int, flow: int
    ) -> _Code:
        """The first step of an error route: the error is told, and what took it."""
        route = self._route
        assert route is not None
        first = test or (lambda exchange: True)

        def entered(exchange: Exchange) -> bool:
            self._touched.add((self._number, -1, -1))
            tell_error(self._recorder, exchange)
            self._recorder.told.append(Told(Outcome.ENTERED, heading(route), place_of(route.span), 0))
            self._recorder.routes.append(heading(route))
            return first(exchange)

        return entered, run, otherwise, flow

    def _tell(self, step: Step, outcome: Outcome, note: str = "", tried: tuple[Verdict, ...] = ()) -> None:
        verdict, self._verdict = self._verdict, None
        depth = self._depth + step.depth
        self._recorder.told.append(Told(outcome, step.text, place_of(step.span), depth, verdict, tried, note))
        if outcome not in (Outcome.SKIPPED, Outcome.CHOSE):
            self._recorder.routes += [step.text, *([] if verdict is None else [verdict.text])]

    def _test(self, step: Step) -> Callable[[Exchange], bool]:
        matcher = step.matcher
        assert matcher is not None

        def test(exchange: Exchange) -> bool:
            verdict = self._verdict = verdict_of(matcher, exchange)
            if not verdict.matched:
                self._tell(step, Outcome.SKIPPED)
            return verdict.matched

        return test

    def _run(self, position: int, step: Step) -> Callable[[Exchange], Any]:
        if step.flow is Flow.JUMP:
            return self._jump(position, step)
        if step.role is None:
            return step.run
        touch = (self._number, position, -1)

        def run(exchange: Exchange, *rest: Rest) -> Any:
            self._touched.add(touch)
            described = _described(step, exchange)
            before = (exchange.method, exchange.uri)
            if step.flow is Flow.AROUND:  # it is told before what is below it
                self._ran(step, exchange, described, before, None)
            try:
                result = step.run(exchange, *rest)
            except Exception as error:
                self._failed(step, error)
                raise
            if step.flow is Flow.AWAIT:
                return self._waited(step, exchange, described, before, result)
            if step.flow is Flow.CALL:
                self._ran(step, exchange, described, before, result)
            return result

        return run

    async def _waited(
        self, step: Step, exchange: Exchange, described: str, before: tuple[bytes, bytes], result: Awaitable[Any]
    ) -> Response | None:
        try:
            response: Response | None = await result
        except Exception as error:
            self._failed(step, error)
            raise
        self._ran(step, exchange, described, before, response)
        return response

    def _ran(
        self, step: Step, exchange: Exchange, described: str, before: tuple[bytes, bytes], response: Response | None
    ) -> None:
        assert step.role is not None
        outcome = _DONE.get(step.role, Outcome.RAN)
        note = changed(exchange, before) or described
        if response is not None:
            outcome, note = Outcome.ANSWERED, described or f"answer {response.status}"
        elif outcome is Outcome.ANSWERED:
            outcome, note = Outcome.RAN, "it lets the request go on"
        self._tell(step, outcome, note)

    def _failed(self, step: Step, error: Exception) -> None:
        note = f"raise error {error.status}" if isinstance(error, HTTPError) else type(error).__name__.lower()
        self._tell(step, Outcome.ANSWERED if step.role is Role.TERMINAL else Outcome.RAN, note)

    def _jump(self, position: int, step: Step) -> Callable[[Exchange], int]:
        if not step.choices:
            return step.run
        taken = {choice.position: number for number, choice in reversed([*enumerate(step.choices)])}

        def jump(exchange: Exchange) -> int:
            going: int = step.run(exchange)
            number = taken.get(going, len(step.choices))
            if number < len(step.choices):
                self._touched.add((self._number, position, number))
                matcher = step.choices[number].matcher
                self._recorder.routes += [step.choices[number].text, *([] if matcher is None else [matcher.text])]
            self._tell(step, Outcome.CHOSE, tried=tuple(_tried(step.choices, number, exchange)))
            return going

        return jump


def _tried(choices: tuple[Choice, ...], taken: int, exchange: Exchange) -> Iterator[Verdict]:
    """What was asked up to the choice that was taken; of many refusals, the first."""
    refusals = min(taken, SHOWN_REFUSALS)
    for choice in choices[:refusals]:
        yield verdict_of_choice(choice.text, choice.span, choice.matcher, exchange)
    if taken > refusals:
        yield Verdict(f"… {taken - refusals} more", None, False, "")
    if taken < len(choices):
        choice = choices[taken]
        yield verdict_of_choice(choice.text, choice.span, choice.matcher, exchange)


def tell_error(recorder: Recorder, exchange: Exchange) -> None:
    """Note the error that a request came to."""
    error = exchange.error
    if error is not None:
        recorder.told.append(Told(Outcome.FAILED, f"error {error.status}", None, 0, note=error.reason))


def _described(step: Step, exchange: Exchange) -> str:
    """What the directive says it will do; where it would raise an error, running it tells."""
    if step.explain is None:
        return ""
    try:
        return step.explain(exchange) or ""
    except HTTPError:
        return ""
