from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from edgescript import catalog
from edgescript.catalog import Catalogue
from edgescript.declare.entries import Placeholder, Role, directive

ENTRY = '''
from edgescript.declare.entries import Role, directive
from edgescript.declare.fields import arg


@directive("{name}", role=Role.SITE)
class Entry:
    """A test."""

    value: str = arg("A value.")
'''


@directive("path_of_ours", role=Role.SITE)
class Ours:
    """A test."""


class Point:
    """An entry point whose module is here already."""

    value = "some_plugin.entries"

    def __init__(self, loads: object) -> None:
        self.loads = loads

    def load(self) -> object:
        if isinstance(self.loads, BaseException):
            raise self.loads
        return self.loads


def _plugged(monkeypatch: pytest.MonkeyPatch, *points: Point) -> Catalogue:
    monkeypatch.setattr(catalog, "_entry_points", lambda: iter(points))
    return Catalogue.load()


def _module(tmp_path: Path, name: str, text: str) -> object:
    file = tmp_path / f"{name}.py"
    file.write_text(text)
    return catalog._import_file("directives", file)


def test_a_file_on_an_extra_shelf_is_an_entry(tmp_path: Path) -> None:
    (tmp_path / "wave_.py").write_text(ENTRY.format(name="wave"))
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "entry.py").write_text(ENTRY.format(name="group"))
    (tmp_path / "_helper.py").write_text("")
    catalogue = Catalogue.load(extra_shelves={"directives": [tmp_path]})
    wave, group = catalogue.directive("wave"), catalogue.directive("group")
    assert wave is not None
    assert group is not None
    assert wave.__dataclass_fields__.keys() == {"value"}
    assert {"wave", "group"} <= set(catalogue.names("directives"))
    assert "helper" not in catalogue.names("directives")


def test_catalogues_do_not_share_what_was_added() -> None:
    placeholder = Placeholder("of_ours", "A test.", read=lambda exchange: "")
    with_ours = Catalogue.load().with_entries(Ours, placeholder)
    assert with_ours.directive("path_of_ours") is Ours
    assert with_ours.placeholder("of_ours") is placeholder
    assert "path_of_ours" in with_ours.names("directives")
    assert Catalogue.load().directive("path_of_ours") is None


def test_a_name_of_no_shelf_is_none() -> None:
    assert Catalogue.load().matcher("no_such_matcher") is None


def test_a_plug_in_adds_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = _plugged(monkeypatch, Point(_module(tmp_path, "good", ENTRY.format(name="plugged"))))
    assert catalogue.directive("plugged") is not None
    assert "plugged" in catalogue.names("directives")
    assert catalogue.problems() == []


def test_a_plug_in_that_cannot_be_imported_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = _plugged(monkeypatch, Point(ImportError("no module named x")), Point(ValueError("anything")))
    assert catalogue.directive("plugged") is None
    assert [problem.code for problem in catalogue.problems()] == ["W101", "W101"]
    assert "no module named x" in catalogue.problems()[0].message


def test_a_plug_in_does_not_take_a_name_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "wave.py").write_text(ENTRY.format(name="wave"))
    point = Point(_module(tmp_path, "same", ENTRY.format(name="wave")))
    monkeypatch.setattr(catalog, "_entry_points", lambda: iter([point]))
    catalogue = Catalogue.load(extra_shelves={"directives": [shelf]})
    assert catalogue.directive("wave") is not None
    assert catalogue.directive("another") is None
    (problem,) = catalogue.problems()
    assert problem.message == 'the plug-in "some_plugin.entries" declares "wave" on directives, and that name is taken'


def test_what_a_plug_in_imports_is_not_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(tmp_path, "borrows", "from edgescript.matchers.path import Path\n")
    catalogue = _plugged(monkeypatch, Point(module))
    assert catalogue.plugins() == {}
    (problem,) = catalogue.problems()
    assert problem.message == 'the plug-in "some_plugin.entries" declares no entry'


def test_a_plug_in_may_name_an_entry_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    placeholder = Placeholder("of_theirs", "A test.", read=lambda exchange: "")
    catalogue = _plugged(monkeypatch, Point(Ours), Point(placeholder))
    assert catalogue.directive("path_of_ours") is Ours
    assert catalogue.placeholder("of_theirs") is placeholder
    assert catalogue.problems() == []


def test_a_plug_in_that_ends_the_process_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = _plugged(monkeypatch, Point(SystemExit(3)))
    assert catalogue.directive("plugged") is None
    assert [problem.code for problem in catalogue.problems()] == ["W101"]


def test_a_plug_in_with_a_wrong_declaration_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ENTRY.format(name="wrong").replace("value: str", "value: object")
    catalogue = _plugged(monkeypatch, Point(_module(tmp_path, "wrong", wrong)))
    assert catalogue.directive("wrong") is None
    assert "no kind of value is known" in catalogue.problems()[0].message


def test_entry_points_are_read_from_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def entry_points(**which: str) -> list[object]:
        asked.append(which)
        return []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert Catalogue.load().directive("no_such_directive") is None
    assert asked == [{"group": "edgescript.entries"}]


def test_looking_up_one_matcher_imports_neither_the_others_nor_the_plug_ins() -> None:
    code = (
        "import sys; from edgescript.catalog import Catalogue; Catalogue.load().matcher('path');"
        "print(*[name for name in sys.modules if name.startswith('edgescript.matchers.')], 'importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["edgescript.matchers.path", "False"]
