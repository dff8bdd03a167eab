"""A picture as a Mermaid flowchart, which GitHub and others draw from a Markdown file."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.picture.metrics import shortened
from edgescript.picture.model import Kind, Line, Node, Picture

_SHAPES = {
    Kind.LISTENER: ("([", "])"),
    Kind.SERVER: ("[(", ")]"),
    Kind.BRANCH: ("{{", "}}"),
    Kind.ERRORS: ("{{", "}}"),
    Kind.RESPONSES: ("{{", "}}"),
    Kind.ANSWER: ("(", ")"),
    Kind.END: ("(", ")"),
}
_ARROWS = {Line.ARRIVES: "==>", Line.FLOWS: "-->", Line.PASSES: "-.->"}
#: Fill, line and text of each kind; the same as in the SVG.
_CLASSES = {
    Kind.LISTENER: "fill:#e2e8f0,stroke:#334155,color:#0f172a",
    Kind.WRAPPER: "fill:#eff6ff,stroke:#1d4ed8,color:#0f172a",
    Kind.REWRITER: "fill:#f5f3ff,stroke:#6d28d9,color:#0f172a",
    Kind.ANSWER: "fill:#f0fdf4,stroke:#15803d,color:#0f172a",
    Kind.BRANCH: "fill:#fffbeb,stroke:#92400e,color:#0f172a",
    Kind.ERRORS: "fill:#fef2f2,stroke:#b91c1c,color:#0f172a",
    Kind.RESPONSES: "fill:#eff6ff,stroke:#1d4ed8,color:#0f172a",
    Kind.SERVER: "fill:#ecfeff,stroke:#0e7490,color:#0f172a",
}
#: Characters of a label.
_MOST = 60


def as_mermaid(picture: Picture) -> str:
    """The flowchart."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield "flowchart LR"
    yield f"    accTitle: {_plain(picture.title)}"
    yield f"    accDescr: {_plain(picture.description)}"
    for node in (*picture.listeners, *picture.servers):
        yield f"    {_node(node)}"
    for site in picture.sites:
        yield from _site(site)
    for edge in picture.edges:
        label = f'|"{edge.label}"|' if edge.label else ""
        yield f"    {edge.source} {_ARROWS[edge.line]}{label} {edge.target}"
    yield from (f"    classDef {kind} {style}" for kind, style in _CLASSES.items())


def _site(site: Node) -> Iterator[str]:
    if not site.children:
        yield f"    {_node(site)}"
        return
    yield f'    subgraph {site.id}["{_label(site)}"]'
    yield "        direction TB"
    for child in site.children:
        yield from (f"        {_node(node)}" for node in child.walk())
    yield "    end"


def _node(node: Node) -> str:
    start, end = _SHAPES.get(node.kind, ("[", "]"))
    style = f":::{node.kind}" if node.kind in _CLASSES else ""
    return f'{node.id}{start}"{_label(node)}"{end}{style}'


def _label(node: Node) -> str:
    return "<br/>".join(map(_text, (node.label, *node.lines)))


def _text(text: str) -> str:
    """A text that Mermaid shows as it is: whatever has a meaning there is an entity."""
    return "".join(
        char if char.isalnum() or char in " .,:/-_=" else f"#{ord(char)};" for char in shortened(_plain(text), _MOST)
    )


def _plain(text: str) -> str:
    """On one line, without what no text may have."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
