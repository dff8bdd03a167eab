"""The folder that a directive finds files in."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.declare.kinds import Template
from edgescript.files import roots
from edgescript.http.exchange import Exchange


def finder(root: Template | None, directory: str) -> Callable[[Exchange], str]:
    """
    Gives an exchange's folder: its own root, that of the `root` directive, or where nothing is said `directory`.

    The function raises HTTPError 404 where placeholders lead astray.
    """
    if root is None:
        return lambda exchange: exchange.root or directory
    if root.constant is None:
        return roots.checked(root.read, root.text, directory)
    folder = roots.absolute(root.constant, directory)
    return lambda exchange: folder
