"""`test` blocks as values: what is requested, what stands in for an upstream, and what must come out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from edgescript.declare import values
from edgescript.declare.kinds import KindError
from edgescript.language.tree import Line, Word
from edgescript.text.problem import Problem, did_you_mean, fix_of
from edgescript.text.source import Span

_STATUS = re.compile(r"[1-5](?:\d\d|xx)")
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect` line. What may stand behind each subject is in `_EXPECTATIONS`."""

    #: "status", "header", "body", "abort", "route", "upstream", or "upstream method" and so on: what the upstream was sent.
    subject: str
    arguments: tuple[str, ...]
    span: Span
    #: `expect not …`: it must not be so.
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """An `at` or `after` line: what the clock is set to, in seconds since 1970, or how many seconds pass."""

    at: float | None
    seconds: float


@dataclass(slots=True)
class Request:
    """One `request` line and what belongs to it."""

    method: str
    #: None where the URL is a path only: the file's first listener is meant.
    scheme: str | None
    authority: str
    port: int | None
    target: str
    span: Span
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str | bytes = ""
    #: The client's address.
    ip: str = "127.0.0.1"
    repeat: int = 1
    #: What happens to the clock before it.
    moves: list[Move] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)


@dataclass(slots=True)
class StandIn:
    """One answer in place of an upstream. Several for one address are given in turn, the last again and again."""

    #: `*` stands for every upstream that has none of its own.
    address: str
    span: Span
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    #: Seconds until it answers.
    delay: float = 0.0
    #: Refuses connections.
    fails: bool = False


@dataclass(slots=True)
class Scenario:
    """One `test` block."""

    name: str
    span: Span
    requests: list[Request] = field(default_factory=list)
    upstreams: list[StandIn] = field(default_factory=list)
    #: What happens to the clock before the next request.
    moves: list[Move] = field(default_factory=list)


def read_tests(lines: Iterable[Line]) -> tuple[list[Scenario], list[Problem]]:
    """The tests of a file, from its `test` lines, and what is wrong with them."""
    reader = _Reader()
    return [reader.test(line) for line in lines], reader.problems


