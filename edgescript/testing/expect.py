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
#: Texts up to so many characters are compared by eye.
SHORT = 20
#: Characters that are shown before the first one that differs.
LEAD = 60
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
    missing = _missing(expectation.subject, answer)
    if missing is not None:
        return missing
    instead = _COMPARISONS[expectation.subject](expectation.arguments, answer)
    if not expectation.negated:
        return instead
    return "just that" if instead is None else None


def _missing(subject: str, answer: Answer) -> str | None:
    """Why there is nothing to compare. `expect not header X` asks for an answer too: it must not hold by accident."""
    if subject in _OF_ANSWER and answer.aborted:
        return "the connection was closed without an answer"
    if subject in _OF_SENT and answer.sent is None:
        return "no stand-in upstream was asked"
    return None


def difference(expectation: Expectation, answer: Answer) -> list[str]:
    """The lines in which a text differs from what was expected of it; empty where it says no more than `compare`."""
    texts = None if expectation.negated or answer.aborted else _texts(expectation, answer)
    if texts is None:
        return []
    wanted, came = texts
    if "\n" in wanted.rstrip("\n"):
        lines = difflib.unified_diff(wanted.splitlines(), came.splitlines(), "expected", "came", lineterm="", n=2)
    elif min(len(wanted), len(came)) > SHORT and "\n" not in came:
        lines = (line.rstrip("\n") for line in difflib.ndiff(*_from_difference(wanted, came)))
    else:
        return []
    return [_shortened(line) for line in islice(lines, MOST_DIFFERENCES)]


def _texts(expectation: Expectation, answer: Answer) -> tuple[str, str] | None:
    """What was expected and what came, where both are one text."""
    subject = expectation.subject.removeprefix("upstream ")
    source = answer if subject == expectation.subject else answer.sent
    wanted = expectation.arguments[-1] if expectation.arguments else ""
    if source is None or wanted.startswith(("~", "*")) or wanted.endswith("*"):
        return None
    if subject == "body":
        return wanted, _decoded(source.body)
    if subject == "header" and len(expectation.arguments) == 2:
        values = [value for name, value in source.headers if name.lower() == expectation.arguments[0].lower()]
        return (wanted, values[0]) if len(values) == 1 else None
    return None


def _from_difference(one: str, other: str) -> tuple[list[str], list[str]]:
    """Two lines, without the most of a long beginning that they have in common."""
    common = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if common <= LEAD:
        return [_shortened(one)], [_shortened(other)]
    return [_shortened(f"…{one[common - LEAD :]}")], [_shortened(f"…{other[common - LEAD :]}")]


def fits(value: str, wanted: str) -> bool:
    """
    Whether a text is the wanted one: `~` leads in a regular expression, and `*` at either end stands for anything.

    A `*` alone is that very text: `expect header Access-Control-Allow-Origin *` must not hold for any origin.
    """
    if wanted == "*":
        return value == wanted
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
    if wanted and any(route.split()[: len(wanted)] == wanted for route in answer.routes):
        return None
    return " › ".join(answer.routes) or "no route"


def _abort(arguments: Sequence[str], answer: Answer) -> str | None:
    return None if answer.aborted else f"an answer: {answer.status}"


def _of_upstream(compare: Callable[[Sequence[str], Received], str | None]) -> _Comparison:
    def comparison(arguments: Sequence[str], answer: Answer) -> str | None:
        assert answer.sent is not None, "otherwise it is missing"
        return compare(arguments, answer.sent)

    return comparison


def _quoted(text: str) -> str:
    return repr(_shortened(text))


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


def _decoded(body: bytes) -> str:
    return body.decode("utf-8", "replace")


#: Subjects that there are only where the request was answered.
_OF_ANSWER = ("status", "header", "body")
#: And those that there are only where a stand-in was asked.
_OF_SENT = ("upstream method", "upstream uri", "upstream header", "upstream body")

_Comparison = Callable[[Sequence[str], Answer], str | None]

_COMPARISONS: dict[str, _Comparison] = {
    "status": _status,
    "header": lambda arguments, answer: _field(arguments, answer.headers),
    "body": lambda arguments, answer: _text(arguments, _decoded(answer.body)),
    "abort": _abort,
    "route": _route,
    "upstream": _upstream,
    "upstream method": _of_upstream(lambda arguments, sent: _text(arguments, sent.method)),
    "upstream uri": _of_upstream(lambda arguments, sent: _text(arguments, sent.uri)),
    "upstream header": _of_upstream(lambda arguments, sent: _field(arguments, sent.headers)),
    "upstream body": _of_upstream(lambda arguments, sent: _text(arguments, _decoded(sent.body))),
}
