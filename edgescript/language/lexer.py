"""From text to pieces: lines with their words, and the openings and closings of blocks between them.

One compiled regular expression finds the next word together with the blanks before it. What is wrong inside a line is
reported here; whether openings and closings fit together is the parser's business. Every character of the text comes to
lie in exactly one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cached_property

from edgescript.language.semicolons import AT_LINE_END
from edgescript.language.spread import spread_out
from edgescript.language.tree import Line, Origin, Word
from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Span

#: Blocks within blocks: far beyond what a person writes, and well within Python's recursion limit for those who walk them.
MAX_DEPTH = 64
#: Stretches of forbidden characters that are reported one by one.
_MAX_FORBIDDEN = 8
#: Problems that are noted; what has more is no Edgefile, and each takes a kilobyte.
_MOST_PROBLEMS = 10_000

#: Control characters, carriage returns that end no line, controls of text direction (which make a text look different from
#: what it says, CVE-2021-42574), and lone surrogates, which is how bytes that are no UTF-8 are carried in a `Source`.
_FORBIDDEN = re.compile(
    r"(?:[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n))+", re.ASCII
)

_CONTINUATION = r"\\[ \t]*+(?:\r?\n|\Z)"
_LINE_END = r"(?:\r?\n|\Z)"
_IN_WORD = r"[^\s\\\u200b\ufeff]*+"
_BARE = rf"{_IN_WORD}(?:(?!{_CONTINUATION})\\{_IN_WORD})*+"

_TOKEN = re.compile(
    rf"""[ \t]*+(?:
      (?P<bare>[^\s\\"`{{}}<\#\u200b\ufeff]{_BARE})
    | (?P<newline>\r?\n)
    | (?P<opening>\{{[ \t]*+(?P<opening_comment>\#[^\r\n]*+)?{_LINE_END})
    | (?P<closing>\}}[ \t]*+(?P<closing_comment>\#[^\r\n]*+)?{_LINE_END})
    | (?P<comment>(?P<comment_text>\#[^\r\n]*+){_LINE_END})
    | (?P<quoted>"(?P<quoted_text>[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+)")
    | (?P<raw>`(?P<raw_text>[^`]*+)`)
    | (?P<continuation>{_CONTINUATION})
    | (?P<heredoc><<(?P<tag>[A-Za-z_][\w-]*+)[ \t]*+{_LINE_END})
    | (?P<unended>["`])
    | (?P<brace>(?=[^\s\#\u200b\ufeff]){_BARE})
    | (?P<odd_space>[^ \t\r\n])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_BARE_GROUP = _TOKEN.groupindex["bare"]
#: What begins with a brace and was meant as a text, to the end of its line.
_LIKE_JSON = re.compile(r"""\{[ \t]*["'\[][^\r\n]*[^\s]""")
#: What may follow a closing quote by mistake.
_STUCK = re.compile(r"""[^\s"`{}]*""")


#: A word that may be the end of a heredoc.
_LINE_BEGINS = re.compile(r"^[ \t]*+([A-Za-z_][\w-]*+)(?=\s|\Z)", re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
#: What a backslash and the next character mean between double quotes. Escaped braces are left for templates.
ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "{": "\\{", "}": "\\}"}


class Piece:
    """What the parser sees of the text at once."""

    __slots__ = ("brace", "comment", "end", "lines", "start", "type")

    def __init__(
        self, kind: str, lines: list[Line], start: int, end: int, brace: int | None = None, comment: Word | None = None
    ) -> None:
        #: A terminal of the grammar: LINES, OPEN or CLOSE.
        self.type = kind
        #: Of LINES the lines, of OPEN the one that the block belongs to.
        self.lines = lines
        self.start = start
        self.end = end
        #: Where the brace stands; None for a closing that had to be added.
        self.brace = brace
        #: The comment behind a closing brace.
        self.comment = comment


class Lexer:
    """Cuts one source into `pieces`, and notes `problems` on the way."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.pieces: list[Piece] = []
        self.problems: list[Problem] = []
        #: True where braces were not read: in a heredoc without end, or in blocks too deep.
        self.overlooked_braces = False

        #: The text, with a stand-in for every character that cannot be in an Edgefile.
        self._text = _FORBIDDEN.sub(self._forbidden, origin.source.text)
        #: Plain lines since the last brace, the words of the line that is being read, and where it began.
        self._lines: list[Line] = []
        self._words: list[Word] = []
        self._start = 0
        self._depth = 0
        #: Blocks that are open beyond MAX_DEPTH; they are kept as plain lines.
        self._excess = 0
        #: A block was opened in the middle of this physical line, which has been reported.
        self._inline = False

    def run(self) -> None:
        """Read the whole text."""
        text = self._text
        position: int | None = 1 if text.startswith("\ufeff") else 0
        while position is not None:
            position = self._run_from(position)
        if self._start < len(text):
            self._end_line(len(text))
        self._flush()

    def _run_from(self, position: int) -> int | None:
        """Read on from `position` to the end (None), or to where a handler wants to go on elsewhere."""
        origin, bare = self.origin, _BARE_GROUP
        words, lines = self._words, self._lines
        for match in _TOKEN.finditer(self._text, position):
            kind = match.lastgroup
            if kind == "bare":
                start, end = match.span(bare)
                words.append(Word(match[bare], start, end))
            elif kind == "newline":
                end = match.end()
                lines.append(Line(words, self._start, end, origin))
                words = self._words = []
                self._start = end
                self._inline = False
            else:
                go_on_at = _HANDLERS[kind](self, match)
                if go_on_at is not None:
                    return go_on_at
                words, lines = self._words, self._lines
        return None

    # What ends a line

    def _end_line(self, end: int, comment: Word | None = None) -> Line:
        line = Line(self._words, self._start, end, self.origin)
        line.comment = comment
        self._lines.append(line)
        self._words = []
        self._start = end
        return line

    def _comment(self, match: re.Match[str]) -> None:
        self._inline = False
        self._end_line(match.end(), _comment_word(match, "comment_text"))

    def _flush(self) -> None:
        lines = self._lines
        if lines:
            self.pieces.append(Piece("LINES", lines, lines[0].start, lines[-1].end))
            self._lines = []

    def _opening(self, match: re.Match[str]) -> None:
        self._open(match.start("opening"), match.end(), _comment_word(match, "opening_comment"))
        self._inline = False

    def _open(self, brace: int, end: int, comment: Word | None = None) -> None:
        if self._depth == MAX_DEPTH:
            self._too_deep(brace, end, comment)
            return
        if not self._words and (self._lines or self._depth):
            self._brace_on_its_own(brace)
        line = self._end_line(end, comment)
        self._lines.pop()
        self._flush()
        self.pieces.append(Piece("OPEN", [line], line.start, end, brace))
        self._depth += 1

    def _brace_on_its_own(self, brace: int) -> None:
        """Take a `{` that stands alone for the end of the line above, if there is one with words."""
        above = len(self._lines) - 1
        fix = None
        while above >= 0 and not self._lines[above].words:
            above -= 1
        is_below_import = above >= 0 and self._lines[above].words[0].value == "import"
        if is_below_import and not self._depth:
            return  # the global block, below files with snippets
        if above >= 0:
            self._words = self._lines[above].words
            end = self._words[-1].end
            fix = Fix(
                'write "{" at the end of the line above',
                (self._edit(end, end, " {"), self._edit(*self._physical_line(brace), self._rest_of_line(brace))),
                safe=not is_below_import,  # what is imported may have no use for a block, and would drop it silently
            )
            self._start = self._lines[above].start
            del self._lines[above:]
        elif not self._depth:
            return
        hint = 'write "{" at the end of the line above' if above >= 0 else "write what the block belongs to before it"
        self._problem("E005", 'a "{" cannot stand alone on its line here', brace, brace + 1, hint, fix)

    def _too_deep(self, brace: int, end: int, comment: Word | None) -> None:
        if not self._excess:
            self._problem("E014", f"blocks are nested more than {MAX_DEPTH} deep", brace, brace + 1)
        self._excess += 1
        self.overlooked_braces = True
        self._end_line(end, comment)

    def _closing(self, match: re.Match[str]) -> None:
        brace = match.start("closing")
        self._close(brace, match.end(), _comment_word(match, "closing_comment"))
        self._inline = False

    def _close(self, brace: int, end: int, comment: Word | None = None) -> None:
        if self._words:
            if not self._inline:
                fix = self._spread(brace)
                self._problem("E015", 'a "}" must stand alone on its line', brace, brace + 1, fix=fix)
            self._end_line(brace)
        if self._excess:
            self._excess -= 1
            self._end_line(end, comment)
            return
        self._flush()
        self.pieces.append(Piece("CLOSE", [], self._start, end, brace, comment))
        self._start = end
        self._depth = max(self._depth - 1, 0)

    # Words that are more than their characters

    def _quoted(self, match: re.Match[str]) -> int | None:
        start, end = match.span("quoted")
        value = match["quoted_text"]
        if "\\" in value:
            value = self._unescaped(value, start + 1)
        return self._word(value, start, end, '"')

    def _unescaped(self, text: str, offset: int) -> str:
        wrong: list[re.Match[str]] = []

        def meaning(escape: re.Match[str]) -> str:
            if escape[1] not in ESCAPES:
                wrong.append(escape)
            return ESCAPES.get(escape[1], escape[0])

        value = _ESCAPE.sub(meaning, text)
        for escape in wrong[:1]:
            at = offset + escape.start()
            hint = f'write "\\{escape[0]}", or put the text between backticks, where a backslash is nothing special'
            edits = tuple([self._edit(offset + each.start(), offset + each.start(), "\\") for each in wrong])
            fix = Fix("double the backslash" if len(wrong) == 1 else "double the backslashes", edits, safe=True)
            message = f'"{escape[0]}" means nothing between double quotes'
            self._problem("E012", message, at, at + 2, hint, fix)
        return value

    def _raw(self, match: re.Match[str]) -> int | None:
        start, end = match.span("raw")
        value = match["raw_text"]
        if "\n" in value and not _ends_token(self._text, end):
            # The backtick that seems to end it begins a text of its own: this one was never ended.
            return self._unended_quote(start)
        return self._word(value.replace("\r\n", "\n"), start, end, "`")

    def _word(self, value: str, start: int, end: int, quote: str) -> int | None:
        """Take a text for a word, together with what is stuck to its end; gives where to go on if there is such."""
        if _ends_token(self._text, end) or AT_LINE_END.match(self._text, end):
            self._words.append(Word(value, start, end, quote))
            return None
        fix = Fix("put a space in", (self._edit(end, end, " "),))
        self._problem("E015", "a space is missing behind the closing quote", end - 1, end, fix=fix)
        stuck = _STUCK.match(self._text, end)
        assert stuck is not None
        self._words.append(Word(value + stuck[0], start, stuck.end(), quote))
        return stuck.end()

    def _unended(self, match: re.Match[str]) -> int:
        return self._unended_quote(match.start("unended"))

    def _unended_quote(self, start: int) -> int:
        quote = self._text[start]
        end = start + len(self._text[start : self._physical_line(start)[1]].rstrip())
        hint = (
            None
            if quote == "`"
            else "a text of several lines stands between backticks, or in a heredoc (<<NAME … NAME)"
        )
        fix = Fix(f"end it with {quote} at the end of the line", (self._edit(end, end, quote),))
        self._problem("E002", f"the text that {quote} begins here does not end", start, end, hint, fix)
        self._words.append(Word(self._text[start + 1 : end], start, end, quote))
        return end

    def _heredoc(self, match: re.Match[str]) -> int:
        tag, body = match["tag"], match.end()
        start, header_end = match.start("heredoc"), match.end("tag")
        closing = None
        if self._last_of_lines.get(tag, -1) >= body:
            closing = re.compile(rf"^([ \t]*){re.escape(tag)}(?=\s|\Z)", re.MULTILINE).search(self._text, body)
        if closing is None:
            hint = f'a line that begins with "{tag}" must end it'
            end = self._presumed_end(body)
            last = body + len(self._text[body:end].rstrip()) if self._text[body:end].strip() else header_end
            fix = Fix(f'end it with a line "{tag}"', (self._edit(last, last, f"\n{self._indent(start)}{tag}"),))
            self._problem("E002", f"the heredoc {tag} does not end", start, header_end, hint, fix)
            self._words.append(Word(self._text[body:end], start, end, "<<"))
            return end
        self._word(_dedented(self._text[body : closing.start()], closing[1]), start, closing.end(), "<<")
        return closing.end()

    @cached_property
    def _last_of_lines(self) -> dict[str, int]:
        """Of every word that a line begins with and that could end a heredoc, where it does so for the last time."""
        return {match[1]: match.start(1) for match in _LINE_BEGINS.finditer(self._text)}

    def _presumed_end(self, body: int) -> int:
        """Where a heredoc without end probably should have ended: before the `}` of the block it stands in."""
        indent = self._words[0].start - self._start if self._words else 0
        closing = re.compile(rf"\n[ \t]{{0,{max(indent - 1, 0)}}}\}}[ \t]*$", re.MULTILINE).search(self._text, body)
        if closing is not None and indent:
            return closing.start()
        self.overlooked_braces = True
        return len(self._text)

    def _brace(self, match: re.Match[str]) -> int | None:
        """A bare word that begins with a brace, a backslash or `<`; a brace alone here is at the wrong place."""
        start, end = match.span("brace")
        word = match["brace"]
        if word == "{" and (text := _LIKE_JSON.match(self._text, start)) is not None:
            return self._text_with_braces(text)
        if word == "{":
            self._misplaced(
                start, end, 'put what follows "{" on a line of its own; quote the "{" if it begins no block'
            )
            self._open(start, end)
        elif word == "{}":
            self._misplaced(start, end, 'put "}" on a line of its own; quote the "{}" if it is no block')
            self._open(start, start + 1)
            self._close(start + 1, end)
        elif not word.strip("}"):
            self._closings(start, end)
        else:
            self._words.append(Word(word, start, end))
        return None

    def _closings(self, start: int, end: int) -> None:
        """A `}` with something behind it, or `}}`."""
        if not self._inline:
            self._problem("E015", 'a "}" must stand alone on its line', start, end, fix=self._spread(start))
        self._inline = True
        for brace in range(start, end):
            self._close(brace, brace + 1)

    def _text_with_braces(self, text: re.Match[str]) -> int:
        """`respond { "ok": true }`: one word that lacks its quotes."""
        start, end = text.span()
        fix = None
        if "`" not in text[0]:
            fix = Fix("put the text between backticks", (self._edit(start, start, "`"), self._edit(end, end, "`")))
        message = 'a "{" opens a block only as the last word of its line'
        self._problem("E005", message, start, start + 1, "put a text that has braces between backticks", fix)
        self._words.append(Word(text[0], start, end))
        return end

    def _misplaced(self, start: int, end: int, hint: str) -> None:
        if not self._inline:  # of one line, one problem
            fix = self._spread(start)
            self._problem("E005", 'a "{" opens a block only as the last word of its line', start, end, hint, fix)
        self._inline = True

    def _spread(self, position: int) -> Fix | None:
        """A fix that writes the blocks of a physical line in lines of their own."""
        start, end = self._physical_line(position)
        if self._words and self._words[0].start < start:
            return None  # the line may begin inside a text, whose spaces are its own
        lines = spread_out(self._text[start:end].rstrip("\r\n"))
        if lines is None:
            return None
        return Fix("write the block in lines of its own", (self._edit(start, end, "\n".join(lines) + "\n"),), safe=True)

    def _physical_line(self, position: int) -> tuple[int, int]:
        """Where the line that a position lies in begins, and where the next one does."""
        start = self._text.rfind("\n", 0, position) + 1
        end = self._text.find("\n", position) + 1
        return start, end or len(self._text)

    def _indent(self, position: int) -> str:
        """What the line that a position lies in begins with."""
        start, end = self._physical_line(position)
        line = self._text[start:end]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _rest_of_line(self, brace: int) -> str:
        """What is kept of a line whose `{` goes to the line above: its comment."""
        rest = self._text[brace + 1 : self._physical_line(brace)[1]].strip()
        return f"{self._text[self._physical_line(brace)[0] : brace]}{rest}\n" if rest else ""

    # Characters that cannot stand where they stand

    def _odd_space(self, match: re.Match[str]) -> None:
        start, end = match.span("odd_space")
        name = _name_of(match["odd_space"])
        if unicodedata.category(match["odd_space"]) == "Cf":
            hint, fix = "take it out", Fix("take it out", (self._edit(start, end, ""),), safe=True)
        else:
            hint, fix = "write a plain space", Fix("write a plain space", (self._edit(start, end, " "),), safe=True)
        self._problem("E001", f"{name} cannot separate words", start, end, hint, fix)

    def _forbidden(self, match: re.Match[str]) -> str:
        """Report the first few, and stand in for all."""
        found = match[0]
        if len(self.problems) < _MAX_FORBIDDEN:
            if "\ud800" <= found[0] <= "\udfff":
                self._problem("E013", "these bytes are no UTF-8 text", *match.span())
            else:
                # What separates lines or words elsewhere must not be taken for nothing.
                instead = "\n" * len(found) if not found.strip("\r") else " " if found.strip() != found else ""
                hint = {"": "take it out", " ": "write a plain space"}.get(instead, "end the line with a line feed")
                fix = Fix(hint, (self._edit(*match.span(), instead),), safe=True)
                message = f"{_name_of(found[0])} cannot stand in an Edgefile"
                self._problem("E001", message, *match.span(), hint, fix)
        return "\ufffd" * len(found)

    def _problem(
        self, code: str, message: str, start: int, end: int, hint: str | None = None, fix: Fix | None = None
    ) -> None:
        span = Span(self.origin.source, start, end, self.origin.imported)
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, message, span, hint=hint, fix=fix))

    def _edit(self, start: int, end: int, text: str) -> Edit:
        return Edit(Span(self.origin.source, start, end, self.origin.imported), text)


def _nothing(lexer: Lexer, match: re.Match[str]) -> None:
    """It only separates words."""


#: What reads each kind of token. (Bound methods would hold the lexer with all its lines in a cycle, for the collector to find.)
_HANDLERS: dict[str | None, Callable[[Lexer, re.Match[str]], int | None]] = {
    "opening": Lexer._opening,
    "closing": Lexer._closing,
    "comment": Lexer._comment,
    "quoted": Lexer._quoted,
    "raw": Lexer._raw,
    "continuation": _nothing,
    "heredoc": Lexer._heredoc,
    "unended": Lexer._unended,
    "brace": Lexer._brace,
    "odd_space": Lexer._odd_space,
    "end": _nothing,
}


def _comment_word(match: re.Match[str], group: str) -> Word | None:
    text = match[group]
    return None if text is None else Word(text.rstrip(), match.start(group), match.end(group))


def _ends_token(text: str, end: int) -> bool:
    return end == len(text) or text[end] in " \t\r\n" or text.startswith(("\\\n", "\\\r\n"), end)


def _dedented(body: str, indent: str) -> str:
    """The lines of a heredoc without the indentation of its closing line; a line that has less of it loses what it has."""
    lines = body.replace("\r\n", "\n").split("\n")[:-1]
    return "\n".join(line.removeprefix(indent) if line.startswith(indent) else line.lstrip(" \t") for line in lines)


def _name_of(character: str) -> str:
    name = unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"
