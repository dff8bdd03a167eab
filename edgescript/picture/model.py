"""The picture of a file: listeners, sites with what runs in them, the servers behind, and the lines between.

It is made once of the outline, and bounded; each format has a writer that only knows this model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edgescript.graph.outline import Item, Outline, SiteOutline

#: What is drawn of a file; the rest is counted.
MOST_SITES = 20
MOST_ITEMS = 150
MOST_SERVERS = 60
#: Lines of a directive's block.
MOST_OPTIONS = 4
#: Characters of a site's addresses beside each other, and addresses in a tooltip.
MOST_IN_LABEL, MOST_TOLD = 68, 40


class Kind(StrEnum):
    """What a node stands for; the words are those of the outline's roles."""

    LISTENER = "listen"
    SITE = "site"
    WRAPPER = "wrap"
    REWRITER = "rewrite"
    ANSWER = "answer"
    BRANCH = "enter"
    ERRORS = "errors"
    RESPONSES = "intercept"
    SETTING = "set"
    SERVER = "server"
    END = "end"
    MORE = "more"


class Line(StrEnum):
    """What an edge stands for."""

    ARRIVES = "arrives"  # from a listener to a site
    FLOWS = "flows"  # from a directive to the next
    PASSES = "passes"  # from a directive to a server


