"""Tests of Edgefiles in Python: `from edgescript.testing import Edge`. What is public here is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgescript.testing.edge import Edge, EdgefileError, Response
    from edgescript.testing.stage import Unanswered
    from edgescript.testing.standin import Received, Reply

__all__ = ["Edge", "EdgefileError", "Received", "Reply", "Response", "Unanswered"]

_HOMES = {
    "Edge": "edge",
    "EdgefileError": "edge",
    "Received": "standin",
    "Reply": "standin",
    "Response": "edge",
    "Unanswered": "stage",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
