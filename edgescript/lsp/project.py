"""What open documents belong to: the files that import them, and what was found by looking from there."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from edgescript.catalog import Catalogue
from edgescript.graph.load import Analysis
from edgescript.language.files import read_file
from edgescript.language.tree import Tree
from edgescript.lsp.diagnostics import examined
from edgescript.lsp.document import Document
from edgescript.lsp.workspace import noting
from edgescript.text.problem import Problem
from edgescript.text.source import Source

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What is known of one root: a file that is looked at with everything that it imports."""

    root: str
    analysis: Analysis
    #: In all files that it reaches.
    problems: list[Problem]
    #: The paths of the files that it reaches, itself and those that are not there included.
    reached: frozenset[str]
    #: The documents among them, as they were.
    documents: Mapping[str, Document]


def look(root: str, documents: Mapping[str, Document], catalogue: Catalogue, environment: Mapping[str, str]) -> Found:
    """
    Look at a root; what is open counts as it is in the editor, not as it is on the disk.

    :raises OSError: if the root is not open and cannot be read
    """

    def read(name: str) -> bytes:
        document = documents.get(os.path.normpath(name))
        return read_file(name) if document is None else _bytes(document.text)

    open_ = documents.get(root)
    source = Source.of_bytes(root, read_file(root)) if open_ is None else open_.source
    noted, read_noted = noting(read)
    analysis, problems = examined(source, catalogue, environment, read_noted)
    gc.collect(0)  # of what was just made only; what is left of it is let go of when it is replaced
    reached = frozenset({root, *noted, *(os.path.normpath(tree.source.name) for tree in analysis.file.trees)})
    return Found(root, analysis, problems, reached, {path: documents[path] for path in reached & documents.keys()})


def _bytes(text: str) -> bytes:
    """A text as a file; half of a surrogate pair becomes one character that is no text either, so that offsets stay."""
    return _LONE_SURROGATE.sub("\udcff", text).encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Project:
    """The open documents by their paths, and the roots that matter to them."""

    documents: dict[str, Document] = field(default_factory=dict)
    #: Roots that are not open.
    closed: list[str] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)
    _outdated: set[str] = field(default_factory=set)

    def next(self) -> str | None:
        """A root that is to be looked at: one that was never, or reaches a text that is another one by now."""
        return next(
            (root for root in self._candidates() if not self.is_fresh(root) and not self._is_covered(root)), None
        )

    def keep(self, found: Found) -> None:
        """Take in what was found, and leave out what no longer matters."""
        self.found[found.root] = found
        self._outdated.discard(found.root)
        known = set(self._candidates())
        for root in [root for root in self.found if root not in known or self._is_covered(root)]:
            del self.found[root]

    def lost(self, root: str) -> None:
        """A closed root cannot be read."""
        self.closed.remove(root)
        self.found.pop(root, None)

    def changed_on_disk(self, paths: Iterable[str]) -> None:
        """Whatever reaches one of the files has to be looked at again; so has what may reach it by a pattern."""
        names = set(paths)
        for root, found in self.found.items():
            if found.reached & names or any(set("*?[") & set(name) for name in found.analysis.file.imported):
                self._outdated.add(root)

    def roots_of(self, path: str) -> list[Found]:
        """From where a file is seen."""
        return [found for found in self.found.values() if path in found.reached]

    def is_fresh(self, root: str) -> bool:
        """Whether a root was looked at since the last change of anything that it reaches."""
        found = self.found.get(root)
        if found is None or root in self._outdated:
            return False
        return all(self.documents.get(path) is found.documents.get(path) for path in found.reached)

    def others(self, document: Document) -> list[Tree]:
        """The trees of the other files that a document is seen together with."""
        found: dict[str, Tree] = {}
        for root in self.roots_of(document.path):
            found |= {os.path.normpath(t.source.name): t for t in root.analysis.file.trees if t.source.name[-1:] != "#"}
        found.pop(document.path, None)
        return [self.documents[name].tree if name in self.documents else tree for name, tree in found.items()]

    def is_known(self, document: Document) -> bool:
        """Whether it was found out at least once what a document is seen together with."""
        return bool(self.roots_of(document.path))

    def overwritten(self, document: Document) -> list[str]:
        """The other files of a document that are not open and have another text by now than when they were looked at."""
        trees = (tree for tree in self.others(document) if os.path.isabs(tree.source.name))
        paths = ((os.path.normpath(tree.source.name), tree.source) for tree in trees)
        return [path for path, source in paths if path not in self.documents and not _is_as_it_was(source)]

    def _candidates(self) -> Iterator[str]:
        yield from self.documents
        yield from self.closed

    def _is_covered(self, root: str) -> bool:
        """Whether another root reaches it, so that it is seen from there; of two that reach each other, one is."""
        own = self.found[root].reached if root in self.found else frozenset[str]()
        return any(root in f.reached and f.root != root and f.root not in own for f in self.found.values())


def _is_as_it_was(source: Source) -> bool:
    try:
        return Source.of_bytes(source.name, read_file(source.name)).text == source.text
    except OSError:
        return False
