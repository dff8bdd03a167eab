"""The access log as it is written, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from edgescript.admin.request import Request
from edgescript.admin.stream import event
from edgescript.http.message import HTTPError, Response

#: Characters of a line.
_LONGEST = 16 * 1024


async def get(request: Request) -> Response:
    """
    Every line that a `log` writes from now on, an event each.

    `?site=` keeps the lines whose host is this one, `?path=` those whose path begins so, `?status=404` or `?status=5xx` those
    with this status; together they narrow it further. A client that does not keep up is told how many it has missed.
    """
    wanted = _filter(request.parameters("site", "path", "status"))

    def taste(line: str) -> bytes | None:
        return _told(line) if wanted(line) else None

    return request.room.logs.answer(taste)


# A line is passed to each client in turn, so the last one is all that has to be remembered for it to be read and written once.


@lru_cache(maxsize=1)
def _told(line: str) -> bytes:
    return event(line[:_LONGEST].rstrip("\n"))


@lru_cache(maxsize=1)
def _entry(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # another format, which has no names for its parts
        return None


def _filter(asked: dict[str, str]) -> Callable[[str], bool]:
    tests: list[Callable[[dict[str, Any]], bool]] = []
    if "site" in asked:
        site = asked["site"].lower()
        tests.append(lambda entry: _text(entry, "host").lower().partition(":")[0] == site)
    if "path" in asked:
        path = asked["path"]
        tests.append(lambda entry: _text(entry, "uri", "path").startswith(path))
    if "status" in asked:
        statuses = _statuses(asked["status"])
        tests.append(lambda entry: entry.get("status") in statuses)
    return lambda line: not tests or _fits(line, tests)


def _fits(line: str, tests: list[Callable[[dict[str, Any]], bool]]) -> bool:
    entry = _entry(line)
    return isinstance(entry, dict) and all(test(entry) for test in tests)


def _text(entry: dict[str, Any], *names: str) -> str:
    return next((str(entry[name]) for name in names if name in entry), "")


def _statuses(text: str) -> range:
    if len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx":
        first = int(text[0]) * 100
        return range(first, first + 100)
    if len(text) == 3 and text.isascii() and text.isdigit():
        return range(int(text), int(text) + 1)
    raise HTTPError(400, "status is one such as 404, or a class such as 5xx")
