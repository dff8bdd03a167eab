"""Files: `root`, `alias`, `index`, `autoindex` and `try_files`."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.convert.edgefile import Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, own, setting
from edgescript.convert.nginx.locations import example, where
from edgescript.convert.nginx.variables import QUERY, VARIABLE, UnknownVariable
from edgescript.convert.report import Outcome

#: Files that are programs: sent as they are, they would show their source.
_PROGRAMS = (".php", ".py", ".pl", ".cgi", ".rb", ".fcgi")
#: What ours looks for where nothing is said begins with nginx's own.
_USUAL = [["index.html"], ["index.html", "index.txt"]]


def root(ctx: Context, block: Line, *, always: bool) -> list[Node]:
    """
    The folder that counts in a block, and for an alias the path without the location's own.

    :param always: also where it is the one that counts around it
    """
    level: Line | None = block
    while level is not None:
        found = own(level, "root", "alias")
        if found and found[-1] is ctx.root_line and not always:
            return []
        if found:
            ctx.root_line = found[-1]
            return _folder(ctx, level, found[-1])
        level = level.parent
    return []


def _folder(ctx: Context, level: Line, line: Line) -> list[Node]:
    try:
        folder = ctx.names.template(line.value)
    except UnknownVariable as error:
        return ctx.refuse(line, str(error))
    if line.name == "root":
        ctx.notes.done(line)
        return ctx.commented(line, [ctx.directive(line, "root", folder)])
    return _alias(ctx, level, line, folder)


def _alias(ctx: Context, level: Line, line: Line, folder: str) -> list[Node]:
    at = where(level)
    if level.name != "location" or at.modifier not in ("", "^~", "="):
        return [
            *ctx.refuse(line, "an alias of a regular expression: use `rewrite` and `root`"),
            ctx.directive(line, "error", "501"),
        ]
    ctx.notes.done(line)
    if at.modifier == "=":
        parent, _, name = folder.rpartition("/")
        nodes = [ctx.directive(line, "rewrite", f"/{name}"), ctx.directive(line, "root", parent or "/")]
    elif folder.endswith("/") is at.text.endswith("/") and at.text != "/":
        nodes = [
            ctx.directive(line, "uri", "strip_prefix", at.text.rstrip("/")),
            ctx.directive(line, "root", _plain(folder)),
        ]
    else:
        nodes = [ctx.directive(line, "root", _plain(folder))]
        if at.text != "/":
            nodes.insert(0, ctx.directive(line, "uri", "strip_prefix", at.text.rstrip("/")))
            ctx.notes.say(
                line, Outcome.PARTLY, "slashes of location and alias differ: paths that leave the folder are not served"
            )
    return ctx.commented(line, nodes)


def _plain(folder: str) -> str:
    return folder.rstrip("/") or "/"


def files(ctx: Context, block: Line, *, status: str | None = None) -> list[Node]:
    """`files`, with what is said about index files and lists."""
    options: list[Node] = []
    line = setting(block, "index")
    if line is not None:
        ctx.notes.done(line)
        names = [name for name in line.args if "$" not in name and not name.startswith("/")]
        programs = [name for name in names if name.endswith(_PROGRAMS)]
        if programs or len(names) < len(line.args):
            ctx.notes.say(line, Outcome.PARTLY, "programs are not sent as files, and an index is a name")
        names = [name for name in names if name not in programs]
        if names and names not in _USUAL:
            options += ctx.commented(line, [ctx.directive(line, "index", *names)])
    browse = setting(block, "autoindex")
    if browse is not None:
        ctx.notes.done(browse)
        if browse.value == "on":
            options += ctx.commented(browse, [ctx.directive(browse, "browse")])
    packed = setting(block, "gzip_static")
    if packed is not None and packed.value == "on":
        ctx.notes.done(packed)
        options += ctx.commented(packed, [ctx.directive(packed, "precompressed", "gzip")])
    elif packed is not None and packed.value == "off":
        ctx.notes.done(packed)
    elif packed is not None:
        options += ctx.refuse(packed, "what clients may not take is not sent to them")
    for name in ("autoindex_exact_size", "autoindex_localtime"):
        listing = setting(block, name)
        if listing is not None:
            ctx.notes.say(listing, Outcome.CONVERTED, "not needed: the list of files has its own look")
    if status is not None:
        options.append(ctx.directive(None, "status", status))
    folder = () if has_root(block) else ("html",)
    return [ctx.directive(None, "files", *folder, block=options or None)]


def has_root(block: Line) -> bool:
    """Whether anything says where a block's files are; otherwise it is nginx's own `html`."""
    level: Line | None = block
    while level is not None:
        if own(level, "root", "alias"):
            return True
        level = level.parent
    return False


def try_files(
    ctx: Context,
    line: Line,
    *,
    content: Callable[[], list[Node]],
    follow: Callable[[str], list[Node] | None],
    is_static: bool,
) -> list[Node]:
    """
    What a `try_files` comes to, with what answers below it.

    :param content: gives what answers where a file was found
    :param follow: gives what answers at another path, or None where that is the same
    :param is_static: the content is files
    """
    if len(line.args) < 2:
        return [*ctx.refuse(line, "try_files takes files and a last resort"), *content()]
    *tried, last = line.args
    last = QUERY.sub("?$args", last)
    try:
        candidates = [_candidate(ctx, one) for one in tried]
    except UnknownVariable as error:
        return [*ctx.refuse(line, str(error)), ctx.directive(line, "error", "501")]
    ctx.notes.done(line)
    if any(one.startswith("{path}/") and one != "{path}/" for one in candidates[_after(candidates, "{path}") :]):
        ctx.notes.say(line, Outcome.PARTLY, "an address that ends with a slash is a folder, which `{path}` finds")
    if last.startswith("="):
        return [*ctx.commented(line, [ctx.directive(line, "try_files", *candidates, last)]), *content()]
    path, mark, query = last.partition("?")
    there = follow(example(path))
    if VARIABLE.search(path) and not path.startswith("@"):
        ctx.notes.say(line, Outcome.PARTLY, "the location of its last resort was chosen by what that looks like")
    if there is None:
        target = ctx.names.target(last)
        return [*ctx.commented(line, [ctx.directive(line, "try_files", *candidates, target)]), *content()]
    if not is_static:
        ctx.notes.say(line, Outcome.PARTLY, "files are answered as files")
    found = _found(ctx, line, candidates)
    if path.startswith("@"):
        return [*ctx.commented(line, found), *there]
    moved = ctx.directive(line, "rewrite", ctx.names.target(_with_query(path, mark, query)))
    return [*ctx.commented(line, found), moved, *there]


def _after(candidates: list[str], one: str) -> int:
    return candidates.index(one) + 1 if one in candidates else len(candidates)


def _with_query(path: str, mark: str, query: str) -> str:
    """A fallback without a query of its own keeps the one that there was."""
    return f"{path}?{query}" if mark else path


def _candidate(ctx: Context, text: str) -> str:
    return ctx.names.template(text.replace("$request_filename", "$uri"))


def _found(ctx: Context, line: Line, candidates: list[str]) -> list[Node]:
    """Files that are there are sent; everything else goes on."""
    assert line.parent is not None
    made = files(ctx, line.parent)[0]
    options: list[Node] = [ctx.directive(line, "pass_thru")]
    block = getattr(made, "block", None) or []
    if "{path}/" in candidates:
        options += block
    else:
        options.append(_no_index(ctx, line))
    others = [one for one in candidates if one not in ("{path}", "{path}/")]
    before: list[Node] = [ctx.directive(line, "try_files", *candidates)] if others else []
    words = getattr(made, "words", ["files"])
    return [*before, ctx.directive(line, *words, block=options)]


def _no_index(ctx: Context, line: Line) -> Node:
    made = ctx.directive(line, "index", "-")
    made.comment = "folders are left to the directives below"
    return made


#: Directives that the functions above read.
READ = frozenset(
    ("root", "alias", "index", "autoindex", "autoindex_exact_size", "autoindex_localtime", "gzip_static", "try_files")
)
