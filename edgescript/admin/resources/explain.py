"""What would happen to a request."""

from __future__ import annotations

import contextlib
from typing import Any

from edgescript.admin.operator import Operator
from edgescript.admin.request import Request, json_answer, text_answer
from edgescript.http.message import HTTPError, Response

_ONCE = ("method", "url", "ip")


async def get(request: Request) -> Response:
    """
    Where the running server would send a request, and why, without making it: `?method=GET&url=http://example.com/x`.

    `header=Name: value` may be there several times, `ip=` says where the request comes from. The answer is that of
    `edge explain`, as text or JSON by `Accept`.
    """
    arguments: dict[str, object] = {"method": "GET", "ip": "127.0.0.1"}
    headers = []
    for name, value in request.query:
        if name == "header":
            headers.append(value)
        elif name in _ONCE:
            arguments[name] = value
        else:
            raise HTTPError(400, f"there is no parameter {name[:80]!r}; there are: {', '.join(_ONCE)}, header")
    if "url" not in arguments:
        raise HTTPError(400, "which request? `?url=http://example.com/x` says it")
    answers = await _asked(request.operator, {**arguments, "headers": headers})
    if not answers:
        raise HTTPError(503, "the worker did not answer in time", [(b"retry-after", b"1")])
    told = answers[0]
    if "error" in told:
        raise HTTPError(400, told["error"])
    if request.prefers("application/json", "text/plain") == "text/plain":
        return text_answer(told["text"] + "\n")
    return json_answer(told["explanation"])


async def _asked(operator: Operator, arguments: dict[str, object]) -> list[Any]:
    """The answer of one worker; all have the same configuration."""
    for worker in operator.status().workers:
        if worker.state == "ready":
            with contextlib.suppress(LookupError):  # it has ended since
                return await operator.ask("explain", arguments, worker=worker.number)
    return []
