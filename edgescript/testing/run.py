"""Runs `test` blocks against the compiled routes: the whole path of a request, in memory, without opening a port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgescript.graph.explain import Explanation
from edgescript.testing.clock import VirtualLoop
from edgescript.testing.compiled import Compiled
from edgescript.testing.expect import Answer, compare, difference
from edgescript.testing.scenario import Expectation, Request, Scenario, StandIn
from edgescript.testing.stage import Stage, Unanswered
from edgescript.testing.standin import Reply
from edgescript.text.source import Span

#: Bytes of an answer's body that a failure keeps: there may be thousands of failures.
MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that did not come out as expected."""

    message: str
    span: Span
    #: What the request went through; None where it never came in.
    walk: Explanation | None = None
    #: With the beginning of its body.
    answer: Answer | None = None
    #: The lines in which a body differs.
    difference: Sequence[str] = ()


async def run(scenario: Scenario, compiled: Compiled, loop: VirtualLoop) -> tuple[list[Failure], Stage]:
    """What fails in a test, empty where all is as expected; and where it was played, for what it touched."""
    stage = Stage(compiled, loop)
    for stand_in in scenario.upstreams:
        stage.stand_ins.add(stand_in.address, _reply(stand_in))
    failures = [failure for request in scenario.requests for failure in await _repeated(stage, request)]
    try:
        await stage.close()
    except Exception as error:  # of a directive that cannot be put away
        failures.append(Failure(f"{type(error).__name__}: {error}", scenario.span))
    return failures, stage


def _reply(stand_in: StandIn) -> Reply:
    return Reply(stand_in.status, stand_in.headers, stand_in.body, stand_in.delay, stand_in.fails)


async def _repeated(stage: Stage, request: Request) -> list[Failure]:
    """Make a request as often as it says; only the last answer is looked at."""
    for move in request.moves:
        if move.at is not None:
            stage.clock.set(move.at)
        await stage.clock.move(move.seconds)
    answer = Answer()
    try:
        for _ in range(request.repeat):
            stage.stand_ins.received.clear()
            answer = await stage.ask(request)
    except Unanswered as reason:
        return [Failure(str(reason), request.span, stage.walk())]
    except Exception as error:  # whatever is wrong with a step, or with us: one test fails, and the others go on
        return [Failure(f"{type(error).__name__}: {error}", request.span, stage.walk())]
    kept = replace(answer, body=answer.body[:MOST_KEPT])
    return [
        Failure(f"expected {_written(expectation)}; there came {instead}", expectation.span, stage.walk(), kept, lines)
        for expectation in request.expectations
        if (instead := compare(expectation, answer)) is not None
        for lines in [difference(expectation, answer)]
    ]


def _written(expectation: Expectation) -> str:
    words = [repr(word) if " " in word or "\n" in word or not word else word for word in expectation.arguments]
    return " ".join([*(["not"] if expectation.negated else []), expectation.subject, *words])
