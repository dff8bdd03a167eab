"""Where everything of a picture stands: three columns, boxes in boxes from top to bottom, in the order in which they run.

Listeners and servers stand beside what they belong to, as near as they can without touching each other. All lengths are in
pixels, and every width is known beforehand (`metrics`), so nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from edgescript.picture.metrics import shortened, width
from edgescript.picture.model import Edge, Kind, Line, Node, Picture

#: Sizes of the fonts of labels, and of the smaller lines below.
LABEL, SMALL = 13.0, 11.0
#: Columns of text that a box may have.
MOST_CELLS = 72
ROW, LINE = 26.0, 16.0
PAD, GAP = 12.0, 10.0
MARGIN, TOP, BOTTOM = 24.0, 64.0, 48.0
#: How much lower a site's name stands than another label in its box.
SITE_HEAD = 4.0
#: Between the columns.
ARRIVING, PASSING = 64.0, 120.0


@dataclass(frozen=True, slots=True)
class Box:
    """A node in its place."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    boxes: tuple[Box, ...] = ()

    @property
    def middle(self) -> float:
        """Of its first row, where lines begin and end."""
        return self.y + ROW / 2

    def walk(self) -> Iterator[Box]:
        """This box and every one inside."""
        yield self
        for box in self.boxes:
            yield from box.walk()


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture, laid out."""

    picture: Picture
    width: float
    height: float
    listeners: tuple[Box, ...]
    sites: tuple[Box, ...]
    servers: tuple[Box, ...]
    #: Where the column of sites ends.
    right: float


def laid_out(picture: Picture) -> Layout:
    """The places of everything."""
    x = MARGIN + _widest(picture.listeners) + (ARRIVING if picture.listeners else 0)
    sites = _stacked(picture.sites, x, TOP, _widest(picture.sites), 2 * PAD)
    right = x + _widest(picture.sites)
    boxes = {box.node.id: box for site in sites for box in site.walk()}
    arrivals, passages = (_levels(picture.edges, boxes, line) for line in (Line.ARRIVES, Line.PASSES))
    listeners = _beside(
        picture.listeners, MARGIN, {number: min(levels) + SITE_HEAD for number, levels in arrivals.items()}
    )
    servers = _beside(picture.servers, right + PASSING, {number: fmean(levels) for number, levels in passages.items()})
    everything = [*listeners, *sites, *servers]
    return Layout(
        picture,
        max([right, *(box.x + box.width for box in everything)]) + MARGIN,
        max([TOP, *(box.y + box.height for box in everything)]) + BOTTOM,
        listeners,
        sites,
        servers,
        right,
    )


# ---- boxes in boxes


def label_of(node: Node) -> str:
    """A label as it is drawn."""
    return shortened(node.label, MOST_CELLS)


def right_word(node: Node) -> str:
    """The word at the right end of a box: what the directive does, or of a choice, when it is taken."""
    if node.kind in (Kind.SITE, Kind.LISTENER, Kind.SERVER, Kind.MORE):
        return ""
    return node.tag or ("on error" if node.kind is Kind.ERRORS else str(node.kind))


def _widest(nodes: Sequence[Node]) -> float:
    return max((_width(node) for node in nodes), default=0.0)


def _width(node: Node) -> float:
    word = right_word(node)
    label = width(label_of(node), LABEL) + (width(word, SMALL) + 2 * PAD if word else 0)
    lines = [width(shortened(line, MOST_CELLS), SMALL) + PAD for line in node.lines]
    return 2 * PAD + max([label, *lines, *(_width(child) for child in node.children)])


def _head(node: Node) -> float:
    """Height of a box without the boxes in it."""
    return ROW + LINE * len(node.lines) + (PAD / 2 if node.lines else 0)


def _stacked(nodes: Sequence[Node], x: float, y: float, wide: float, gap: float) -> tuple[Box, ...]:
    found: list[Box] = []
    for node in nodes:
        found.append(_box(node, x, y, wide))
        y += found[-1].height + gap
    return tuple(found)


def _box(node: Node, x: float, y: float, wide: float) -> Box:
    head = _head(node) + (2 * SITE_HEAD if node.kind is Kind.SITE else 0)
    boxes = _stacked(node.children, x + PAD, y + head, wide - 2 * PAD, GAP)
    end = boxes[-1].y + boxes[-1].height + PAD if boxes else y + head
    return Box(node, x, y, wide, end - y, boxes)


# ---- beside them


def _levels(edges: Sequence[Edge], boxes: Mapping[str, Box], line: Line) -> dict[str, list[float]]:
    """For each node of an outer column, the heights of what it is joined to."""
    found: dict[str, list[float]] = {}
    for edge in edges:
        if edge.line is line:
            outer, inner = (edge.source, edge.target) if edge.source not in boxes else (edge.target, edge.source)
            found.setdefault(outer, []).append(boxes[inner].middle)
    return found


def _beside(nodes: Sequence[Node], x: float, levels: Mapping[str, float]) -> tuple[Box, ...]:
    """A column in the order of its levels, each pushed down as far as the one above it needs."""
    wide = _widest(nodes)
    found: list[Box] = []
    y = TOP
    for node in sorted(nodes, key=lambda node: levels.get(node.id, float("inf"))):
        y = max(y, levels.get(node.id, y) - ROW / 2)
        found.append(_box(node, x, y, wide))
        y += found[-1].height + GAP
    return tuple(found)
