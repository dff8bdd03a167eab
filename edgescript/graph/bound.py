"""The first pass: lines become directives with their matchers, in the blocks they were written in.

`declare.bind` reads each line by its entry's declaration. Here names are resolved: `@name` to its definition, which holds in
the block it stands in and in the blocks inside; the global block's hold everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edgescript.declare.bind import Bound, bind_directive, bind_matcher, bind_setting, default_of, path_in_place
from edgescript.declare.entries import ERRORS, GROUP, RESPONSES, SITE, Role, Steps
from edgescript.declare.mistakes import Answer, recognised
from edgescript.declare.plan import plan_of
from edgescript.declare.problems import without, written
from edgescript.declare.scope import Names, Scope
from edgescript.graph.addresses import AddressError, SiteAddress, parse_address
from edgescript.language.expand import File, SiteBlock
from edgescript.language.tree import Line, Word
from edgescript.text.problem import Fix, Note, Problem, did_you_mean, fix_of
from edgescript.text.source import Span


class Definition:
    """What a directive's matcher means: a path pattern, or a named matcher with its parts."""

    __slots__ = ("line", "parts", "paths", "span", "text")

    def __init__(self, text: str, line: Line, word: Word, parts: list[Bound], paths: tuple[str, ...] | None) -> None:
        #: As written where it is used: `/api/*`, `@writes`.
        self.text = text
        self.line = line
        self.span = line.span(word)
        #: All of which must hold; empty for a path in place.
        self.parts = parts
        #: Path patterns, where it is nothing but one comparison of paths.
        self.paths = paths


class Node:
    """One directive with its matcher, and what its block holds."""

    __slots__ = ("block", "bound", "matcher", "role")

    def __init__(self, bound: Bound, role: Role, matcher: Definition | None, block: Sequence[Node]) -> None:
        self.bound = bound
        self.role = role
        self.matcher = matcher
        self.block = block

    @property
    def name(self) -> str:
        return self.bound.declaration.name

    @property
    def span(self) -> Span:
        return self.bound.line.span()

    @property
    def paths(self) -> tuple[str, ...] | None:
        return None if self.matcher is None else self.matcher.paths


class BoundAddress(NamedTuple):
    """A site address and where it was written."""

    address: SiteAddress
    text: str
    span: Span


class BoundSite(NamedTuple):
    """A site block whose lines are understood."""

    addresses: tuple[BoundAddress, ...]
    span: Span
    nodes: Sequence[Node]

    @property
    def running(self) -> list[Node]:
        """The directives that requests run down; the others answer errors, or say something about the site."""
        return [node for node in self.nodes if node.role is not ERRORS and node.role is not SITE]


class BoundFile(NamedTuple):
    """An Edgefile whose lines are understood."""

    sites: Sequence[BoundSite]
    settings: Settings
    tests: Sequence[Line]
    #: Every named matcher that was defined, used or not.
    definitions: Sequence[Definition] = ()


