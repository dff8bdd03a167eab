"""`return` and `rewrite`: what answers at once, and what asks for something else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from edgescript.convert import mend
from edgescript.convert.edgefile import Directive, Node
from edgescript.convert.nginx.conditions import Matcher, captured, is_file_test, matcher, misses_file
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, setting, walk
from edgescript.convert.nginx.locations import example
from edgescript.convert.nginx.variables import QUERY, VARIABLE, Unconvertible, names_of, pattern
from edgescript.convert.report import Outcome

_REDIRECTS = ("301", "302", "303", "307", "308")
_STATUS = re.compile(r"[1-5][0-9][0-9]")
_URL = re.compile(r"(https?://|\$\{?scheme\}?://|\$\{?\w+\}?://|//)")
#: Patterns that every path fits.
_EVERYTHING = ("^", "^/", "/", ".*", "^.*", "^.*$", "^(.*)$", "^(.*)", "(.*)", "^/.*", "^/.*$", ".", "^.+$")

#: Names of directives of the rewrite phase, which run in the order written.
PHASE = ("set", "rewrite", "return", "if", "break")

#: Gives the directives of the location that a path leads to, or None where that is the one being written.
Follow = Callable[[str], list[Node] | None]
#: Gives the directives of an `if` that holds more than rewriting.
Inside = Callable[[Line], list[Node]]


class Phase(NamedTuple):
    """What the rewrite phase of a block comes to, and whether it answers every request."""

    nodes: list[Node]
    ended: bool


def phase(ctx: Context, lines: list[Line], *, follow: Follow, inside: Inside) -> Phase:
    """The directives `set rewrite return if break` of a block, in their order."""
    nodes: list[Node] = []
    for number, line in enumerate(lines):
        rest = lines[number + 1 :]
        if line.name == "break":
            ctx.notes.done(line, *rest)
            return Phase(nodes, False)
        if line.name == "return":
            nodes += ctx.commented(line, answer(ctx, line))
            ctx.notes.done(*rest)
            return Phase(nodes, True)
        if line.name == "rewrite" and _stops(line, rest) and (rest or _leads_on(line, follow)):
            return _apart(ctx, line, rest, nodes, follow=follow, inside=inside)
        nodes += ctx.commented(line, _one(ctx, line, follow, inside))
        if line.name == "if" and rest and any(one.name == "break" or _stops(one, rest) for one in line.inner):
            ctx.notes.say(line, Outcome.PARTLY, "what stands below it runs for these requests as well")
        if line.name == "if" and rest and not all(one.name in PHASE for one in line.inner):
            ctx.notes.say(line, Outcome.PARTLY, "of what stands below it, nothing runs for these requests")
    return Phase(nodes, False)


def _one(ctx: Context, line: Line, follow: Follow, inside: Inside) -> list[Node]:
    try:
        match line.name:
            case "set":
                return _set(ctx, line)
            case "rewrite":
                return _rewrite(ctx, line)
            case _:
                return _if(ctx, line, follow, inside)
    except Unconvertible as error:
        return _lost(ctx, line, str(error))


def _lost(ctx: Context, line: Line, why: str) -> list[Node]:
    """What is not converted; where it would have refused requests, all are refused."""
    ctx.lost.update(one.value.lstrip("$") for one in [line, *walk(line)] if one.name == "set")
    nodes = ctx.refuse(line, why)
    if line.name != "if" or is_file_test(line) or not any(_refuses(one) for one in line.inner):
        return nodes
    ctx.notes.say(line, Outcome.NOT, "all requests are refused, because this refused some")
    return [*nodes, *mend.refusal(ctx.matcher("refused"), "if was not converted")]


def _refuses(line: Line) -> bool:
    return line.name == "return" and re.fullmatch(r"4\d\d", line.value) is not None


def _set(ctx: Context, line: Line) -> list[Node]:
    if len(line.args) != 2:
        return ctx.refuse(line, "set takes a variable and a value")
    value = ctx.names.template(line.args[1])
    if lost := _lost_in(ctx, line):
        raise Unconvertible(lost)
    ctx.notes.done(line)
    return [ctx.directive(line, "vars", line.value.lstrip("$"), value)]


# ---- return


def answer(ctx: Context, line: Line, *at: str) -> list[Node]:
    """What a `return` comes to, for requests that a matcher (`at`) fits or for all."""
    try:
        return _answer(ctx, line, at)
    except Unconvertible as error:
        return [*ctx.refuse(line, str(error)), ctx.directive(line, "error", *at, "501")]


def _answer(ctx: Context, line: Line, at: tuple[str, ...]) -> list[Node]:
    code, text = (line.value, " ".join(line.args[1:])) if _STATUS.fullmatch(line.value) else ("302", line.value)
    ctx.notes.done(line)
    if line.value == "444":
        return [ctx.directive(line, "abort", *at)]
    if code in _REDIRECTS and text:
        return [redirect(ctx, line, ctx.names.template(text), code, at)]
    if len(line.args) > 1:
        return [*content_type(ctx, line, at), ctx.directive(line, "respond", *at, code, ctx.names.template(text))]
    if code >= "400":
        return [ctx.directive(line, "error", *at, code)]
    return [ctx.directive(line, "respond", *at, code)]


def redirect(ctx: Context, line: Line, url: str, code: str, at: tuple[str, ...]) -> Directive:
    """`redir`; a path in front of the code would be read as a matcher."""
    return ctx.directive(line, "redir", *(at or (("*",) if url.startswith(("/", "*", "@")) else ())), url, code)


def content_type(ctx: Context, line: Line, at: tuple[str, ...]) -> list[Node]:
    """The type of a text that `return` gives, where `default_type` says it."""
    assert line.parent is not None
    said = setting(line.parent, "default_type")
    if said is None or not said.value:
        return []
    ctx.notes.done(said)
    return [ctx.directive(said, "header", *at, "Content-Type", said.value)]


# ---- rewrite


def _flag(line: Line) -> str:
    return line.args[2] if len(line.args) > 2 else ""


def _is_redirect(line: Line) -> bool:
    return _flag(line) in ("redirect", "permanent") or (len(line.args) > 1 and _URL.match(line.args[1]) is not None)


def _stops(line: Line, rest: list[Line]) -> bool:
    """Whether a rewrite ends the phase; without a flag, the last one does."""
    ends = _flag(line) in ("last", "break") or (not _flag(line) and not rest)
    return ends and len(line.args) > 1 and not _is_redirect(line)


def _leads_on(line: Line, follow: Follow) -> bool:
    """Whether another location is looked for with the new path."""
    return _flag(line) != "break" and follow(_example(line)) is not None


def _example(line: Line) -> str:
    """A path that a rewrite leads to, for choosing its location."""
    return example(QUERY.sub("?", line.args[1]).partition("?")[0])


def _apart(ctx: Context, line: Line, rest: list[Line], before: list[Node], *, follow: Follow, inside: Inside) -> Phase:
    """A rewrite that ends the phase, and the rest for the requests that it does not fit: two blocks that exclude each other."""
    try:
        asked, target = _asked(line), _target(ctx, line)
    except Unconvertible as error:
        more = phase(ctx, rest, follow=follow, inside=inside)
        return Phase([*before, *ctx.refuse(line, str(error)), *more.nodes], more.ended)
    ctx.notes.done(line)
    there = follow(_example(line)) if _flag(line) != "break" else None
    if there is not None and VARIABLE.search(line.args[1].partition("?")[0]):
        ctx.notes.say(line, Outcome.PARTLY, "the location that it leads to was chosen by what the rewrite looks like")
    block: list[Node] = [ctx.directive(line, "rewrite", *_all(target)), *(there or [])]
    if asked is None:
        ctx.notes.done(*rest)
        return Phase([*before, *ctx.commented(line, block)], there is not None)
    name = ctx.matcher(f"rewrite_{_words(line.value)}")
    taken = ctx.directive(line, "handle", name, block=block)
    more = phase(ctx, rest, follow=follow, inside=inside)
    group: list[Node] = [ctx.directive(line, name, *asked), taken]
    if more.nodes:
        group.append(ctx.directive(line, "handle", block=more.nodes))
    if there is not None and not more.nodes:
        return Phase(
            [*before, *ctx.commented(line, [group[0], ctx.directive(line, "route", name, block=block)])], False
        )
    ended = there is not None and more.ended
    return Phase([*before, *ctx.commented(line, [ctx.directive(line, "route", block=group)])], ended)


def _rewrite(ctx: Context, line: Line) -> list[Node]:
    if len(line.args) < 2:
        return ctx.refuse(line, "rewrite takes a regular expression and a replacement")
    asked = _asked(line)
    if _is_redirect(line):
        return _redirected(ctx, line, asked)
    target = _target(ctx, line)
    ctx.notes.done(line)
    if asked is None:
        return [ctx.directive(line, "rewrite", *_all(target))]
    name = ctx.matcher(f"rewrite_{_words(line.value)}")
    return [ctx.directive(line, name, *asked), ctx.directive(line, "rewrite", name, target)]


def _redirected(ctx: Context, line: Line, asked: Matcher | None) -> list[Node]:
    code = "301" if _flag(line) == "permanent" else "302"
    found = re.match(r"((?:[^/?]*:)?//[^/?]*)?(.*)", line.args[1], re.DOTALL)
    assert found is not None
    origin, rest = ctx.names.template(found[1] or ""), found[2]
    nodes: list[Node] = []
    whole = _whole(line.value)
    if rest in whole:
        url = f"{origin}{{uri}}"
    elif rest.endswith("?") and "$" not in rest:
        url = f"{origin}{rest[:-1]}"
    else:
        url = f"{origin}{{uri}}"
        path = rest if rest.startswith("/") else f"/{rest}"
        nodes.append(ctx.directive(line, "rewrite", *_all(_target(ctx, line, path))))
    ctx.notes.done(line)
    if asked is None or (asked[0] == "path_regexp" and not nodes and rest in whole and asked[1] == "^/(.*)$"):
        return [*nodes, redirect(ctx, line, url, code, ())]
    name = ctx.matcher(f"redirect_{_words(line.value)}")
    definition = ctx.directive(line, name, *asked)
    if not nodes:
        return [definition, redirect(ctx, line, url, code, (name,))]
    return [definition, ctx.directive(line, "route", name, block=[*nodes, redirect(ctx, line, url, code, ())])]


def _whole(asked: str) -> tuple[str, ...]:
    """What stands for the path that was asked for, where a pattern catches all of it."""
    if asked in ("^(.*)$", "^(.*)", "(.*)"):
        return ("$1", "/$1", "$uri", "$request_uri", "$request_uri?")
    if asked in ("^/(.*)$", "^/(.*)", "/(.*)"):
        return ("/$1", "$uri", "$request_uri", "$request_uri?")
    return ("$uri", "$request_uri", "$request_uri?")


def _asked(line: Line) -> Matcher | None:
    """The matcher of a rewrite's expression; None where it fits every path and catches nothing that is used."""
    written = pattern(line.value)
    if line.value in _EVERYTHING and ("(" not in line.value or "$1" not in line.args[1]):
        return None
    if line.value in _EVERYTHING and line.args[1].startswith("$1"):
        return None
    return ("path_regexp", written)


