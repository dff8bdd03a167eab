"""From a text to a graph, in one call: what `edge run`, `edge validate` and the tests use."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from edgescript.catalog import Catalogue
from edgescript.graph.bound import BoundFile
from edgescript.graph.compile import build, has_errors, understand
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.language.allow import Allowances
from edgescript.language.expand import File, expand
from edgescript.language.files import find_files, read_file
from edgescript.language.parse import parse
from edgescript.language.tree import Tree
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that can be known of a text without setting anything up: what editors and checks work on."""

    tree: Tree
    #: After imports; empty where the text is too large, or nested too deep.
    file: File
    #: What the lines mean, as far as they mean something; None where there was nothing to look at.
    bound: BoundFile | None
    #: In order of their places, imported files included; without those that the files allow.
    problems: list[Problem]
    #: Which warnings are allowed where.
    allowed: Allowances


def analyse(
    source: Source,
    *,
    catalogue: Catalogue,
    environment: Mapping[str, str],
    read: Callable[[str], bytes] = read_file,
    find: Callable[[str], list[str]] = find_files,
) -> Analysis:
    """
    What a text means, and everything that is wrong with it. It opens nothing but the files that are imported.

    :param environment: where `{$NAME}` is looked up
    :param read: gives the bytes of an imported file, or raises OSError
    :param find: gives the names of the files that a pattern of an import matches, sorted
    """
    tree, problems = parse(source)
    if any(problem.code == "E014" for problem in problems):
        # What is too deep was not read as blocks: all of it would seem wrong.
        return Analysis(tree, File(), None, problems, Allowances(()))
    file, more = expand(tree, environment=environment, read=read, find=find)
    problems += more
    bound, more = understand(file, catalogue)
    problems += [*more, *catalogue.problems()]
    allowed = Allowances(file.trees)
    return Analysis(tree, file, bound, allowed.left(in_order(problems)), allowed)


def load(
    source: Source,
    *,
    catalogue: Catalogue,
    environment: Mapping[str, str],
    directory: str,
    read: Callable[[str], bytes] = read_file,
    find: Callable[[str], list[str]] = find_files,
    clock: Callable[[], float] = time.monotonic,
    shared: Shared | None = None,
) -> tuple[Graph | None, list[Problem]]:
    """
    The graph that a text means, and everything that is wrong with it; None where there is an error.

    :param environment: where `{$NAME}` is looked up
    :param directory: where relative paths that the directives take start
    :param read: gives the bytes of an imported file, or raises OSError
    :param find: gives the names of the files that a pattern of an import matches, sorted
    :param shared: what the graph has in common with others of this process; without it, nothing
    """
    with no_garbage():
        found = analyse(source, catalogue=catalogue, environment=environment, read=read, find=find)
        return set_up(found, directory=directory, clock=clock, shared=shared)


def set_up(
    found: Analysis, *, directory: str, clock: Callable[[], float], shared: Shared | None = None
) -> tuple[Graph | None, list[Problem]]:
    """The graph of what was understood, and everything that is wrong with it; None where there is an error."""
    if found.bound is None or has_errors(found.problems):
        return None, found.problems
    graph, more = build(found.bound, directory=directory, clock=clock, shared=shared)
    return graph, in_order([*found.problems, *more])


@contextmanager
def no_garbage() -> Iterator[None]:
    """
    Keep the cycle collector out while everything that is made is kept anyway.

    Looking at all of it again and again takes longer than making it, for files of thousands of sites.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
