"""Python in the request path: `from edgescript.api import Request, Response`. It is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgescript.api._fields import Headers, Values
    from edgescript.api._hooks import on_start, on_stop
    from edgescript.api._request import Request
    from edgescript.api._response import HTTPError, Response
    from edgescript.api._scope import background, span, wait
    from edgescript.api._store import Store, store

__all__ = [
    "HTTPError",
    "Headers",
    "Request",
    "Response",
    "Store",
    "Values",
    "background",
    "on_start",
    "on_stop",
    "span",
    "store",
    "wait",
]

_HOMES = {
    "HTTPError": "response",
    "Headers": "fields",
    "Request": "request",
    "Response": "response",
    "Store": "store",
    "Values": "fields",
    "background": "scope",
    "on_start": "hooks",
    "on_stop": "hooks",
    "span": "scope",
    "store": "store",
    "wait": "scope",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}._{_HOMES[name]}"), name)
    globals()[name] = value
    return value
