"""What would happen to a request, and why: the same program is walked that requests run.

Matchers are asked and rewriters run for real, so that what stands below them sees what it would see. Wrappers are named.
A terminal is described and not run: explaining a request sends nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from edgescript.declare.entries import Role
from edgescript.graph.model import ErrorRoute, Flow, Graph, Listener, Matcher, Program, Site, Step
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort, HTTPError, Response
from edgescript.text.source import Span

#: Of a choice among many, this many refusals are shown before the rest is only counted.
SHOWN_REFUSALS = 12
#: Columns are no wider; a longer text moves what stands behind it.
WIDEST = 60


class Outcome(StrEnum):
    """What became of a step."""

    SKIPPED = "skip"  # its matcher did not match
    RAN = "run"  # it was run for real
    WRAPS = "wrap"  # it would see the response
    ENTERED = "enter"  # its block was entered
    CHOSE = "choose"  # one of several was chosen, or none
    ANSWERED = "answer"
    FAILED = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one matcher said."""

    text: str
    place: str | None
    matched: bool
    reason: str
    parts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the walk."""

    outcome: Outcome
    text: str
    place: str | None
    depth: int
    verdict: Verdict | None = None
    #: Of a choice: what was tried, in order, up to the one that matched.
    tried: tuple[Verdict, ...] = ()
    #: What it did, or would do.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer to "what happens to this request?"."""

    request: str
    listener: str
    #: The site's addresses as written; None where no site answers the host.
    site: tuple[str, ...] | None
    site_place: str | None
    site_reason: str
    steps: tuple[Told, ...]
    answer: str

    def as_json(self) -> dict[str, Any]:
        """As plain lists, dictionaries and texts."""
        return asdict(self)

    def as_text(self) -> str:
        """For a terminal, see `render`."""
        return render(self)


def explain(graph: Graph, exchange: Exchange, listener: Listener) -> Explanation:
    """What `graph` would do with a request that comes in at `listener`. Changes the exchange as rewriters do."""
    return walked(graph, exchange, listener)[0]


def walked(
    graph: Graph, exchange: Exchange, listener: Listener, *, error: HTTPError | None = None
) -> tuple[Explanation, tuple[Step, ...]]:
    """
    The explanation of a request, and the steps that took part, in the order in which they ran.

    :param error: what the request failed with: then only its `handle_errors` is walked
    """
    assert listener in graph.listeners, "a listener is one of its graph's"
    request = f"{exchange.method.decode('latin-1')} {_url(exchange)}"
    at = f"{listener.host}:{listener.port}" if listener.port is not None else listener.host
    site = listener.hosts.find(exchange.host)
    if site is None:
        reason = f"the host is {exchange.host or 'empty'}, and no site at {at} has it"
        return Explanation(request, at, None, None, reason, (), "404 Not Found"), ()
    reason = site_reason(exchange.host, listener.hosts.name_of(exchange.host))
    walk = _Walk(exchange)
    answer = walk.site(site) if error is None else walk.failed(site, error)
    told = Explanation(request, at, site.names, place_of(site.span), reason, tuple(walk.told), answer)
    return told, tuple(walk.passed)


def _url(exchange: Exchange) -> str:
    port = "" if exchange.port is None else f":{exchange.port}"
    return f"{exchange.client.scheme}://{exchange.host}{port}{exchange.uri.decode('latin-1')}"


