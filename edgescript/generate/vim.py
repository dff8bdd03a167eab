"""The syntax for Vim and Neovim: a region for each sort of line, within its context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgescript.catalog import Catalogue
from edgescript.generate.contexts import syntax
from edgescript.highlight import syntax as source
from edgescript.highlight.syntax import ARGUMENTS, FILE, Line, Part, Syntax

PATH = "editors/vim/syntax/edgefile.vim"

#: Vim's own group of the same meaning, for each part.
GROUPS = {
    Part.COMMENT: "Comment",
    Part.QUOTED: "String",
    Part.RAW: "String",
    Part.HEREDOC: "String",
    Part.ESCAPE: "SpecialChar",
    Part.PLACEHOLDER: "Identifier",
    Part.ENVIRONMENT: "Macro",
    Part.SITE: "Title",
    Part.SNIPPET: "Function",
    Part.TEST: "Structure",
    Part.NAMED_MATCHER: "Identifier",
    Part.KEYWORD: "Include",
    Part.GROUP: "Conditional",
    Part.DIRECTIVE: "Statement",
    Part.OPTION: "Type",
    Part.FIELD: "Label",
    Part.MATCHER: "Operator",
    Part.SETTING: "Type",
    Part.TEST_WORD: "Statement",
    Part.SUBJECT: "Type",
    Part.NUMBER: "Number",
    Part.CONSTANT: "Constant",
    Part.BRACE: "Delimiter",
    Part.CONTINUATION: "SpecialChar",
}

_HEAD = """\
" Vim syntax file
" Language: Edgefile
" Written by `make generate`; not to be changed by hand.

if exists("b:current_syntax")
  finish
endif
"""

_FOOT = """\
syntax sync minlines=500
let b:current_syntax = "edgefile"
"""


def files(catalogue: Catalogue) -> dict[str, str]:
    return {PATH: "\n".join([_HEAD, *_items(syntax(catalogue)), "", *_links(), "", _FOOT])}


def group(part: Part) -> str:
    """The name of a part's group in Vim: `edgefileNamedMatcher`."""
    return "edgefile" + part.value.title().replace(" ", "")


def _items(found: Syntax) -> Iterator[str]:
    yield from _arguments(found)
    for context, lines in reversed(found.contexts.items()):
        yield ""
        yield f'" {context}'
        yield from _context(context, lines)


def _links() -> Iterator[str]:
    for part, target in GROUPS.items():
        yield f"highlight default link {group(part)} {target}"


# ---- lines and blocks. Of two items that match at one place Vim takes the one that was defined last.


_LINE_START = r"(?<=^[ \t]*)"


def _context(context: str, lines: tuple[Line, ...]) -> Iterator[str]:
    contained = "" if context == FILE else " contained"
    names = [f"{_cluster(context)}Line{at}" for at in range(len(lines))]
    for name, line in reversed(list(zip(names, lines, strict=True))):
        yield from _names(line, name)
        yield (_global_block if line.part is Part.BRACE else _line)(line, name) + contained
    inside = ",".join(["@edgefileArguments", _block("directives"), *names])
    yield f"syntax cluster {_cluster(context)} contains={inside}"
    yield f"syntax region {_block(context)} {_braces(source.OPENING, context)} contained"


def _names(line: Line, name: str) -> Iterator[str]:
    """What the arguments of only these lines may be."""
    if line.names:
        yield f"syntax match {name}Names {_pattern(source.argument(line.names))} contained"
        yield f"highlight default link {name}Names {group(line.named)}"


def _line(line: Line, name: str) -> str:
    """A line, from its first word to where it ends: behind its block, where it has one."""
    names = f",{name}Names" if line.names else ""
    return (
        f"syntax region {name} matchgroup={group(line.part)} start={_at_line_start(source.first_word(line))}"
        f" matchgroup=NONE end=/$/ contains=@edgefileArguments{names},{_block(line.block or 'directives')}"
    )