class Settings(dict[type, Any]):
    """Bound settings by class; those that are not written are made of their defaults when first asked for."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._scope = Scope(names)
        #: Where those that are written stand.
        self.spans: dict[type, Span] = {}

    def named(self, *names: str) -> list[type[Any]]:
        """The classes of settings, as far as there are such."""
        found = [self._scope.names.entry("settings", name) for name in names]
        return [kind for kind in found if kind is not None]

    def __missing__(self, kind: type) -> Any:
        value = self[kind] = default_of(kind, self._scope)
        return value


#: Named matchers by name with the `@`.
Definitions = Mapping[str, Definition]


def bind_file(file: File, names: Names) -> tuple[BoundFile, list[Problem]]:
    """Everything in a file, as far as it can be understood."""
    binding = _Binding(names)
    settings = binding.settings(file.settings)
    everywhere = binding.define([line for line in file.settings if _is_definition(line)], {})
    sites = [binding.site(block, everywhere) for block in file.sites]
    problems = binding.scope.problems
    del binding.scope  # it refers to the binding: a cycle that would keep everything until the collector comes
    return BoundFile(sites, settings, file.tests, binding.definitions), problems


def _is_definition(line: Line) -> bool:
    return bool(line.words) and line.words[0].value.startswith("@") and not line.words[0].quote


@dataclass(slots=True)
class _Held:
    """The lines of a nested block, on their way through `declare.bind`; stands alone in `Steps.lines`."""

    definitions: list[Line] = field(default_factory=list)
    bound: list[Bound] = field(default_factory=list)


class _Binding:
    """One run of this pass over one file."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.definitions: list[Definition] = []
        self.scope = Scope(names, steps=lambda block: [self._held(block)])

    # ---- settings

    def settings(self, lines: Sequence[Line]) -> Settings:
        settings = Settings(self.names)
        seen: dict[type, Bound] = {}
        for line in lines:
            if not line.words or _is_definition(line):
                continue
            bound = bind_setting(line, self.scope)
            if bound is None:
                continue
            if bound.entry in seen:
                message = f'"{bound.declaration.name}" is given twice'
                self._twice("E110", message, line.span(), seen[bound.entry].span(), fix=without(line))
            seen.setdefault(bound.entry, bound)
            settings[bound.entry] = bound.instance
            settings.spans[bound.entry] = bound.span()
        return settings

    def _twice(
        self, code: str, message: str, span: Span, first: Span, *, hint: str | None = None, fix: Fix | None = None
    ) -> None:
        self.scope.report(code, message, span, notes=(Note("first given here", first),), hint=hint, fix=fix)

    # ---- sites

    def site(self, block: SiteBlock, everywhere: Definitions) -> BoundSite:
        found = [self._address(word, block.line) for word in block.names]
        lines = block.lines
        if found[0] is None and (answer := recognised("site", block.line)) is not None:
            self._no_site(block, answer, len(found) - sum(address is not None for address in found))
            lines = lines if answer.contents else []
        nodes = self._nodes(self._held(lines), everywhere, top=True)
        return BoundSite(tuple(address for address in found if address is not None), block.line.span(), nodes)

    def _no_site(self, block: SiteBlock, answer: Answer, reported: int) -> None:
        """In place of what was said about its addresses."""
        del self.scope.problems[-reported:]
        word = block.names[0]
        message = f'"{word.value}" is no address of a site'
        self.scope.report("E113", message, block.line.span(word), hint=answer.hint, fix=answer.fix)

    def _address(self, word: Word, line: Line) -> BoundAddress | None:
        try:
            return BoundAddress(parse_address(word.value), word.value, line.span(word))
        except AddressError as error:
            exact = written(line, word, error.start, max(error.start, error.end))
            fix = fix_of(error.hint, exact)
            self.scope.report(error.code, error.message, exact or line.span(word), hint=error.hint, fix=fix)
            return None

    # ---- blocks

    def _held(self, lines: Sequence[Line]) -> _Held:
        held = _Held()
        for line in lines:
            if not line.words:
                continue
            if _is_definition(line):
                held.definitions.append(line)
            elif (bound := bind_directive(line, self.scope)) is not None:
                held.bound.append(bound)
        return held

    def _nodes(self, held: _Held, outer: Definitions, *, top: bool) -> list[Node]:
        definitions = self.define(held.definitions, outer) if held.definitions else outer
        return [self._node(bound, definitions) for bound in held.bound if self._is_in_place(bound, top)]

    def _is_in_place(self, bound: Bound, top: bool) -> bool:
        misplaced = not top and bound.declaration.role in (ERRORS, SITE)
        if misplaced:
            message = f'"{bound.declaration.name}" stands in a site, not in a block inside one'
            self.scope.report("E116", message, bound.span(), hint="move it to the site's own lines")
        return not misplaced

    def _node(self, bound: Bound, definitions: Definitions) -> Node:
        role = bound.declaration.role
        assert role is not None, "every directive declares its role"
        word = bound.matcher
        matcher = _own_paths(bound) if word is None else self._matcher(bound.line, word, definitions)
        return Node(bound, role, matcher, self._inside(bound, role, definitions))

    def _inside(self, bound: Bound, role: Role, definitions: Definitions) -> Sequence[Node]:
        if role not in (GROUP, ERRORS, RESPONSES):
            return ()
        slot = plan_of(bound.entry).steps
        assert slot is not None, "a group declares steps"
        steps: Steps = getattr(bound.instance, slot.attribute)
        (held,) = steps.lines
        return self._nodes(held, definitions, top=False)

    # ---- matchers

    def _matcher(self, line: Line, word: Word, definitions: Definitions) -> Definition | None:
        text = word.value
        if text == "*":
            return None
        if not text.startswith("@"):
            path_in_place(line, word, self.scope)
            return Definition(text, line, word, [], (text,))
        found = definitions.get(text)
        if found is None:
            self._undefined(line, word, definitions)
            return Definition(text, line, word, [], None)
        return found

    def _undefined(self, line: Line, word: Word, definitions: Definitions) -> None:
        hint = did_you_mean(word.value, definitions) or f"define it above: `{word.value} path /x/*`"
        fix = fix_of(hint, written(line, word))
        self.scope.report("E111", f"there is no matcher {word.value} here", line.span(word), hint=hint, fix=fix)

    def define(self, lines: Sequence[Line], outer: Definitions) -> Definitions:
        """The named matchers of a block, and those of the blocks around it which it does not define anew."""
        own: dict[str, Definition] = {}
        for line in lines:
            name = line.words[0].value
            if name in own:
                hint = "put both values on one line for either of them, or both lines into one block for both together"
                span = line.span(line.words[0])
                self._twice("E112", f"the matcher {name} is defined twice", span, own[name].span, hint=hint)
            else:
                own[name] = self._definition(line, name)
                self.definitions.append(own[name])
        return {**outer, **own}

    def _definition(self, line: Line, name: str) -> Definition:
        read = self._parts(line)
        parts = [part for part in read if part is not None]
        # With a part that could not be read, nothing is known about what it matches.
        paths = getattr(parts[0].instance, "paths", None) if len(parts) == 1 == len(read) else None
        return Definition(name, line, line.words[0], parts, paths)

    def _parts(self, line: Line) -> list[Bound | None]:
        if len(line.words) == 1:
            return self._block_parts(line)
        if len(line.words) == 2 and line.words[1].quote == "`":
            return [bind_matcher(_as_expression(line), self.scope, 1)]
        return [bind_matcher(line, self.scope, 1)]

    def _block_parts(self, line: Line) -> list[Bound | None]:
        lines = [inner for inner in line.block or () if inner.words]
        if not lines:
            hint = f"write `{line.words[0].value} path /x/*`, or a block of matchers"
            self.scope.report("E107", f"the matcher {line.words[0].value} says nothing", line.span(), hint=hint)
        return [bind_matcher(inner, self.scope) for inner in lines]


def _own_paths(bound: Bound) -> Definition | None:
    """What a directive matches that takes no matcher but has paths of its own: `handle_path /api/*`."""
    if bound.declaration.takes_matcher:
        return None
    paths: tuple[str, ...] | None = getattr(bound.instance, "paths", None)
    return None if paths is None else Definition(" ".join(paths), bound.line, bound.line.words[-1], [], paths)


def _as_expression(line: Line) -> Line:
    """`@name `…`` is short for `@name expression `…``."""
    name, text = line.words
    words = [name, Word("expression", text.start, text.start), text]
    return Line(words, line.start, line.end, line.origin)
