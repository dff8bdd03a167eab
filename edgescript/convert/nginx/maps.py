"""`map` blocks, in each site that uses their variable."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from ipaddress import ip_network

from edgescript.convert.edgefile import Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line
from edgescript.convert.nginx.values import is_network
from edgescript.convert.nginx.variables import BadPattern, Names, Unconvertible, UnknownVariable, names_of, pattern
from edgescript.convert.regexp import group_names
from edgescript.convert.report import Outcome

#: Sources whose values are in lower case anyway, or have one case only.
_ONE_CASE = ("$host", "$scheme", "$request_method", "$remote_addr", "$server_name")


def maps(ctx: Context) -> list[Node]:
    """The maps whose variables the site uses so far; those that these use stand above them."""
    nodes: list[Node] = []
    done: set[Line] = set()
    while True:
        wanted = [line for line in ctx.tables if _variable(line) in ctx.names.used and line not in done]
        if not wanted:
            ctx.names.used.clear()
            return nodes
        line = wanted[-1]
        done.add(line)
        nodes = [*(_map(ctx, line) if line.name == "map" else _geo(ctx, line)), *nodes]


def lost(names: Names, tables: Sequence[Line], failed: Container[str]) -> set[str]:
    """
    The variables whose table is not, or not wholly, converted: what they are cannot be relied on.

    :param failed: the places of lines that could not be read
    """
    names = Names(names.variables, names.captures, names.constants)
    found = {_variable(line) for line in tables if not _is_whole(names, line, failed)}
    for _ in tables:
        more = {_variable(line) for line in tables if found.intersection(names_of(line.value))} - found
        if not more:
            break
        found |= more
    return found


def _is_whole(names: Names, line: Line, failed: Container[str]) -> bool:
    if any(row.name == "include" and row.place in failed for row in line.inner):
        return False
    if line.name == "geo":
        is_plain = len(line.args) < 2 or line.value == "$remote_addr"
        return is_plain and all(row.name in ("default", "include") or is_network(row.name) for row in line.inner)
    try:
        names.template(line.value)
        for row in line.inner:
            if row.name.startswith("~"):
                _pattern(row.name[1:])
    except Unconvertible:
        return False
    return True


def _variable(line: Line) -> str:
    return line.args[-1].lstrip("$") if line.args else ""


def _geo(ctx: Context, line: Line) -> list[Node]:
    """`geo`: the network with the longest prefix counts, so it is set last."""
    name = _variable(line)
    if len(line.args) == 2 and line.value != "$remote_addr":
        return ctx.refuse(line, "networks are looked up for the client's address only")
    ctx.notes.done(line)
    nodes: list[Node] = []
    networks = [row for row in line.inner if is_network(row.name)]
    for row in line.inner:
        if row.name == "default":
            nodes.append(ctx.directive(line, "vars", name, row.value))
        elif row.name == "include":
            ctx.notes.done(row)
        elif row not in networks:
            ctx.notes.say(line, Outcome.PARTLY, "rows are networks and values here")
            nodes += ctx.refuse(row, "a row is a network and a value")
    for row in sorted(networks, key=lambda row: ip_network(row.name, strict=False).prefixlen):
        at = ctx.matcher(f"{name}_{row.value}")
        nodes += [ctx.directive(line, at, "client_ip", row.name), ctx.directive(line, "vars", at, name, row.value)]
    return ctx.commented(line, nodes)


def _map(ctx: Context, line: Line) -> list[Node]:
    try:
        source = ctx.names.template(line.value)
    except UnknownVariable as error:
        return ctx.refuse(line, str(error))
    ctx.notes.done(line)
    default: list[Node] = []
    exact: list[Node] = []
    expressions: list[Node] = []
    hosts = any(row.name == "hostnames" for row in line.inner)
    for row in line.inner:
        try:
            _row(ctx, line, row, hosts, (default, exact, expressions))
        except (BadPattern, UnknownVariable) as error:
            exact += ctx.refuse(row, str(error))
            ctx.notes.say(line, Outcome.PARTLY, "not all of its rows are there")
    block = [*exact, *expressions, *default]
    return ctx.commented(line, [ctx.directive(line, "map", source, f"{{{_variable(line)}}}", block=block)])


def _row(ctx: Context, table: Line, row: Line, hosts: bool, lists: tuple[list[Node], list[Node], list[Node]]) -> None:
    default, exact, expressions = lists
    if row.name in ("hostnames", "volatile") and not row.args:
        return
    if row.name == "include":
        ctx.notes.done(row)
        return
    key = row.name
    is_escaped = key.startswith("\\")
    key = key.removeprefix("\\") if is_escaped else key
    value = _value(ctx, key, row.value)
    if value == "-":
        ctx.notes.say(table, Outcome.PARTLY, "a value `-` stands for none")
    if key == "default" and not is_escaped:
        default.append(ctx.directive(table, "default", value))
    elif key.startswith("~") and not is_escaped:
        expressions.append(ctx.directive(table, f"~{_pattern(key[1:])}", value))
    elif hosts and (key.startswith((".", "*.")) or key.endswith(".*")):
        expressions.append(ctx.directive(table, f"~{_host(key)}", value))
    elif _has_case(key, table.value):
        exact.append(ctx.directive(table, f"~(?i)^{re.escape(key)}$", value))
    else:
        exact.append(ctx.directive(table, key if table.value != "$host" else key.lower(), value))


def _has_case(key: str, source: str) -> bool:
    """nginx compares texts without regard to case."""
    return key.lower() != key.upper() and source not in _ONE_CASE


def _pattern(text: str) -> str:
    return pattern(text[1:], ignore_case=True) if text.startswith("*") else pattern(text)


def _host(key: str) -> str:
    if key.endswith(".*"):
        return f"^{re.escape(key[:-1])}"
    if key.startswith("*"):
        return f"{re.escape(key[1:])}$"
    return f"(^|\\.){re.escape(key[1:])}$"


def _value(ctx: Context, key: str, text: str) -> str:
    """The value of a row; groups of its own expression are written `${1}`."""
    if not key.startswith("~"):
        return ctx.names.template(text)
    numbers = {name: index + 1 for index, name in enumerate(group_names(key))}
    text = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: _group(found, numbers), text, flags=re.ASCII)
    return ctx.names.template(text).replace("\0", "$")


def _group(found: re.Match[str], numbers: dict[str, int]) -> str:
    name = found[1] or found[2]
    if name.isdigit():
        return f"\0{{{name}}}"
    return f"\0{{{numbers[name]}}}" if name in numbers else found[0]
