"""Small entries to bind against, and what turns a text into lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.bind import Bound, bind_directive
from edgescript.declare.entries import (
    Complaint,
    Placeholder,
    Role,
    Steps,
    balancer,
    directive,
    matcher,
    record,
    setting,
)
from edgescript.declare.fields import REQUIRED, arg, group, option, rest, rows, steps
from edgescript.declare.kinds import (
    Address,
    Cidr,
    Duration,
    HeaderName,
    PathPattern,
    PathTemplate,
    Rate,
    Size,
    Status,
    StatusPattern,
    Template,
    UriTemplate,
)
from edgescript.declare.scope import Scope
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.problem import Problem
from edgescript.text.source import Source


@record
class Health:
    path: UriTemplate | None = arg("What to ask for.")
    interval: Duration = option("How often.", default="10s", least=1, most=3600)
    expect: StatusPattern = option("A good status.", default="2xx")


@record
class Case:
    value: str = arg("What to compare with.")
    results: tuple[Template, ...] = rest("What comes out.")


@record
class Change:
    name: HeaderName = arg("Which field.")
    value: Template | None = arg("Its value.")


@balancer("first")
class First:
    """The first that is up."""


@balancer("weighted")
class Weighted:
    """By weight."""

    weights: tuple[int, ...] = rest("A weight for each.", least=2)


@directive("answer", role=Role.TERMINAL)
class Answer:
    """
    Answer with a status and a text.

    The text may have placeholders.

    ```edge-test
    :80 {
        answer 404 "nothing here"
    }
    test "it answers" {
        request GET http://localhost/
        expect status 404
    }
    ```
    """

    status: Status = arg("The status.", default="200")
    text: Template | None = arg("The text.")
    close: bool = option("Close the connection behind it.")
    mode: Literal["plain", "html"] = option("What the text is.", default="plain")


@directive("forward", role=Role.TERMINAL)
class Forward:
    """Send the request on."""

    to: tuple[Address, ...] = rest("Where to.", least=1)
    balance: Any = option("Which one.", shelf="balancers", default="first")
    health: Health | None = group("Ask them how they are.")
    set_: tuple[Change, ...] = option("Set a header field.", repeated=True)
    only: tuple[Cidr, ...] = option("From which networks.")
    window: tuple[Duration, Size] | None = option("How long and how much.")
    limit: Rate | None = option("How many.")
    key: Template = option("What is counted.", default="{client_ip}")

    def check(self) -> Iterator[Complaint]:
        if self.health is not None and self.health.interval == 60:
            yield Complaint("health.interval", "a minute is not allowed", "take another")


@directive("serve", role=Role.TERMINAL)
class Serve:
    """Serve files."""

    root: PathTemplate | None = arg("Where they are.")
    strict: bool = option("Whether.", default="on")


@directive("choose", role=Role.WRAPPER, matcher=False)
class Choose:
    """A table."""

    source: Template = arg("What to look up.")
    default: Template | None = option("What else.")
    cases: tuple[Case, ...] = rows("The cases.")


@directive("inside", role=Role.GROUP)
class Inside:
    """Holds directives."""

    held: Steps = steps("What is held.")


@directive("needy", role=Role.WRAPPER)
class Needy:
    """Has an option that must be there."""

    name: str = option("A name.", default=REQUIRED)


@matcher("path")
class Path:
    """By path."""

    patterns: tuple[PathPattern, ...] = rest("Patterns.", least=1)


@matcher("none_of")
class NoneOf:
    """What others do not match."""

    held: Steps = steps("The matchers.")


@setting("patience")
class Patience:
    """How long to wait."""

    time: Duration = arg("How long.", default="5s")


PLACEHOLDERS = (
    Placeholder("client_ip", "The client's address.", read=lambda exchange: "192.0.2.1"),
    Placeholder("header", "A header field.", member=lambda name: lambda exchange: name, sample="X-Level"),
    Placeholder("err", "The error.", members={"status": lambda exchange: "500", "message": lambda exchange: "broken"}),
)


def _number(part: str) -> Callable[[Any], str]:
    if not part.isdigit():
        raise ValueError("expected a number behind the dot")
    return lambda exchange: part


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    entries = (Answer, Forward, Serve, Choose, Inside, Needy, First, Weighted, Path, NoneOf, Patience)
    labels = Placeholder("labels", "A label of the host.", member=_number, sample="0")
    return Catalogue.load().with_entries(*entries, *PLACEHOLDERS, labels)


@pytest.fixture
def scope(catalogue: Catalogue) -> Scope:
    return Scope(catalogue)


def lines_of(text: str) -> list[Line]:
    tree, problems = parse(Source("Edgefile", text))
    assert problems == []
    return [line for line in tree.lines if line.words]


@pytest.fixture
def lines() -> Callable[[str], list[Line]]:
    return lines_of


@pytest.fixture
def bind(scope: Scope) -> Callable[[str], Bound]:
    """Bind one directive that has nothing wrong with it."""

    def bind(text: str) -> Bound:
        (line,) = lines_of(text)
        bound = bind_directive(line, scope)
        assert scope.problems == []
        assert bound is not None
        return bound

    return bind


@pytest.fixture
def problems_of(scope: Scope) -> Callable[[str], list[Problem]]:
    """What is wrong with some directives."""

    def problems_of(text: str) -> list[Problem]:
        for line in lines_of(text):
            bind_directive(line, scope)
        return scope.problems

    return problems_of
