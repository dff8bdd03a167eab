"""The last pass's inner part: the directives of a block become one flat program.

Nothing is nested at run time. What a block adds to its directives:

- a `route`, or a single `handle`, is one step whose matcher leads in, or behind the block;
- neighbours that exclude each other are one step that chooses, then each alternative's steps, each with an end that leads
  behind the run;
- neighbouring terminals whose matchers are nothing but paths are chosen among by one look-up as well.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Protocol

from edgescript.declare.entries import GROUP, RESPONSES, TERMINAL, Action, Built
from edgescript.graph.bound import Definition, Node
from edgescript.graph.match import INDEX_FROM, Alternative, chooser
from edgescript.graph.model import Choice, Flow, Matcher, Program, Step
from edgescript.http.error_page import error_page
from edgescript.http.exchange import Exchange, Tally
from edgescript.http.message import HTTPError, Response
from edgescript.language.tree import Line

#: Between two lines of one directive: a continuation, or a line of a raw text.
_BREAK = re.compile(r"[ \t]*\\?\r?\n[ \t]*")


#: The route of what no matcher leads to.
WHOLE_SITE = "/"

#: As with the roles: looked up once.
_CALL, _AWAIT, _JUMP, _AROUND = Flow


class Parts(Protocol):
    """What a program is laid out of."""

    def action(self, node: Node) -> Action | Built: ...

    def matcher(self, definition: Definition) -> Matcher: ...

    def tally(self, route: str) -> Tally | None:
        """What counts the requests of a route of this site; None: nothing does."""


def program(nodes: Sequence[Node], parts: Parts, end: Step) -> Program:
    """The program of a site's directives, or of a `handle_errors`; `end` is its last step."""
    layout = _Layout(parts)
    layout.block(nodes, 0)
    layout.append(end)
    steps: tuple[Step, ...] = tuple(layout.steps)  # type: ignore[arg-type]  # every reserved place was filled
    return Program(steps, tuple([_code(step) for step in steps]), tuple(layout.tallies))


def _code(step: Step) -> tuple[Callable[[Exchange], bool] | None, Callable[[Exchange], Any], int, int]:
    matcher = step.matcher
    return None if matcher is None else matcher.test, step.run, step.otherwise, step.flow.value


# ---- how a program ends


def _nobody_answered(exchange: Exchange) -> Response | None:
    raise HTTPError(404, "no directive answered the request")


def _plain_error(exchange: Exchange) -> Response | None:
    assert exchange.error is not None, "an error route runs for an error"
    return error_page(exchange, exchange.error)


NOT_FOUND = Step("end", "answer 404", None, None, _CALL, _nobody_answered, 0, 0)
PLAIN_ERROR = Step("end", "answer the error in words", None, None, _CALL, _plain_error, 0, 0)


def _intercepted(exchange: Exchange) -> Response | None:
    """What the block of an `intercept` leaves to the response that was there."""
    assert exchange.intercepted is not None, "the block of an intercept runs for a response"
    return exchange.intercepted


AS_IT_WAS = Step("end", "leave the response", None, None, _CALL, _intercepted, 0, 0)


# ---- the steps between


