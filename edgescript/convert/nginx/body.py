"""What runs for the requests of a block (`server`, `location`, `if`): nginx's phases, one below the other.

A directive that nginx inherits is written in the site itself where no location says anything else; otherwise in each location's
block, as it counts there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edgescript.convert.edgefile import Blank, Comment, Directive, Node
from edgescript.convert.nginx import answers, bodies, logs, proxy, responses, static
from edgescript.convert.nginx.context import MOST_INLINED, Context
from edgescript.convert.nginx.lines import Line, inherited, own, walk
from edgescript.convert.nginx.locations import Case, cases, chosen, is_named, named, where, wish
from edgescript.convert.nginx.variables import BadPattern, Unconvertible
from edgescript.convert.nginx.words import ANSWERS, GUARDS, names
from edgescript.convert.report import Outcome

#: Groups of inherited directives that act on all that stands below them, and what writes each.
_WRAPPERS: tuple[tuple[tuple[str, ...], Callable[[Context, Line], list[Node]]], ...] = (
    (("access_log",), logs.log),
    (("add_header",), responses.headers),
    (("expires",), responses.expires),
    (("client_max_body_size",), responses.body_limit),
    (bodies.GZIP, bodies.gzip),
    (bodies.SUB_FILTER, bodies.sub_filter),
)
_ACCESS = ("allow", "deny", *sorted(GUARDS))
#: The variable that says which location's error pages count.
MARK = "error_page"

#: Directives that a function here or in a module beside this one reads; all others are said to be unknown.
READ = (
    frozenset(
        names(
            """server location upstream map geo http listen server_name internal error_page limit_except access_log add_header
            expires allow deny client_max_body_size default_type types set_real_ip_from real_ip_header
            keepalive_timeout client_header_timeout client_body_timeout send_timeout"""
        )
    )
    | {*answers.PHASE}
    | bodies.READ
    | proxy.READ
    | static.READ
)


def site(ctx: Context, server: Line) -> list[Node]:
    """What a server does with its requests."""
    nodes = remarks(ctx, server)
    for said, write in _WRAPPERS:
        if not _is_said_below(ctx, said):
            nodes += write(ctx, server)
    nodes += static.root(ctx, server, always=True)
    found = _phase(ctx, server)
    nodes += found.nodes
    if found.ended:
        return nodes
    if not _is_said_below(ctx, _ACCESS):
        refusals, closed = responses.access(ctx, server)
        nodes += refusals
        if closed:
            return nodes
    return [*nodes, *_choices(ctx, server, partial(_rest, ctx, server))]


def leaf(ctx: Context, block: Line) -> list[Node]:
    """What a location (or a block of `if`) does with its requests."""
    ctx.notes.done(block)
    if own(block, "internal"):
        ctx.notes.done(*own(block, "internal"))
        if not ctx.depth:
            return [ctx.directive(block, "error", "404")]
    nodes = remarks(ctx, block)
    return [*nodes, *_choices(ctx, block, partial(_rest, ctx, block))]


def remarks(ctx: Context, block: Line) -> list[Node]:
    """What no rule takes of a block's own lines, as comments, and the comments around it."""
    nodes: list[Node] = []
    for line in block.inner:
        if line.name in READ or ctx.notes.knows(line):
            continue
        nodes += ctx.unknown(line)
    if block.tail:
        nodes.append(Comment("\n".join(block.tail)))
        block.tail = []
    return nodes


# ---- locations


def _choices(ctx: Context, level: Line, rest: Callable[[], list[Node]]) -> list[Node]:
    """The locations of a level as blocks of which the first that fits is taken, and what is left."""
    definitions: list[Node] = []
    blocks: list[Node] = []
    try:
        found = list(cases(level))
    except BadPattern:
        found = _possible(ctx, level, blocks)
    for case in found:
        if not case.matchers and where(case.line).modifier in ("", "^~") and not _is_last(case, found):
            continue
        definition, words = _matcher(ctx, case)
        definitions += definition
        blocks += [*ctx.comments(case.line), ctx.directive(case.line, "handle", *words, block=leaf(ctx, case.line))]
    if any(not case.matchers for case in found):
        return [*definitions, *blocks]
    last = rest()
    if not any(isinstance(node, Directive) for node in blocks):
        return [*blocks, *last]
    return [*definitions, *blocks, ctx.directive(None, "handle", block=last)] if last else [*definitions, *blocks]


def _is_last(case: Case, found: list[Case]) -> bool:
    """Whether no other case that takes everything comes later."""
    return not any(not other.matchers for other in found[found.index(case) + 1 :])


def _possible(ctx: Context, level: Line, nodes: list[Node]) -> list[Case]:
    """The cases without the locations whose expression has no counterpart."""
    for line in list(own(level, "location")):
        inner = Line("", [], line.place, [line])
        try:
            list(cases(inner))
        except BadPattern as error:
            nodes += ctx.refuse(line, str(error))
            for below in walk(line):
                ctx.notes.say(below, Outcome.NOT, "it stands in a location that is not converted")
            level.replace([one for other in level.inner for one in (_instead(line) if other is line else [other])])
    return list(cases(level))


