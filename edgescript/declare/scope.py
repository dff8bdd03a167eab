"""What binding needs to know beside the text: the names that exist, and where problems go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edgescript.declare.entries import Placeholder
from edgescript.language.tree import Line
from edgescript.text.problem import Fix, Note, Problem
from edgescript.text.source import Span


class KindError(Exception):
    """
    A text is no value of its kind.

    `start` and `end` are offsets into the text where less than all of it is wrong; `code` is the problem's code.
    """

    def __init__(
        self,
        message: str,
        start: int | None = None,
        end: int | None = None,
        hint: str | None = None,
        *,
        code: str = "E106",
        is_secret: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint
        self.code = code
        #: The text is not to be shown.
        self.is_secret = is_secret


class Names(Protocol):
    """As much of the catalogue as binding uses."""

    def entry(self, shelf: str, name: str) -> Any: ...

    def placeholder(self, name: str) -> Placeholder | None: ...

    def names(self, shelf: str) -> list[str]: ...


#: Binds the lines of a nested block of directives; what it gives stands in `Steps.lines`.
BindSteps = Callable[[list[Line]], list[Any]]


class Scope:
    """
    One run of binding: its names, its problems, and what was parsed already.

    `steps` binds the lines of a nested block; without it, every line is taken for a directive.
    """

    __slots__ = ("_values", "defaults", "depth", "names", "problems", "same", "steps")

    #: Entries inside each other. The parser bounds the blocks of one text; imports may put many into each other.
    MAX_DEPTH = 64
    #: Distinct (kind, text) pairs, and distinct lines, that are remembered; a file with more is only bound more slowly.
    MOST_VALUES = 100_000

    def __init__(self, names: Names, problems: list[Problem] | None = None, *, steps: BindSteps | None = None) -> None:
        self.names = names
        self.problems: list[Problem] = [] if problems is None else problems
        self.steps = steps
        #: How many entries are being bound around the present one.
        self.depth = 0
        #: Of each plan, what the fields hold that are left out; `bind` keeps it here.
        self.defaults: dict[Any, dict[str, Any]] = {}
        #: What lines without a block were bound to, by their words: many sites say the same. `bind` keeps it here.
        self.same: dict[tuple[str, ...], Any] = {}
        self._values: dict[tuple[Any, str], Any] = {}

    def report(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        hint: str | None = None,
        notes: tuple[Note, ...] = (),
        fix: Fix | None = None,
        is_secret: bool = False,
    ) -> None:
        self.problems.append(Problem(code, message, span, notes, hint, fix, is_secret))

    def value(self, kind: Any, text: str) -> Any:
        """
        The value of a text, parsed once.

        :raises KindError: if it is none of this kind
        """
        values = self._values
        key = (kind, text)
        try:
            return values[key]
        except KeyError:
            value = kind.parse(text, self)
            if len(values) < self.MOST_VALUES:
                values[key] = value
            return value
