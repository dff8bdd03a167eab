"""Write the files that follow from others: reference pages, JSON schema and editor grammar from the declarations, the table
of the parser from its grammar.

python -m edgescript.cli.generate            write them
python -m edgescript.cli.generate --check    exit 1 if one of them is not as it would be written
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from edgescript.catalog import SHELVES, Catalogue
from edgescript.declare import describe
from edgescript.declare.describe import Description
from edgescript.declare.entries import Placeholder
from edgescript.declare.kinds import KINDS
from edgescript.text.codes import CODES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "make generate"
REFERENCE = "docs/reference"
GRAMMAR = "vscode-extension/syntaxes/edgefile.tmLanguage.json"
LANGUAGE = "grammar/edgefile.lark"
TABLE = "edgescript/language/table.py"

_TITLES = {
    "directives": "Directives",
    "matchers": "Matchers",
    "placeholders": "Placeholders",
    "balancers": "Balancing policies",
    "settings": "Global settings",
}
_ADDRESS_CHARACTERS = r"[\w.*:/\[\]-]"


def main(arguments: Sequence[str]) -> int:
    root = ROOT
    files = generated(Catalogue.load())
    if list(arguments) == ["--check"]:
        return _check(root, files)
    if arguments:
        sys.stderr.write(f"usage: python -m edgescript.cli.generate [--check]; not {' '.join(arguments)}\n")
        return 2
    for path in _left_over(root, files):
        (root / path).unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return 0


def _check(root: Path, files: dict[str, str]) -> int:
    stale = [path for path, text in files.items() if _text(root / path) != text]
    for path in stale:
        sys.stderr.write(f"{path} is not up to date\n")
    left_over = _left_over(root, files)
    for path in left_over:
        sys.stderr.write(f"{path} belongs to no entry\n")
    if stale or left_over:
        sys.stderr.write(f"to repair it: {COMMAND}, then commit\n")
    return 1 if stale or left_over else 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _left_over(root: Path, files: dict[str, str]) -> list[str]:
    """Files under the reference that would not be written: pages of entries that are gone."""
    there = [path.relative_to(root).as_posix() for path in sorted((root / REFERENCE).rglob("*")) if path.is_file()]
    return [path for path in there if path not in files]


def generated(catalogue: Catalogue) -> dict[str, str]:
    """Every generated file: its path in the repository, and its text."""
    shelves = {shelf: [describe.describe(entry) for entry in _entries(catalogue, shelf)] for shelf in SHELVES}
    files = {f"{REFERENCE}/README.md": _index(shelves)}
    for shelf, descriptions in shelves.items():
        if shelf != "placeholders":
            files |= {f"{REFERENCE}/{shelf}/{one.name}.md": describe.as_markdown(one) for one in descriptions}
    files[f"{REFERENCE}/placeholders.md"] = _placeholders(catalogue, shelves["placeholders"])
    files[f"{REFERENCE}/values.md"] = _values()
    files[f"{REFERENCE}/problems.md"] = _problems()
    files[f"{REFERENCE}/edgefile.schema.json"] = _json(_schema(shelves))
    files[GRAMMAR] = _json(_grammar(shelves))
    files[TABLE] = _parse_table((ROOT / LANGUAGE).read_text(encoding="utf-8"))
    return files


def _entries(catalogue: Catalogue, shelf: str) -> Iterator[Any]:
    """The entries that this repository brings; plug-ins have documentation of their own."""
    for name in sorted(catalogue.files(shelf)):
        entry = catalogue.entry(shelf, name)
        if entry is not None:
            yield entry


# ---- pages


def _index(shelves: dict[str, list[Description]]) -> str:
    parts = ["# Reference", "Made from the declarations in the source by `make generate`."]
    for shelf, descriptions in shelves.items():
        page = "placeholders.md" if shelf == "placeholders" else None
        rows = [
            [f"[{_cell(one)}]({page or f'{shelf}/{one.name}.md'})", _first_sentence(one.summary)]
            for one in descriptions
        ]
        parts += [f"## {_TITLES[shelf]}", _table(["", ""], rows)]
    parts += ["## More", "- [Values](values.md): how durations, sizes, addresses and the like are written"]
    parts[-1] += "\n- [Problems](problems.md): the codes of everything that can be wrong with an Edgefile"
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(description: Description) -> str:
    return f"`{{{description.name}}}`" if description.shelf == "placeholders" else f"`{description.name}`"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def _placeholders(catalogue: Catalogue, descriptions: list[Description]) -> str:
    parts = ["# Placeholders", "Names in braces that stand for a value of the request or its response."]
    for description in descriptions:
        entry = catalogue.placeholder(description.name)
        assert isinstance(entry, Placeholder)
        after = "Has a value only once there is a response." if entry.of_response else ""
        parts += [
            f"## {description.name}",
            description.usage.replace("{", "`{").replace("}", "}`"),
            description.summary,
        ]
        parts += [description.body, after]
    return "\n\n".join(part for part in parts if part) + "\n"


def _values() -> str:
    rows = [[kind.name, kind.expected, ", ".join(f"`{sample}`" for sample in kind.samples)] for kind in KINDS]
    return f"# Values\n\n{_table(['Kind', 'What is expected', 'Such as'], sorted(rows))}\n"


def _problems() -> str:
    return f"# Problems\n\n{_table(['Code', 'What is wrong'], [[code, text] for code, text in CODES.items()])}\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        if rows
        else ""
    )


# ---- tools


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _schema(shelves: dict[str, list[Description]]) -> dict[str, Any]:
    """Of each entry, its fields; a placeholder has none."""
    entries = {
        shelf: {one.name: describe.as_schema(one) for one in descriptions}
        for shelf, descriptions in shelves.items()
        if shelf != "placeholders"
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Edgefile", "$defs": entries}


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


# ---- the parser's table


_TABLE = """\
\"\"\"The LALR table of {language}, computed by lark. Written by `{command}`; not to be changed by hand.\"\"\"