def _instead(location: Line) -> list[Line]:
    """A location for all requests that answers 501, where the one that goes kept something closed, or ran it."""
    closes = ("deny", "internal", *GUARDS, *ANSWERS)
    refuses = any(line.name in closes or str(line).startswith("return 4") for line in walk(location))
    if not refuses:
        return []
    made = Line("location", ["~", ""], location.place, [], location.parent, ["closed, because what stood here is lost"])
    answer = Line("return", ["501"], location.place, None, made)
    made.replace([answer])
    return [made]


def _matcher(ctx: Context, case: Case) -> tuple[list[Node], tuple[str, ...]]:
    """The definition of a case's matcher, and the words that name it."""
    if not case.matchers:
        return [], ()
    if len(case.matchers) == 1 and case.matchers[0][0] == "path":
        return [], case.matchers[0][1:]
    name = ctx.matcher(wish(case.line))
    if len(case.matchers) == 1:
        return [ctx.directive(case.line, name, *case.matchers[0])], (name,)
    block: list[Node] = [ctx.directive(case.line, *words) for words in case.matchers]
    return [ctx.directive(case.line, name, block=block)], (name,)


# ---- one location


def _rest(ctx: Context, block: Line) -> list[Node]:
    """What runs for the requests that no inner location takes."""
    nodes = [node for said, write in _WRAPPERS if _is_said_below(ctx, said) for node in write(ctx, block)]
    if block is ctx.server:
        refusals, closed = responses.access(ctx, block) if _is_said_below(ctx, _ACCESS) else ([], False)
        return [*nodes, *refusals, *([] if closed else _content(ctx, block))]
    with ctx.folder():
        nodes += static.root(ctx, block, always=False)
        return [*nodes, *_answered(ctx, block)]


def _answered(ctx: Context, block: Line) -> list[Node]:
    """What answers in a location, once the folder of files is known."""
    nodes: list[Node] = []
    nodes += _mark(ctx, block)
    found = _phase(ctx, block)
    nodes += found.nodes
    if found.ended:
        return nodes
    if _is_said_below(ctx, _ACCESS):
        refusals, closed = responses.access(ctx, block)
        nodes += refusals
        if closed:
            return nodes
    return [*nodes, *_limited(ctx, block), *_content(ctx, block)]


def _limited(ctx: Context, block: Line) -> list[Node]:
    """`limit_except`: who may use other methods than those named."""
    nodes: list[Node] = []
    for line in own(block, "limit_except"):
        ctx.notes.done(line)
        methods = [*line.args, *(["HEAD"] if "GET" in line.args else [])]
        name = ctx.matcher("other_methods")
        refusals, _ = responses.access(ctx, line)
        inner = [*remarks(ctx, line), *refusals]
        definition = ctx.directive(line, name, "not", "method", *methods)
        nodes += ctx.commented(line, [definition, ctx.directive(line, "route", name, block=inner)])
    return nodes


def _mark(ctx: Context, block: Line) -> list[Node]:
    """Which error pages count here, where not those of the server."""
    pages = inherited(block, "error_page")
    if not pages or pages[0].parent is None or pages[0].parent.name in ("server", "http", ""):
        return []
    return [ctx.directive(pages[0], "vars", MARK, mark(pages[0].parent))]


def mark(location: Line) -> str:
    """The value of the variable that says whose error pages count."""
    return location.place.rpartition(":")[2]


def _is_said_below(ctx: Context, names: tuple[str, ...]) -> bool:
    """Whether a location says anything else than the server."""
    return not ctx.said_below.isdisjoint(names)


def _phase(ctx: Context, block: Line) -> answers.Phase:
    lines = own(block, *answers.PHASE)
    return answers.phase(ctx, lines, follow=partial(follow, ctx, block), inside=partial(leaf, ctx))


def follow(ctx: Context, here: Line, path: str) -> list[Node] | None:
    """What answers at another path of the same server; None where that is the same block, or where it would never end."""
    there = named(ctx.server, path) if path.startswith("@") else chosen(ctx.server, path)
    if here is ctx.server and not path.startswith("@"):
        return None
    location = here if here.name == "location" else here.parent
    if there is location or ctx.depth >= MOST_INLINED:
        return None
    ctx.depth += 1
    try:
        return inlined(ctx, there or ctx.server)
    finally:
        ctx.depth -= 1


def inlined(ctx: Context, block: Line) -> list[Node]:
    """What a location answers to a request that was led to it."""
    if block is ctx.server:
        return [*static.root(ctx, block, always=False), *_content(ctx, block)]
    if is_named(block) or own(block, "internal"):
        ctx.notes.done(block, *own(block, "internal"))
        return [*ctx.comments(block), *remarks(ctx, block), *_rest(ctx, block)]
    with ctx.quiet():
        return _rest(ctx, block)


