"""What `edgefile-mode` for Emacs knows of the language: the lines of each context, the patterns of arguments, and faces."""

from __future__ import annotations

import re

from edgescript.catalog import Catalogue
from edgescript.generate.contexts import syntax
from edgescript.highlight import syntax as source
from edgescript.highlight.syntax import END, START, Line, Part, Syntax

PATH = "editors/emacs/edgefile-syntax.el"

#: The face of Emacs that a part looks like.
FACES = {
    Part.COMMENT: "font-lock-comment-face",
    Part.QUOTED: "font-lock-string-face",
    Part.RAW: "font-lock-string-face",
    Part.HEREDOC: "font-lock-string-face",
    Part.ESCAPE: "font-lock-constant-face",
    Part.PLACEHOLDER: "font-lock-variable-name-face",
    Part.ENVIRONMENT: "font-lock-preprocessor-face",
    Part.SITE: "font-lock-function-name-face",
    Part.SNIPPET: "font-lock-function-name-face",
    Part.TEST: "font-lock-keyword-face",
    Part.NAMED_MATCHER: "font-lock-variable-name-face",
    Part.KEYWORD: "font-lock-preprocessor-face",
    Part.GROUP: "font-lock-keyword-face",
    Part.DIRECTIVE: "font-lock-builtin-face",
    Part.OPTION: "font-lock-type-face",
    Part.FIELD: "font-lock-variable-name-face",
    Part.MATCHER: "font-lock-function-name-face",
    Part.SETTING: "font-lock-type-face",
    Part.TEST_WORD: "font-lock-builtin-face",
    Part.SUBJECT: "font-lock-type-face",
    Part.NUMBER: "font-lock-constant-face",
    Part.CONSTANT: "font-lock-constant-face",
    Part.BRACE: "default",
    Part.CONTINUATION: "font-lock-constant-face",
}

_TEXT = """\
;;; edgefile-syntax.el --- The words of Edgefiles  -*- lexical-binding: t -*-

;; Written by `make generate'; not to be changed by hand.

;;; Code:

(defconst edgefile-syntax-contexts
  '({contexts})
  "Of each context its lines, each a list of five.
The pattern of the first word, its part, the context of the block, names that
may stand among the arguments, and the part that these are.")

(defconst edgefile-syntax-words
  '({words})
  "Patterns of whole arguments and their parts; what comes first wins.")

(defconst edgefile-syntax-inner
  '({inner})
  "Patterns of what may stand within arguments, quoted or not, and their parts.")

(defconst edgefile-syntax-faces
  '({faces})
  "The face that each part looks like.")

(provide 'edgefile-syntax)
;;; edgefile-syntax.el ends here
"""


def files(catalogue: Catalogue) -> dict[str, str]:
    return {PATH: _file(syntax(catalogue))}


def symbol(part: Part) -> str:
    """The name of a part in Lisp: `named-matcher`."""
    return part.value.replace(" ", "-")


def _file(found: Syntax) -> str:
    words = [(Part.NAMED_MATCHER, source.NAMED_MATCHER), (Part.NUMBER, source.NUMBER)]
    words.append((Part.CONSTANT, source.argument(found.constants)))
    inner = [(Part.ENVIRONMENT, source.ENVIRONMENT), (Part.PLACEHOLDER, source.PLACEHOLDER)]
    return _TEXT.format(
        contexts="\n    ".join(_context(name, lines) for name, lines in found.contexts.items()),
        words="\n    ".join(f"({_pattern(pattern)} . {symbol(part)})" for part, pattern in words),
        inner="\n    ".join(f"({_pattern(pattern)} . {symbol(part)})" for part, pattern in inner),
        faces="\n    ".join(f"({symbol(part)} . {face})" for part, face in FACES.items()),
    )


def _context(name: str, lines: tuple[Line, ...]) -> str:
    return f"({name}\n     " + "\n     ".join(map(_line, lines)) + ")"


def _line(line: Line) -> str:
    names = f"({' '.join(map(_quoted, line.names))})" if line.names else "nil"
    block = line.block or "directives"
    return f"({_pattern(source.first_word(line))} {symbol(line.part)} {block} {names} {symbol(line.named)})"


# ---- patterns

#: Emacs looks neither ahead nor behind: where words begin and end is seen to by those who use the pattern.
_LOOKING = (START, END, r"(?<!\\)")
_PIECE = re.compile(r"\(\?:|\[(?:\\.|[^\\\]])*\]|\\.|.", re.DOTALL)
_PIECES = {"(?:": r"\(?:", "(": r"\(?:", ")": r"\)", "|": r"\|", r"\d": "[0-9]", r"\S": r"[^ \t\n]", r"\(": "(", r"\)": ")",
           r"\{": "{", r"\}": "}"}  # fmt: skip
_CLASSES = {r"\s": " \t\n", r"\w": "A-Za-z0-9_", r"\d": "0-9", r"\"": '"', r"\n": "\n", r"\t": "\t"}


def _pattern(pattern: str) -> str:
    """A pattern of `highlight.syntax` as a text of Lisp."""
    if pattern.startswith("(?="):
        pattern = pattern.removeprefix("(?=").removesuffix(")")
    for looking in _LOOKING:
        pattern = pattern.replace(looking, "")
    return _quoted("".join(map(_translated, _PIECE.findall(pattern))))


def _translated(piece: str) -> str:
    if piece[0] == "[":
        return re.sub(r"\\[swdnt\"]", lambda escape: _CLASSES[escape[0]], piece).replace(r"\[", "[").replace(r"\]", "]")
    return _PIECES.get(piece, piece)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
