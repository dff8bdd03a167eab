"""`edge fmt`: the same words and comments, in one shape.

Four spaces for each block, one space between words, one blank line where there were any (none next to a brace), double
quotes unless the text has quotes or backslashes of its own, which stand better between backticks. Heredocs and broken lines
stay as they were written. Formatting twice changes nothing more, and what the file means never changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.language.imports import is_import
from edgescript.language.tree import Line, Tree, Word

_INDENT = "    "


def format_tree(tree: Tree) -> str:
    """The text of a tree that was parsed without problems, in its one shape."""
    return "".join(f"{line}\n" for line in _lines(tree.lines, 0))


def _lines(lines: list[Line], depth: int) -> Iterator[str]:
    indent = _INDENT * depth
    anything, blank = False, False
    for line in lines:
        if _is_blank(line):
            blank = anything
            continue
        if blank:
            yield ""
        anything, blank = True, False
        yield indent + _header(line, indent)
        if line.block is not None:
            yield from _lines(line.block, depth + 1)
            yield f"{indent}}}{_behind(line.block_comment)}"


def _is_blank(line: Line) -> bool:
    return not line.words and line.comment is None and line.block is None


def _header(line: Line, indent: str) -> str:
    """What stands on the line itself: words, the opening brace, the comment."""
    parts: list[str] = []
    text = line.origin.source.text
    # With a block, its lines shall not look like the rest of a broken line.
    further = indent + _INDENT * (1 if line.block is None else 2)
    previous: Word | None = None
    for word in line.words:
        if previous is not None:
            broken = "\n" in text[previous.end : word.start]
            parts.append(f" \\\n{further}" if broken else " ")
        parts.append(_written(word, text, line))
        previous = word
    if line.block is not None:
        parts.append(" {" if parts else "{")
    if line.comment is not None:
        parts.append(_behind(line.comment) if parts else line.comment.value)
    return "".join(parts)


def _behind(comment: Word | None) -> str:
    return "" if comment is None else f" {comment.value}"


def _written(word: Word, text: str, line: Line) -> str:
    value = word.value
    plain = "\n" not in value and "\t" not in value
    plain = plain and not is_import(line)  # between backticks, an argument of an import is never a named one
    if word.quote == '"' and plain and "`" not in value and ('"' in value or _escapes(word, text)):
        return f"`{value}`"
    if word.quote == "`" and plain and '"' not in value and "\\" not in value:
        return f'"{value}"'
    # At the end of a line, the backslash would continue it.
    if (
        not word.quote
        and value.endswith("\\")
        and word is line.words[-1]
        and line.block is None
        and line.comment is None
    ):
        return f"`{value}`" if "`" not in value else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text[word.start : word.end].replace("\r\n", "\n")


def _escapes(word: Word, text: str) -> bool:
    """Whether a backslash was escaped."""
    return "\\\\" in text[word.start : word.end]
