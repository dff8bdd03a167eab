"""What can be folded: blocks, comments of several lines, heredocs."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from edgescript.language.tree import Line
from edgescript.lsp.document import View

METHOD = types.TEXT_DOCUMENT_FOLDING_RANGE
OPTIONS = types.FoldingRangeOptions()


def answer(view: View, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    position = view.document.positions.position
    found = (
        (position(start).line, position(end).line, kind) for start, end, kind in _stretches(view.document.tree.lines)
    )
    return [types.FoldingRange(start, end, kind=kind) for start, end, kind in found if start < end]


def _stretches(lines: list[Line]) -> Iterator[tuple[int, int, types.FoldingRangeKind | None]]:
    comment: list[Line] = []
    for line in [*lines, None]:
        if line is not None and not line.words and line.comment is not None and line.block is None:
            comment.append(line)
            continue
        if comment:
            yield comment[0].start, comment[-1].start, types.FoldingRangeKind.Comment
            comment = []
        if line is None:
            continue
        if line.block is not None:
            end = line.block_end if line.block_end is not None else line.end
            yield line.words[-1].end if line.words else line.start, end, None
            yield from _stretches(line.block)
        yield from ((word.start, word.end, None) for word in line.words if word.quote == "<<")
