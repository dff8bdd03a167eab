"""An Edgefile as an ASGI 3 application for any server: `uvicorn --factory edgescript.asgi:from_environment`."""

from __future__ import annotations

import os
from pathlib import Path

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.server.asgi import Application
from edgescript.text.problem import Severity
from edgescript.text.source import Source

__all__ = ["Application", "EdgefileError", "application", "from_environment"]


class EdgefileError(Exception):
    """An Edgefile that cannot be served; the message names every error with its place."""


def application(path: str | os.PathLike[str] = "Edgefile") -> Application:
    """
    The application that an Edgefile describes.

    :raises EdgefileError: if the file has errors
    :raises OSError: if it cannot be read
    """
    file = Path(path)
    # Bytes that are no UTF-8 are a problem at their place.
    source = Source(str(file), file.read_bytes().decode("utf-8", "surrogateescape"))
    graph, problems = load(
        source, catalogue=Catalogue.load(), environment=os.environ, directory=str(file.absolute().parent)
    )
    if graph is None:
        errors = (problem for problem in problems if problem.severity is Severity.ERROR)
        raise EdgefileError("\n".join(f"{problem.span}: {problem.message} [{problem.code}]" for problem in errors))
    return Application(graph)


def from_environment() -> Application:
    """The application of the file that `EDGEFILE` names, or of `Edgefile` in the working directory."""
    return application(os.environ.get("EDGEFILE", "Edgefile"))
