"""Pages as Jinja templates, in a sandbox: what they may call is listed here, and how much they may make is bounded.

The sandbox keeps a page from reaching into the program. It does not make a page that somebody else wrote harmless: one that
doubles a text again and again takes the memory that this takes.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from jinja2.nodes import Template as Tree

#: Characters of a page that was filled in.
MOST_OUTPUT = 16 * 1024 * 1024
#: Items of a text or list that a page multiplies.
_MOST_REPEATED = 1024 * 1024
#: Pages that are kept compiled. Compiling one takes about a millisecond.
_KEPT = 256
#: What stands between the `%` of a conversion, or its name, and its letter.
_WIDTHS = re.compile(r"%(?:\([^)]*\))?([^%a-zA-Z]*)[%a-zA-Z]")
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
        _turn_ends.set(time.monotonic() + _TURN)
        with anyio.move_on_after(self._timeout):
            async for part in self._template(text).generate_async(values):
                parts.append(part)
                size += len(part)
                if size > MOST_OUTPUT:
                    raise PageTooLarge(f"the page has more than {MOST_OUTPUT} characters")
                pause = take_turns()
                if pause is not None:
                    await pause
            return "".join(parts)
        raise PageTooSlow(f"the page took longer than {self._timeout:g} s")

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


#: When the page that is being filled in lets others have a turn, in seconds of the monotonic clock.
_turn_ends: ContextVar[float] = ContextVar("turn_ends")


def take_turns() -> Awaitable[None] | None:
    """What a page waits for where its turn is over. A page that takes too long is stopped there."""
    return _others_first() if time.monotonic() > _turn_ends.get() else None


async def _others_first() -> None:
    await anyio.lowlevel.checkpoint()
    _turn_ends.set(time.monotonic() + _TURN)


def _environment(read: ReadFile) -> Environment:
    from jinja2 import FunctionLoader, TemplateNotFound, nodes
    from jinja2.compiler import CodeGenerator, Frame
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class TakingTurns(CodeGenerator):
        def visit_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:  # noqa: N802  # Jinja's name
            if not isinstance(node.node, nodes.EnvironmentAttribute):
                super().visit_ExprStmt(node, frame)
                return
            # As a call of the page's it would go through the sandbox, which doubles what an iteration costs.
            self.writeline("pause = environment.take_turns()", node)
            self.writeline("if pause is not None: await pause")

    class Sandbox(ImmutableSandboxedEnvironment):
        code_generator_class = TakingTurns
        intercepted_binops = frozenset(("*", "**", "%"))
        take_turns = staticmethod(take_turns)

        def _parse(self, source: str, name: str | None, filename: str | None) -> Tree:
            # Whatever runs again and again takes turns, for it may do so without any output.
            tree = super()._parse(source, name, filename)
            repeated: list[Any] = [tree, *tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block))]
            for node in repeated:
                node.body.insert(0, nodes.ExprStmt(nodes.EnvironmentAttribute("take_turns"), lineno=node.lineno))
            return tree

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
    made.filters |= {"markdown": markdown, "format": _formatted}
    del made.globals["lipsum"]
    return made


def _is_same(read: ReadFile, name: str, mark: object) -> bool:
    try:
        return read(name)[1] == mark
    except LookupError:
        return False


def _is_too_much(operator: str, left: Any, right: Any) -> bool:
    if operator == "%":
        return isinstance(left, str | bytes)  # there is the filter `format`
    if operator == "**":
        return not (isinstance(right, int | float) and abs(right) <= 64 and isinstance(left, int | float)) or (
            isinstance(left, int) and abs(left) >= 2**64
        )
    sizes = [len(one) for one in (left, right) if isinstance(one, str | bytes | list | tuple)]
    counts = [one for one in (left, right) if isinstance(one, int)]
    return any(size * max(counts, default=1) > _MOST_REPEATED for size in sizes)


def _formatted(text: str, *values: Any, **named: Any) -> str:
    """
    Jinja's own, without widths that make a text of a gigabyte.

    :raises ValueError: for such a width
    """
    from jinja2.filters import do_format

    if any(re.search(r"\d{5}|\*", width) for width in _WIDTHS.findall(str(text))):
        raise ValueError("a width in a format is written out, and has at most four digits")
    return do_format(text, *values, **named)


def markdown(text: str) -> Any:
    """Markdown (CommonMark with tables) as HTML; HTML in it is shown as it is written, not used."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(str(text))
    return Markup(made)  # noqa: S704  # it has escaped what it was given
