"""From which files a document is looked at, and when that is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.lsp.document import Document
from edgescript.lsp.project import Project, look

CATALOGUE = Catalogue.load()
SITE = ":80 {\n    import part.edge\n}\n"


def documents(folder: Path, **texts: str) -> dict[str, Document]:
    made = [Document((folder / name.replace("_", ".")).as_uri(), 1, text) for name, text in texts.items()]
    return {document.path: document for document in made}


def settle(project: Project, folder: Path) -> list[str]:
    """Look at everything that is due; gives the names of the roots in turn."""
    looked: list[str] = []
    while (root := project.next()) is not None:
        assert len(looked) < 9, "it comes to an end"
        looked.append(Path(root).name)
        project.keep(look(root, project.documents, CATALOGUE, {}))
    return looked


def test_what_is_imported_is_looked_at_from_its_importer_alone(tmp_path: Path) -> None:
    project = Project(documents(tmp_path, Edgefile=SITE, part_edge="log\n"))
    assert settle(project, tmp_path) == ["Edgefile"]
    part = str(tmp_path / "part.edge")
    assert [Path(found.root).name for found in project.roots_of(part)] == ["Edgefile"]
    project.documents |= documents(tmp_path, Edgefile=":80 {\n    log\n}\n")
    assert settle(project, tmp_path) == ["Edgefile", "part.edge"]


def test_an_importer_that_is_opened_later_takes_over(tmp_path: Path) -> None:
    project = Project(documents(tmp_path, part_edge="log\n"))
    assert settle(project, tmp_path) == ["part.edge"]
    project.documents |= documents(tmp_path, Edgefile=SITE)
    assert settle(project, tmp_path) == ["Edgefile"]
    assert [Path(root).name for root in project.found] == ["Edgefile"]


@pytest.mark.parametrize("changed", ["a_edge", "b_edge"])
def test_of_files_that_import_each_other_a_change_of_any_is_looked_at(tmp_path: Path, changed: str) -> None:
    project = Project(documents(tmp_path, a_edge="import b.edge\n", b_edge="import a.edge\n"))
    assert settle(project, tmp_path) == ["a.edge"]
    project.documents |= documents(tmp_path, **{changed: "log\n"})
    assert settle(project, tmp_path)
    assert all(project.roots_of(path) for path in project.documents)


def test_a_change_on_the_disk_is_due_where_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "part.edge").write_text("log\n")
    project = Project(documents(tmp_path, Edgefile=SITE, other_edge="log\n"))
    assert settle(project, tmp_path) == ["Edgefile", "other.edge"]
    project.changed_on_disk([str(tmp_path / "unknown.edge")])
    assert settle(project, tmp_path) == []
    project.changed_on_disk([str(tmp_path / "part.edge")])
    assert settle(project, tmp_path) == ["Edgefile"]


def test_half_a_surrogate_pair_in_an_imported_document_moves_nothing(tmp_path: Path) -> None:
    project = Project(documents(tmp_path, Edgefile=SITE, part_edge="# \ud800\nrespnd 204\n"))
    settle(project, tmp_path)
    (found,) = project.found.values()
    (span,) = (problem.span for problem in found.problems if problem.code == "E101")
    assert span is not None
    assert (span.source.text[span.start : span.end], span.start) == ("respnd", 4)
