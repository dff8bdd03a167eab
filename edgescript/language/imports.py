"""What an `import` line stands for: a snippet, files, or a part of the standard library, with its arguments put in."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from edgescript.language.files import standard_file, standard_names
from edgescript.language.parse import parse
from edgescript.language.tree import Line, Origin, Tree, Word
from edgescript.text.problem import Fix, Hint, Note, Problem, did_you_mean, fix_of
from edgescript.text.source import Source, Span

#: Imports within imports.
MAX_DEPTH = 32
#: Lines that all imports may come to, about 300 MB of memory. What else costs time or memory is counted in lines too: 100
#: characters put in are one, a file that is read is 50, a problem is 20.
MAX_IMPORTED_LINES = 500_000
_LINES_OF_FILE = 50
_LINES_OF_PROBLEM = 20

#: What stands behind the colon may hold placeholders.
_DEFAULT = r"(?:[^{}]|\{[^{}]*\})*"
_ENVIRONMENT = rf"(?<!\\)\{{\$(?P<variable>[^{{}}:\s]+)(?::(?P<default>{_DEFAULT}))?\}}"
_ARGUMENT = rf"\{{args(?:\.(?P<argument>[\w-]+)|\[(?P<index>\d+)\])(?::(?P<otherwise>{_DEFAULT}))?\}}"
_REPLACED = re.compile(f"{_ENVIRONMENT}|{_ARGUMENT}")
_NAMED_ARGUMENT = re.compile(r"([A-Za-z_][\w-]*)=(.*)", re.DOTALL)


class TooMuchImported(Exception):
    """The imports come to more than MAX_IMPORTED_LINES."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class Snippet(NamedTuple):
    """`(name) { … }`, and within which import it was defined."""

    line: Line
    span: Span


@dataclass(slots=True, eq=False)
class Frame:
    """One import that is being carried out."""

    #: The `import` line.
    span: Span
    #: What is imported, as it is called in messages.
    name: str
    #: Tells apart what is imported.
    key: str
    parent: Frame | None
    depth: int
    positional: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    #: What `{block}` stands for: lines of the importer, expanded.
    block: list[Line] = field(default_factory=list)
    origins: dict[Source, Origin] = field(default_factory=dict)

    def origin(self, source: Source) -> Origin:
        """The origin of the imported lines of a source."""
        origin = self.origins.get(source)
        if origin is None:
            origin = self.origins[source] = Origin(source, self.span)
        return origin

    def chain(self) -> list[Frame]:
        """This import and those it stands in, innermost first."""
        return [self, *(self.parent.chain() if self.parent is not None else ())]