# fmt: off
#: Of each rule of the grammar, its name and how many symbols it has.
RULES: tuple[tuple[str, int], ...] = (
{rules})

#: Of each state, what a symbol does: it leads to a state, or (~n) the n-th rule ends before it. A file begins in the first one.
STATES: tuple[dict[str, int], ...] = (
{states})
"""


def _parse_table(grammar: str) -> str:
    """
    The parser's table as a module, because `edge validate` would take half as long again with lark imported.

    Lark numbers states and rules as its sets happen to be ordered; here they are numbered as they are reached.
    """
    data, memo = Lark(grammar, parser="lalr", start="file", lexer="basic").memo_serialize([TerminalDef, Rule])
    table = data["parser"]["parser"]
    numbers: dict[int, int] = {table["start_states"]["file"]: 0}
    rules: dict[tuple[str, int], int] = {}
    states: list[dict[str, int]] = []
    while len(states) < len(numbers):
        actions = table["states"][list(numbers)[len(states)]]
        state: dict[str, int] = {}
        for token in sorted(actions, key=table["tokens"].__getitem__):
            ends_rule, argument = actions[token]
            symbol = table["tokens"][token]
            if ends_rule:
                rule = memo[argument["@"]]
                sized = (rule["origin"]["name"], len(rule["expansion"]))
                state[symbol] = ~rules.setdefault(sized, len(rules))
            else:
                state[symbol] = numbers.setdefault(argument, len(numbers))
        states.append(state)
    end = numbers[table["end_states"]["file"]]
    states[end]["$END"] = end
    return _TABLE.format(
        language=LANGUAGE,
        command=COMMAND,
        rules="".join(f"    {_quoted(rule)},\n" for rule in rules),
        states="".join(f"    {_quoted(state)},\n" for state in states),
    )


def _quoted(value: object) -> str:
    """As Python, in the quotes that the formatter would give it."""
    return repr(value).replace("'", '"')


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
