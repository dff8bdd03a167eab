"""A picture in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.picture.metrics import shortened
from edgescript.picture.model import Edge, Kind, Line, Node, Picture

#: Shape, fill and line of each kind; the colours are those of the SVG.
_LOOKS = {
    Kind.LISTENER: ("oval", "#e2e8f0", "#334155"),
    Kind.SITE: ("box", "#f8fafc", "#64748b"),
    Kind.WRAPPER: ("box", "#eff6ff", "#1d4ed8"),
    Kind.REWRITER: ("box", "#f5f3ff", "#6d28d9"),
    Kind.ANSWER: ("box", "#f0fdf4", "#15803d"),
    Kind.BRANCH: ("hexagon", "#fffbeb", "#92400e"),
    Kind.ERRORS: ("hexagon", "#fef2f2", "#b91c1c"),
    Kind.RESPONSES: ("hexagon", "#eff6ff", "#1d4ed8"),
    Kind.SERVER: ("cylinder", "#ecfeff", "#0e7490"),
    Kind.SETTING: ("note", "#f8fafc", "#64748b"),
    Kind.END: ("box", "#f8fafc", "#64748b"),
    Kind.MORE: ("plaintext", "#ffffff", "#64748b"),
}
_STYLES = {Line.ARRIVES: "bold", Line.FLOWS: "solid", Line.PASSES: "dashed"}
#: Characters of a label.
_MOST = 70


def as_dot(picture: Picture) -> str:
    """The graph."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield 'digraph "Edgefile" {'
    yield f"    graph [rankdir=TB compound=true bgcolor=white fontname=Helvetica tooltip={_quoted(picture.title)}]"
    yield '    node [fontname="monospace" fontsize=11 style="filled,rounded" fontcolor="#0f172a"]'
    yield '    edge [color="#475569" fontname=Helvetica fontsize=10 fontcolor="#334155"]'
    for node in (*picture.listeners, *picture.servers):
        yield f"    {_node(node)}"
    for site in picture.sites:
        yield from _site(site)
    clusters = {site.id: site.children[0].id for site in picture.sites if site.children}
    yield from (f"    {_edge(edge, clusters)}" for edge in picture.edges)
    yield "}"


def _site(site: Node) -> Iterator[str]:
    if not site.children:
        yield f"    {_node(site)}"
        return
    yield f"    subgraph cluster_{site.id} {{"
    label, tooltip = _label(site), _quoted(site.tooltip)
    yield f'        graph [label={label} tooltip={tooltip} style="filled,rounded" fillcolor="#f8fafc" color="#64748b"]'
    for child in site.children:
        yield from (f"        {_node(node)}" for node in child.walk())
    yield "    }"


def _node(node: Node) -> str:
    shape, fill, line = _LOOKS[node.kind]
    return (
        f'{node.id} [label={_label(node)} tooltip={_quoted(node.tooltip or node.label)} shape={shape} fillcolor="{fill}" '
        f'color="{line}"]'
    )


def _label(node: Node) -> str:
    return _quoted("\n".join(shortened(text, _MOST) for text in (node.label, *node.lines)))


def _edge(edge: Edge, clusters: dict[str, str]) -> str:
    """A line to a site ends at its border."""
    label = f" label={_quoted(edge.label)}" if edge.label else ""
    inside = clusters.get(edge.target)
    head = f" lhead=cluster_{edge.target}" if inside else ""
    return f"{edge.source} -> {inside or edge.target} [style={_STYLES[edge.line]}{label}{head}]"


def _quoted(text: str) -> str:
    """A text that Graphviz shows as it is: backslashes would be escapes, and an ampersand an entity."""
    text = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