def _target(ctx: Context, line: Line, text: str | None = None) -> str:
    """What a rewrite asks for: the query that there was stays behind the new one, unless a `?` at the end says otherwise."""
    replacement = line.args[1] if text is None else text
    if line.value in _EVERYTHING and replacement.startswith("$1"):
        replacement = "$uri" + replacement.removeprefix("$1")
    if not replacement.startswith(("/", "$")):
        replacement = f"/{replacement}"
    path, mark, query = replacement.partition("?")
    if mark and not query:
        return ctx.names.target(path) + "?"
    if query.endswith("?"):
        return ctx.names.target(f"{path}?{query[:-1]}")
    if query and not re.search(r"\$\{?(args|query_string)\b", query):
        return f"{ctx.names.target(f'{path}?{query}')}&{{query}}"
    return ctx.names.target(replacement)


def _all(target: str) -> tuple[str, ...]:
    """The words behind `rewrite`; one alone is the target."""
    return (target,)


def _words(text: str) -> str:
    return "_".join(re.findall(r"[A-Za-z][A-Za-z0-9]+", re.sub(r"\\[a-z]|\(\?[^)]*", " ", text))[:2]) or "all"


# ---- if


def _if(ctx: Context, line: Line, follow: Follow, inside: Inside) -> list[Node]:
    if misses_file(line):
        return _without_file(ctx, line, follow, inside)
    words = matcher(line, ctx.names)
    if lost := _lost_in(ctx, line):
        raise Unconvertible(lost)
    before: list[Node] = []
    looked_into = captured(line, ctx.names)
    if looked_into is not None:
        source, written = looked_into
        variable = ctx.matcher(f"found_{_wish(line)}").lstrip("@")
        row = ctx.directive(line, f"~{written}", "yes")
        before = [ctx.directive(line, "map", source, variable, block=[row])]
        words = ("expression", f'vars["{variable}"] == "yes"')
    ctx.notes.done(line)
    returns = line.inner[0] if len(line.inner) == 1 and line.inner[0].name == "return" else None
    if words == ("scheme", "http") and returns is not None and "https://" in str(returns) and not ctx.has_https:
        why = "HTTPS: not there yet, so there is nowhere to send clients"
        ctx.notes.say(returns, Outcome.NOT_YET, why)
        return ctx.refuse(line, why, Outcome.NOT_YET)
    name = ctx.matcher(_wish(line))
    definition = ctx.directive(line, name, *words)
    if returns is not None:
        return [*before, definition, *ctx.commented(returns, answer(ctx, returns, name))]
    block, is_whole = _block(ctx, line, follow, inside)
    if not block:
        return []
    return [*before, definition, ctx.directive(line, "handle" if is_whole else "route", name, block=block)]