class _Layout:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        #: None where a step is reserved that depends on the positions of later ones.
        self.steps: list[Step | None] = []
        self.tallies: list[Tally | None] = []
        #: Of the block that is being laid out.
        self._tally = parts.tally(WHOLE_SITE)

    def append(self, step: Step | None, matcher: Matcher | None = None) -> None:
        """Add a step; where it stands is the innermost matcher, its own or that of a block around it."""
        self.steps.append(step)
        self.tallies.append(self._tally if matcher is None else self.parts.tally(matcher.text))

    def _inside(self, block: Sequence[Node], matcher: Matcher | None, depth: int) -> None:
        """The steps of a block that a matcher leads into."""
        outer = self._tally
        if matcher is not None:
            self._tally = self.parts.tally(matcher.text)
        self.block(block, depth)
        self._tally = outer

    def block(self, nodes: Sequence[Node], depth: int) -> None:
        for kind, neighbours in groupby(nodes, _kind):
            run = [*neighbours]
            if kind is _EXCLUSIVE and len(run) > 1:
                self._alternatives(run, depth)
            elif kind is _PATHS and len(run) >= INDEX_FROM:
                self._terminals(run, depth)
            else:
                for node in run:
                    self._single(node, depth)

    def _single(self, node: Node, depth: int) -> None:
        if node.role is GROUP:
            self._group(node, depth)
        elif node.role is RESPONSES:
            self._responses(node, depth)
        else:
            matcher = None if node.matcher is None else self.parts.matcher(node.matcher)
            self._directive(node, matcher, len(self.steps) + 1, depth)

    def _directive(self, node: Node, matcher: Matcher | None, otherwise: int, depth: int) -> None:
        self.append(_step(node, self.parts.action(node), matcher, otherwise, depth), matcher)

    def _group(self, node: Node, depth: int) -> None:
        """A block that stands alone: its step is the way in. Without matcher and action it needs none."""
        matcher = None if node.matcher is None else self.parts.matcher(node.matcher)
        action = self._on_entering(node)
        if matcher is None and action is None:
            self.block(node.block, depth + 1)
            return
        at = self._reserve()
        self._inside(node.block, matcher, depth + 1)
        self.steps[at] = _step(node, action or _go_on, matcher, len(self.steps), depth)

    def _responses(self, node: Node, depth: int) -> None:
        """A step around what is below, then a jump to that, then the block, which the step runs in place of it."""
        matcher = None if node.matcher is None else self.parts.matcher(node.matcher)
        at, over = self._reserve(), self._reserve()
        self._inside(node.block, matcher, depth + 1)
        self.append(AS_IT_WAS)
        behind = len(self.steps)
        self.steps[at] = _step(node, self.parts.action(node), matcher, behind, depth)
        self.steps[over] = _end(behind, depth)

    def _on_entering(self, node: Node) -> Action | Built | None:
        return self.parts.action(node) if hasattr(node.bound.entry, "build") else None

    def _reserve(self) -> int:
        self.append(None)
        return len(self.steps) - 1

    def _alternatives(self, run: Sequence[Node], depth: int) -> None:
        at = self._reserve()
        choices: list[Choice] = []
        ends: list[int] = []
        for node in run:
            choice = self._choice(node)
            choices.append(choice)
            action = self._on_entering(node)
            if action is not None:
                self.append(_step(node, action, None, len(self.steps) + 1, depth), choice.matcher)
            self._inside(node.block, choice.matcher, depth + 1)
            if node is not run[-1]:
                ends.append(self._reserve())
        behind = len(self.steps)
        self.steps[at] = _choose(choices, behind, depth)
        for end in ends:
            self.steps[end] = _end(behind, depth + 1)

    def _terminals(self, run: Sequence[Node], depth: int) -> None:
        at = self._reserve()
        choices: list[Choice] = []
        for node in run:
            choice = self._choice(node)
            choices.append(choice)
            self._directive(node, choice.matcher, len(self.steps) + 1, depth)
        self.steps[at] = _choose(choices, len(self.steps), depth)

    def _choice(self, node: Node) -> Choice:
        matcher = None if node.matcher is None else self.parts.matcher(node.matcher)
        return Choice(written(node.bound.line), node.span, matcher, len(self.steps))


# Kinds of runs of neighbours.
_ALONE, _EXCLUSIVE, _PATHS = range(3)


def _kind(node: Node) -> int:
    if node.role is TERMINAL:
        return _ALONE if node.paths is None else _PATHS
    return _EXCLUSIVE if node.bound.declaration.exclusive else _ALONE


def _step(node: Node, built: Action | Built, matcher: Matcher | None, otherwise: int, depth: int) -> Step:
    run, explain, around = built if isinstance(built, Built) else (built, None, False)
    flow = _AROUND if around else _AWAIT if is_coroutine_function(run) else _CALL
    bound = node.bound
    return Step(
        bound.declaration.name, written(bound.line), node.span, matcher, flow, run, otherwise, depth, explain,
        bound.instance, node.role,
    )  # fmt: skip


def _choose(choices: Sequence[Choice], behind: int, depth: int) -> Step:
    alternatives = [
        Alternative(None, None, choice.position)
        if choice.matcher is None
        else Alternative(choice.matcher.test, choice.matcher.paths, choice.position)
        for choice in choices
    ]
    run = chooser(alternatives, behind)
    return Step(
        "choose", f"the first that matches of {len(choices)}", choices[0].span, None, _JUMP, run, behind, depth,
        choices=tuple(choices),
    )  # fmt: skip


def _end(behind: int, depth: int) -> Step:
    return Step("end", f"go on at {behind}", None, None, _JUMP, lambda exchange: behind, behind, depth)


def _go_on(exchange: Exchange) -> Response | None:
    return None


def is_coroutine_function(action: Any) -> bool:
    """Whether calling it gives a coroutine; also of an object with `async def __call__`."""
    code = getattr(action, "__code__", None)
    if code is not None:
        return bool(code.co_flags & inspect.CO_COROUTINE)
    return inspect.iscoroutinefunction(action) or inspect.iscoroutinefunction(type(action).__call__)


def written(line: Line, first: int = 0) -> str:
    """A line as it was written from its `first` word on, without its block, on one line."""
    words = line.words[first:] if first else line.words
    if not words:
        return ""
    text = line.origin.source.text[words[0].start : words[-1].end]
    return _BREAK.sub(" ", text) if "\n" in text else text
