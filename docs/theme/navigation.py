"""The order of the pages, and of what a search finds: read off the folders, so that a new page needs no entry anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: Pages of the guide in the order in which they are read; others come behind them.
_GUIDE = (
    "index", "getting-started", "concepts", "bodies", "python", "testing", "explain-and-plan", "operating", "admin", "logs",
    "metrics", "tracing", "storage", "editors", "from-caddy", "from-caddy-converted", "from-nginx", "from-nginx-converted",
)  # fmt: skip
#: Folders of the reference, and pages beside them, likewise.
_REFERENCE = (
    "README", "directives", "matchers", "placeholders", "balancers", "settings", "values", "expressions", "std", "problems",
)  # fmt: skip
_TITLES = {
    "directives": "Directives",
    "matchers": "Matchers",
    "balancers": "Balancing policies",
    "settings": "Global settings",
    "std": "Standard library",
    "problems": "Problems",
}


def on_config(config: Any) -> Any:
    """Called by mkdocs: `nav` as the folders have it."""
    docs = Path(config["docs_dir"])
    design = sorted(file.name for file in docs.glob("*.md") if file.name != "index.md")
    config["nav"] = [
        {"Home": "index.md"},
        {"Guide": _pages(docs, "guide", _GUIDE)},
        {"Reference": _pages(docs, "reference", _REFERENCE)},
        {"How it is built": design},
    ]
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> None:
    """Called by mkdocs for each page: who searches for a name means its page in the reference first of all."""
    if page.url.startswith("reference/"):
        page.meta.setdefault("search", {"boost": 4})


def _pages(docs: Path, folder: str, order: tuple[str, ...]) -> list[Any]:
    """The pages of a folder, those in `order` first; a folder in it is a section with the page of its name in front."""
    found: list[Any] = []
    folders = {path.name for path in (docs / folder).iterdir() if path.is_dir()}
    pages = {path.stem: f"{folder}/{path.name}" for path in (docs / folder).glob("*.md")}
    for name in sorted({*folders, *pages}, key=lambda name: (order.index(name) if name in order else len(order), name)):
        if name not in folders:
            found.append(pages[name])
            continue
        first = [pages[name]] if name in pages else []
        found.append({_TITLES.get(name, name.capitalize()): [*first, *_pages(docs, f"{folder}/{name}", ("README",))]})
    return found