def _lost_in(ctx: Context, line: Line) -> str:
    """Why a line cannot be converted: what sets a variable of its own words was not."""
    lost = sorted(ctx.lost.intersection(names_of(" ".join(line.args))))
    return f"what sets ${lost[0]} is not converted" if lost else ""


def _block(ctx: Context, line: Line, follow: Follow, inside: Inside) -> tuple[list[Node], bool]:
    """What an `if` holds, and whether it is a whole location with an answer of its own."""
    if all(one.name in PHASE for one in line.inner):
        return phase(ctx, line.inner, follow=follow, inside=inside).nodes, False
    return inside(line), True


def _without_file(ctx: Context, line: Line, follow: Follow, inside: Inside) -> list[Node]:
    """`if (!-f $request_filename) { … }`: what exists is answered above, and what the block says is left for the rest."""
    assert line.parent is not None
    ctx.notes.done(line)
    block, _ = _block(ctx, line, follow, inside)
    options: list[Node] = [ctx.directive(line, "pass_thru")]
    if "!-f" in line.args:
        options.append(_no_index(ctx, line))
    return [ctx.directive(line, "files", block=options), *block]


def _no_index(ctx: Context, line: Line) -> Node:
    """No name that a file of a site has: folders are left to what stands below."""
    made = ctx.directive(line, "index", "-")
    made.comment = "folders are left to the directives below"
    return made


def _wish(line: Line) -> str:
    words = re.findall(r"[A-Za-z][A-Za-z0-9_]+", " ".join(line.args).replace("http_", ""))
    return "_".join(words[:2]) or "condition"
