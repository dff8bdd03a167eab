"""`access_log` and the `log_format` that it names."""

from __future__ import annotations

import re

from edgescript.convert.edgefile import Directive, Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, inherited, walk
from edgescript.convert.nginx.variables import VARIABLE, UnknownVariable
from edgescript.convert.report import Outcome

#: What variables mean in the line of a log, where they mean something else, or nothing, elsewhere.
_IN_LINES = {
    "request": "{orig_method} {orig_uri} {protocol}",
    "request_uri": "{orig_uri}",
    "request_method": "{orig_method}",
    "body_bytes_sent": "{resp.size}",
    "bytes_sent": "{resp.size}",
    "request_time": "{resp.duration}",
    "msec": "{time.now.unix}",
    "pipe": ".",
    # Not said here: a client may have put a credential in its place.
    "remote_user": "-",
}
_FACILITIES = re.compile(r"[a-z0-9]+")
_SYSLOG = re.compile(r"(?P<host>\[[0-9A-Fa-f:]+\]|[^:\s]+)(?P<port>:[0-9]+)?")


def log(ctx: Context, block: Line) -> list[Node]:
    """`access_log`, where it is said; each writes lines of its own."""
    nodes: list[Node] = []
    for line in inherited(block, "access_log"):
        ctx.notes.done(line)
        if line.value != "off":
            nodes += _log(ctx, line)
    return nodes


def _log(ctx: Context, line: Line) -> list[Node]:
    if any(word.startswith("if=") for word in line.args):
        return ctx.refuse(line, "which requests are logged, says the matcher of `log`")
    output = _output(ctx, line)
    if output is None:
        return ctx.refuse(line, "lines go to a file, a stream or a syslog server whose names are known")
    options = [word for word in line.args[1:] if "=" not in word and word != "gzip"]
    found = _format(ctx, line, options[0] if options else "combined")
    return ctx.commented(line, [ctx.directive(line, "log", block=[output, found])])


# ---- where to


def _output(ctx: Context, line: Line) -> Directive | None:
    if line.value.startswith("syslog:"):
        return _syslog(ctx, line)
    if "$" in line.value:
        return None
    to = {"/dev/stdout": ("stdout",), "/dev/stderr": ("stderr",)}.get(line.value, ("file", line.value))
    return ctx.directive(line, "output", *to)


def _syslog(ctx: Context, line: Line) -> Directive | None:
    """`syslog:server=ADDRESS,facility=…,tag=…`; nginx sends datagrams."""
    options = dict(part.partition("=")[::2] for part in line.value.removeprefix("syslog:").split(","))
    server = options.get("server", "")
    block: list[Node] = []
    if _FACILITIES.fullmatch(options.get("facility", "")):
        block.append(ctx.directive(line, "facility", options["facility"]))
    if options.get("tag"):
        block.append(ctx.directive(line, "app_name", options["tag"]))
    if server.startswith("unix:"):
        where = f"unix/{server.removeprefix('unix:')}"
    else:
        found = _SYSLOG.fullmatch(server)
        if found is None:
            return None
        where = f"udp://{found['host']}{found['port'] or ''}"
    ctx.notes.say(line, Outcome.CONVERTED, "messages are those of RFC 5424; how bad it is follows from the status")
    return ctx.directive(line, "output", "syslog", where, block=block or None)


# ---- how


def _format(ctx: Context, line: Line, name: str) -> Directive:
    if name == "combined":
        return ctx.directive(line, "format", "combined")
    written = next((one for one in walk(ctx.root) if one.name == "log_format" and one.value == name), None)
    if written is None:
        ctx.notes.say(line, Outcome.PARTLY, f"there is no log_format {name}; each line is JSON")
        return ctx.directive(line, "format", "json")
    ctx.notes.done(written)
    texts = [word for word in written.args[1:] if not word.startswith("escape=")]
    if "escape=json" in written.args:
        ctx.notes.say(line, Outcome.PARTLY, "each line is JSON with fields of its own; see `fields` of `log`")
        return ctx.directive(line, "format", "json")
    try:
        text = _template(ctx, "".join(texts))
    except UnknownVariable as error:
        ctx.notes.say(line, Outcome.PARTLY, f"each line is JSON: {error}")
        return ctx.directive(line, "format", "json")
    ctx.notes.say(line, Outcome.CONVERTED, "a value that is not there is empty, and not -")
    return ctx.directive(line, "format", "template", text)


def _template(ctx: Context, text: str) -> str:
    """The pieces between the variables that mean something else here, each as any text of nginx."""
    parts: list[str] = []
    position = 0
    for found in VARIABLE.finditer(text):
        name = found[1] or found[2]
        if name in _IN_LINES:
            parts += [ctx.names.template(text[position : found.start()]), _IN_LINES[name]]
            position = found.end()
    return "".join([*parts, ctx.names.template(text[position:])])
