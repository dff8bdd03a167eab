"""What the language is made of: directives, matchers, placeholders, balancers and settings, each declared by one decorator.

The life of an entry: declared (its file is imported) → bound (an instance, with spans kept) → checked (`check`) → built
(`build`) → closed. A decorator only makes the class a frozen dataclass and hangs its declaration on it; nothing is
registered anywhere. The catalogue finds entries by walking the shelves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, dataclass_transform

from edgescript.declare import fields
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.metric import Meter
from edgescript.text.source import Span

T = TypeVar("T")
S = TypeVar("S", bound="Closeable")
S2 = TypeVar("S2")

#: One runnable element: gives None to go on, or a Response to stop.
Action = Callable[[Exchange], "Response | None"] | Callable[[Exchange], Awaitable["Response | None"]]


class Rest(Protocol):
    """What is below a step that is around it."""

    async def __call__(self, skipped: int = 0) -> Response:
        """
        Run it, and give its response, with the changes made that were registered there.

        It can be called once more, for a second attempt, or not at all.

        :param skipped: how many steps are left out; of a step with a block, 1 runs the block instead
        :raises HTTPError: as steps do, or anything else that they raise
        """

    async def again(self, exchange: Exchange) -> Response:
        """
        Run the same site, from its first step on, for another request.

        :raises HTTPError: as steps do; `handle_errors` does not answer it
        """


#: A step around what is below it. It gives the response, or None to let what is below run as if it were not there.
Around = Callable[[Exchange, Rest], Awaitable["Response | None"]]
Test = Callable[[Exchange], bool]
Reader = Callable[[Exchange], str]


class Role(Enum):
    """What a directive does with a request."""

    TERMINAL = auto()  # answers it
    WRAPPER = auto()  # sees it on the way in and its response on the way out
    REWRITER = auto()  # changes it for what is below
    GROUP = auto()  # holds directives
    ERRORS = auto()  # holds directives that answer errors
    RESPONSES = auto()  # holds directives that answer in place of a response from below
    SITE = auto()  # says something about the site, and runs nothing


# Looking a member up on its class takes six times as long as a global (CPython 3.11), and a graph is made of many lines.
TERMINAL, WRAPPER, REWRITER, GROUP, ERRORS, RESPONSES, SITE = Role


class Built(NamedTuple):
    """What `build` may return instead of a bare action."""

    run: Action | Around
    #: For `edge explain`: what a terminal would do with this exchange, in a line ("proxy to http://10.0.0.1:8080/x"); None
    #: where it would let the request go on. It raises HTTPError where the terminal would.
    explain: Callable[[Exchange], str | None] | None = None
    #: `run` is an `Around`.
    around: bool = False


class Steps:
    """The directives of a nested block, bound but not built; only the compiler looks inside."""

    __slots__ = ("lines",)

    def __init__(self, lines: list[Any]) -> None:
        self.lines = lines


class Complaint(NamedTuple):
    """A problem that `check` found: of which field (None: the whole directive), what is wrong, and what to do."""

    field: str | None
    message: str
    hint: str | None = None
    #: Where a code of its own fits better than "values that contradict each other".
    code: str = "E115"
    #: A first argument that would mend it, put in front of those there are.
    first: str | None = None


class Build(Protocol):
    """What `build` may ask for."""

    def keep(self, resource: Closeable) -> None:
        """
        Have `resource.close()` awaited when the graph is put away and none of its requests is in flight any more.

        Where it has `async start(tasks)`, that is awaited before the graph's first request; `tasks` is a task group of anyio's
        for what runs in the background until `close`. What it raises keeps the graph from being used; best is a
        `text.problem.StartFailed`, which shows the line of the file that is to blame. An application
        (`edge test`, another ASGI server) may never call it.
        """

    def share(self, key: Hashable, make: Callable[[], S]) -> S:
        """
        An object that this graph has in common with others of the process, kept like `keep`'s.

        It is the same one for the same key, whichever graph asks, so the key must hold everything that `make` depends on;
        begin it with a text that nobody else uses. So state lives on through a reload. What `make` itself keeps or shares
        is the object's, and closed with it.
        """

    @property
    def meter(self) -> Meter:
        """The process's meter: cells are looked up here once, not for each request."""

    def setting(self, kind: type[S2]) -> S2:
        """The bound instance of a setting of the global block, or one with its defaults."""

    def clock(self) -> float:
        """Seconds of the monotonic clock; fake in tests."""

    def directory(self) -> str:
        """The directory of the Edgefile: relative paths start there."""

    def source(self) -> str:
        """The path of the file that the site being built stands in; something like `<stdin>` if it is no file."""

    def site_names(self) -> tuple[str, ...]:
        """The addresses of the site being built, as written."""

    def span(self) -> Span:
        """Where what is being built stands: for a problem that is found when it starts (`text.problem.StartFailed`)."""

    def tests(self, held: Steps) -> list[Test]:
        """The tests of the matchers that a matcher holds (`not`)."""


