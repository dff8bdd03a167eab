"""The table of the parser, from its grammar."""

from __future__ import annotations

from pathlib import Path

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from edgescript.catalog import Catalogue

LANGUAGE = "grammar/edgefile.lark"
_ROOT = Path(__file__).resolve().parents[2]


def files(catalogue: Catalogue) -> dict[str, str]:
    return {"edgescript/language/table.py": _parse_table((_ROOT / LANGUAGE).read_text(encoding="utf-8"))}


_TABLE = """\
\"\"\"The LALR table of {language}, computed by lark. Written by `make generate`; not to be changed by hand.\"\"\"

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
        rules="".join(f"    {_quoted(rule)},\n" for rule in rules),
        states="".join(f"    {_quoted(state)},\n" for state in states),
    )


def _quoted(value: object) -> str:
    """As Python, in the quotes that the formatter would give it."""
    return repr(value).replace("'", '"')