class Importer:
    """Carries imports out, and replaces `{$NAME}` and `{args.NAME}`; notes `problems`."""

    def __init__(
        self,
        tree: Tree,
        environment: Mapping[str, str],
        read: Callable[[str], bytes],
        find: Callable[[str], list[str]],
    ) -> None:
        self.problems: list[Problem] = []
        self.snippets: dict[str, Snippet] = {}
        self._environment = environment
        self._read = read
        self._find = find
        self._main = os.path.normpath(tree.source.name)
        #: The files that were read, by their normalised names.
        self.trees: dict[str, Tree] = {}
        #: What the imports name.
        self.names: set[str] = set()
        self._imported_lines = 0
        #: Whether lines of a source may need replacing or importing.
        self._needs_work: dict[Source, bool] = {}

    def problem(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        notes: tuple[Note, ...] = (),
        hint: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Note a problem. Of a hint that has a text to write instead, `span` is the place for it."""
        self._imported_lines += _LINES_OF_PROBLEM
        self.problems.append(Problem(code, message, span, notes, hint, fix or fix_of(hint, span)))

    # Lines

    def lines(self, lines: list[Line], frame: Frame | None) -> list[Line]:
        """The lines with imports carried out and values put in; the same list where nothing is to be done."""
        if frame is None and not (lines and self._work_in(lines[0].origin.source)):
            return lines
        found: list[Line] = []
        for line in lines:
            words = line.words
            if is_import(line):
                for imported, inner in self.imported(line, frame):
                    found += self.lines(imported, inner)
            elif frame is not None and len(words) == 1 and words[0].value == "{block}" and line.block is None:
                self._spend(len(frame.block), frame)
                found += frame.block
            else:
                expanded = self._line(line, frame)
                if expanded is not None:
                    found.append(expanded)
        return found

    def _work_in(self, source: Source) -> bool:
        needed = self._needs_work.get(source)
        if needed is None:
            needed = self._needs_work[source] = "{$" in source.text or "import" in source.text
        return needed

    def _line(self, line: Line, frame: Frame | None) -> Line | None:
        """One line that is no import, or None where a value for it is missing (which is reported)."""
        words = self.words(line.words, line, frame)
        if words is None:
            return None
        block = line.block if line.block is None else self.lines(line.block, frame)
        if frame is None and words is line.words and block is line.block:
            return line
        copy = Line(words, line.start, line.end, line.origin)
        if frame is not None:
            self._spend(1, frame)
            copy.origin = frame.origin(line.origin.source)
        copy.block = block
        copy.comment = line.comment
        copy.header_end = line.header_end
        copy.block_end = line.block_end
        copy.block_comment = line.block_comment
        return copy

    def _spend(self, lines: int, frame: Frame) -> None:
        self._imported_lines += lines
        if self._imported_lines > MAX_IMPORTED_LINES:
            raise TooMuchImported(frame.chain()[-1].span)

    # Words

    def words(self, words: list[Word], line: Line, frame: Frame | None) -> list[Word] | None:
        """The words with values put in, the same list where none has any, or None where a value is missing."""
        if not any("{$" in word.value or (frame is not None and "{args" in word.value) for word in words):
            return words
        found: list[Word] = []
        complete = True
        for word in words:
            if frame is not None and word.value == "{args[:]}":
                self._spend(len(frame.positional), frame)
                found += [Word(value, word.start, word.end, '"') for value in frame.positional]
                continue
            value = self._value(word, line, frame)
            if value is None:
                complete = False
            else:
                found.append(word if value == word.value else Word(value, word.start, word.end, word.quote))
        return found if complete else None

    def _value(self, word: Word, line: Line, frame: Frame | None) -> str | None:
        missing: list[tuple[re.Match[str], str, str, str]] = []

        def put_in(match: re.Match[str]) -> str:
            variable: str | None = match["variable"]
            value: str | None
            if variable is not None:
                value = self._environment.get(variable, match["default"])
                if value is None:
                    hint = f"set it, or give a default: {{${variable}:default}}"
                    missing.append((match, "E007", f'the environment variable "{variable}" is not set', hint))
            elif frame is None:
                return match[0]
            else:
                value = _argument(match["argument"] or match["index"], frame)
                value = match["otherwise"] if value is None else value
                if value is None:
                    missing.append(
                        (match, "E011", f'the import of "{frame.name}" gives no {match[0]}', _argument_hint(match))
                    )
            return value or ""

        value = _REPLACED.sub(put_in, word.value)
        if missing:
            self._missing(word, line, frame, missing)
            return None
        if frame is not None:
            self._spend(len(value) // 100, frame)
        return value

    def _missing(
        self, word: Word, line: Line, frame: Frame | None, missing: list[tuple[re.Match[str], str, str, str]]
    ) -> None:
        whole = self.span(line, frame, word)
        offset = word.offset_in(whole.source.text)
        for match, code, message, hint in missing:
            exact = None if offset is None else whole._replace(start=offset + match.start(), end=offset + match.end())
            self.problem(code, message, exact or whole, hint=hint)

    def span(self, line: Line, frame: Frame | None, word: Word | None = None) -> Span:
        """The span of a line of the tree, or of one of its words, as it is imported here."""
        span = line.span(word)
        return span if frame is None else Span(span.source, span.start, span.end, frame.span)

    # Imports

    def imported(self, line: Line, frame: Frame | None) -> list[tuple[list[Line], Frame]]:
        """What an import line brings: lines as they stand in their sources, and the frame to expand them in."""
        span = self.span(line, frame)
        words = self.words(line.words[1:], line, frame)
        if words is None:
            return []
        if not words:
            self.problem("E008", "an import needs the name of a snippet or a file", span)
            return []
        found: list[tuple[list[Line], Frame]] = []
        block = self.lines(line.block, frame) if line.block is not None else []
        for name, key, lines in self._targets(words[0].value, self.span(line, frame, line.words[1]), line):
            inner = Frame(span, name, key, frame, 1 if frame is None else frame.depth + 1, block=block)
            _give_arguments(inner, words[1:])
            self._spend(1, inner)
            if not self._is_endless(inner, frame):
                found.append((lines() or [], inner))
        return found

    def _is_endless(self, inner: Frame, frame: Frame | None) -> bool:
        outer = frame.chain() if frame is not None else []
        keys = [*(each.key for each in outer), self._main]
        if inner.key in keys:
            names = [*(each.name for each in outer), inner.name]
            chain = " → ".join([inner.name, *names[: keys.index(inner.key) + 1]][::-1])
            hint = "take this import out, or put what both need into a third snippet"
            self.problem("E009", f'"{inner.name}" imports itself: {chain}', inner.span, hint=hint)
        elif inner.depth > MAX_DEPTH:
            self.problem("E014", f"imports are nested more than {MAX_DEPTH} deep", inner.span)
        return inner.key in keys or inner.depth > MAX_DEPTH

    def _targets(self, name: str, span: Span, line: Line) -> Iterable[tuple[str, str, Callable[[], list[Line] | None]]]:
        """What a name means: for each thing its name, its key, and how to come by its lines."""
        self.names.add(name)
        snippet = self.snippets.get(name)
        if snippet is not None:
            return [(name, f"({name})", lambda: snippet.line.block)]
        if name.startswith("std/"):
            return self._standard(name, span)
        path = os.path.join(os.path.dirname(line.origin.source.name), name)
        if any(character in name for character in "*?["):
            return [self._file(found, found, span) for found in self._find(path)]
        return [self._file(name, path, span)]

    def _file(self, name: str, path: str, span: Span) -> tuple[str, str, Callable[[], list[Line] | None]]:
        key = os.path.normpath(path)
        return name, key, lambda: self._lines_of_file(name, path, key, span)

    def _lines_of_file(self, name: str, path: str, key: str, span: Span) -> list[Line] | None:
        if key not in self.trees:
            try:
                self.trees[key] = self._parsed(path, self._read(path), span)
            except (OSError, ValueError) as error:  # ValueError: a NUL in the name
                self._not_there(name, path, error, span)
                return None
        return self.trees[key].lines

    def _parsed(self, path: str, data: bytes, span: Span) -> Tree:
        self._imported_lines += _LINES_OF_FILE
        tree, problems = parse(Source.of_bytes(path, data), span)
        self.problems += problems
        return tree

    def _not_there(self, name: str, path: str, error: Exception, span: Span) -> None:
        hint = did_you_mean(name, self.snippets)
        if hint is None and name in standard_names():
            hint = Hint(f'it is "std/{name}" if the one of the standard library is meant', f"std/{name}")
        if "/" in name or "." in name:
            reason = getattr(error, "strerror", None) or str(error)
            message = f'the file "{path}" cannot be imported: {reason[:1].lower()}{reason[1:]}'
            beside = (
                None if isinstance(error, PermissionError) else "a file is looked for beside the one that imports it"
            )
            self.problem("E008", message, span, hint=_of(hint, name, span) or beside)
        else:
            self.problem("E008", f'there is neither a snippet nor a file "{name}"', span, hint=_of(hint, name, span))

    def _standard(self, name: str, span: Span) -> list[tuple[str, str, Callable[[], list[Line] | None]]]:
        known = standard_names()
        if name.removeprefix("std/") not in known:
            hint = _of(did_you_mean(name, [f"std/{each}" for each in known]), name, span)
            hint = hint or f"there are {', '.join(f'std/{each}' for each in known)}"
            self.problem("E008", f'the standard library has no "{name}"', span, hint=hint)
            return []
        return [(name, name, lambda: self._lines_of_standard(name, span))]

    def _lines_of_standard(self, name: str, span: Span) -> list[Line] | None:
        if name not in self.trees:
            self.trees[name] = self._parsed(f"{name}.edge", standard_file(name[4:]).read_bytes(), span)
        return self.trees[name].lines


def _of(hint: Hint | None, name: str, span: Span) -> str | None:
    """The hint; without a fix where the name came out of an argument or the environment."""
    is_written = span.source.text[span.start : span.end].strip('"`') == name
    return hint if hint is None or is_written else str(hint)


def is_import(line: Line) -> bool:
    """Whether a line is `import …`."""
    return bool(line.words) and line.words[0].value == "import" and not line.words[0].quote


def _give_arguments(frame: Frame, words: list[Word]) -> None:
    """`name=value` is a named argument, unless it stands between backticks."""
    for word in words:
        named = _NAMED_ARGUMENT.fullmatch(word.value) if word.quote != "`" else None
        if named is not None:
            frame.named[named[1]] = named[2]
        else:
            frame.positional.append(word.value)


def _argument(name: str, frame: Frame) -> str | None:
    if name.isdecimal() and len(name) < 6:
        number = int(name)
        return frame.positional[number] if number < len(frame.positional) else None
    return frame.named.get(name)


def _argument_hint(match: re.Match[str]) -> str:
    name = match["argument"]
    if name is not None and not name.isdecimal():
        return f"write {name}=… behind the import, or give it a default in the snippet: {{args.{name}:default}}"
    count = int((name or match["index"])[:6]) + 1
    return f"write {'an argument' if count == 1 else f'{count} arguments'} behind the import"