class _Walk:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.told: list[Told] = []
        #: The steps that were not skipped.
        self.passed: list[Step] = []

    def site(self, site: Site) -> str:
        """The answer in a line."""
        try:
            return self._program(site.program, 0)
        except Abort:
            return "the connection is closed without an answer"
        except HTTPError as error:
            return self.failed(site, error)

    def failed(self, site: Site, error: HTTPError) -> str:
        """The answer to an error, in a line."""
        self.exchange.error = error
        self.told.append(Told(Outcome.FAILED, f"error {error.status}", None, 0, note=error.reason))
        for route in site.errors:
            if route.fits(error.status):
                self.told.append(Told(Outcome.ENTERED, heading(route), place_of(route.span), 0))
                return self._handled(route.program)
        return f"{error.status}, as no handle_errors fits"

    def _handled(self, program: Program) -> str:
        try:
            return self._program(program, 1)
        except HTTPError as error:
            return f"{error.status}, as handle_errors failed itself"
        except Abort:
            return "the connection is closed without an answer"

    def _program(self, program: Program, depth: int) -> str:
        position = 0
        while True:
            step = program.steps[position]
            verdict = None if step.matcher is None else verdict_of(step.matcher, self.exchange)
            if verdict is not None and not verdict.matched:
                self._tell(step, Outcome.SKIPPED, depth, verdict)
                position = step.otherwise
            elif step.flow is Flow.JUMP:
                position = self._jump(step, depth)
            else:
                answer = self._step(step, depth, verdict)
                if answer is not None:
                    return answer
                position += 1

    def _tell(self, step: Step, outcome: Outcome, depth: int, verdict: Verdict | None, note: str = "") -> None:
        self.told.append(Told(outcome, step.text, place_of(step.span), depth + step.depth, verdict, note=note))

    def _jump(self, step: Step, depth: int) -> int:
        position: int = step.run(self.exchange)
        if step.choices:
            tried: list[Verdict] = []
            for choice in step.choices:
                tried.append(verdict_of_choice(choice.text, choice.span, choice.matcher, self.exchange))
                if tried[-1].matched:
                    break
            told = Told(Outcome.CHOSE, step.text, place_of(step.span), depth + step.depth, tried=tuple(tried))
            self.told.append(told)
        return position

    def _step(self, step: Step, depth: int, verdict: Verdict | None) -> str | None:
        """Run, name or describe one step; its answer, if it gives one."""
        self.passed.append(step)
        if step.role is Role.TERMINAL:
            return self._terminal(step, depth, verdict)
        described = "" if step.explain is None else step.explain(self.exchange) or ""
        if step.role is Role.WRAPPER or step.role is Role.RESPONSES:
            self._tell(step, Outcome.WRAPS, depth, verdict, described)
            return None
        before = (self.exchange.method, self.exchange.uri)
        try:
            response, waits = _run_now(step, self.exchange)
        except HTTPError as error:
            if step.role is not None:
                self._tell(step, Outcome.RAN, depth, verdict, f"error {error.status}")
            raise
        note = "it would have to wait, and was not run" if waits else changed(self.exchange, before) or described
        if step.role is not None:
            outcome = Outcome.ENTERED if step.role is Role.GROUP else Outcome.RAN
            self._tell(step, outcome, depth, verdict, note)
        return None if response is None else f"{response.status}, from {step.text}"

    def _terminal(self, step: Step, depth: int, verdict: Verdict | None) -> str | None:
        """What a directive that answers says it would do; it is not run, for it may send something somewhere."""
        try:
            described = step.text if step.explain is None else step.explain(self.exchange)
        except HTTPError as error:
            self._tell(step, Outcome.ANSWERED, depth, verdict, f"raise error {error.status}")
            raise
        if described is None:
            self._tell(step, Outcome.RAN, depth, verdict, "it lets the request go on")
        else:
            self._tell(step, Outcome.ANSWERED, depth, verdict, "" if step.explain is None else described)
        return described


def _run_now(step: Step, exchange: Exchange) -> tuple[Response | None, bool]:
    """What a step gives without waiting, and whether it would have to wait."""
    result = step.run(exchange)
    if not isinstance(result, Coroutine):
        return result, False
    try:
        result.send(None)
    except StopIteration as stop:
        return stop.value, False
    result.close()
    return None, True


# ---- what a walk tells: of one that is imagined here, and in tests of one that has happened


