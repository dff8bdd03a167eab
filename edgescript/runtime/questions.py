"""What only a worker knows: the questions that it answers, and the topics that it tells about, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edgescript.observe import tap
from edgescript.runtime import asked
from edgescript.runtime.compose import Server

#: Gives what JSON can say.
Question = Callable[[Server, Mapping[str, Any]], Awaitable[Any]]
#: Calls back for each line, until what it gave is called. The lines come from any thread.
Topic = Callable[[Callable[[str], None]], Callable[[], None]]


async def _status(server: Server, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"addresses": [str(address) for address in server.addresses]}


QUESTIONS: dict[str, Question] = {
    "status": _status,
    "explain": asked.explain,
    "upstreams": asked.upstreams,
    "share": asked.share,
    "modules": asked.modules,
}

TOPICS: dict[str, Topic] = {"log": tap.listen}
