"""The shape of the source tree: layers, no cycles, empty package files."""

from __future__ import annotations

import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

import edgescript

ROOT = Path(edgescript.__path__[0]).parent
PACKAGE = ROOT / "edgescript"


#: What users import from a package by its name; it is loaded when it is asked for.
PUBLIC = ["edgescript/api/__init__.py", "edgescript/testing/__init__.py"]


def test_package_files_are_empty_but_for_the_public_ones() -> None:
    with_logic = [str(file.relative_to(ROOT)) for file in PACKAGE.rglob("__init__.py") if file.stat().st_size]
    assert sorted(with_logic) == PUBLIC


def test_imports_keep_to_the_layers() -> None:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("edgescript", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle
