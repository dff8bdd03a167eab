"""What an `expect` line asks for, compared with what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgescript.testing.scenario import Expectation
from edgescript.testing.standin import Received

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


def compare(expectation: Expectation, answer: Answer) -> str | None:
    """None where the expectation holds; otherwise what came instead, for a person."""
    if answer.aborted != (expectation.subject == "abort"):
        return "the connection was closed without an answer" if answer.aborted else f"an answer: {answer.status}"
    return _COMPARISONS[expectation.subject](expectation.arguments, answer)


def fits(value: str, wanted: str) -> bool:
    """Whether a text is the wanted one; `*` at either end of the latter stands for anything."""
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
    if answer.upstream is not None and bare_address(answer.upstream) == bare_address(arguments[0]):
        return None
    return "no upstream was asked" if answer.upstream is None else answer.upstream


def _of_upstream(compare: Callable[[Sequence[str], Received], str | None]) -> _Comparison:
    def comparison(arguments: Sequence[str], answer: Answer) -> str | None:
        return "no stand-in upstream was asked" if answer.sent is None else compare(arguments, answer.sent)

    return comparison


def bare_address(address: str) -> str:
    """An upstream's address without scheme: `127.0.0.1:8080`; ports that a scheme implies are put in."""
    scheme, separator, rest = address.rstrip("/").rpartition("://")
    if not separator or rest.rpartition("]")[2].rpartition(":")[1]:
        return rest
    return f"{rest}:{443 if scheme == 'https' else 80}"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:200]}…")


def _decoded(body: bytes) -> str:
    return body.decode("utf-8", "replace")


_Comparison = Callable[[Sequence[str], Answer], str | None]

_COMPARISONS: dict[str, _Comparison] = {
    "status": _status,
    "header": lambda arguments, answer: _field(arguments, answer.headers),
    "body": lambda arguments, answer: _text(arguments, _decoded(answer.body)),
    "abort": lambda arguments, answer: None,
    "upstream": _upstream,
    "upstream method": _of_upstream(lambda arguments, sent: _text(arguments, sent.method)),
    "upstream uri": _of_upstream(lambda arguments, sent: _text(arguments, sent.uri)),
    "upstream header": _of_upstream(lambda arguments, sent: _field(arguments, sent.headers)),
    "upstream body": _of_upstream(lambda arguments, sent: _text(arguments, _decoded(sent.body))),
}
