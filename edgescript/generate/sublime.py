"""The syntax for Sublime Text, and for what reads the same files (bat, delta): contexts that lines and blocks push."""

from __future__ import annotations

import json
from typing import Any

from edgescript.catalog import Catalogue
from edgescript.generate.contexts import syntax
from edgescript.generate.textmate import SCOPES
from edgescript.highlight import syntax as source
from edgescript.highlight.syntax import ARGUMENTS, FILE, Line, Part, Syntax

PATH = "editors/sublime/Edgefile.sublime-syntax"

Rule = dict[str, Any]


def files(catalogue: Catalogue) -> dict[str, str]:
    # What is JSON is YAML as well; the first lines are what the file's readers look for.
    written = json.dumps(_definition(syntax(catalogue)), indent=2, ensure_ascii=False)
    written = written.replace('"1": ', "1: ")  # captures are counted, which JSON's keys cannot be
    return {PATH: f"%YAML 1.2\n---\n# Written by `make generate`; not to be changed by hand.\n{written}\n"}


def _definition(found: Syntax) -> Rule:
    contexts: dict[str, list[Rule]] = {"main": [_include(FILE)]}
    for name, lines in found.contexts.items():
        contexts[name] = [_match(Part.COMMENT, source.COMMENT), *map(_line, lines), _unknown_line()]
        contexts[f"block of {name}"] = [_closing(), _include(name)]
    return {
        "name": "Edgefile",
        "file_extensions": ["Edgefile", "edge"],
        "scope": "source.edgefile",
        "contexts": contexts | {"arguments": _arguments(found)} | _inside(),
    }


def _include(name: str) -> Rule:
    return {"include": name}


def _match(part: Part, pattern: str) -> Rule:
    return {"match": pattern, "scope": SCOPES[part]}


# ---- lines and blocks


def _line(line: Line) -> Rule:
    named = [_match(line.named, source.argument(line.names))] if line.names else []
    return {
        "match": rf"^[ \t]*({source.first_word(line)})",
        "captures": {"1": SCOPES[line.part]},
        "push": [_opening(line.block or "directives"), *named, _include("arguments"), _line_end()],
    }


def _unknown_line() -> Rule:
    return {"match": r"^[ \t]*(?=[^\s}])", "push": [_opening("directives"), _include("arguments"), _line_end()]}


def _line_end() -> Rule:
    return {"match": "$", "pop": True}


def _opening(context: str) -> Rule:
    return {"match": source.OPENING, "scope": SCOPES[Part.BRACE], "push": f"block of {context}"}


def _closing() -> Rule:
    closing = source.CLOSING.replace(r"\}", r"(\})")
    return {"match": closing, "captures": {"1": SCOPES[Part.BRACE]}, "pop": True}


# ---- arguments


def _arguments(found: Syntax) -> list[Rule]:
    return [
        # Until the next line begins, so that the line's end does not end what it continues.
        _match(Part.CONTINUATION, source.CONTINUATION) | {"push": [{"match": "^", "pop": True}]},
        _match(Part.COMMENT, source.COMMENT),
        _text(Part.QUOTED, source.QUOTE, '"|$', ["escape", "placeholder"]),
        _text(Part.RAW, source.BACKTICK, "`", ["placeholder"]),
        _text(Part.HEREDOC, source.HEREDOC, rf"^[ \t]*\1{source.END}", ["placeholder"]),
        *(_match(part, pattern) for part, pattern in ARGUMENTS),
        _match(Part.CONSTANT, source.argument(found.constants)),
    ]


def _text(part: Part, begin: str, end: str, inside: list[str]) -> Rule:
    within = [{"meta_scope": SCOPES[part]}, {"match": end, "pop": True}, *map(_include, inside)]
    return {"match": begin, "push": within}


def _inside() -> dict[str, list[Rule]]:
    """What may stand between quotes."""
    return {
        "escape": [_match(Part.ESCAPE, source.ESCAPE)],
        "placeholder": [_match(Part.ENVIRONMENT, source.ENVIRONMENT), _match(Part.PLACEHOLDER, source.PLACEHOLDER)],
    }
