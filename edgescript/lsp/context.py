"""What can stand at a place of a text: which kind of block it is in, in which line, at which word, and what is expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from edgescript.catalog import Catalogue
from edgescript.declare.bind import is_matcher
from edgescript.declare.kinds import Kind
from edgescript.declare.plan import Plan, Shape, Slot, plan_of
from edgescript.language.tree import Line, Word
from edgescript.lsp.document import View


class Block(Enum):
    TOP = auto()
    GLOBAL = auto()
    STEPS = auto()  # directives: a site, a group, a snippet
    OPTIONS = auto()  # lines of a `Plan`
    MATCHERS = auto()
    TEST = auto()
    STAND_IN = auto()  # `upstream` of a test


class Place(NamedTuple):
    block: Block
    #: Of OPTIONS.
    plan: Plan | None = None


class Expected(NamedTuple):
    """What an argument may be."""

    slot: Slot | None = None
    kind: Kind | None = None
    #: The name of an entry of this shelf.
    shelf: str | None = None
    matcher: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a text."""

    offset: int
    #: The lines whose blocks it is in, outermost first.
    around: tuple[Line, ...]
    place: Place
    #: The line it is on, unless that has no words.
    line: Line | None
    #: Which word it is at, or would begin.
    index: int
    word: Word | None
    in_comment: bool = False


def walk(lines: list[Line], place: Place, catalogue: Catalogue) -> Iterator[tuple[Line, Place, tuple[Line, ...]]]:
    """Every line with words, where it stands, and the lines around it."""
    yield from _walk(lines, place, catalogue, ())


def _walk(
    lines: list[Line], place: Place, catalogue: Catalogue, around: tuple[Line, ...]
) -> Iterator[tuple[Line, Place, tuple[Line, ...]]]:
    for line in lines:
        if line.words:
            yield line, place, around
        if line.block:
            yield from _walk(line.block, inside(line, place, catalogue), catalogue, (*around, line))


def top_of(view: View) -> Place:
    """What stands at the top of a document: sites, or directives where it is a fragment that others import."""
    return Place(
        Block.STEPS if is_fragment(view.document.path, view.document.tree.lines, view.catalogue) else Block.TOP
    )


def is_fragment(path: str, lines: list[Line], catalogue: Catalogue) -> bool:
    """Whether a file holds directives rather than sites, as those of the standard library do."""
    if not path.endswith(".edge"):
        return False
    first = next((line.words[0].value for line in lines if line.words), "")
    return first.startswith("@") or (first != "test" and catalogue.directive(first) is not None)


def inside(line: Line, place: Place, catalogue: Catalogue) -> Place:
    """What stands in the block of a line."""
    if not line.words:
        return Place(Block.GLOBAL)
    name = line.words[0].value
    if place.block is Block.TOP:
        return Place(Block.TEST if name == "test" and len(line.words) > 1 else Block.STEPS)
    if name.startswith("@"):
        return Place(Block.MATCHERS)
    if name == "import":
        return Place(Block.STEPS)
    if place.block is Block.TEST:
        return Place(Block.STAND_IN)
    plan = plan_of_line(line, place, catalogue)
    if plan is None:
        return Place(Block.OPTIONS)
    if plan.steps is not None:
        shelf = plan.declaration.shelf if plan.declaration else ""
        return Place(Block.MATCHERS if shelf == "matchers" else Block.STEPS)
    return Place(Block.OPTIONS, plan)


SHELF = {Block.STEPS: "directives", Block.GLOBAL: "settings", Block.MATCHERS: "matchers"}


def entry_of(line: Line, place: Place, catalogue: Catalogue) -> type[Any] | None:
    """The directive, matcher or setting that a line names."""
    words = line.words
    if words[0].value.startswith("@"):
        return catalogue.matcher(words[1].value) if len(words) > 1 and not words[1].quote else None
    shelf = SHELF.get(place.block)
    found: type[Any] | None = catalogue.entry(shelf, words[0].value) if shelf else None
    return found


def slot_of(line: Line, place: Place) -> Slot | None:
    """The option that a line of a block names."""
    return place.plan.lines.get(line.words[0].value) if place.plan is not None and line.words else None


def plan_of_line(line: Line, place: Place, catalogue: Catalogue) -> Plan | None:
    """What the arguments and the block of a line are read by."""
    slot = slot_of(line, place)
    if slot is not None:
        return _plan_of_slot(slot, line, catalogue)
    entry = entry_of(line, place, catalogue)
    return None if entry is None else plan_of(entry)


