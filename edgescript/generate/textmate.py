"""The TextMate grammar, for VS Code and others that read such: the shape of the text, and the names there are."""

from __future__ import annotations

from typing import Any

from edgescript.catalog import Catalogue
from edgescript.declare import describe
from edgescript.declare.describe import Description
from edgescript.generate.shelves import as_json, described

PATH = "vscode-extension/syntaxes/edgefile.tmLanguage.json"
_ADDRESS_CHARACTERS = r"[\w.*:/\[\]-]"


def files(catalogue: Catalogue) -> dict[str, str]:
    return {PATH: as_json(_grammar(described(catalogue)))}


#: The rules of the TextMate grammar that know no names.
_RULES: dict[str, Any] = {
    "text": {
        "patterns": [
            {
                "name": "string.quoted.double.edgefile",
                "begin": '"',
                "end": '"',
                "patterns": [
                    {"name": "constant.character.escape.edgefile", "match": r"\\."},
                    {"include": "#placeholder"},
                ],
            },
            {"name": "string.quoted.other.raw.edgefile", "begin": "`", "end": "`"},
            {
                "name": "string.unquoted.heredoc.edgefile",
                "begin": r"<<([A-Za-z_][\w-]*)\s*$",
                "end": r"^\s*\1(?=\s|$)",
                "patterns": [{"include": "#placeholder"}],
            },
        ]
    },
    "placeholder": {
        "name": "variable.parameter.placeholder.edgefile",
        "match": r"(?<!\\)\{\$?[A-Za-z_][\w.-]*(?::[^}\n]*)?\}",
    },
}


def _grammar(shelves: dict[str, list[Description]]) -> dict[str, Any]:
    """The TextMate grammar: the shape of the text, and the names there are."""
    directives = describe.keywords(shelves["directives"])
    names = describe.keywords(shelves["matchers"] + shelves["settings"] + shelves["balancers"])
    options = describe.option_names([one for descriptions in shelves.values() for one in descriptions])
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Edgefile",
        "scopeName": "source.edgefile",
        "patterns": [
            {"name": "comment.line.number-sign.edgefile", "match": r"(?:^|(?<=\s))#.*$"},
            {"include": "#text"},
            {"include": "#placeholder"},
            {
                "name": "entity.name.section.edgefile",
                "match": rf"^(?!\s)(?:\([\w-]+\)|{_ADDRESS_CHARACTERS}+(?:,\s+{_ADDRESS_CHARACTERS}+)*)(?=\s+\{{\s*$)",
            },
            {"name": "variable.other.matcher.edgefile", "match": r"(?<=\s)@[\w-]+"},
            _first_word("keyword.control.edgefile", ["import", "test"]),
            _first_word("keyword.other.directive.edgefile", directives),
            _first_word("support.type.property-name.edgefile", [*options, *names]),
            {"name": "support.function.matcher.edgefile", "match": _behind_matcher_name(shelves["matchers"])},
            {"name": "constant.numeric.edgefile", "match": r"(?<=\s)\d[\d.]*(?:[a-zA-Zµ%]+|/\d*[a-z]+)?(?=\s|$)"},
            {"name": "constant.language.edgefile", "match": r"(?<=\s)(?:on|off|private_ranges|\*)(?=\s|$)"},
        ],
        "repository": _RULES,
    }


def _first_word(scope: str, names: list[str]) -> dict[str, Any]:
    """The rule for these names where a line begins; one that never matches where there are none."""
    words = "|".join(dict.fromkeys(names)) or "(?!)"
    return {"match": rf"^\s*({words})(?=\s|$)", "captures": {"1": {"name": scope}}}


def _behind_matcher_name(matchers: list[Description]) -> str:
    names = "|".join(describe.keywords(matchers))
    return rf"(?<=\s)(?:{names})(?=\s)" if names else "(?!)"