class _Reader:
    """Reads lines by the tables below; a line that is wrong is reported and left out."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def complain(self, code: str, message: str, line: Line, word: Word | None = None, hint: str | None = None) -> None:
        span = line.span(word)
        self.problems.append(Problem(code, message, span, hint=hint, fix=fix_of(hint, span)))

    def test(self, line: Line) -> Scenario:
        name = line.words[1].value if len(line.words) > 1 else ""
        scenario = Scenario(name, line.span())
        if len(line.words) != 2:
            self.complain("E107", 'a test has one name: test "name" { … }', line)
        before = len(self.problems)
        for statement in _statements(line):
            self.statement(scenario, statement)
        if len(self.problems) == before and not any(request.expectations for request in scenario.requests):
            self.complain("E107", "a test needs a request and something to expect", line)
        if scenario.moves and len(self.problems) == before:
            self.complain("E116", "the clock is set and moved before a request: there is none below", line)
        return scenario

    def statement(self, scenario: Scenario, line: Line) -> None:
        before = len(self.problems)
        self.read(_TEST, "test", scenario, line)
        if len(self.problems) > before and line.words[0].value not in (*_REQUEST, "upstream", "at", "after"):
            # Perhaps this was the request that the lines below belong to: they are not to blame.
            scenario.requests.append(request_for("GET", "/", line.span()))

    def read(self, table: Table, place: str, target: object, line: Line) -> None:
        """Have one line change `target`, as the table says for its first word."""
        word = line.words[0]
        rule = table.get(word.value)
        if rule is None:
            self.complain("E102", f'a {place} has no "{word.value}"', line, word, did_you_mean(word.value, table))
            return
        if line.block is not None and word.value not in _WITH_BLOCK:
            self.complain("E109", f'"{word.value}" takes no block', line, word)
            return
        least, most, change = rule
        count = len(line.words) - 1
        if count < least:
            self.complain("E107", f'"{word.value}" needs {_words(least)}', line)
        elif count > most:
            self.complain("E108", f'"{word.value}" takes {_words(most)}', line, line.words[most + 1])
        else:
            change(self, target, line)

    # ---- statements of a test

    def request(self, scenario: Scenario, line: Line) -> None:
        method, url = line.words[1].value, line.words[2].value
        if not _METHOD.fullmatch(method):
            self.complain("E106", f"{method!r} is no method", line, line.words[1])
            return
        try:
            request = request_for(method, url, line.span())
        except ValueError as error:
            self.complain("E106", str(error), line, line.words[2])
            return
        request.moves, scenario.moves = scenario.moves, []
        scenario.requests.append(request)

    def at(self, scenario: Scenario, line: Line) -> None:
        try:
            when = datetime.fromisoformat(line.words[1].value)
            scenario.moves.append(Move((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp(), 0.0))
        except (ValueError, OverflowError):
            self.complain("E106", "a time such as 2026-01-31T12:00:00Z is expected", line, line.words[1])

    def after(self, scenario: Scenario, line: Line) -> None:
        scenario.moves.append(Move(None, self.duration(line)))

    def upstream(self, scenario: Scenario, line: Line) -> None:
        stand_in = StandIn(line.words[1].value, line.span())
        for statement in _statements(line):
            self.read(_STAND_IN, "stand-in upstream", stand_in, statement)
        scenario.upstreams.append(stand_in)

    def of_request(self, scenario: Scenario, line: Line) -> None:
        """A line that belongs to the request above it."""
        if scenario.requests:
            self.read(_REQUEST, "request", scenario.requests[-1], line)
        else:
            self.complain("E116", f'"{line.words[0].value}" stands behind the request that it belongs to', line)

    # ---- what belongs to a request, or to a stand-in

    def header(self, target: Request | StandIn, line: Line) -> None:
        name, value = line.words[1].value, line.words[2].value
        if not FIELD_NAME.fullmatch(name):
            self.complain("E106", "not a header field name", line, line.words[1])
        elif not FIELD_VALUE.fullmatch(value):
            self.complain("E106", "the value of a header field has no control characters", line, line.words[2])
        else:
            target.headers.append((name, value))

    def body(self, target: Request | StandIn, line: Line) -> None:
        target.body = line.words[1].value

    def from_(self, request: Request, line: Line) -> None:
        try:
            request.ip = str(ip_address(line.words[1].value))
        except ValueError:
            self.complain("E106", "an IP address such as 203.0.113.9 is expected", line, line.words[1])

    def duration(self, line: Line) -> float:
        """Seconds; 0 where it is malformed, which is reported."""
        try:
            return values.duration(line.words[1].value)
        except KindError as error:
            self.complain("E106", str(error), line, line.words[1], error.hint)
            return 0.0

    def repeat(self, request: Request, line: Line) -> None:
        count = line.words[1].value
        if count.isascii() and count.isdigit() and 1 <= int(count) <= 10_000:
            request.repeat = int(count)
        else:
            self.complain("E106", "a number from 1 to 10000 is expected", line, line.words[1])

    def expect(self, request: Request, line: Line) -> None:
        words = line.words[1:]
        negated = words[0].value == "not" and len(words) > 1
        if negated:
            words = words[1:]
        subject, arguments = _subject(words)
        rule = _EXPECTATIONS.get(subject)
        if rule is None:
            hint = did_you_mean(subject, _EXPECTATIONS)
            self.complain("E102", f'nothing is known about "{subject}" to expect', line, words[0], hint)
        elif not rule[0] <= len(arguments) <= rule[1]:
            self.complain("E107", f"what is expected of the {subject}? {rule[2]}", line)
        elif subject == "status" and not _STATUS.fullmatch(arguments[0].value):
            self.complain("E106", "a status as 404, or a class as 5xx, is expected", line, arguments[0])
        elif self.patterns_are_sound(arguments, line):
            texts = tuple(word.value for word in arguments)
            request.expectations.append(Expectation(subject, texts, line.span(), negated))

    def patterns_are_sound(self, words: list[Word], line: Line) -> bool:
        for word in words:
            if word.value.startswith("~"):
                try:
                    re.compile(word.value[1:])
                except re.error as error:
                    self.complain("E106", f"a malformed regular expression: {error}", line, word)
                    return False
        return True

    def status(self, stand_in: StandIn, line: Line) -> None:
        word = line.words[1]
        if _STATUS.fullmatch(word.value) and word.value.isdigit() and int(word.value) >= 200:
            stand_in.status = int(word.value)
        else:
            self.complain("E106", "a status from 200 to 599 is expected", line, word)

    def delay(self, stand_in: StandIn, line: Line) -> None:
        stand_in.delay = self.duration(line)

    def fail(self, stand_in: StandIn, line: Line) -> None:
        stand_in.fails = True


Table = dict[str, tuple[int, int, Callable[..., None]]]

#: Word → (least and most arguments, what it does to the test, request or stand-in that it is part of).
_TEST: Table = {
    "request": (2, 2, _Reader.request),
    "upstream": (1, 1, _Reader.upstream),
    "at": (1, 1, _Reader.at),
    "after": (1, 1, _Reader.after),
    "header": (2, 2, _Reader.of_request),
    "body": (1, 1, _Reader.of_request),
    "from": (1, 1, _Reader.of_request),
    "repeat": (1, 1, _Reader.of_request),
    "expect": (1, 12, _Reader.of_request),
}

_WITH_BLOCK = ("upstream",)

_REQUEST: Table = {
    "header": (2, 2, _Reader.header),
    "body": (1, 1, _Reader.body),
    "from": (1, 1, _Reader.from_),
    "repeat": (1, 1, _Reader.repeat),
    "expect": (1, 12, _Reader.expect),
}

_STAND_IN: Table = {
    "status": (1, 1, _Reader.status),
    "header": (2, 2, _Reader.header),
    "body": (1, 1, _Reader.body),
    "delay": (1, 1, _Reader.delay),
    "fail": (0, 0, _Reader.fail),
}

_OF_UPSTREAM = ("method", "uri", "header", "body")

#: Subject → (least and most words behind it, how it is written).
_EXPECTATIONS = {
    "status": (1, 1, "expect status 404"),
    "header": (1, 2, "expect header NAME, expect header NAME VALUE, or expect header !NAME"),
    "body": (1, 1, 'expect body "text"'),
    "abort": (0, 0, "expect abort"),
    "route": (1, 9, "expect route /api/*, expect route @writes, or expect route the words of a line"),
    "upstream": (1, 1, "expect upstream 127.0.0.1:8080, or expect upstream none"),
    "upstream method": (1, 1, "expect upstream method POST"),
    "upstream uri": (1, 1, "expect upstream uri /path?query"),
    "upstream header": (1, 2, "expect upstream header NAME VALUE"),
    "upstream body": (1, 1, 'expect upstream body "text"'),
}


def _subject(words: list[Word]) -> tuple[str, list[Word]]:
    """What an expectation is about, and the words behind that."""
    subject = words[0].value
    if subject == "upstream" and len(words) > 1 and words[1].value in _OF_UPSTREAM:
        return f"upstream {words[1].value}", words[2:]
    return subject, words[1:]


def request_for(method: str, url: str, span: Span) -> Request:
    """
    A request for a URL, or for a path on the first listener.

    :raises ValueError: if it is neither
    """
    if " " in url or not url.isprintable():
        raise ValueError("a URL has neither spaces nor control characters; a space is %20")
    is_path = url.startswith("/")
    parts = urlsplit(f"http://path{url}" if is_path else url)  # so that `//x` is a path too, and x no host
    if not is_path and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("a URL begins with http:// or https:// and has a host; otherwise it is a path")
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query or url.endswith("?") else path
    if is_path:
        return Request(method, None, "", None, target, span)
    return Request(method, parts.scheme, parts.netloc.rpartition("@")[2], _port(parts), target, span)


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("a port is a number from 1 to 65535")
    return port


def _statements(line: Line) -> list[Line]:
    return [inner for inner in line.block or () if inner.words]


def _words(count: int) -> str:
    return {0: "nothing behind it", 1: "one word"}.get(count, f"{count} words")


#: For editors: the words that lines of a test, and of a stand-in upstream, begin with; and what can be expected.
TEST_WORDS = tuple(_TEST)
STAND_IN_WORDS = tuple(_STAND_IN)
SUBJECTS = tuple(_EXPECTATIONS)
