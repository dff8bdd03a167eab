"""The graph as plain lists, dictionaries and texts, for `edge adapt`."""

from __future__ import annotations

import dataclasses
from typing import Any

from edgescript.graph.model import Choice, ErrorRoute, Graph, Listener, Matcher, Program, Site, Step

Json = dict[str, Any]


def adapt(graph: Graph) -> Json:
    """Listeners, sites with their programs, and the settings that were written."""
    numbers = {id(site): number for number, site in enumerate(graph.sites)}
    return {
        "listeners": [_listener(listener, numbers) for listener in graph.listeners],
        "sites": [_site(site) for site in graph.sites],
        "settings": {_name(kind): _values(value) for kind, value in graph.settings.items()},
        "tests": len(graph.tests),
    }


def _listener(listener: Listener, numbers: dict[int, int]) -> Json:
    hosts = {host or "*": numbers[id(site)] for host, site in listener.hosts.items()}
    return {"host": listener.host, "port": listener.port, "hosts": hosts}


def _site(site: Site) -> Json:
    return {
        "names": list(site.names),
        "at": _place(site),
        "steps": _program(site.program),
        "errors": [_error_route(route) for route in site.errors],
    }


def _error_route(route: ErrorRoute) -> Json:
    statuses: list[int | str] = [*sorted(route.statuses), *(f"{number}xx" for number in sorted(route.classes))]
    return {"statuses": statuses, "at": _place(route), "steps": _program(route.program)}


def _program(program: Program) -> list[Json]:
    return [_step(number, step) for number, step in enumerate(program.steps)]


def _step(number: int, step: Step) -> Json:
    said: Json = {"position": number, "name": step.name, "text": step.text, "depth": step.depth}
    if step.role is not None:
        said["role"] = step.role.name.lower()
    if step.span is not None:
        said["at"] = _place(step)
    if step.matcher is not None:
        said |= {"matcher": _matcher(step.matcher), "otherwise": step.otherwise}
    if step.choices:
        said |= {"choices": [_choice(choice) for choice in step.choices], "otherwise": step.otherwise}
    return said


def _choice(choice: Choice) -> Json:
    matcher = None if choice.matcher is None else _matcher(choice.matcher)
    return {"text": choice.text, "at": _place(choice), "matcher": matcher, "position": choice.position}


def _matcher(matcher: Matcher) -> Json:
    said: Json = {"text": matcher.text, "at": _place(matcher)}
    if matcher.parts:
        said["parts"] = [_matcher(part) for part in matcher.parts]
    return said


def _place(thing: Site | ErrorRoute | Step | Choice | Matcher) -> str | None:
    return None if thing.span is None else str(thing.span)


def _name(setting: Any) -> str:
    name: str = setting.declaration.name
    return name


def _values(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _values(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_values(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
