"""From an nginx configuration to an Edgefile with the same meaning, and a report about every directive.

The order of work: syntax (crossplane) → lines, with their inheritance → a site for each server → what is a problem becomes a
comment. Whatever the bytes are, there is an Edgefile without errors and a report.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from edgescript.catalog import Catalogue
from edgescript.convert import mend
from edgescript.convert.edgefile import Blank, Comment, Edgefile, Node
from edgescript.convert.nginx import body
from edgescript.convert.nginx.context import Context, TooMuch, unconverted
from edgescript.convert.nginx.globals import settings
from edgescript.convert.nginx.lines import Line, below, walk
from edgescript.convert.nginx.maps import lost
from edgescript.convert.nginx.notes import Notes
from edgescript.convert.nginx.sites import sites
from edgescript.convert.nginx.syntax import Failure, lines_of
from edgescript.convert.nginx.variables import Names
from edgescript.convert.nginx.words import NOT_NEEDED
from edgescript.convert.regexp import group_names
from edgescript.convert.report import Conversion, Outcome
from edgescript.text.source import Source

_NGINX = re.compile(
    r"^\s*(?:server|http|events|upstream|location|stream)\b[^;{}\n]*\{|^\s*[a-z_]+\s[^;{}\n]*;\s*(?:#.*)?$",
    re.MULTILINE,
)
_CADDY = re.compile(r"^\s*(?:reverse_proxy|file_server|php_fastcgi|encode|handle_path)\b[^;\n]*$", re.MULTILINE)
#: Comments about failures that are written; the report has all.
_MOST_SHOWN = 20

#: Directives that stand in a server or a location, where a file holds only a part of a configuration.
_OF_SERVERS = (
    "location",
    "listen",
    "server_name",
    "root",
    "return",
    "rewrite",
    "try_files",
    "if",
    "proxy_pass",
    "alias",
)


def looks_like(source: Source) -> bool:
    """Whether a text is more likely nginx's configuration than a Caddyfile."""
    text = source.text[:200_000]
    return len(_NGINX.findall(text)) > len(_CADDY.findall(text))


def convert(source: Source, *, read: Callable[[str], bytes], find: Callable[[str], list[str]]) -> Conversion:
    """
    The Edgefile that a configuration comes to, and what became of each directive.

    :param read: gives the bytes of an included file, or raises OSError
    :param find: gives the names of the files that a pattern with `*` stands for
    """
    root, failures = lines_of(source, read=read, find=find)
    _wrapped(root)
    ctx = _context(root, {failure.place for failure in failures})
    try:
        file = _file(ctx, failures)
    except TooMuch:
        failures.append(Failure(f"{source.name}:1", source.name, "the Edgefile would become too large"))
        return Conversion("# the configuration is too large to be converted\n", ctx.notes.report(root, failures))
    return mend.mended(file, ctx.notes.report(root, failures), ctx.catalogue)


def _context(root: Line, failed: set[str]) -> Context:
    catalogue = Catalogue.load()
    lines = list(walk(root))
    defined = {line.value.lstrip("$") for line in lines if line.name == "set" and line.args}
    defined |= {line.args[-1].lstrip("$") for line in lines if line.name in ("map", "geo") and line.args}
    captures = {name for line in lines for word in (line.name, *line.args) for name in group_names(word)}
    tables = [*below(root, "map"), *below(root, "geo")]
    upstreams = {line.value: line for line in below(root, "upstream")}
    ctx = Context(catalogue, Notes(), Names(defined, captures, _constants(lines)), root, upstreams, tables, False)
    ctx.lost_tables = lost(ctx.names, tables, failed)
    ctx.has_https = not mend.has_problems("https://example.com {\n    abort\n}\n", catalogue)
    return ctx


def _constants(lines: list[Line]) -> dict[str, str]:
    """Variables that are set once, to a text without variables."""
    values: dict[str, list[str]] = {}
    for line in lines:
        if line.name == "set" and len(line.args) == 2 and line.parent is not None and line.parent.name != "if":
            values.setdefault(line.value.lstrip("$"), []).append(line.args[1])
        elif line.name == "set" and line.args:
            values.setdefault(line.value.lstrip("$"), []).append("$")
    return {name: found[0] for name, found in values.items() if len(found) == 1 and "$" not in found[0]}


def _wrapped(root: Line) -> None:
    """Give a file that holds only what stands in a server, as pages of documentation do, a server around it."""
    assert root.block is not None
    if not any(line.name in _OF_SERVERS for line in root.block):
        return
    inner = [line for line in root.block if line.name not in ("server", "upstream", "map", "http", "events", "geo")]
    server = Line("server", [], root.place, inner, root, [])
    for line in inner:
        line.parent = server
    root.replace([*(line for line in root.block if line not in inner), server])


def _file(ctx: Context, failures: list[Failure]) -> Edgefile:
    file = Edgefile()
    file.settings = settings(ctx)
    inner = sites(ctx)
    outer = _outside(ctx)
    failed: list[Node] = [
        Comment(f"{Outcome.NOT}: {' '.join(_printable(one.written).split())[:200]} ({one.reason})")
        for one in failures[:_MOST_SHOWN]
    ]
    file.nodes = [*failed, *([Blank()] if failed and outer else []), *outer, *inner]
    while file.nodes and isinstance(file.nodes[0], Blank):
        del file.nodes[0]
    if not file.nodes and not file.settings:
        file.nodes = [Comment("there is no server in this configuration")]
    return file


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _outside(ctx: Context) -> list[Node]:
    """What stands outside of servers and came to nothing yet."""
    nodes: list[Node] = []
    for block in [ctx.root, *(line for line in ctx.root.inner if line.name in ("http", "events"))]:
        for line in block.inner:
            nodes += _outer(ctx, line)
        if block.tail:
            nodes.append(Comment("\n".join(_printable(text) for text in block.tail)))
    return nodes


def _outer(ctx: Context, line: Line) -> list[Node]:
    if line.name in ("http", "events"):
        ctx.notes.done(line)
        return ctx.comments(line)
    if ctx.notes.knows(line):
        return ctx.comments(line)
    if line.name == "upstream":
        return _unused(ctx, line)
    if line.name in ("map", "geo"):
        ctx.notes.say(line, Outcome.CONVERTED, "not needed: nothing here uses its variable")
        return ctx.comments(line)
    if line.name not in body.READ or line.name in NOT_NEEDED:
        nodes = ctx.unknown(line)
        for inner in walk(line):
            if line.name not in ("types", "map", "geo"):
                ctx.notes.say(inner, ctx.notes.outcome(line) or Outcome.NOT, f"it stands in `{line.name}`")
        return nodes
    if line.name == "location" or line.block is not None:
        for inner in walk(line):
            ctx.notes.say(inner, Outcome.NOT, "it stands outside of any server")
        return ctx.refuse(line, "it stands outside of any server")
    ctx.notes.say(line, Outcome.CONVERTED, "not needed: nothing here uses it")
    return ctx.comments(line)


def _unused(ctx: Context, line: Line) -> list[Node]:
    """A group of servers that no site uses."""
    why = "nothing here uses it"
    for one in [line, *walk(line)]:
        ctx.notes.say(one, Outcome.NOT, why)
    return [*ctx.comments(line), unconverted(line, why)]
