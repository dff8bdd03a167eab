"""What an `expect` line asks for, compared with what came."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from edgescript.testing.scenario import Expectation
from edgescript.testing.standin import Received, bare_address

#: Lines of a difference that are shown.
MOST_DIFFERENCES = 40
#: `expect upstream none`
NO_UPSTREAM = "none"

Pairs = list[tuple[str, str]]


@dataclass(slots=True)
class Answer:
    """What a request came to."""

    status: int = 0
    headers: Pairs = field(default_factory=list)
    body: bytes = b""
    #: The connection was closed without an answer.
    aborted: bool = False
    #: The upstream that was chosen, as the Edgefile has it.
    upstream: str | None = None
    #: The last request that a stand-in was sent for it.
    sent: Received | None = None
    #: What it went through, by the names that `expect route` takes.
    routes: tuple[str, ...] = ()


def compare(expectation: Expectation, answer: Answer) -> str | None:
    """None where the expectation holds; otherwise what came instead, for a person."""
    instead = _instead(expectation, answer)
    if not expectation.negated:
        return instead
    return "just that" if instead is None else None


def _instead(expectation: Expectation, answer: Answer) -> str | None:
    subject = expectation.subject
    if subject not in _WITHOUT_ANSWER and answer.aborted != (subject == "abort"):
        return "the connection was closed without an answer" if answer.aborted else f"an answer: {answer.status}"
    return _COMPARISONS[subject](expectation.arguments, answer)


def difference(expectation: Expectation, answer: Answer) -> list[str]:
    """The lines in which a body differs from what was expected of it; empty where it says no more than `compare`."""
    body = answer.sent.body if expectation.subject == "upstream body" and answer.sent else answer.body
    if expectation.subject not in ("body", "upstream body") or expectation.negated:
        return []
    wanted, came = expectation.arguments[0], _decoded(body)
    if wanted.startswith("~") or "\n" not in wanted.rstrip("\n"):
        return []
    lines = difflib.unified_diff(wanted.splitlines(), came.splitlines(), "expected", "came", lineterm="", n=2)
    return [_shortened(line) for line in islice(lines, MOST_DIFFERENCES)]


def fits(value: str, wanted: str) -> bool:
    """Whether a text is the wanted one: `~` leads in a regular expression, and `*` at either end stands for anything."""
    if wanted.startswith("~"):
        return re.search(wanted[1:], value) is not None
    core = wanted.strip("*")
    match wanted.startswith("*"), wanted.endswith("*"):
        case True, True:
            return core in value
        case True, False:
            return value.endswith(core)
        case False, True:
            return value.startswith(core)
    return value == wanted


def _status(arguments: Sequence[str], answer: Answer) -> str | None:
    wanted = arguments[0]
    same = answer.status // 100 == int(wanted[0]) if wanted.endswith("xx") else answer.status == int(wanted)
    return None if same else f"status {answer.status}"


def _text(arguments: Sequence[str], value: str) -> str | None:
    return None if fits(value, arguments[0]) else _quoted(value)


def _field(arguments: Sequence[str], headers: Pairs) -> str | None:
    name = arguments[0].removeprefix("!").lower()
    values = [value for key, value in headers if key.lower() == name]
    if arguments[0].startswith("!"):
        return f"{name}: {', '.join(values)}" if values else None
    if not values:
        return f"no {name}; there are {', '.join(sorted({key.lower() for key, _ in headers})) or 'no headers'}"
    if len(arguments) == 1 or any(fits(value, arguments[1]) for value in values):
        return None
    return f"{name}: {', '.join(values)}"


def _upstream(arguments: Sequence[str], answer: Answer) -> str | None:
    wanted = None if arguments[0] == NO_UPSTREAM else bare_address(arguments[0])
    came = None if answer.upstream is None else bare_address(answer.upstream)
    if came == wanted:
        return None
    return "no upstream was asked" if answer.upstream is None else answer.upstream


def _route(arguments: Sequence[str], answer: Answer) -> str | None:
    """A name of a site, a matcher, or the first words of a line: as they stand in the file."""
    wanted = [word for argument in arguments for word in argument.split()]
    if any(route.split()[: len(wanted)] == wanted for route in answer.routes):
        return None
    return " › ".join(answer.routes) or "no route"


def _of_upstream(compare: Callable[[Sequence[str], Received], str | None]) -> _Comparison:
    def comparison(arguments: Sequence[str], answer: Answer) -> str | None:
        return "no stand-in upstream was asked" if answer.sent is None else compare(arguments, answer.sent)

    return comparison


def _quoted(text: str) -> str:
    return repr(_shortened(text))


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


def _decoded(body: bytes) -> str:
    return body.decode("utf-8", "replace")


#: Told of requests that were not answered too.
_WITHOUT_ANSWER = ("route", "upstream", "upstream method", "upstream uri", "upstream header", "upstream body")

_Comparison = Callable[[Sequence[str], Answer], str | None]

_COMPARISONS: dict[str, _Comparison] = {
    "status": _status,
    "header": lambda arguments, answer: _field(arguments, answer.headers),
    "body": lambda arguments, answer: _text(arguments, _decoded(answer.body)),
    "abort": lambda arguments, answer: None,
    "route": _route,
    "upstream": _upstream,
    "upstream method": _of_upstream(lambda arguments, sent: _text(arguments, sent.method)),
    "upstream uri": _of_upstream(lambda arguments, sent: _text(arguments, sent.uri)),
    "upstream header": _of_upstream(lambda arguments, sent: _field(arguments, sent.headers)),
    "upstream body": _of_upstream(lambda arguments, sent: _text(arguments, _decoded(sent.body))),
}
