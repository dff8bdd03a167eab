"""Pages as Jinja templates, in a sandbox: what they may call is listed here, and how much they may make is bounded.

The sandbox keeps a page from reaching into the program. It does not make a page that somebody else wrote harmless: one that
counts to a billion takes the time that this takes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

if TYPE_CHECKING:
    from jinja2 import Environment, Template

#: Characters of a page that was filled in.
MOST_OUTPUT = 16 * 1024 * 1024
#: Items of a text or list that a page multiplies.
_MOST_REPEATED = 1024 * 1024
#: Pages that are kept compiled. Compiling one takes about a millisecond.
_KEPT = 256
#: Seconds after which others get a turn.
_TURN = 0.01

#: Gives the text of a file below the root, and a value that changes when the file does; raises LookupError if there is none.
ReadFile = Callable[[str], tuple[str, object]]


class PageTooLarge(Exception):
    """A page was filled in to more than can be sent."""


class PageTooSlow(Exception):
    """A page took longer than it may."""


class Pages:
    """
    The templates of one directive.

    :param read: how a page gets at other files, for `{% include %}`, `{% extends %}` and `{% import %}`
    :param timeout: seconds that filling in may take
    """

    def __init__(self, read: ReadFile, *, timeout: float) -> None:
        self._read = read
        self._timeout = timeout
        self._environment: Environment | None = None
        self._compiled: OrderedDict[str, Template] = OrderedDict()

    async def fill_in(self, text: str, values: Mapping[str, Any]) -> str:
        """
        A page with its values.

        :raises jinja2.TemplateError: if it is no template, or does what it must not
        :raises PageTooLarge: if it becomes larger than MOST_OUTPUT
        :raises PageTooSlow: if it takes longer than it may
        """
        parts: list[str] = []
        size = 0
        begun = turn = time.monotonic()
        async for part in self._template(text).generate_async(values):
            parts.append(part)
            size += len(part)
            if size > MOST_OUTPUT:
                raise PageTooLarge(f"the page has more than {MOST_OUTPUT} characters")
            now = time.monotonic()
            if now - begun > self._timeout:
                raise PageTooSlow(f"the page took longer than {self._timeout:g} s")
            if now - turn > _TURN:
                await anyio.lowlevel.checkpoint()
                turn = time.monotonic()
        return "".join(parts)

    def _template(self, text: str) -> Template:
        found = self._compiled.get(text)
        if found is None:
            found = self._compiled[text] = self._made().from_string(text)
            if len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        else:
            self._compiled.move_to_end(text)
        return found

    def _made(self) -> Environment:
        if self._environment is None:
            self._environment = _environment(self._read)
        return self._environment


def _environment(read: ReadFile) -> Environment:
    from jinja2 import FunctionLoader, TemplateNotFound
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            # Jinja bounds `range`; `"x" * 10 ** 9`, `10 ** 10 ** 9` and `"%9999999999d" % 1` are bounded here.
            if _is_too_much(operator, left, right):
                raise SecurityError(f"{operator} would make too much")
            return super().call_binop(context, operator, left, right)

    def load(name: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            text, mark = read(name)
        except LookupError:
            raise TemplateNotFound(name) from None
        return text, name, lambda: _is_same(read, name, mark)

    made = Sandbox(loader=FunctionLoader(load), autoescape=True, enable_async=True, cache_size=_KEPT)
    made.filters["markdown"] = markdown
    return made


def _is_same(read: ReadFile, name: str, mark: object) -> bool:
    try:
        return read(name)[1] == mark
    except LookupError:
        return False


def _is_too_much(operator: str, left: Any, right: Any) -> bool:
    if operator == "%":
        return isinstance(left, str | bytes)  # the filter `format` is bounded by what it is given
    if operator == "**":
        return not (isinstance(right, int | float) and abs(right) <= 64 and isinstance(left, int | float))
    sizes = [len(one) for one in (left, right) if isinstance(one, str | bytes | list | tuple)]
    counts = [one for one in (left, right) if isinstance(one, int)]
    return any(size * max(counts, default=1) > _MOST_REPEATED for size in sizes)


def markdown(text: str) -> Any:
    """Markdown (CommonMark with tables) as HTML; HTML in it is shown as it is written, not used."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(str(text))
    return Markup(made)  # noqa: S704  # it has escaped what it was given
