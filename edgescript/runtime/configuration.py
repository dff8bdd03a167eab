"""What the supervisor must know of an Edgefile: where to listen, how many workers, and how long to wait for what."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgescript.catalog import Catalogue
from edgescript.graph.bound import BoundFile
from edgescript.graph.check import listened, site_hosts
from edgescript.graph.compile import has_errors
from edgescript.graph.load import analyse, no_garbage
from edgescript.language.files import find_files, read_file
from edgescript.runtime.bundle import Bundle, Gathering
from edgescript.runtime.cores import usable_cores
from edgescript.runtime.sockets import Key
from edgescript.settings.grace_period import GracePeriod
from edgescript.settings.workers import Workers
from edgescript.text.problem import Problem
from edgescript.text.source import Source


@dataclass(frozen=True, slots=True)
class Configuration:
    """An Edgefile without errors, as far as the supervisor goes by it."""

    bundle: Bundle
    #: In the order of the sites.
    keys: tuple[Key, ...]
    workers: int
    #: Seconds that a worker may be silent.
    unresponsive: float
    #: Seconds that requests in flight have to end.
    grace_period: float
    #: The bound settings by class.
    settings: Mapping[type, Any]


@dataclass(frozen=True, slots=True)
class Understood:
    """What came of reading an Edgefile."""

    #: None where there are errors, or no sites.
    configuration: Configuration | None
    problems: list[Problem]
    #: What is wrong although there is no problem.
    reason: str
    #: Every text that was read, by its name.
    sources: Mapping[str, Source]


def understand(
    source: Source,
    directory: str,
    *,
    workers: int | None = None,
    read: Callable[[str], bytes] = read_file,
    find: Callable[[str], list[str]] = find_files,
) -> Understood:
    """
    Read an Edgefile with everything that it imports. Nothing is set up.

    :param workers: instead of what the file says; 0 for one for each core
    """
    gathering = Gathering(source, directory, read=read, find=find)
    with no_garbage():
        found = analyse(
            source, catalogue=Catalogue.load(), environment=os.environ, read=gathering.read, find=gathering.find
        )
    sources = {tree.source.name: tree.source for tree in (found.tree, *found.file.trees)}
    if found.bound is None or has_errors(found.problems):
        return Understood(None, found.problems, "", sources)
    keys = keys_of(found.bound)
    if not keys:
        reason = f"{source.name} has no site, so there is nothing to serve"
        return Understood(None, found.problems, reason, sources)
    settings = found.bound.settings
    wanted = settings[Workers].count if workers is None else workers
    configuration = Configuration(
        bundle=gathering.bundle(),
        keys=keys,
        workers=wanted or usable_cores(),
        unresponsive=settings[Workers].unresponsive,
        grace_period=settings[GracePeriod].duration,
        settings=settings,
    )
    return Understood(configuration, found.problems, "", sources)


def keys_of(file: BoundFile) -> tuple[Key, ...]:
    """Where a file's sites are listened for, each address once."""
    found: dict[Key, None] = {}
    for site in file.sites:
        for host in site_hosts(site):
            for bound in site.addresses:
                found[listened(host, bound.address.port)] = None
    return tuple(found)
