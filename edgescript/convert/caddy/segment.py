"""The directives of a site or a block, converted one by one and put in the order in which Caddy runs them."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from edgescript.convert.caddy import directives, matchers, order
from edgescript.convert.caddy.call import Call, not_converted
from edgescript.convert.caddy.context import Context, NotConverted, not_yet
from edgescript.convert.caddy.guards import guard, is_guard
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Blank, Comment, Directive, Node
from edgescript.convert.report import Outcome
from edgescript.graph.patterns import covers

#: These take no matcher: what looks like one is an argument.
_WITHOUT_MATCHER = ("bind", "handle_errors", "handle_path", "log", "tls", "tracing", "try_files", "import")
#: Where those stand that Caddy has no order for.
_FIRST, _LAST = ("tls", "bind", "log"), ("handle_errors",)
#: Directives of plug-ins, and what this program will have for them.
_OF_PLUGINS = {
    "rate_limit": "ratelimit",
    "cache": "cache",
    "authorize": "auth",
    "authenticate": "auth",
    "jwtauth": "auth",
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(slots=True)
class Step:
    """A directive to be sorted, and what became of it."""

    directive: str
    nodes: list[Node]
    path: str | None = None
    has_matcher: bool = False
    target: str | None = None
    #: Named matchers that stand right before it.
    definitions: list[Node] = field(default_factory=list)
    imported: tuple[str, int] | None = None


def segment(lines: Sequence[Line], context: Context, is_sorted: bool = True) -> list[Node]:
    """
    The directives of a block.

    :param is_sorted: in Caddy's order, and not as they are written (as in `route`)
    """
    context.matchers.append({})
    try:
        definitions = _definitions(lines, context)
        steps = _steps(lines, context)
    finally:
        context.matchers.pop()
    if is_sorted:
        steps = order.in_order(steps, [*_FIRST, "", *context.order, *_LAST])
    placed = _placed(list(_grouped(steps)), definitions, context)
    return [*placed, *(node for nodes in definitions.values() for node in nodes)]


def _placed(steps: Sequence[Step], definitions: dict[str, list[Node]], context: Context) -> list[Node]:
    """The lines of all steps; those of a snippet are an `import` where they stand together."""
    count = Counter(step.imported for step in steps)
    found: list[Node] = []
    for mark, group in groupby(steps, key=lambda step: step.imported):
        together = list(group)
        nodes = [node for step in together for node in _with_definitions(step, definitions)]
        if mark is not None and count[mark] == len(together) and context.keeps(mark[0].removeprefix("import "), nodes):
            nodes = [Directive(mark[0].split())]
        found += nodes
    return found


# ---- named matchers


def _definitions(lines: Sequence[Line], context: Context) -> dict[str, list[Node]]:
    """What becomes of the named matchers of a block, by their names."""
    found: dict[str, list[Node]] = {}
    for line in lines:
        if line.name.startswith("@") and 0 not in line.quoted:
            context.matchers[-1][line.name] = matchers.only_path(line)
            found[line.name] = [*_comments(line), *_definition(line, context)]
    return found


def _definition(line: Line, context: Context) -> list[Node]:
    context.remarks = []
    try:
        made = matchers.definition(line, context)
    except NotConverted as error:
        context.broken[line.name] = error
        context.wider[line.name] = matchers.wider(line, context)
        context.note(line, error.outcome, error.reason)
        return [not_converted(line)]
    context.broken.pop(line.name, None)
    made.origin = (line.place, line.written)
    made.comment = line.behind
    _note(line, context)
    return [made]


def _with_definitions(step: Step, definitions: dict[str, list[Node]]) -> list[Node]:
    """A step, behind the matchers that it is the first to use."""
    used = _names(step.nodes)
    found: list[Node] = []
    for name in [name for name in definitions if name in used]:
        found += definitions.pop(name)
    blanks = [node for node in step.nodes[:1] if isinstance(node, Blank)] if found else []
    return [*blanks, *found, *step.nodes[len(blanks) :]]


def _names(nodes: Sequence[Node]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Comment):
            found.update(re.findall(r"@[\w-]+", node.text))
        elif isinstance(node, Directive):
            found.update(word for word in node.words if word.startswith("@"))
            found |= _names(node.block or ())
    return found


# ---- directives


def _steps(lines: Sequence[Line], context: Context) -> list[Step]:
    steps: list[Step] = []
    for line in lines:
        if line.name.startswith("@") and 0 not in line.quoted:
            continue
        if line.words:
            steps.append(_step(line, context))
        elif steps:
            steps[-1].nodes += _comments(line)
        else:
            steps.append(Step("", _comments(line)))
    return steps


def _comments(line: Line) -> list[Node]:
    return [*([Blank()] if line.is_apart else []), *(Comment(text) for text in line.above)]


def _step(line: Line, context: Context) -> Step:
    name = order.ALIASES.get(line.name, line.name)
    matcher, arguments = _matcher(name, line)
    step = Step(name, _comments(line), has_matcher=matcher is not None, imported=line.imported)
    context.remarks = []
    try:
        step.path = _path(name, matcher, line, context)
        call = Call(line, matcher, arguments, context, lambda lines, is_sorted: segment(lines, context, is_sorted))
        nodes = converter(name, context)(call)
    except NotConverted as error:
        context.note(line, error.outcome, error.reason)
        step.nodes += [not_converted(line), *guard(name, matcher, line, context)]
        if is_guard(name) and name not in context.order:
            step.directive = "basic_auth"  # it has no place, and must be asked before what answers
        return step
    if nodes and isinstance(nodes[0], Directive):
        nodes[0].comment = line.behind
    step.target = arguments[-1] if arguments else None
    for node in nodes:
        if isinstance(node, Directive) and is_guard(name):
            node.instead = guard(name, matcher, line, context)
    step.nodes += nodes
    return step


def _note(line: Line, context: Context) -> None:
    if context.remarks:
        context.note(line, Outcome.PARTLY, "; ".join(context.remarks))
        context.remarks = []
    else:
        context.note(line, Outcome.CONVERTED)


def _matcher(name: str, line: Line) -> tuple[str | None, list[str]]:
    arguments = line.arguments
    if name in _WITHOUT_MATCHER or not arguments or not arguments[0].startswith(("/", "@", "*")):
        return None, arguments
    if arguments[0].startswith("*") and arguments[0] != "*":
        return None, arguments
    return (None if arguments[0] == "*" else arguments[0]), arguments[1:]


def _path(name: str, matcher: str | None, line: Line, context: Context) -> str | None:
    """The path that decides where a directive is sorted; NotConverted where its matcher is not."""
    if name == "handle_path":
        return line.arguments[0] if line.arguments else None
    if matcher is None or matcher.startswith("/"):
        return matcher
    path = context.path_of(matcher)
    if matcher in context.broken:
        error = context.broken[matcher]
        raise NotConverted(f"its matcher {matcher} is not converted: {error.reason}", error.outcome)
    return path


def converter(name: str, context: Context) -> Callable[[Call], list[Node]]:
    """What converts directives of a name: its module in `directives/`, or where there is none the same words."""
    path = f"{directives.__name__}.{name}"
    if _NAME.fullmatch(name) and importlib.util.find_spec(path) is not None:
        found: Callable[[Call], list[Node]] = importlib.import_module(path).convert
    elif context.catalogue.directive(name) is not None and (name in order.ORDER or name in order.UNORDERED):
        found = _same
    elif name in order.ORDER or name in order.UNORDERED:
        raise not_yet(f"directive {name}")
    elif name in _OF_PLUGINS:
        raise not_yet(f"directive {_OF_PLUGINS[name]}")
    else:
        raise NotConverted(f"Caddy itself has no directive {name}")

    def convert(call: Call) -> list[Node]:
        remarks: list[str] = []
        call.context.remarks = remarks
        nodes = found(call)
        call.context.remarks = remarks
        _note(call.line, call.context)
        return nodes

    return convert


def _same(call: Call) -> list[Node]:
    """A directive that is written here as it is there."""
    return [call.directive(order.ALIASES.get(call.name, call.name), call.texts(call.arguments), _lines(call))]


def _lines(call: Call, lines: Sequence[Line] | None = None) -> list[Node] | None:
    lines = call.line.block if lines is None else lines
    if lines is None:
        return None
    found: list[Node] = []
    for line in lines:
        found += [Comment(text) for text in line.above]
        if line.words:
            block = None if line.block is None else _lines(call, line.block)
            found.append(Directive(call.texts(line.words), block, line.behind, (line.place, line.written)))
    return found


# ---- of which only the first that matches runs


def _grouped(steps: Sequence[Step]) -> Iterator[Step]:
    """`root` and `rewrite` next to each other exclude each other in Caddy."""
    for name, group in groupby(steps, key=lambda step: step.directive):
        found = list(group)
        if name == "root":
            yield from reversed(found)  # here the last one counts
        elif name == "rewrite" and len(found) > 1 and _may_follow(found):
            yield _first_only(found)
        else:
            yield from found


def _may_follow(steps: Sequence[Step]) -> bool:
    """Whether a rewrite may match what one above it has made."""
    for number, step in enumerate(steps):
        target = step.target or ""
        for later in steps[number + 1 :]:
            if later.path is None or not target.startswith("/") or "{" in target or covers(later.path, target):
                return True
    return False


def _first_only(steps: Sequence[Step]) -> Step:
    """Rewrites in blocks that exclude each other, apart from those below."""
    inside: list[Node] = []
    for step in steps:
        inside += [node for node in step.nodes if isinstance(node, Comment)]
        for node in step.nodes:
            if isinstance(node, Directive):
                has_matcher = node.words[1].startswith(("/", "@")) and len(node.words) > 2
                matcher = node.words[1:2] if has_matcher else []
                node.words = [node.words[0], "*", node.words[-1]]
                inside.append(Directive(["handle", *matcher], [node]))
    return Step("rewrite", [Comment("only the first that matches"), Directive(["route"], inside)])
