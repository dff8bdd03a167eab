"""From a parsed file to its sites: snippets and imports are put in their places, `{$NAME}` is replaced, blocks are sorted.

Everything works on words of the tree, never on text, so a value cannot bring syntax with it and every word keeps its span.
Lines that need no change are shared with the tree. Imported lines are copies, because a line knows how it came here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from edgescript.language import imports
from edgescript.language.files import find_files, read_file
from edgescript.language.imports import Frame, Importer, Snippet, TooMuchImported, is_import
from edgescript.language.tree import Line, Origin, Tree, Word
from edgescript.text.problem import Edit, Fix, Note, Problem
from edgescript.text.source import Span


@dataclass(slots=True)
class SiteBlock:
    """One site: `a.example, b.example { … }`."""

    #: The addresses, one word each, without commas.
    names: list[Word]
    #: The line that the block belongs to.
    line: Line
    #: The body; like every list of lines, it has lines without words for blanks and comments.
    lines: list[Line]


@dataclass(slots=True)
class File:
    """What a file says, after imports."""

    #: The lines of the global block, named matchers included.
    settings: list[Line] = field(default_factory=list)
    sites: list[SiteBlock] = field(default_factory=list)
    #: The `test "name" { … }` lines.
    tests: list[Line] = field(default_factory=list)
    #: Every file that was read, the Edgefile itself first.
    trees: list[Tree] = field(default_factory=list)
    #: Snippets by name, as they are defined.
    snippets: dict[str, Snippet] = field(default_factory=dict)
    #: What the imports name: snippets, files, `std/…`.
    imported: set[str] = field(default_factory=set)


def expand(
    tree: Tree,
    *,
    environment: Mapping[str, str] | None = None,
    read: Callable[[str], bytes] = read_file,
    find: Callable[[str], list[str]] = find_files,
) -> tuple[File, list[Problem]]:
    """
    The sites, settings and tests of a parsed file.

    A line for which a value is missing is reported and left out, and a file whose imports come to too much is empty.

    :param environment: where `{$NAME}` is looked up; the process's own by default
    :param read: gives the bytes of a file, or raises OSError
    :param find: gives the names of the files that a pattern with `*`, `?` or `[…]` matches, sorted
    """
    importer = Importer(tree, os.environ if environment is None else environment, read, find)
    expander = _Expander(importer)
    try:
        expander.collect(tree.lines, None)
        file = expander.filled()
    except TooMuchImported as error:
        importer.problem("E014", f"the imports come to more than {imports.MAX_IMPORTED_LINES:,} lines", error.span)
        file = File()
    file.trees = [tree, *importer.trees.values()]
    file.snippets = importer.snippets
    file.imported = importer.names
    return file, importer.problems


class _Expander:
    """First the top level, with all snippets; then the bodies, which may use any of them."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._settings: list[tuple[list[Line], Frame | None]] = []
        self._tests: list[tuple[list[Line], Frame | None]] = []
        #: Sites with what their bodies are made of.
        self._sites: list[tuple[SiteBlock, list[tuple[list[Line], Frame | None]]]] = []
        #: The global block, and whether a site or test came before it.
        self._global: Span | None = None
        self._begun = False
        #: Addresses that ended in a comma: the next line goes on with them.
        self._names: list[Word] = []
        #: Whether the last site is written without braces, and takes all further lines.
        self._bare = False
        #: Whether the line above was reported as standing outside of every site.
        self._outside_above = False

    # The top level

    def collect(self, lines: list[Line], frame: Frame | None) -> None:
        """Sort the lines of the top level of a file."""
        self._define_snippets(lines, frame)
        for line in lines:
            if (line.words or line.block is not None) and _snippet_name(line) is None:
                self._top(line, frame)

    def _define_snippets(self, lines: Iterable[Line], frame: Frame | None) -> None:
        snippets, importer = self._importer.snippets, self._importer
        for line in lines:
            name = _snippet_name(line)
            if name is None:
                continue
            first = snippets.setdefault(name, Snippet(line, importer.span(line, frame)))
            if first.line is not line:
                note = Note("first defined here", first.span)
                span = importer.span(line, frame)
                hint = "give one of them another name"
                importer.problem("E010", f'the snippet "{name}" is defined twice', span, notes=(note,), hint=hint)

    def _top(self, line: Line, frame: Frame | None) -> None:
        if not line.words:
            self._global_block(line, frame)
        elif line.words[0].value == "test" and line.block is not None and len(line.words) > 1:
            self._begun = True
            self._tests.append(([line], frame))
        elif self._bare:
            self._bare_line(line, frame)
        elif is_import(line) and not self._names:
            for lines, inner in self._importer.imported(line, frame):
                if inner.name.startswith("std/") and not any(map(_belongs_to_no_site, lines)):
                    hint = "move the import into a site"
                    self._importer.problem("E016", f'"{inner.name}" holds lines of a site', inner.span, hint=hint)
                else:
                    self.collect(lines, inner)
        else:
            self._site(line, frame)

    def _global_block(self, line: Line, frame: Frame | None) -> None:
        importer = self._importer
        written = importer.span(line, frame)
        brace = line.origin.source.text.find("{", line.start)
        span = Span(written.source, brace, brace + 1, written.imported)
        if self._global is not None:
            notes = (Note("the first is here", self._global),)
            importer.problem(
                "E006", "there is a global block already", span, notes=notes, hint="put all settings into one"
            )
        elif self._begun:
            hint = "put it first, or write the address of a site before its {"
            fix = None if frame is not None else _to_the_top(line)
            importer.problem("E006", "the global block must be the first thing in the file", span, hint=hint, fix=fix)
        else:
            self._global = span
        self._settings.append((line.block or [], frame))

    def _site(self, line: Line, frame: Frame | None) -> None:
        self._begun = True
        names = self._importer.words(_addresses(line.words), line, frame)
        self._names += names or []
        last = line.words[-1]
        if line.block is None and last.value.endswith(",") and not last.quote:
            return
        if line.block is None and self._sites:
            self._outside(line, frame)
        elif self._names:
            site = SiteBlock(self._names, _placed(line, frame), [])
            self._sites.append((site, [(line.block or [], frame)]))
            self._bare = line.block is None
            self._outside_above = False
        self._names = []

    def _outside(self, line: Line, frame: Frame | None) -> None:
        """Report the first of several lines; what stands behind a misplaced brace has been reported already."""
        begins_line = line.start == 0 or line.origin.source.text[line.start - 1] == "\n"
        if begins_line and not self._outside_above:
            hint = 'put it into a site, or write "{" behind it if it is the address of one'
            span = self._importer.span(line, frame)
            self._importer.problem("E016", "this line stands outside of every site", span, hint=hint)
        self._outside_above = True

    def _bare_line(self, line: Line, frame: Frame | None) -> None:
        """A line of the one site that is written without braces; an address with a block would be a second site."""
        site, parts = self._sites[-1]
        first = line.words[0].value
        if line.block is None or first.startswith(("/", "@", "*")) or not ("." in first or ":" in first):
            parts.append(([line], frame))
            return
        hint = "where there is more than one site, each needs braces around its lines"
        notes = (Note("the first site is written without braces", site.line.span()),)
        span = self._importer.span(line, frame)
        self._importer.problem("E016", f'"{first}" begins a second site', span, hint=hint, notes=notes)

    # The bodies

    def filled(self) -> File:
        """Settings, sites and tests with everything put in."""
        sites: list[SiteBlock] = []
        for site, parts in self._sites:
            site.lines = self._expanded(parts)
            sites.append(site)
        return File(self._expanded(self._settings), sites, self._expanded(self._tests))

    def _expanded(self, parts: list[tuple[list[Line], Frame | None]]) -> list[Line]:
        lines = self._importer.lines
        if len(parts) == 1:
            return lines(*parts[0])
        return [line for part, frame in parts for line in lines(part, frame)]


