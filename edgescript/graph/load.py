"""From a text to a graph, in one call: what `edge run`, `edge validate` and the tests use."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from edgescript.catalog import Catalogue
from edgescript.graph.compile import compile_file, has_errors
from edgescript.graph.model import Graph
from edgescript.language.expand import expand
from edgescript.language.files import read_file
from edgescript.language.parse import parse
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source


def load(
    source: Source,
    *,
    catalogue: Catalogue,
    environment: Mapping[str, str],
    directory: str,
    read: Callable[[str], bytes] = read_file,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Graph | None, list[Problem]]:
    """
    The graph that a text means, and everything that is wrong with it; None where there is an error.

    :param environment: where `{$NAME}` is looked up
    :param directory: where relative paths that the directives take start
    :param read: gives the bytes of an imported file, or raises OSError
    """
    with _no_garbage():
        tree, problems = parse(source)
        if any(problem.code == "E014" for problem in problems):
            return None, problems  # what is too deep was not read as blocks: everything in it would seem wrong
        file, more = expand(tree, environment=environment, read=read)
        problems += more
        graph, more = compile_file(file, catalogue, directory=directory, clock=clock)
        problems += [*more, *catalogue.problems()]
    return (None if has_errors(problems) else graph), in_order(problems)


@contextmanager
def _no_garbage() -> Iterator[None]:
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
