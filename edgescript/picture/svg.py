"""A picture as SVG, without any other program. It stands on white, so that it can be read on a dark page too."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from edgescript.picture.layout import (
    ARRIVING,
    GAP,
    LABEL,
    LINE,
    MARGIN,
    MOST_CELLS,
    PAD,
    PASSING,
    ROW,
    SITE_HEAD,
    SMALL,
    Box,
    Layout,
    label_of,
    laid_out,
    right_word,
)  # fmt: skip
from edgescript.picture.metrics import shortened, width
from edgescript.picture.model import Edge, Kind, Line, Picture

#: Fill, and the colour of border, stripe and word. Every text has a contrast of at least 4.5 to its fill (WCAG 2.2, 1.4.3).
_COLOURS = {
    Kind.LISTENER: ("#e2e8f0", "#334155"),
    Kind.SITE: ("#f8fafc", "#475569"),
    Kind.WRAPPER: ("#ffffff", "#1d4ed8"),
    Kind.REWRITER: ("#ffffff", "#6d28d9"),
    Kind.ANSWER: ("#ffffff", "#15803d"),
    Kind.BRANCH: ("#fffbeb", "#92400e"),
    Kind.ERRORS: ("#fef2f2", "#b91c1c"),
    Kind.RESPONSES: ("#eff6ff", "#1d4ed8"),
    Kind.SERVER: ("#ecfeff", "#0e7490"),
    Kind.SETTING: ("#f1f5f9", "#475569"),
    Kind.END: ("#f1f5f9", "#475569"),
    Kind.MORE: ("#f1f5f9", "#475569"),
}
_LEGEND = {
    Kind.WRAPPER: "sees request and response",
    Kind.REWRITER: "changes the request",
    Kind.ANSWER: "answers",
    Kind.BRANCH: "a block",
    Kind.ERRORS: "answers errors",
    Kind.SERVER: "a server behind",
}
_INK, _MUTED = "#0f172a", "#475569"
_STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}"
    ".s{font-family:system-ui,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif}"
)


def as_svg(picture: Picture) -> str:
    """The drawing."""
    return "\n".join(_parts(laid_out(picture))) + "\n"


def _parts(layout: Layout) -> Iterator[str]:
    wide, high = max(layout.width, _legend_width() + 2 * MARGIN), layout.height
    picture = layout.picture
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}" '
        'role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{_text(picture.title)}</title>'
    yield f'<desc id="desc">{_text(picture.description)}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse">'
        f'<path d="M0 0.5 7.5 4 0 7.5z" fill="{_MUTED}"/></marker></defs>'
    )
    yield f'<rect width="{wide:.0f}" height="{high:.0f}" fill="#ffffff"/>'
    yield f'<text class="s" x="{MARGIN}" y="38" font-size="18" font-weight="600" fill="{_INK}">{_text(picture.title)}</text>'
    for box in (*layout.listeners, *layout.sites, *layout.servers):
        yield from _box(box)
    yield from _edges(layout)
    yield from _legend(high - MARGIN)
    yield "</svg>"


# ---- boxes


def _box(box: Box) -> Iterator[str]:
    node = box.node
    fill, colour = _COLOURS[node.kind]
    round_ = ROW / 2 if node.kind in (Kind.LISTENER, Kind.SERVER) else 5
    yield f"<g><title>{_text(node.tooltip or node.label)}</title>"
    yield _rectangle(box, round_, fill, colour if node.kind not in _STRIPED else "#cbd5e1")
    if node.kind in _STRIPED:
        yield f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="5" height="{box.height:.1f}" rx="2" fill="{colour}"/>'
    yield from _words(box, colour)
    yield "</g>"
    for above, inner in zip((None, *box.boxes), box.boxes, strict=False):
        if above is not None and _follows(above, inner):
            yield _then(above, inner)
        yield from _box(inner)


_STRIPED = (Kind.WRAPPER, Kind.REWRITER, Kind.ANSWER, Kind.SETTING, Kind.END)


def _rectangle(box: Box, round_: float, fill: str, line: str) -> str:
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{round_:g}" '
        f'fill="{fill}" stroke="{line}"/>'
    )


def _words(box: Box, colour: str) -> Iterator[str]:
    node = box.node
    is_site = node.kind is Kind.SITE
    bold = (
        ' font-weight="600"'
        if is_site or node.kind in (Kind.BRANCH, Kind.ERRORS, Kind.RESPONSES, Kind.LISTENER)
        else ""
    )
    top = box.y + (SITE_HEAD if is_site else 0)
    x, y = box.x + PAD, top + ROW / 2 + LABEL * 0.36
    yield f'<text x="{x:.1f}" y="{y:.1f}" font-size="{LABEL:g}" fill="{_INK}"{bold}>{_text(label_of(node))}</text>'
    word = right_word(node)
    if word:
        end = box.x + box.width - PAD
        yield (
            f'<text class="s" x="{end:.1f}" y="{y:.1f}" font-size="{SMALL:g}" fill="{colour}" text-anchor="end">'
            f"{_text(word)}</text>"
        )
    for number, line in enumerate(node.lines):
        below = top + ROW + LINE * number + SMALL
        text = _text(shortened(line, MOST_CELLS))
        yield f'<text x="{x + PAD:.1f}" y="{below:.1f}" font-size="{SMALL:g}" fill="{_MUTED}">{text}</text>'


def _follows(above: Box, box: Box) -> bool:
    """Whether requests come here from the box above: not to another alternative, and not to an answer to errors."""
    if above.node.kind is Kind.SETTING:
        return False
    return box.node.kind is not Kind.ERRORS and box.node.tag not in ("else", "else if")


def _then(above: Box, below: Box) -> str:
    x, start = above.x + 2 * PAD, above.y + above.height
    return _line(f"M{x:.1f} {start:.1f}V{below.y:.1f}", arrow=False)


# ---- lines


def _edges(layout: Layout) -> Iterator[str]:
    boxes = {box.node.id: box for one in (*layout.listeners, *layout.sites, *layout.servers) for box in one.walk()}
    lanes = {box.node.id: number for number, box in enumerate(layout.listeners)}
    for edge in layout.picture.edges:
        if edge.line is Line.ARRIVES:
            yield _arrival(boxes[edge.source], boxes[edge.target], lanes[edge.source], len(lanes))
        elif edge.line is Line.PASSES:
            yield _passage(edge, boxes[edge.source], boxes[edge.target], layout.right)


def _arrival(listener: Box, site: Box, lane: int, lanes: int) -> str:
    """Out, along a lane of its own, and in."""
    start, end, y = listener.x + listener.width, site.x, site.middle + SITE_HEAD
    lane_x = start + ARRIVING * (lane + 1) / (lanes + 2)
    return _line(f"M{start:.1f} {listener.middle:.1f}H{lane_x:.1f}V{y:.1f}H{end - 2:.1f}")


def _passage(edge: Edge, directive: Box, server: Box, right: float) -> str:
    """Straight to the border of the site, and then across."""
    start, middle = directive.x + directive.width, right + PASSING / 2
    y, end = directive.middle, server.middle
    curve = f"C{middle:.1f} {y:.1f} {middle:.1f} {end:.1f} {server.x - 2:.1f} {end:.1f}"
    return _line(f"M{start:.1f} {y:.1f}H{right:.1f}{curve}")


def _line(path: str, *, arrow: bool = True) -> str:
    end = ' marker-end="url(#a)"' if arrow else ""
    return f'<path d="{path}" fill="none" stroke="{_MUTED}" stroke-width="1.2"{end}/>'


# ---- the legend


def _legend_width() -> float:
    return sum(map(_legend_step, _LEGEND.values()))


def _legend_step(text: str) -> float:
    """The legend is in a narrower font."""
    return width(text, SMALL) * 0.9 + 2 * PAD + GAP


def _legend(y: float) -> Iterator[str]:
    x = MARGIN
    for kind, text in _LEGEND.items():
        fill, colour = _COLOURS[kind]
        yield f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" rx="2" fill="{colour}" stroke="{fill}"/>'
        yield f'<text class="s" x="{x + 16:.1f}" y="{y:.1f}" font-size="{SMALL:g}" fill="{_MUTED}">{_text(text)}</text>'
        x += _legend_step(text)


def _text(text: str) -> str:
    """A text in XML: escaped, and without the characters that XML has not (XML 1.0, 2.2)."""
    return escape("".join(char if char.isprintable() or char == "\n" else "�" for char in text))
