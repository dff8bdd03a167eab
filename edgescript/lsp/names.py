"""Snippets and named matchers: where each is defined, and where it is used."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edgescript.language.imports import is_import
from edgescript.language.tree import Line
from edgescript.lsp.document import View, snippet_name
from edgescript.text.source import Span


class Place(NamedTuple):
    """A name where it stands; the span is that of the name alone."""

    span: Span
    line: Line


@dataclass(slots=True, eq=False)
class Binding:
    """One thing that has a name. A matcher's begins with `@`; a snippet's stands without its parentheses."""

    name: str
    definitions: list[Place] = field(default_factory=list)
    uses: list[Place] = field(default_factory=list)

    @property
    def places(self) -> list[Place]:
        return [*self.definitions, *self.uses]


Scope = dict[str, Binding]


def bindings(view: View) -> list[Binding]:
    """Everything that has a name in a document and the files around it."""
    finding = _Finding(view)
    for tree in view.trees:
        finding.block(tree.lines, finding.everywhere)
    for tree in view.trees:
        finding.tests(tree.lines)
    return finding.found


def binding_at(view: View, offset: int) -> Binding | None:
    """What the name at an offset stands for: with all that it stands for where several importers define it."""
    path, found = view.document.path, bindings(view)
    spans = {
        p.span for b in found for p in b.places if p.span.source.name == path and p.span.start <= offset <= p.span.end
    }
    same: list[Binding] = []
    while more := [b for b in found if b not in same and any(p.span in spans for p in b.places)]:
        same += more
        spans |= {place.span for binding in more for place in binding.places}
    if not same:
        return None
    definitions = dict.fromkeys(place for binding in same for place in binding.definitions)
    return Binding(same[0].name, list(definitions), list(dict.fromkeys(p for b in same for p in b.uses)))


def matchers_in_scope(view: View, around: Sequence[Line]) -> set[str]:
    """The names of the matchers that a line inside these lines may use: of each block, its imports, and the global block."""
    finding = _Finding(view)
    blocks = [line.block or [] for line in around] or [view.document.tree.lines]
    return finding.everywhere.keys() | {name for block in blocks for name in finding.defined_in(block)}


class _Finding:
    def __init__(self, view: View) -> None:
        self.found: list[Binding] = []
        self.snippets: Scope = {}
        self.defined = view.defined_snippets
        self.files = {os.path.normpath(tree.source.name): tree for tree in view.trees}
        self.everywhere: Scope = {}
        #: What each line that defines a matcher defines.
        self._defined_by: dict[Line, Binding] = {}
        #: Names of matchers that imported lines use and do not define, by the snippet or file.
        self._free: dict[str, list[Place]] = {}
        for tree in view.trees:
            for line in tree.lines:
                if (name := snippet_name(line)) is not None:
                    self._new(self.snippets, name).definitions.append(_place(line, 0, 1, -1))
                elif not line.words:
                    self._define(line.block or [], self.everywhere)

    def _new(self, scope: Scope, name: str) -> Binding:
        if name not in scope:
            scope[name] = Binding(name)
            self.found.append(scope[name])
        return scope[name]

    def block(self, lines: list[Line], outer: Scope) -> None:
        """One block: what it defines holds in it and inside of it."""
        own: Scope = {}
        self._define(lines, own)
        scope = {**outer, **own} if own else outer
        for line in lines:
            self._uses(line, scope)
            if line.block:
                self.block(line.block, self.everywhere if not line.words else scope)

    def defined_in(self, lines: list[Line]) -> set[str]:
        """The matchers that a block defines."""
        return {line.words[0].value for line in self._defining(lines, frozenset())}

    def tests(self, lines: list[Line]) -> None:
        """`expect route @name`: of the matcher, where only one has the name."""
        for line in lines:
            if line.block and line.words and line.words[0].value == "test":
                for inner in line.block:
                    self._expected(inner)

    def _expected(self, line: Line) -> None:
        words = [word.value for word in line.words]
        if words[:1] == ["expect"] and "route" in words[1:3]:
            number = words.index("route") + 1
            known = [b for b in self.found if number < len(words) and b.name == words[number] and b.name[0] == "@"]
            if len(known) == 1:
                known[0].uses.append(_place(line, number))

    def _define(self, lines: list[Line], scope: Scope) -> None:
        for line in self._defining(lines, frozenset()):
            binding = self._defined_by.get(line)
            if binding is not None:
                scope.setdefault(binding.name, binding)
            else:
                binding = self._defined_by[line] = self._new(scope, line.words[0].value)
                binding.definitions.append(_place(line, 0))

    def _defining(self, lines: list[Line], seen: frozenset[str]) -> Iterator[Line]:
        """The lines that define matchers in a block, those that it imports included."""
        for line in lines:
            if line.words and line.words[0].value.startswith("@") and not line.words[0].quote:
                yield line
            elif is_import(line) and len(line.words) > 1:
                for key, imported in self._imported(line):
                    if key not in seen:
                        yield from self._defining(imported, seen | {key})

    def _imported(self, line: Line) -> Iterator[tuple[str, list[Line]]]:
        """What an import brings: the lines of a snippet, or of each file, with a key that tells them apart."""
        name = line.words[1].value
        if name in self.defined:
            yield name, self.defined[name].block or []
            return
        if name.startswith("std/"):
            paths = [f"{name}.edge"]
        else:
            pattern = os.path.normpath(os.path.join(os.path.dirname(line.origin.source.name), name))
            paths = fnmatch.filter(self.files, pattern) if "*" in pattern else [pattern]
        yield from ((path, self.files[path].lines) for path in paths if path in self.files)

    def _uses(self, line: Line, scope: Scope) -> None:
        if len(line.words) < 2:
            return
        name = line.words[1].value
        if is_import(line):
            if name in self.snippets:
                self.snippets[name].uses.append(_place(line, 1))
            for place in self._free_of(line):
                self._use(place, scope)
        elif _names_matcher(line):
            self._use(_place(line, 1), scope)

    def _use(self, place: Place, scope: Scope) -> None:
        binding = scope.get(place.line.words[1].value)
        if binding is not None:
            binding.uses.append(place)

    def _free_of(self, line: Line) -> Iterator[Place]:
        for key, lines in self._imported(line):
            if key not in self._free:
                self._free[key] = []  # an import of itself brings nothing more
                self._free[key] = list(self._free_in(lines, frozenset()))
            yield from self._free[key]

    def _free_in(self, lines: list[Line], outer: frozenset[str]) -> Iterator[Place]:
        """The uses of matchers that neither these lines nor those around them define."""
        known = outer | self.defined_in(lines)
        for line in lines:
            if is_import(line) and len(line.words) > 1:
                yield from (place for place in self._free_of(line) if place.line.words[1].value not in known)
            elif _names_matcher(line) and line.words[1].value not in known:
                yield _place(line, 1)
            yield from self._free_in(line.block or [], known)


def _names_matcher(line: Line) -> bool:
    return len(line.words) > 1 and line.words[1].value.startswith("@")


def _place(line: Line, number: int, after: int = 0, before: int = 0) -> Place:
    """The place of a word, `after` characters from its beginning to `before` from its end; quotes are left out."""
    word = line.words[number]
    quote = 1 if word.quote in ('"', "`") and word.quote else 0
    span = Span(line.origin.source, word.start + after + quote, word.end + before - quote)
    return Place(span, line)
