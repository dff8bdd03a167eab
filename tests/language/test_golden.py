"""Each `x.edge` beside this file, and what it must come to: `x.tree`, `x.problems`, and `x.formatted` where it has none.

With UPDATE_GOLDEN=1 in the environment the expectations are written instead of compared; read the difference afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgescript.language.expand import expand
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.problem import in_order
from edgescript.text.render import as_text
from edgescript.text.source import Source

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.edge"))
ENVIRONMENT = {"EDGE_HOST": "env.example.com", "EDGE_EVIL": "a } { b\n# c"}


def drawn(lines: list[Line], depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    for line in lines:
        parts = [f"{word.quote}{word.value!r}" for word in line.words]
        parts += [] if line.block is None else ["{"]
        parts += [] if line.comment is None else [line.comment.value]
        yield f"{indent}{line.start}-{line.end} {' '.join(parts)}".rstrip()
        if line.block is not None:
            yield from drawn(line.block, depth + 1)
            yield f"{indent}}}" + ("" if line.block_comment is None else f" {line.block_comment.value}")


def outcome(path: Path) -> dict[str, str]:
    source = Source.of_bytes(path.name, path.read_bytes())
    tree, problems = parse(source)
    found = {"tree": "".join(f"{line}\n" for line in drawn(tree.lines))}
    if not problems:
        found["formatted"] = format_tree(tree)
    _, more = expand(
        tree, environment=ENVIRONMENT, read=lambda name: (HERE / name).read_bytes(), find=lambda pattern: []
    )
    found["problems"] = as_text(in_order(problems + more))
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_file_comes_to_what_stands_beside_it(path: Path, golden: Callable[[Path, str], None]) -> None:
    for kind, text in outcome(path).items():
        golden(path.with_suffix(f".{kind}"), text)