def changed(exchange: Exchange, before: tuple[bytes, bytes]) -> str:
    """What a step made of the request's method and URI; "" where they are as before."""
    now = (exchange.method, exchange.uri)
    return "" if now == before else f"now {b' '.join(now).decode('latin-1')}"


def heading(route: ErrorRoute) -> str:
    """`handle_errors 404 5xx`."""
    classes = [f"{number}xx" for number in sorted(route.classes)]
    return " ".join(["handle_errors", *map(str, sorted(route.statuses)), *classes])


def site_reason(host: str, name: str | None) -> str:
    """Why a site has a host: by which of its names."""
    if name == "":
        return f"the host is {host or 'empty'}, and this site takes every host that no other has"
    return f"the host is {host}" if name == host else f"the host {host} fits {name}"


def place_of(span: Span | None) -> str | None:
    return None if span is None else str(span)


def verdict_of(matcher: Matcher, exchange: Exchange) -> Verdict:
    """What a matcher says of a request, and what its parts do."""
    matched = matcher.test(exchange)
    # Parts behind the first that refuses were not asked, and catch no groups.
    captures = None if exchange.captures is None else {**exchange.captures}
    parts = tuple([verdict_of(part, exchange) for part in matcher.parts])
    exchange.captures = captures
    return Verdict(matcher.text, place_of(matcher.span), matched, matcher.reason(exchange), parts)


def verdict_of_choice(text: str, span: Span | None, matcher: Matcher | None, exchange: Exchange) -> Verdict:
    """What one of several alternatives says of a request."""
    if matcher is None:
        return Verdict(text, place_of(span), True, "it takes every request that is left")
    verdict = verdict_of(matcher, exchange)
    return Verdict(text, place_of(span), verdict.matched, verdict.reason, verdict.parts)


# ---- as text


def render(explanation: Explanation) -> str:
    """The explanation for a terminal: what happened, what was written, where, and why, in columns."""
    rows = [_site_row(explanation)]
    for told in explanation.steps:
        rows += _rows(told)
    widths = [min(max(len(row[column]) for row in rows), WIDEST) for column in range(3)]
    lines = [explanation.request, "", *(_columns(row, widths) for row in rows)]
    return "\n".join([*lines, "", f"→ {explanation.answer}"])


#: What happened, what was written, where, and why.
_Row = tuple[str, str, str, str]


def _columns(row: _Row, widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _site_row(explanation: Explanation) -> _Row:
    names = "none" if explanation.site is None else ", ".join(explanation.site)
    return "site", names, explanation.site_place or "", explanation.site_reason


def _rows(told: Told) -> list[_Row]:
    indent = "  " * told.depth
    why = told.note
    if told.verdict is not None:
        why = "; ".join(filter(None, [_said(told.verdict), told.note]))
    rows = [(told.outcome.value, indent + told.text, told.place or "", why)]
    if told.verdict is not None:
        rows += _part_rows(told.verdict, indent)
    for verdict in _shown(told.tried):
        rows += _verdict_rows(verdict, indent)
    return rows


def _shown(tried: Sequence[Verdict]) -> Sequence[Verdict]:
    hidden = len(tried) - 1 - SHOWN_REFUSALS
    if hidden <= 0:
        return tried
    return [*tried[:SHOWN_REFUSALS], Verdict(f"… {hidden} more", None, False, ""), tried[-1]]


def _verdict_rows(verdict: Verdict, indent: str) -> list[_Row]:
    row = ("", f"{indent}  {verdict.text}", verdict.place or "", _said(verdict))
    return [row, *_part_rows(verdict, indent + "  ")]


def _said(verdict: Verdict) -> str:
    """Yes or no, and why; of a matcher with parts, the parts say why."""
    said = "yes" if verdict.matched else "no"
    return said if verdict.parts or not verdict.reason else f"{said}: {verdict.reason}"


def _part_rows(verdict: Verdict, indent: str) -> list[_Row]:
    return [row for part in verdict.parts for row in _verdict_rows(part, indent)]
