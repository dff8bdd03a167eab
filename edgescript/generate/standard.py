"""The pages of the standard library: what each file's head says, what an import puts in, and the tests that hold for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgescript.catalog import Catalogue
from edgescript.language.files import standard_file, standard_names
from edgescript.language.standard import Argument, Standard, standard

FOLDER = "docs/reference/std"


def files(catalogue: Catalogue) -> dict[str, str]:
    found = [standard(name, standard_file(name).read_text(encoding="utf-8")) for name in _names()]
    return {f"{FOLDER}/README.md": _index(found)} | {f"{FOLDER}/{one.name}.md": _page(one) for one in found}


def _names() -> list[str]:
    """Without those that only test another one: `cors.test` beside `cors`."""
    return [name for name in standard_names() if not name.endswith(".test")]


def _index(found: list[Standard]) -> str:
    rows = "\n".join(f"| [`std/{one.name}`]({one.name}.md) | {one.summary.removesuffix('.')} |" for one in found)
    about = "Lines that `import std/NAME` puts in. `edge help std/NAME` shows a page on a terminal."
    return f"# Standard library\n\n{about}\n\n|  |  |\n| --- | --- |\n{rows}\n"


def _page(one: Standard) -> str:
    parts = [
        f"# std/{one.name}",
        f"```text\n{_usage(one)}\n```",
        one.summary,
        one.body,
        _arguments(one.arguments),
        f"## What it puts in\n\n```edge\n{one.lines}\n```",
        *_tests(one),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _usage(one: Standard) -> str:
    words = (
        f"[{argument.name}=…]" if "default" in argument.text else f"{argument.name}=…" for argument in one.arguments
    )
    return " ".join([f"import std/{one.name}", *words])


def _arguments(arguments: tuple[Argument, ...]) -> str:
    lines = "\n".join(f"- `{argument.name}`: {argument.text}" for argument in arguments)
    return f"## Arguments\n\n{lines}" if lines else ""


def _tests(one: Standard) -> Iterator[str]:
    """Its own test blocks, and whole files that show and test it: `tests/NAME.test.edge` and the like."""
    if one.tests:
        yield "## Tests\n\n```edge\n" + "\n\n".join(one.tests) + "\n```"
    for file in sorted(Path(standard_file(one.name)).parent.rglob(f"{one.name}.test.edge")):
        yield f"## Example\n\n```edgefile\n{file.read_text(encoding='utf-8').strip()}\n```"