def _content(ctx: Context, block: Line) -> list[Node]:
    """What answers: files, a server behind, or an error where this program has nothing for it."""
    line = next(iter(own(block, "try_files")), _content_line(block))
    try:
        return _contents(ctx, block)
    except Unconvertible as error:
        assert line is not None, "files alone are always converted"
        return [*ctx.refuse(line, str(error)), ctx.directive(line, "error", "501", f"{line.name} was not converted")]


def _contents(ctx: Context, block: Line) -> list[Node]:
    tried = own(block, "try_files")
    if tried:
        is_static = _content_line(block) is None
        return static.try_files(
            ctx,
            tried[-1],
            content=partial(_answering, ctx, block),
            follow=partial(follow, ctx, block),
            is_static=is_static,
        )
    return _answering(ctx, block)


def _content_line(block: Line) -> Line | None:
    """The line that says what answers; a block of `if` has that of its location."""
    found = own(block, "proxy_pass", *ANSWERS)
    if found:
        return found[-1]
    return _content_line(block.parent) if block.name == "if" and block.parent is not None else None


def _answering(ctx: Context, block: Line) -> list[Node]:
    line = _content_line(block)
    if line is None:
        return static.files(ctx, block) if block is not ctx.server or static.has_root(block) else []
    if line.name == "proxy_pass":
        changed = any(one.name == "rewrite" and "break" in one.args for one in walk(block))
        location = block if block.name != "if" else (block.parent or block)
        return proxy.proxied(ctx, location, line, is_rewritten=changed)
    return [ctx.directive(line, "error", "501", f"{line.name} was not converted")]


# ---- error pages


def error_pages(ctx: Context, server: Line) -> list[Node]:
    """`error_page` as blocks of `handle_errors`."""
    levels = [server, *(line for line in walk(server) if line.name == "location" and own(line, "error_page"))]
    by_status: dict[str, list[tuple[Line | None, Line]]] = {}
    for level in levels:
        for line in inherited(level, "error_page"):
            for status in _statuses(line):
                by_status.setdefault(status, []).append((None if level is server else level, line))
    grouped: dict[tuple[tuple[Line | None, Line], ...], list[str]] = {}
    for status, pages in by_status.items():
        grouped.setdefault(tuple(dict(pages).items()), []).append(status)
    return [node for pages, statuses in grouped.items() for node in _handled(ctx, statuses, pages)]


def _statuses(line: Line) -> list[str]:
    return [word for word in line.args[:-1] if word.isdigit() and len(word) == 3 and "300" <= word <= "599"]


def _handled(ctx: Context, statuses: list[str], pages: tuple[tuple[Line | None, Line], ...]) -> list[Node]:
    block: list[Node] = []
    for level, line in pages:
        answer = _page(ctx, line)
        if len(pages) == 1 and level is None:
            block += answer
            continue
        name = ctx.matcher("errors")
        condition = f'vars["{MARK}"] == "{mark(level) if level is not None else ""}"'
        block += [ctx.directive(line, name, "expression", condition), ctx.directive(line, "handle", name, block=answer)]
    return [Blank(), ctx.directive(pages[0][1], "handle_errors", *statuses, block=block)]


def _page(ctx: Context, line: Line) -> list[Node]:
    """What an `error_page` answers with; where that has no counterpart, errors have the plain page."""
    try:
        return _answer_of(ctx, line)
    except Unconvertible as error:
        return ctx.refuse(line, str(error))


def _answer_of(ctx: Context, line: Line) -> list[Node]:
    ctx.notes.done(line)
    target = line.args[-1]
    status = next((word for word in line.args[:-1] if word.startswith("=")), None)
    if target.startswith(("http://", "https://")):
        code = status[1:] if status and len(status) > 1 else "302"
        return ctx.commented(line, [answers.redirect(ctx, line, ctx.names.template(target), code, ())])
    ctx.depth += 1
    if any(one.name in ("root", "alias") and one.parent is not ctx.server for one in walk(ctx.server)):
        ctx.root_line = None
    try:
        there = named(ctx.server, target) if target.startswith("@") else chosen(ctx.server, target.partition("?")[0])
        nodes = inlined(ctx, there or ctx.server)
    finally:
        ctx.depth -= 1
    if not target.startswith("@"):
        nodes.insert(0, ctx.directive(line, "rewrite", ctx.names.target(target)))
    if status and len(status) > 1:
        _with_status(ctx, line, nodes, status[1:])
    return [*ctx.comments(line), *nodes]


def _with_status(ctx: Context, line: Line, nodes: list[Node], status: str) -> None:
    """`=200`: the page is answered with another status than the error's."""
    last = nodes[-1]
    if isinstance(last, Directive) and last.words[0] == "files":
        last.block = [*(last.block or []), ctx.directive(line, "status", status)]
    elif not (isinstance(last, Directive) and last.words[0] in ("respond", "redir")):
        ctx.notes.say(line, Outcome.PARTLY, f"the answer has its own status, not {status}")
