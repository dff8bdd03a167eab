"""Snippets and named matchers: where each is defined, and where it is used."""

from __future__ import annotations

from collections.abc import Iterator
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
    return finding.found


def binding_at(view: View, offset: int) -> Binding | None:
    """What the name at an offset stands for."""
    path = view.document.path
    for binding in bindings(view):
        if any(p.span.source.name == path and p.span.start <= offset <= p.span.end for p in binding.places):
            return binding
    return None


class _Finding:
    def __init__(self, view: View) -> None:
        self.found: list[Binding] = []
        self.snippets: Scope = {}
        self.defined = view.defined_snippets
        self.everywhere: Scope = {}
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
        scope = {**outer, **own}
        for line in lines:
            self._uses(line, scope)
            if line.block:
                self.block(line.block, self.everywhere if not line.words else scope)

    def _define(self, lines: list[Line], scope: Scope) -> None:
        for line in self._defining(lines, frozenset()):
            binding = next((b for b in self.found if any(p.line is line for p in b.definitions)), None)
            if binding is not None:
                scope.setdefault(binding.name, binding)
            else:
                self._new(scope, line.words[0].value).definitions.append(_place(line, 0))

    def _defining(self, lines: list[Line], seen: frozenset[str]) -> Iterator[Line]:
        """The lines that define matchers in a block, those that it imports included."""
        for line in lines:
            if line.words and line.words[0].value.startswith("@") and not line.words[0].quote:
                yield line
            elif is_import(line) and len(line.words) > 1:
                name = line.words[1].value
                if name in self.defined and name not in seen:
                    yield from self._defining(self.defined[name].block or [], seen | {name})

    def _uses(self, line: Line, scope: Scope) -> None:
        if len(line.words) < 2:
            return
        name = line.words[1].value
        if is_import(line):
            if name in self.snippets:
                self.snippets[name].uses.append(_place(line, 1))
        elif name in scope and name.startswith("@") and not line.words[1].quote:
            scope[name].uses.append(_place(line, 1))


def _place(line: Line, number: int, after: int = 0, before: int = 0) -> Place:
    """The place of a word, `after` characters from its beginning to `before` from its end; quotes are left out."""
    word = line.words[number]
    quote = 1 if word.quote in ('"', "`") and word.quote else 0
    span = Span(line.origin.source, word.start + after + quote, word.end + before - quote)
    return Place(span, line)
