"""A Caddyfile as an Edgefile with the same meaning, and a report of what is different."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from edgescript.catalog import Catalogue
from edgescript.convert.caddy import addresses, options
from edgescript.convert.caddy.call import not_converted
from edgescript.convert.caddy.context import Context, NotConverted
from edgescript.convert.caddy.imports import Importer
from edgescript.convert.caddy.segment import segment
from edgescript.convert.caddy.tree import Line, parse
from edgescript.convert.edgefile import Blank, Comment, Directive, Edgefile, Node
from edgescript.convert.mend import is_valid, mended
from edgescript.convert.report import Conversion, Outcome, Remark, Report
from edgescript.text.source import Source

#: Characters of a file that are looked at.
MAX_SIZE = 2_000_000

_DIRECTIVE = re.compile(
    r"^\s*(?:reverse_proxy|file_server|php_fastcgi|handle_path|basic_?auth|respond|redir|encode|@\w+\s|\([\w-]+\)\s*\{|\{\s*$)",
    re.MULTILINE,
)


def looks_like(source: Source) -> bool:
    """Whether a text is probably a Caddyfile."""
    name = source.name.replace("\\", "/").rpartition("/")[2].lower()
    if "caddyfile" in name:
        return True
    is_of_nginx = name.endswith(".conf") and ";" in source.text
    return not is_of_nginx and bool(_DIRECTIVE.search(source.text))


def convert(source: Source, *, read: Callable[[str], bytes], find: Callable[[str], list[str]]) -> Conversion:
    """
    The Edgefile that means what a Caddyfile does. Any text gives one.

    :param read: gives the bytes of an imported file, or raises OSError
    :param find: the files that a pattern with wildcards names
    """
    catalogue = Catalogue.load()
    if len(source.text) > MAX_SIZE:
        report = Report([Remark(Outcome.NOT, source.name, source.name, f"it has more than {MAX_SIZE:,} characters")])
        return Conversion(f"# not converted: {_one_line(source.name)} is too large\n", report)
    context = Context(catalogue)
    edgefile = _edgefile(source, context, read, find)
    if context.snippets and not is_valid(edgefile, catalogue):
        # What has to be mended in one place may be fine in another: then each has its own lines.
        context = Context(catalogue, keeps_snippets=False)
        edgefile = _edgefile(source, context, read, find)
    conversion = mended(edgefile, context.report, catalogue)
    return Conversion(conversion.text, _in_order(conversion.report, source))


def _edgefile(
    source: Source, context: Context, read: Callable[[str], bytes], find: Callable[[str], list[str]]
) -> Edgefile:
    edgefile = Edgefile()
    lines = _lines(source, context, edgefile, read, find)
    lines = _take_settings(lines, context, edgefile)
    sites = _sites(lines)
    plain = _plain_hosts(sites, context)
    found = [node for line in sites for node in _site(line, context, plain)]
    snippets = [node for snippet, _ in context.snippets.values() for node in (Blank(), snippet)]
    first = next((number for number, node in enumerate(found) if isinstance(node, Directive)), len(found))
    while first and not isinstance(found[first - 1], Blank):
        first -= 1
    edgefile.nodes += [*found[: max(first - 1, 0)], *snippets, *found[max(first - 1, 0) :]]
    return edgefile


def _one_line(text: str) -> str:
    return " ".join(ascii(text)[1:-1].split())


def _lines(
    source: Source,
    context: Context,
    edgefile: Edgefile,
    read: Callable[[str], bytes],
    find: Callable[[str], list[str]],
) -> list[Line]:
    """All lines of a file with imports carried out; what fails is noted, and said in a comment."""

    def failed(line: Line, what: str) -> None:
        context.note(line, Outcome.NOT, what)

    parsed = parse(source)
    for line, what in parsed.wrong:
        failed(line, what)
        edgefile.nodes.append(Comment(f"not converted: {line.written} ({what})"))
    importer = Importer(read, find, failed)
    lines = importer.lines(parsed.lines)
    context.routes = importer.routes
    for line in importer.unused.values():
        context.note(line, Outcome.CONVERTED, "not needed: nothing imports it")
        edgefile.nodes.append(Comment(f"nothing imports it: {not_converted(line).text.partition(': ')[2]}"))
    return lines


def _in_order(report: Report, source: Source) -> Report:
    """The remarks by their places, each once; those of the file itself first."""

    def place(remark: Remark) -> tuple[bool, str, int]:
        name, _, number = remark.place.rpartition(":")
        return name != source.name, name, int(number) if number.isdigit() else 0

    return Report(sorted(dict.fromkeys(report.remarks), key=place))


# ---- the parts of a file


def _take_settings(lines: list[Line], context: Context, edgefile: Edgefile) -> list[Line]:
    """Convert the global block, if there is one; the lines behind it."""
    at = next((number for number, line in enumerate(lines) if line.words or line.block is not None), len(lines))
    if at == len(lines) or lines[at].words or lines[at].block is None:
        return lines
    block = lines[at].block or []
    above = [Comment(text) for line in lines[: at + 1] for text in line.above]
    found = options.settings(block, context)
    edgefile.settings = _joined([*above, *found])
    if not any(isinstance(node, Directive) for node in found):
        edgefile.nodes, edgefile.settings = [*edgefile.settings, Blank(), *edgefile.nodes], []
    return lines[at + 1 :]


def _joined(nodes: list[Node]) -> list[Node]:
    """A setting may stand only once: the blocks of those of one name become one."""
    found: list[Node] = []
    first: dict[str, Directive] = {}
    for node in nodes:
        if isinstance(node, Directive) and node.block is not None and node.words[0] in first:
            first[node.words[0]].block = [*(first[node.words[0]].block or []), *node.block]
            continue
        if isinstance(node, Directive):
            first.setdefault(node.words[0], node)
        found.append(node)
    return found


def _sites(lines: Sequence[Line]) -> list[Line]:
    """The sites of a file; one that has no braces takes all lines."""
    at = next((number for number, line in enumerate(lines) if line.words), None)
    if at is None:
        return list(lines)
    found: list[Line] = []
    for line in lines:
        last = found[-1] if found else None
        if last is not None and last.block is None and last.words and last.words[-1].endswith(",") and line.words:
            found[-1] = _continued(last, line)
        else:
            found.append(line)
    at = next(number for number, line in enumerate(found) if line.words)
    if found[at].block is None and not any(line.name.startswith(("(", "&(")) for line in found):
        found[at].block = found[at + 1 :]
        return found[: at + 1]
    return found


def _continued(line: Line, following: Line) -> Line:
    """Addresses on two lines."""
    line.words = [*line.words, *following.words]
    line.block, line.behind = following.block, following.behind or line.behind
    return line


def _names(line: Line) -> list[str]:
    return [name for word in line.words for name in word.split(",") if name]


def _plain_hosts(sites: Sequence[Line], context: Context) -> set[str]:
    found = (addresses.plain_host(name, context) for line in sites for name in _names(line))
    return {host for host in found if host is not None}


# ---- a site


def _site(line: Line, context: Context, plain: set[str]) -> list[Node]:
    above: list[Node] = [Blank(), *(Comment(text) for text in line.above)]
    if not line.words and line.block is None:
        return above
    if line.block is None or not line.words:
        context.note(line, Outcome.NOT, "it stands outside of every site" if line.words else "the block has no address")
        return [*above, not_converted(line)]
    written, failed = _addresses(line, context, plain)
    if not written:
        return [*above, *failed, not_converted(line)]
    context.variables = _variables(line.block)
    context.broken = {}
    block = segment(line.block, context)
    _answer_the_rest(block)
    words = [f"{name}," for name in written[:-1]] + written[-1:]
    return [*above, *failed, Directive(words, block, line.behind, (line.place, line.written))]


def _addresses(line: Line, context: Context, plain: set[str]) -> tuple[list[str], list[Node]]:
    """How the addresses of a site are written here, and comments for those that are not."""
    found: dict[str, None] = {}
    failed: list[Node] = []
    is_https = False
    for name in _names(line):
        try:
            address = addresses.address(name, context, plain)
        except NotConverted as error:
            context.note(line, error.outcome, f"{name}: {error.reason}")
            failed.append(Comment(f"not converted: {name}"))
            continue
        is_https = is_https or address.is_https
        found[address.written()] = None
    if found and is_https:
        context.note(line, Outcome.PARTLY, "this version has no HTTPS yet: the site is served by plain HTTP")
    elif found:
        context.note(line, Outcome.CONVERTED)
    return list(found), failed


def _variables(lines: Sequence[Line]) -> set[str]:
    """The names that `map` sets anywhere in a site."""
    found: set[str] = set()
    for line in lines:
        if line.name == "map":
            found.update(word[1:-1] for word in line.arguments if re.fullmatch(r"\{[^{}.]+\}", word))
            found -= {line.arguments[0][1:-1]} if line.arguments else set()
        found |= _variables(line.block or ())
    return found


def _answer_the_rest(block: list[Node]) -> None:
    """What no directive answers is an empty 200 for Caddy, and 404 here."""
    at = len(block)
    while at and not (isinstance(block[at - 1], Directive) and not _is_for_errors(block[at - 1])):
        at -= 1
    block.insert(at, Directive(["respond", "200"], None, "as Caddy answers what is left", optional=True))


def _is_for_errors(node: Node) -> bool:
    return isinstance(node, Directive) and node.words[:1] == ["handle_errors"]
