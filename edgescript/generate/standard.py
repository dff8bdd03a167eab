"""The pages of the standard library, and their index."""

from __future__ import annotations

from edgescript.catalog import Catalogue
from edgescript.generate.shelves import as_table
from edgescript.language.files import standard_names
from edgescript.language.standard import StandardSnippet, as_markdown, standard_snippet

FOLDER = "docs/reference/std"


def files(catalogue: Catalogue) -> dict[str, str]:
    names = standard_names()
    pages = {f"{FOLDER}/{name}.md": as_markdown(standard_snippet(name)) for name in names}
    return {f"{FOLDER}/README.md": _index([standard_snippet(name) for name in names])} | pages


def _index(snippets: list[StandardSnippet]) -> str:
    rows = [[f"[`{one.name}`]({one.name.removeprefix('std/')}.md)", one.summary.removesuffix(".")] for one in snippets]
    about = "Lines that `import std/NAME` puts in. `edge help std/NAME` shows a page on a terminal."
    return f"# Standard library\n\n{about}\n\n{as_table(['', ''], rows)}\n"
