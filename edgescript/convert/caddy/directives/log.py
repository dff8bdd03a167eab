"""`log`: Caddy's go to standard error where nothing else is said, and its files are rolled over unless that is switched off."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.convert.caddy.call import Call, Option, never, nothing, same
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    block = call.options(_OPTIONS)
    if not any(isinstance(node, Directive) and node.words[0] == "output" for node in block):
        block.insert(0, Directive(["output", "stderr"]))
    return [call.directive("log", call.texts(call.arguments[:1]), block)]


def convert_program(call: Call) -> list[Node]:
    """The option `log` of the global block, for what the program says about itself."""
    if call.arguments not in ([], ["default"]):
        raise NotConverted("there is one log of the program, and it has no name")
    return [Directive(["log"], call.options(_OPTIONS_OF_PROGRAM))]


# ---- outputs


def _output(call: Call, line: Line) -> list[Node]:
    words = call.texts(line.arguments)
    if words[:1] == ["file"]:
        return [Directive(["output", *words], _file(call, line) or None)]
    if words not in (["stdout"], ["stderr"], ["discard"]):
        raise NotConverted(f"a log cannot go to {' '.join(words)}; see `output syslog` and `output otlp`")
    return [Directive(["output", *words])]


#: What Caddy does where nothing is said.
_ROLL = {"size": "100MiB", "keep": "10", "keep_for": "90d"}
_ROLL_OPTIONS = {
    "roll_size": "size",
    "roll_interval": "every",
    "roll_at": "at",
    "roll_keep": "keep",
    "roll_keep_for": "keep_for",
}


def _file(call: Call, line: Line) -> list[Node]:
    is_rolled = True
    found: list[Node] = []
    roll: list[Node] = []
    for node in call.options(_FILE, line.block or ()):
        if not isinstance(node, Directive) or node.words[0] == "mode":
            found.append(node)
        elif node.words[0] == "roll_disabled":
            is_rolled = False
        else:
            roll.append(node)
    if not is_rolled:
        return found
    said = {node.words[0] for node in roll if isinstance(node, Directive)}
    usual: list[Node] = [Directive([name, value]) for name, value in _ROLL.items() if name not in said]
    return [*found, Directive(["rotate"], [*roll, *usual])]


def _roll(name: str) -> Option:
    return lambda call, line: [Directive([name, *call.texts(line.arguments)])]


_FILE: dict[str, Option] = {
    "mode": same("mode"),
    **{theirs: _roll(ours) for theirs, ours in _ROLL_OPTIONS.items()},
    "roll_disabled": lambda call, line: [Directive(["roll_disabled"])],
    "roll_uncompressed": lambda call, line: [Directive(["compress", "off"])],
    "roll_local_time": nothing,
    "backup_time_format": nothing,
    "roll_minutes": never("write `at` with the times of the day"),
}

# ---- formats

#: The fields of Caddy's lines that lines have here; all others are not there, so that nothing has to be done about them.
_FIELDS = {
    "ts": "ts", "request>remote_ip": "client_ip", "request>client_ip": "client_ip", "request>method": "method",
    "request>host": "host", "request>uri": "uri", "request>proto": "protocol", "status": "status", "size": "size",
    "duration": "duration", "request>headers>User-Agent": "user_agent", "request>headers>Referer": "referer",
}  # fmt: skip
_TRANSFORMS = {"{common_log}": "common"}


def _format(call: Call, line: Line) -> list[Node]:
    kind, *words = line.arguments or [""]
    if kind in ("json", "console"):
        return _kind(call, line, kind)
    if kind in ("filter", "append"):
        return _wrapped(call, line, kind)
    if kind == "transform" and words and words[0] in _TRANSFORMS:
        return [Directive(["format", _TRANSFORMS[words[0]]])]
    raise NotConverted(f"there is no log format {' '.join(line.arguments)}; see `format template`")


def _kind(call: Call, line: Line, kind: str) -> list[Node]:
    if any(option.words for option in line.block or ()):
        call.context.differs("how times and levels are written cannot be chosen")
    return [Directive(["format", kind])]


def _wrapped(call: Call, line: Line, kind: str) -> list[Node]:
    """`filter` and `append`, around another format; their fields may stand in a block of their own."""
    inner = "json"
    lines: list[Line] = []
    for option in line.block or ():
        if option.name == "wrap":
            inner = option.arguments[0] if option.arguments else inner
        elif option.name == "fields":
            lines += option.block or []
        else:
            lines.append(option)
    if inner not in ("json", "console"):
        raise NotConverted(f"there is no log format {inner}")
    change = _filter if kind == "filter" else _add
    fields = _together([node for option in lines if option.words for node in change(call, option)])
    return [Directive(["format", inner]), *([Directive(["fields"], fields)] if fields else [])]


def _together(nodes: list[Node]) -> list[Node]:
    """Of what stands in one line with several names, one line."""
    found: dict[str, Directive] = {}
    rest: list[Node] = []
    for node in nodes:
        if not isinstance(node, Directive) or node.words[0] not in ("drop", "hash"):
            rest.append(node)
        elif node.words[0] in found:
            found[node.words[0]].words += node.words[1:]
        else:
            found[node.words[0]] = node
            rest.append(node)
    return rest


def _add(call: Call, line: Line) -> list[Node]:
    try:
        return [Directive(["add", *call.texts(line.words)])]
    except NotConverted as error:
        call.context.differs(f"{line.name} is left out: {error.reason}")
        return []


def _filter(call: Call, line: Line) -> list[Node]:
    field, how = _FIELDS.get(line.name), line.arguments[0] if line.arguments else ""
    if field is None:
        return []  # no line has it
    if how not in _FILTERS:
        # A field that somebody wanted to hide must not be shown because this program cannot hide it in the same way.
        call.context.differs(f"{line.name} is left out: there is no filter {how}")
        return [Directive(["drop", field])]
    return _FILTERS[how](call, line, field)


def _mask(call: Call, line: Line, field: str) -> list[Node]:
    bits = [Directive([option.name, *option.arguments]) for option in line.block or () if option.words]
    numbers = dict(zip(("ipv4", "ipv6"), line.arguments[1:3], strict=False))
    block: list[Node] = [*bits, *(Directive([name, number]) for name, number in numbers.items())]
    return [Directive(["mask", field], block or None)]


def _query(call: Call, line: Line, field: str) -> list[Node]:
    nodes: list[Node] = []
    for option in line.block or ():
        if option.words:
            how = {"delete": "drop"}.get(option.name, option.name)
            nodes.append(Directive(["query", how, *option.arguments[:1]]))
    return nodes


def _replace(call: Call, line: Line, field: str) -> list[Node]:
    call.context.differs(f"{line.name} is left out, and nothing put in its place")
    return [Directive(["drop", field])]


_FILTERS: dict[str, Callable[[Call, Line, str], list[Node]]] = {
    "delete": lambda call, line, field: [Directive(["drop", field])],
    "rename": lambda call, line, field: [Directive(["rename", field, *line.arguments[1:]])],
    "replace": _replace,
    "hash": lambda call, line, field: [Directive(["hash", field])],
    "ip_mask": _mask,
    "query": _query,
}

#: Caddy's levels that are called something else here.
_LEVELS = {"WARN": "WARNING", "PANIC": "ERROR", "FATAL": "ERROR"}


def _level(call: Call, line: Line) -> list[Node]:
    words = [word.upper() for word in line.arguments]
    return [Directive(["level", *[_LEVELS.get(word, word) for word in words]])]


_OPTIONS: dict[str, Option] = {
    "output": _output,
    "format": _format,
    "level": never("every request is logged"),
    "hostnames": never("write the log into the sites that it is for"),
    "no_hostname": nothing,
    "sampling": never("write `sample` with a percentage"),
    "include": never("each log stands where its requests come past"),
    "exclude": never("each log stands where its requests come past; see `log_skip`"),
}
_OPTIONS_OF_PROGRAM: dict[str, Option] = {
    **_OPTIONS,
    "level": _level,
    "include": never("there is one log of the program"),
    "exclude": never("there is one log of the program"),
}