def _global_block(line: Line, name: str) -> str:
    """A block that belongs to no word."""
    return f"syntax region {name} {_braces(_LINE_START + source.OPENING, line.block)}"


def _braces(start: str, context: str) -> str:
    return (
        f"matchgroup={group(Part.BRACE)} start={_pattern(start)} end={_pattern(source.CLOSING)}"
        f" contains=@{_cluster(context)}"
    )


def _at_line_start(pattern: str) -> str:
    return _pattern(_LINE_START + pattern)


def _cluster(context: str) -> str:
    return "edgefileIn" + context.title().replace("-", "")


def _block(context: str) -> str:
    return f"{_cluster(context)}Block"


# ---- arguments

_IN_QUOTES = r'(?:[^"\\]|\\.)*'


def _arguments(found: Syntax) -> Iterator[str]:
    constants = source.argument(found.constants)
    matches = [(Part.CONTINUATION, r"\\[ \t]*\n"), (Part.CONSTANT, constants), *reversed(ARGUMENTS)]
    for part, pattern in matches:
        yield f"syntax match {group(part)} {_pattern(pattern)} contained"
    yield f"syntax match {group(Part.ESCAPE)} {_pattern(source.ESCAPE)} contained"
    inside = f"{group(Part.PLACEHOLDER)},{group(Part.ENVIRONMENT)}"
    texts = [
        (Part.QUOTED, rf'{source.QUOTE}(?={_IN_QUOTES}")', '/"/', f"{inside},{group(Part.ESCAPE)}"),
        (Part.RAW, source.BACKTICK, "/`/", inside),
        (Part.HEREDOC, source.HEREDOC, r"/\v^\s*\z1\S@!/", inside),
    ]
    # Behind an item that ends with `$` or holds others, Vim does not see that the line ends.
    yield f"syntax match {group(Part.QUOTED)} {_pattern(source.QUOTE + _IN_QUOTES)} contained"
    for part, start, end, contains in texts:
        begin = _pattern(start, captures=True)
        yield f"syntax region {group(part)} start={begin} end={end} contained contains={contains}"
    yield f"syntax match {group(Part.COMMENT)} {_pattern(source.COMMENT)}"
    parts = [part for part, _ in matches] + [part for part, *_ in texts] + [Part.COMMENT]
    yield f"syntax cluster edgefileArguments contains={','.join(map(group, parts))}"


# ---- patterns

#: How Vim's "very magic" patterns write what stands behind a group: the group itself is a plain one there.
_LOOKING = {"(?=": "@=", "(?!": "@!", "(?<=": "@<=", "(?<!": "@<!"}
_PIECE = re.compile(r"\(\?(?:[:=!]|<[=!])|\(|\)|\[(?:\\.|[^\\\]])*\]|\\.|.", re.DOTALL)
#: Characters that mean something in Vim's patterns only, or would end them.
_VIMS_OWN = "<>=@&%~/"
_CLASSES = {r"\s": r" \t", r"\S": "", r"\w": "A-Za-z0-9_", r"\d": "0-9", r"\"": '"'}


def _pattern(pattern: str, *, captures: bool = False) -> str:
    """A pattern of `highlight.syntax` between slashes, as Vim writes it. With `captures`, groups can be named in the end."""
    closings: list[str] = []
    translated = "".join(_translated(piece, closings, captures) for piece in _PIECE.findall(pattern))
    return "/\\v" + translated.replace(r"%(\S)@<!", r"\S@1<!") + "/"


def _translated(piece: str, closings: list[str], captures: bool) -> str:
    if piece in _LOOKING or piece == "(?:":
        closings.append(f"){_LOOKING.get(piece, '')}")
        return "%("
    if piece == "(":
        closings.append(")")
        return r"\z(" if captures else "("
    if piece == ")":
        return closings.pop()
    if piece[0] == "[":
        return re.sub(r"\\[sSwd\"]", lambda escape: _CLASSES[escape[0]], piece).replace("/", r"\/")
    if piece == r"\"":
        return '"'
    return f"\\{piece}" if piece in _VIMS_OWN else piece
