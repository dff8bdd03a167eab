"""The reference: a page for each entry, the values, and a page for each code of a problem."""

from __future__ import annotations

from edgescript.catalog import Catalogue
from edgescript.declare import describe
from edgescript.declare.describe import Description
from edgescript.declare.entries import Placeholder
from edgescript.declare.kinds import KINDS
from edgescript.generate.shelves import as_table, described
from edgescript.text.pages import Page, codes, page

FOLDER = "docs/reference"

_TITLES = {
    "directives": "Directives",
    "matchers": "Matchers",
    "placeholders": "Placeholders",
    "balancers": "Balancing policies",
    "settings": "Global settings",
}


def files(catalogue: Catalogue) -> dict[str, str]:
    shelves = described(catalogue)
    found = {f"{FOLDER}/README.md": _index(shelves)}
    for shelf, descriptions in shelves.items():
        if shelf != "placeholders":
            found |= {f"{FOLDER}/{shelf}/{one.name}.md": describe.as_markdown(one) for one in descriptions}
            found[f"{FOLDER}/{shelf}/README.md"] = _shelf(shelf, descriptions)
    found[f"{FOLDER}/placeholders.md"] = _placeholders(catalogue, shelves["placeholders"])
    found[f"{FOLDER}/values.md"] = _values()
    pages = [known for code in codes() if (known := page(code)) is not None]
    found[f"{FOLDER}/problems/README.md"] = _problems(pages)
    return found | {f"{FOLDER}/problems/{known.code}.md": known.markdown for known in pages}


def _index(shelves: dict[str, list[Description]]) -> str:
    parts = ["# Reference", "Made from the declarations in the source by `make generate`."]
    for shelf, descriptions in shelves.items():
        page = "placeholders.md#{}" if shelf == "placeholders" else f"{shelf}/{{}}.md"
        rows = [[f"[{_cell(one)}]({page.format(one.name)})", _first_sentence(one.summary)] for one in descriptions]
        parts += [f"## {_TITLES[shelf]}", as_table(["", ""], rows)]
    parts += ["## More", "- [Values](values.md): how durations, sizes, addresses and the like are written"]
    parts[-1] += "\n- [Expressions](expressions.md): what conditions may say and call"
    parts[-1] += "\n- [Standard library](std/README.md): what `import std/NAME` puts in"
    parts[-1] += "\n- [Problems](problems/README.md): the codes of everything that can be wrong with an Edgefile"
    return "\n\n".join(part for part in parts if part) + "\n"


def _shelf(shelf: str, descriptions: list[Description]) -> str:
    """The index of one shelf; directives with what they do with a request."""
    rows = [
        [f"[`{one.name}`]({one.name}.md)", *([one.role] if one.role else []), _first_sentence(one.summary)]
        for one in descriptions
    ]
    return f"# {_TITLES[shelf]}\n\n{as_table([''] * max(map(len, rows), default=2), rows)}\n"


def _cell(description: Description) -> str:
    return f"`{{{description.name}}}`" if description.shelf == "placeholders" else f"`{description.name}`"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def _placeholders(catalogue: Catalogue, descriptions: list[Description]) -> str:
    parts = ["# Placeholders", "Names in braces that stand for a value of the request or its response."]
    for description in descriptions:
        entry = catalogue.placeholder(description.name)
        assert isinstance(entry, Placeholder)
        after = "Has a value only once there is a response." if entry.of_response else ""
        parts += [
            f"## {description.name}",
            description.usage.replace("{", "`{").replace("}", "}`"),
            description.summary,
        ]
        parts += [description.body, after]
    return "\n\n".join(part for part in parts if part) + "\n"


def _values() -> str:
    rows = [
        [kind.name, describe.with_code(kind.expected), ", ".join(f"`{sample}`" for sample in kind.samples)]
        for kind in KINDS
    ]
    return f"# Values\n\n{as_table(['Kind', 'What is expected', 'Such as'], sorted(rows))}\n"


def _problems(pages: list[Page]) -> str:
    rows = [[f"[{known.code}]({known.code}.md)", known.title] for known in pages]
    about = "Codes that begin with E are errors, those with W warnings. `edge help CODE` shows a page on a terminal."
    return f"# Problems\n\n{about}\n\n{as_table(['Code', 'What is wrong'], rows)}\n"