def _plan_of_slot(slot: Slot, line: Line, catalogue: Catalogue) -> Plan | None:
    if slot.shape is Shape.RECORD and slot.record is not None:
        return plan_of(slot.record)
    if slot.shape is Shape.ENTRY and len(line.words) > 1:
        entry = catalogue.entry(slot.field.shelf or "", line.words[1].value)
        return None if entry is None else plan_of(entry)
    return None


def named(line: Line, index: int, place: Place, catalogue: Catalogue) -> tuple[Plan | None, int]:
    """What the word of this number is an argument of, and the number of the word that names it: of `not path /x`, `path`."""
    slot = slot_of(line, place)
    if slot is not None:
        return plan_of_line(line, place, catalogue), 1 if slot.shape is Shape.ENTRY else 0
    plan, number = plan_of_line(line, place, catalogue), 1 if line.words[0].value.startswith("@") else 0
    while plan is not None and holds_matchers(plan) and number + 1 < min(index, len(line.words)):
        number += 1
        entry = catalogue.matcher(line.words[number].value)
        plan = None if entry is None else plan_of(entry)
    return plan, number


def holds_matchers(plan: Plan) -> bool:
    return plan.steps is not None and plan.declaration is not None and plan.declaration.shelf == "matchers"


def first_argument(line: Line, index: int, place: Place, catalogue: Catalogue) -> int:
    """The number of the first word that is an argument, for the word of this number: behind the name, and behind a matcher."""
    plan, number = named(line, index, place, catalogue)
    return number + 2 if plan is not None and has_matcher(plan, line) else number + 1


def takes_matcher(plan: Plan) -> bool:
    declaration = plan.declaration
    return declaration is not None and declaration.shelf == "directives" and declaration.takes_matcher


def has_matcher(plan: Plan, line: Line) -> bool:
    """Whether the first argument of a directive's line is its matcher."""
    return takes_matcher(plan) and len(line.words) > 1 and is_matcher(plan, line)


def expected(line: Line, index: int, place: Place, catalogue: Catalogue) -> Expected:
    """What the word of this number in a line may be."""
    if line.words[0].value.startswith("@") and index == 1:
        return Expected(shelf="matchers")
    slot = slot_of(line, place)
    if slot is not None and slot.shape is Shape.ENTRY and index == 1:
        return Expected(slot, shelf=slot.field.shelf)
    if slot is not None and slot.kinds:
        kinds = slot.kinds if slot.shape is not Shape.SEQUENCE else slot.kinds * index
        return Expected(slot, kinds[index - 1] if index <= len(kinds) else None)
    plan, _ = named(line, index, place, catalogue)
    if plan is None:
        return Expected(slot)
    if holds_matchers(plan):
        return Expected(shelf="matchers")
    argument = argument_slot(plan, index - first_argument(line, index, place, catalogue))
    matcher = index == 1 and takes_matcher(plan)
    return Expected(argument, argument.kind if argument and argument.kinds else None, matcher=matcher)


def argument_slot(plan: Plan, number: int) -> Slot | None:
    if 0 <= number < len(plan.args):
        return plan.args[number]
    return plan.rest if number >= 0 else None


def cursor(view: View, offset: int) -> Cursor:
    """What is at an offset of a document; of half-written text too."""
    around: list[Line] = []
    place, lines = top_of(view), view.document.tree.lines
    while (line := _line_at(lines, offset)) is not None and _in_block(line, offset):
        place = inside(line, place, view.catalogue)
        around.append(line)
        lines = line.block or []
    if line is not None and _in_comment(line, offset):
        return Cursor(offset, tuple(around), place, None, 0, None, in_comment=True)
    if line is None or not line.words or _behind(line, offset, view.document.text):
        return Cursor(offset, tuple(around), place, None, 0, None)
    word = next((word for word in line.words if word.start <= offset <= word.end), None)
    index = line.words.index(word) if word else sum(word.end < offset for word in line.words)
    return Cursor(offset, tuple(around), place, line, index, word)


def _line_at(lines: list[Line], offset: int) -> Line | None:
    found = None
    for line in lines:
        if line.start > offset:
            break
        found = line
    return found


def _in_block(line: Line, offset: int) -> bool:
    if line.block is None or offset < line.header_end:
        return False
    return offset <= line.block_end if line.block_end is not None else True


def _in_comment(line: Line, offset: int) -> bool:
    return any(comment and comment.start < offset <= comment.end for comment in (line.comment, line.block_comment))


def _behind(line: Line, offset: int, text: str) -> bool:
    """Whether a place is below everything that a line says."""
    end = line.words[-1].end
    return offset > end and "\n" in text[end:offset].replace("\\\n", "").replace("\\\r\n", "")
