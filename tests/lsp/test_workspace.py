"""Which files of a folder matter to those that are open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgescript.lsp import workspace
from edgescript.lsp.workspace import Workspace, edgefiles, folders_of


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_edge", ".edge")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path, deep: int = 6) -> list[str]:
    return sorted(os.path.relpath(path, folder) for path in edgefiles([(str(folder), deep)]))


def test_edgefiles_are_found_but_no_hidden_ones_and_no_links(tmp_path: Path) -> None:
    write(tmp_path, Edgefile="", a__Edgefile="", a__b_edge="", other="", node_modules__Edgefile="")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "Edgefile").write_text("")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "link.edge").symlink_to(tmp_path / "Edgefile")
    assert names(tmp_path) == ["Edgefile", "a/Edgefile", "a/b.edge"]
    assert names(tmp_path, 0) == ["Edgefile"]


def test_there_are_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        write(tmp_path, **{f"{number}__Edgefile": ""})
    monkeypatch.setattr(workspace, "_MOST_FILES", 4)
    assert len(names(tmp_path)) == 4
    monkeypatch.setattr(workspace, "_MOST_FOLDERS", 3)
    assert len(names(tmp_path)) == 2  # the folder itself has none


def test_without_a_workspace_the_folders_of_documents_count() -> None:
    assert folders_of([], ["/a/b/Edgefile", "/a/b/x.edge", "untitled:1"]) == [("/a/b", 0)]
    assert folders_of(["/a"], ["/a/b/Edgefile", "/ab/Edgefile"]) == [("/a", 6), ("/ab", 0)]


def importers(space: Workspace, folder: Path, wanted: str) -> list[str]:
    found = space.importers({str(folder / wanted)}, [(str(folder), 6)], {})
    return [os.path.relpath(path, folder) for path in found]


def test_the_outermost_importer_counts(tmp_path: Path) -> None:
    write(tmp_path, Edgefile=":80 {\n  import parts/*.edge\n}\n", parts__a_edge="import ../b.edge\n", b_edge="log\n")
    assert importers(Workspace(), tmp_path, "b.edge") == ["Edgefile"]
    assert importers(Workspace(), tmp_path, "Edgefile") == []


def test_a_file_that_is_not_there_yet_has_importers(tmp_path: Path) -> None:
    write(tmp_path, Edgefile=":80 {\n  import later.edge\n}\n")
    assert importers(Workspace(), tmp_path, "later.edge") == ["Edgefile"]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    space = Workspace()
    write(tmp_path, Edgefile=":80 {\n  import a.edge\n}\n", a_edge="log\n", bb_edge="log\n")
    assert importers(space, tmp_path, "bb.edge") == []
    write(tmp_path, Edgefile=":80 {\n  import bb.edge\n}\n")
    assert importers(space, tmp_path, "bb.edge") == ["Edgefile"]
    (tmp_path / "Edgefile").unlink()
    assert importers(space, tmp_path, "bb.edge") == []


def test_files_that_import_each_other_have_one_outermost(tmp_path: Path) -> None:
    write(tmp_path, a_edge="import b.edge\n", b_edge="import a.edge\nimport c.edge\n", c_edge="log\n")
    assert len(importers(Workspace(), tmp_path, "c.edge")) == 1