def _to_the_top(line: Line) -> Fix:
    """A fix that moves a block there."""
    source = line.origin.source
    top = 1 if source.text.startswith("\ufeff") else 0
    text = source.text[line.start : line.end].rstrip() + "\n\n"
    edits = (Edit(Span(source, top, top), text), Edit(Span(source, line.start, line.end), ""))
    return Fix("move it to the top of the file", edits)


def _placed(line: Line, frame: Frame | None) -> Line:
    """The line of a site, with the import that brought it here."""
    if frame is None:
        return line
    copy = Line(line.words, line.start, line.end, Origin(line.origin.source, frame.span))
    copy.block, copy.block_end, copy.header_end = line.block, line.block_end, line.header_end
    return copy


def _snippet_name(line: Line) -> str | None:
    """`hardened` of `(hardened) { … }`."""
    if line.block is None or len(line.words) != 1 or line.words[0].quote:
        return None
    word = line.words[0].value
    return word[1:-1] if len(word) > 2 and word[0] == "(" and word[-1] == ")" else None


def _belongs_to_no_site(line: Line) -> bool:
    """A snippet or a test."""
    return _snippet_name(line) is not None or (
        line.block is not None and line.words[:1] != [] and line.words[0].value == "test"
    )


#: A comma between addresses, not one inside `{$NAME:a,b}`.
_COMMA = re.compile(r",(?![^{}]*\})")


def _addresses(words: list[Word]) -> list[Word]:
    """The words with commas taken off and apart; offsets follow where a word stands in the text as it is."""
    names: list[Word] = []
    for word in words:
        if "," not in word.value or word.quote:
            names.append(word)
            continue
        start = word.start
        for part in _COMMA.split(word.value):
            if part:
                names.append(Word(part, start, start + len(part)))
            start += len(part) + 1
    return names
