"""The TextMate grammar, for VS Code and others that read such: a rule for each sort of line, within its context."""

from __future__ import annotations

from typing import Any

from edgescript.catalog import Catalogue
from edgescript.generate.contexts import syntax
from edgescript.generate.shelves import as_json
from edgescript.highlight import syntax as source
from edgescript.highlight.syntax import ARGUMENTS, FILE, Line, Part, Syntax

PATH = "vscode-extension/syntaxes/edgefile.tmLanguage.json"

#: The scope of each part, as themes know them.
SCOPES = {
    Part.COMMENT: "comment.line.number-sign.edgefile",
    Part.QUOTED: "string.quoted.double.edgefile",
    Part.RAW: "string.quoted.other.raw.edgefile",
    Part.HEREDOC: "string.unquoted.heredoc.edgefile",
    Part.ESCAPE: "constant.character.escape.edgefile",
    Part.PLACEHOLDER: "variable.parameter.placeholder.edgefile",
    Part.ENVIRONMENT: "variable.other.environment.edgefile",
    Part.SITE: "entity.name.section.edgefile",
    Part.SNIPPET: "entity.name.function.snippet.edgefile",
    Part.TEST: "keyword.control.test.edgefile",
    Part.NAMED_MATCHER: "variable.other.matcher.edgefile",
    Part.KEYWORD: "keyword.control.import.edgefile",
    Part.GROUP: "keyword.control.group.edgefile",
    Part.DIRECTIVE: "keyword.other.directive.edgefile",
    Part.OPTION: "support.type.property-name.option.edgefile",
    Part.FIELD: "variable.other.property.edgefile",
    Part.MATCHER: "support.function.matcher.edgefile",
    Part.SETTING: "support.type.property-name.setting.edgefile",
    Part.TEST_WORD: "keyword.other.test.edgefile",
    Part.SUBJECT: "support.type.property-name.subject.edgefile",
    Part.NUMBER: "constant.numeric.edgefile",
    Part.CONSTANT: "constant.language.edgefile",
    Part.BRACE: "punctuation.section.block.edgefile",
    Part.CONTINUATION: "constant.character.escape.continuation.edgefile",
}

Rule = dict[str, Any]


def files(catalogue: Catalogue) -> dict[str, str]:
    return {PATH: as_json(_grammar(syntax(catalogue)))}


def _grammar(found: Syntax) -> Rule:
    contexts = {name: _patterns(_context(lines)) for name, lines in found.contexts.items()}
    blocks = {f"block of {name}": _block(name) for name in found.contexts}
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Edgefile",
        "scopeName": "source.edgefile",
        "patterns": [_include(FILE)],
        "repository": contexts | blocks | {"arguments": _patterns(_arguments(found)), **_inside()},
    }


def _patterns(rules: list[Rule]) -> Rule:
    return {"patterns": rules}


def _include(name: str) -> Rule:
    return {"include": f"#{name}"}


def _match(part: Part, pattern: str) -> Rule:
    return {"name": SCOPES[part], "match": pattern}


def _captured(part: Part) -> Rule:
    return {"1": {"name": SCOPES[part]}}


# ---- lines and blocks


def _context(lines: tuple[Line, ...]) -> list[Rule]:
    """What may stand where a line begins; a line that nothing is known about has arguments all the same."""
    return [_match(Part.COMMENT, source.COMMENT), *map(_line, lines), _unknown_line()]


def _line(line: Line) -> Rule:
    """A line, from its first word to where it ends: behind its block, where it has one."""
    named = [_match(line.named, source.argument(line.names))] if line.names else []
    return {
        "begin": rf"^[ \t]*({source.first_word(line)})",
        "beginCaptures": _captured(line.part),
        "end": "$",
        "patterns": [_include(f"block of {line.block or 'directives'}"), *named, _include("arguments")],
    }


def _unknown_line() -> Rule:
    return {
        "begin": r"^[ \t]*(?=\S)",
        "end": "$",
        "patterns": [_include("block of directives"), _include("arguments")],
    }


def _block(context: str) -> Rule:
    return {
        "begin": rf"({source.OPENING})",
        "beginCaptures": _captured(Part.BRACE),
        "end": source.CLOSING.replace(r"\}", r"(\})"),
        "endCaptures": _captured(Part.BRACE),
        "patterns": [_match(Part.COMMENT, source.COMMENT), _include(context)],
    }


# ---- arguments


def _arguments(found: Syntax) -> list[Rule]:
    return [
        # It lasts until the next line begins, so that the line's end does not end what it continues.
        {"begin": source.CONTINUATION, "beginCaptures": {"0": {"name": SCOPES[Part.CONTINUATION]}}, "end": "^"},
        _match(Part.COMMENT, source.COMMENT),
        _text(Part.QUOTED, source.QUOTE, '"|$', [_include("escape"), _include("placeholder")]),
        _text(Part.RAW, source.BACKTICK, "`", [_include("placeholder")]),
        _text(Part.HEREDOC, source.HEREDOC, rf"^[ \t]*\1{source.END}", [_include("placeholder")]),
        *(_match(part, pattern) for part, pattern in ARGUMENTS),
        _match(Part.CONSTANT, source.argument(found.constants)),
    ]


def _text(part: Part, begin: str, end: str, patterns: list[Rule]) -> Rule:
    return {"name": SCOPES[part], "begin": begin, "end": end, "patterns": patterns}


def _inside() -> dict[str, Rule]:
    """What may stand between quotes."""
    return {
        "escape": _match(Part.ESCAPE, source.ESCAPE),
        "placeholder": _patterns(
            [_match(Part.ENVIRONMENT, source.ENVIRONMENT), _match(Part.PLACEHOLDER, source.PLACEHOLDER)]
        ),
    }
