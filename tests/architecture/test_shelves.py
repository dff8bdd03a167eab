"""One entry per shelf file, named as its file, and documented whole."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import SHELVES, Catalogue, entries_of
from edgescript.declare.bind import default_of, default_of_slot
from edgescript.declare.describe import FieldText, describe
from edgescript.declare.entries import Placeholder
from edgescript.declare.plan import Plan, plan_of
from edgescript.declare.scope import Scope

CATALOGUE = Catalogue.load()
FILES = [(shelf, name, file) for shelf in SHELVES for name, file in sorted(CATALOGUE.files(shelf).items())]
CLASSES = [(shelf, name) for shelf, name, _ in FILES if shelf != "placeholders"]
FILE_IDS = [f"{shelf}/{name}" for shelf, name, _ in FILES]
CLASS_IDS = [f"{shelf}/{name}" for shelf, name in CLASSES]


def entry_of(shelf: str, name: str) -> Any:
    entry = CATALOGUE.entry(shelf, name)
    assert entry is not None, f"{shelf}/{name} declares nothing"
    return entry


def plans_of(entry: type[Any]) -> Iterator[Plan]:
    """Of the entry, and of every record in it."""
    plan = plan_of(entry)
    yield plan
    for slot in plan.slots:
        if slot.record is not None:
            yield from plans_of(slot.record)


def fields_of(fields: tuple[FieldText, ...]) -> Iterator[FieldText]:
    for field in fields:
        yield field
        yield from fields_of(field.fields)


@pytest.mark.parametrize(("shelf", "name", "file"), FILES, ids=FILE_IDS)
def test_a_shelf_file_has_one_entry_with_the_name_of_the_file(shelf: str, name: str, file: Path) -> None:
    stem = f"{file.parent.name}.entry" if file.name == "entry.py" else file.stem
    entries = list(entries_of(importlib.import_module(f"edgescript.{shelf}.{stem}"), shelf))
    names = [entry.name if isinstance(entry, Placeholder) else entry.declaration.name for entry in entries]
    assert names == [name]


@pytest.mark.parametrize(("shelf", "name", "file"), FILES, ids=FILE_IDS)
def test_an_entry_is_documented(shelf: str, name: str, file: Path) -> None:
    description = describe(entry_of(shelf, name))
    assert description.summary, "its documentation begins with what it does"
    assert description.summary.endswith((".", ":")), "documentation is made of sentences"
    for field in fields_of(description.fields):
        assert field.doc.strip(), f"{field.name} has no documentation"


@pytest.mark.parametrize(("shelf", "name"), CLASSES, ids=CLASS_IDS)
def test_the_defaults_of_an_entry_are_values_of_their_kinds(shelf: str, name: str) -> None:
    scope = Scope(CATALOGUE)
    for plan in plans_of(entry_of(shelf, name)):
        for slot in plan.slots:
            default_of_slot(slot, scope)


@pytest.mark.parametrize("name", CATALOGUE.files("settings"))
def test_a_setting_can_be_left_out(name: str) -> None:
    scope = Scope(CATALOGUE)
    assert default_of(entry_of("settings", name), scope) is not None
    assert scope.problems == []


@pytest.mark.parametrize("name", CATALOGUE.files("directives"))
def test_a_directive_has_an_example(name: str) -> None:
    assert describe(entry_of("directives", name)).examples, "a directive's docstring has a fenced edge-test example"


@pytest.mark.parametrize("name", CATALOGUE.files("placeholders"))
def test_a_placeholder_can_be_read(name: str) -> None:
    placeholder = entry_of("placeholders", name)
    assert placeholder.read or placeholder.member or placeholder.members
    assert placeholder.member is None or placeholder.sample, (
        "a placeholder with parts of any name shows a sample of one"
    )


@pytest.mark.parametrize(("shelf", "name"), CLASSES, ids=CLASS_IDS)
def test_the_words_of_a_block_are_unique(shelf: str, name: str) -> None:
    for plan in plans_of(entry_of(shelf, name)):
        names = [slot.name for slot in plan.slots]
        assert len(names) == len(set(names))
