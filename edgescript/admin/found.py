"""The resources of the admin address, found by being there.

A file of `resources/` is the resource of its name: `health.py` answers `/health`. Its docstring says what it is for. A
coroutine function that is called as a method answers it: `get`, `post`; its docstring says what happens then.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from edgescript.admin.request import Request
from edgescript.http.message import Response

Handler = Callable[[Request], Awaitable[Response]]

_METHODS = ("get", "post")


@dataclass(frozen=True, slots=True)
class Resource:
    """One path, and what can be done there."""

    path: str
    doc: str
    #: By method: "GET", "POST".
    handlers: Mapping[str, Handler]

    @property
    def allow(self) -> bytes:
        """What `Allow` says."""
        methods = [*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])]
        return ", ".join(methods).encode()


@cache
def resources() -> Mapping[str, Resource]:
    """All resources by path."""
    folder = Path(__file__).parent / "resources"
    names = sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))
    found = [_resource(name, importlib.import_module(f"edgescript.admin.resources.{name}")) for name in names]
    return {resource.path: resource for resource in found}


def _resource(name: str, module: ModuleType) -> Resource:
    handlers = {method.upper(): getattr(module, method) for method in _METHODS if hasattr(module, method)}
    return Resource(f"/{name}", inspect.getdoc(module) or "", handlers)
