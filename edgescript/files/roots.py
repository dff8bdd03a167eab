"""Roots: absolute, and, where placeholders fill them in, never a place that their writer did not mean."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError

_SLASHES = re.compile(r"[/\\]")


def absolute(root: str, directory: str) -> str:
    """A root as a path of its own; one that is relative starts at `directory`."""
    return os.path.abspath(os.path.join(directory, root))


def checked(read: Callable[[Exchange], str], written: str, directory: str) -> Callable[[Exchange], str]:
    """
    A function that gives the root of an exchange.

    :param read: fills in the placeholders of `written`; the function raises HTTPError 404 where that leads astray
    """

    start = os.path.abspath(directory)

    def root(exchange: Exchange) -> str:
        filled = read(exchange)
        if has_way_out(filled, written):
            raise HTTPError(404, f"the root {filled!r} is not what {written!r} means")
        return absolute(filled, start)

    return root


def has_way_out(root: str, written: str) -> bool:
    """
    Whether a root whose placeholders were filled in leads to a place its writer did not mean.

    `/srv/{host}` is `/` with the host `..`, and `/srv` without a host. A `..` that the writer wrote himself is meant.
    """
    return "\0" in root or _climbs(root) > _climbs(written) or _depth(root) < _depth(written)


def _climbs(path: str) -> int:
    return sum(segment == ".." for segment in _SLASHES.split(path))


def _depth(path: str) -> int:
    return sum(segment not in ("", ".") for segment in _SLASHES.split(path))