@dataclass(frozen=True, slots=True)
class Node:
    """One box, and the boxes in it."""

    id: str
    kind: Kind
    label: str
    #: Smaller lines below: what a named matcher means, options.
    lines: tuple[str, ...] = ()
    #: A word beside the label: "if", "else".
    tag: str = ""
    #: All of it, with its place in the file.
    tooltip: str = ""
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and every one inside."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two nodes."""

    source: str
    target: str
    line: Line
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn."""

    title: str
    description: str
    listeners: tuple[Node, ...]
    sites: tuple[Node, ...]
    servers: tuple[Node, ...]
    edges: tuple[Edge, ...]


def picture(tree: Outline, name: str, *, only: frozenset[int] | None = None) -> Picture:
    """
    The picture of a file.

    :param name: of the file, for the title
    :param only: the numbers of the sites that are drawn; all, as far as there is room, without it
    """
    drawing = _Drawing()
    wanted = [number for number in range(len(tree.sites)) if only is None or number in only]
    shown, more = wanted[:MOST_SITES], len(wanted) - MOST_SITES
    sites = [drawing.site(tree.sites[number], f"s{number}") for number in shown]
    if more > 0:
        sites.append(Node("more", Kind.MORE, f"… {more:,} more site{'' if more == 1 else 's'}"))
    listeners = drawing.listeners(tree, shown, {*wanted[MOST_SITES:]})
    return Picture(
        name,
        _description(tree, len(wanted)),
        tuple(listeners),
        tuple(sites),
        tuple(drawing.servers()),
        tuple(drawing.edges),
    )


def _description(tree: Outline, sites: int) -> str:
    number = len(tree.listeners)
    return (
        f"The routes of {sites:,} site{'' if sites == 1 else 's'} on {number:,} listener{'' if number == 1 else 's'}: "
        "listeners on the left, sites with their directives in the order in which they run, servers on the right."
    )


@dataclass
class _Drawing:
    """The nodes and edges of one picture, as they are found."""

    edges: list[Edge] = field(default_factory=list)
    #: Servers by address, with their nodes.
    found: dict[str, str] = field(default_factory=dict)
    #: Items that may still be drawn in the present site.
    left: int = 0

    # ---- listeners and servers

    def listeners(self, tree: Outline, shown: Sequence[int], hidden: set[int]) -> Iterator[Node]:
        for number, listener in enumerate(tree.listeners):
            targets = [f"s{site}" for site in shown if site in {*listener.sites}]
            if not hidden.isdisjoint(listener.sites):
                targets.append("more")
            if targets:
                self.edges += [Edge(f"l{number}", target, Line.ARRIVES) for target in targets]
                yield Node(f"l{number}", Kind.LISTENER, listener.at, tooltip=f"listens on {listener.at}")

    def servers(self) -> Iterator[Node]:
        for address, number in [*self.found.items()][:MOST_SERVERS]:
            yield Node(number, Kind.SERVER, address, tooltip=f"server {address}")
        more = len(self.found) - MOST_SERVERS
        if more > 0:
            hidden = {*[*self.found.values()][MOST_SERVERS:]}
            self.edges = [edge for edge in self.edges if edge.target not in hidden]
            yield Node("servers", Kind.MORE, f"… {more:,} more servers")

    def _server(self, address: str) -> str:
        return self.found.setdefault(address, f"u{len(self.found)}")

    # ---- sites

    def site(self, site: SiteOutline, number: str) -> Node:
        self.left = MOST_ITEMS
        children, more = self._nodes(site.items, f"{number}n")
        items = [*zip(site.items, children, strict=False)]
        loose = self._flow(items, [])
        if loose:
            end = Node(f"{number}end", Kind.END, "404", tag="otherwise", tooltip="what no directive answers")
            self._join(loose, end.id)
            children.append(end)
        errors, more_errors = self._nodes(site.errors, f"{number}e")
        for item, node in zip(site.errors, errors, strict=False):
            self._flow([*zip(item.items, node.children, strict=False)], [(node.id, "")])
        if more + more_errors:
            text = f"… {more + more_errors:,} more directives"
            children.append(Node(f"{number}more", Kind.MORE, text))
        label, others = _named(site.names)
        tooltip = "\n".join([*site.names[:MOST_TOLD], site.place])
        return Node(number, Kind.SITE, label, others, tooltip=tooltip, children=(*children, *errors))

    def _nodes(self, items: Sequence[Item], prefix: str) -> tuple[list[Node], int]:
        """The nodes of a block, and how many directives found no room."""
        nodes: list[Node] = []
        hidden = 0
        for number, item in enumerate(items):
            if self.left <= 0:
                hidden += sum(1 for _ in item.walk())
                continue
            self.left -= 1
            inside, more = self._nodes(item.items, f"{prefix}{number}_")
            hidden += more
            nodes.append(self._node(item, f"{prefix}{number}", inside))
        return nodes, hidden

    def _node(self, item: Item, number: str, inside: Sequence[Node]) -> Node:
        servers = [self._server(address) for address in item.endpoints]
        self.edges += [Edge(number, server, Line.PASSES) for server in servers]
        meaning = [str(item.condition)] if item.condition is not None and item.condition.meaning else []
        options = [*item.options[:MOST_OPTIONS]]
        if len(item.options) > MOST_OPTIONS:
            options.append(f"… {len(item.options) - MOST_OPTIONS} more options")
        kind = Kind(item.role)
        tooltip = "\n".join([item.text, *meaning, *item.options, item.place])
        return Node(number, kind, item.text, (*meaning, *options), _tag(item), tooltip, tuple(inside))

    # ---- the way of a request

    def _flow(self, items: Sequence[tuple[Item, Node]], arriving: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Join directives that follow on one another; what is left goes on behind the block."""
        loose = arriving
        behind: list[tuple[str, str]] = []  # what comes out of alternatives goes on behind the last of them
        for item, node in items:
            if node.kind is Kind.SETTING:
                continue
            if item.choice[0] <= 1:
                loose, behind = [*loose, *behind], []
            self._join(loose, node.id)
            otherwise = [(node.id, "else")] if item.condition is not None else []
            if node.kind is Kind.RESPONSES:  # what is inside runs when there is a response, and ends there
                self._flow([*zip(item.items, node.children, strict=False)], [(node.id, "response")])
                loose = [(node.id, "")]
            elif node.children:
                within = [*zip(item.items, node.children, strict=False)]
                inside = self._flow(within, [(node.id, "if" if item.condition is not None else "")])
                behind += inside
                loose = otherwise
                if not item.choice[1]:
                    loose, behind = [*loose, *behind], []
            elif item.ends:
                loose = []
            else:
                loose = otherwise if item.role == Kind.ANSWER and otherwise else [(node.id, "")]
        return [*loose, *behind]

    def _join(self, loose: Sequence[tuple[str, str]], target: str) -> None:
        self.edges += [Edge(source, target, Line.FLOWS, label) for source, label in loose]


def _named(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A site's addresses as a label, and those that have no room there."""
    label = ", ".join(names)
    if len(label) <= MOST_IN_LABEL or len(names) == 1:
        return label, ()
    others = [*names[1 : MOST_OPTIONS + 1]]
    more = len(names) - 1 - len(others)
    return names[0], (*others, *([f"… {more:,} more addresses"] if more else []))


def _tag(item: Item) -> str:
    number, many = item.choice
    if not many:
        return "if" if item.role == Kind.BRANCH and item.condition is not None else ""
    if number == 1:
        return "if"
    return "else if" if item.condition is not None else "else"