class Closeable(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a decorator says about its class."""

    #: "directives", "matchers", "balancers", "settings": the shelf it stands on.
    shelf: str
    name: str
    role: Role | None = None
    #: Of a directive: whether its first argument may be a matcher.
    takes_matcher: bool = True
    #: Of a group: neighbours exclude each other; the first that matches takes the request.
    exclusive: bool = False
    #: What it is called elsewhere, for the hint to those who write that (`reverse_proxy`).
    elsewhere: tuple[str, ...] = ()
    #: Of a directive: those that must stand above it, where both are there (`cache` must not answer before `auth` did).
    inside: tuple[str, ...] = ()
    #: Of a wrapper: it is meant for every request of the site, and so stands above whatever answers.
    outermost: bool = False
    #: Of a terminal: its responses come from elsewhere, with header fields that the Edgefile does not name.
    foreign: bool = False
    #: Of a matcher: settings without which it is hardly ever right.
    relies_on: tuple[str, ...] = ()


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(fields.arg, fields.rest, fields.option, fields.rows, fields.group, fields.steps),
)
def record(cls: type[T]) -> type[T]:
    """A line or block with fields of its own inside an entry: `arg`, `rest`, and as a group `option`."""
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


def _entry(cls: type[T], declaration: Declaration) -> type[T]:
    made = record(cls)
    made.declaration = declaration  # type: ignore[attr-defined]
    return made


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(fields.arg, fields.rest, fields.option, fields.rows, fields.group, fields.steps),
)
def directive(
    name: str,
    *,
    role: Role,
    matcher: bool = True,
    exclusive: bool = False,
    elsewhere: tuple[str, ...] = (),
    inside: tuple[str, ...] = (),
    outermost: bool = False,
    foreign: bool = False,
) -> Callable[[type[T]], type[T]]:
    """
    Declare a directive. The class may have:

    - `check(self) -> Iterator[Complaint]`: problems that need more than one field;
    - `build(self, build: Build) -> Action | Built`: the step. Groups have none, or one that runs on entering the block;
    - of a terminal, a property `falls_through: bool`: whether it may leave a request unanswered (`files` with `pass_thru`),
      so that what is below it can still run;
    - of a directive without `matcher`, a property `paths: tuple[str, ...]`: the path patterns that it is for (`handle_path`);
    - of Role.RESPONSES, a block of `steps`, and a `build` that gives a step around what is below, see `graph.layout`;
    - of Role.ERRORS, a field `statuses: tuple[StatusPattern, ...]`; of Role.SITE, a property or field
      `hosts: tuple[str, ...]`: the addresses that the site is listened for on;
    - of a wrapper or rewriter, `effects(self) -> Iterator[str]`: for `edge plan`, what it does to responses (a wrapper) or to
      requests, each a predicate: "lose Server";
    - as every entry and record, a property `patterns: tuple[str, ...]`: the regular expressions in texts of its own, for
      `edge validate` to look at (values of the kind "regular expression" are known anyway);
    - fields, a docstring in the user's words, and in it at least one fenced `edge-test` example, which the tests run.
    """
    declaration = Declaration(
        "directives", name, role, matcher, exclusive, elsewhere, inside=inside, outermost=outermost, foreign=foreign
    )
    return lambda cls: _entry(cls, declaration)


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(fields.arg, fields.rest, fields.option, fields.rows, fields.group, fields.steps),
)
def matcher(name: str, *, relies_on: tuple[str, ...] = ()) -> Callable[[type[T]], type[T]]:
    """
    Declare a matcher: `build(self, build) -> Test`, and `reason(self, exchange) -> str`, which says for `edge explain` what
    was compared ("the path is /x"). It may have `sample(self, request: Sample, turn: int)`, see `declare.sample`.
    """
    return lambda cls: _entry(cls, Declaration("matchers", name, relies_on=relies_on))


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(fields.arg, fields.rest, fields.option, fields.rows, fields.group, fields.steps),
)
def balancer(name: str) -> Callable[[type[T]], type[T]]:
    """Declare a balancing policy; `upstream.balance` says what `build(self, build)` must return."""
    return lambda cls: _entry(cls, Declaration("balancers", name))


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(fields.arg, fields.rest, fields.option, fields.rows, fields.group, fields.steps),
)
def setting(name: str) -> Callable[[type[T]], type[T]]:
    """
    Declare a line of the global block. `graph.setting(Class)` gives the bound instance, or one of all defaults.

    It may have `build(self, build)`, which is called before the sites are built and keeps what the setting sets up.
    """
    return lambda cls: _entry(cls, Declaration("settings", name))


@dataclass(frozen=True, slots=True)
class Placeholder:
    """
    A name for a value of the exchange, usable in templates and expressions.

    One of the three must be given: `read` for `{name}`, `member` for `{name.PART}` with any PART, `members` for a fixed
    set of parts. `member` is called once, at compile time, and may raise ValueError with what is wrong with the part.
    """

    name: str
    doc: str
    read: Reader | None = None
    member: Callable[[str], Reader] | None = None
    members: dict[str, Reader] | None = None
    #: An example of PART for the documentation.
    sample: str | None = None
    #: Has a value only once there is a response (`status`, `resp.header.X`).
    of_response: bool = False
    #: What of it is whatever text the client chooses: nothing, its parts (`header.X`), or the whole of it too (`query`).
    from_client: Literal["nothing", "parts", "all"] = "nothing"
    #: Settings without which it is hardly ever right to decide by it.
    relies_on: tuple[str, ...] = ()
    #: What it is called elsewhere, for the hint to those who write that.
    elsewhere: tuple[str, ...] = ()


def complaints(instance: Any) -> Iterator[Complaint]:
    """What the entry itself finds wrong with the values it was bound to."""
    check = getattr(instance, "check", None)
    if check is None:
        return
    try:
        yield from check()
    except Exception as error:
        if is_ours(type(instance)):
            raise
        yield Complaint(None, f"the plug-in {type(instance).__module__} failed when it checked this line: {error!r}")


def is_ours(entry: type[Any]) -> bool:
    """Whether an entry belongs to this package, and not to a plug-in, whose mistakes are told and not raised."""
    return entry.__module__.partition(".")[0] == __name__.partition(".")[0]
