from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from edgescript.language.expand import File, expand
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.problem import Problem
from edgescript.text.source import Source


def values(lines: list[Line]) -> list[object]:
    """What lines say: their words, and with a block what that says. Blank and comment lines say nothing."""
    said: list[object] = []
    for line in lines:
        words = [word.value for word in line.words]
        if line.block is not None:
            said.append((words, values(line.block)))
        elif words:
            said.append(words)
    return said


@pytest.fixture
def said() -> Callable[[list[Line]], list[object]]:
    return values


@pytest.fixture
def expanded() -> Callable[..., tuple[File, list[Problem]]]:
    """Parse and expand a text, with the given files to import and environment."""

    def run(
        text: str, files: Mapping[str, str | bytes] | None = None, environment: Mapping[str, str] | None = None
    ) -> tuple[File, list[Problem]]:
        there = {name: data.encode() if isinstance(data, str) else data for name, data in (files or {}).items()}

        def read(name: str) -> bytes:
            if name not in there:
                raise FileNotFoundError(2, "No such file or directory", name)
            return there[name]

        def find(pattern: str) -> list[str]:
            before, _, after = pattern.partition("*")
            return sorted(name for name in there if name.startswith(before) and name.endswith(after))

        tree, problems = parse(Source("conf/Edgefile", text))
        file, more = expand(tree, environment=environment or {}, read=read, find=find)
        return file, problems + more

    return run


@pytest.fixture
def told() -> Callable[[list[Problem]], list[str]]:
    """Problems as `code line:column message`."""

    def tell(problems: list[Problem]) -> list[str]:
        lines = []
        for problem in problems:
            assert problem.span is not None
            line, column = problem.span.source.position(problem.span.start)
            lines.append(f"{problem.code} {line}:{column} {problem.message}")
        return lines

    return tell
