"""Write the files that follow from others: reference pages, JSON schema and editor grammar from the declarations, the table
of the parser from its grammar.

python -m edgescript.generate            write them
python -m edgescript.generate --check    exit 1 if one of them is not as it would be written

Each module of this package writes files of one kind. It has a function `files(catalogue)`, which gives their texts by their
paths in the repository, and perhaps a FOLDER, in which no other file may stand.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from edgescript.catalog import Catalogue

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
COMMAND = "make generate"


def main(arguments: Sequence[str]) -> int:
    files = generated(Catalogue.load())
    if list(arguments) == ["--check"]:
        return _check(ROOT, files)
    if arguments:
        sys.stderr.write(f"usage: python -m edgescript.generate [--check]; not {' '.join(arguments)}\n")
        return 2
    for path in _left_over(ROOT, files):
        (ROOT / path).unlink()
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


def generated(catalogue: Catalogue) -> dict[str, str]:
    """Every generated file: its path in the repository, and its text."""
    return {path: text for writer in _writers() for path, text in writer.files(catalogue).items()}


def _writers() -> Iterator[ModuleType]:
    for file in sorted(HERE.parent.glob("[!_]*.py")):
        module = importlib.import_module(f"edgescript.generate.{file.stem}")
        if hasattr(module, "files"):
            yield module


def _check(root: Path, files: dict[str, str]) -> int:
    stale = [path for path, text in files.items() if _text(root / path) != text]
    for path in stale:
        sys.stderr.write(f"{path} is not up to date\n")
    left_over = _left_over(root, files)
    for path in left_over:
        sys.stderr.write(f"{path} belongs to no entry\n")
    if stale or left_over:
        sys.stderr.write(f"to repair it: {COMMAND}, then commit\n")
    return 1 if stale or left_over else 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _left_over(root: Path, files: dict[str, str]) -> list[str]:
    """Files in a writer's folder that would not be written: pages of entries that are gone."""
    folders = [writer.FOLDER for writer in _writers() if hasattr(writer, "FOLDER")]
    there = [file for folder in folders for file in sorted((root / folder).rglob("*")) if file.is_file()]
    return [path for file in there if (path := file.relative_to(root).as_posix()) not in files]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
