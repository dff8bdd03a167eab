"""The conditions of `if` as matchers."""

from __future__ import annotations

import re

from edgescript.convert.nginx.lines import Line, walk
from edgescript.convert.nginx.variables import Names, Unconvertible, names_of, operand, pattern
from edgescript.convert.regexp import group_names

Matcher = tuple[str, ...]

_OPERATORS = ("=", "!=", "~", "~*", "!~", "!~*")
_FILE_TESTS = ("-f", "!-f", "-d", "!-d", "-e", "!-e", "-x", "!-x")


class NoMatcher(Unconvertible):
    """A condition that cannot be written as a matcher; the text says why."""


def words_of(condition: Line) -> list[str]:
    """The words of an `if`, its operator by itself."""
    words = [word for word in condition.args if word]
    if len(words) == 1:
        found = re.fullmatch(r"(\$\w+)(!?~\*?|!?=)(.*)", words[0], re.DOTALL)
        if found is not None and found[2]:
            return [found[1], found[2], found[3]]
    return words


def misses_file(condition: Line) -> bool:
    """Whether a condition is that the file asked for does not exist, as in `if (!-f $request_filename)`."""
    words = words_of(condition)
    file = "$document_root$uri", "$request_filename", "$document_root$fastcgi_script_name"
    return len(words) == 2 and words[0] in ("!-f", "!-e") and words[1] in file


def is_file_test(condition: Line) -> bool:
    """Whether a condition is about files: it decides what is there, and not who may have it."""
    return words_of(condition)[:1] != [] and words_of(condition)[0] in _FILE_TESTS


def matcher(condition: Line, names: Names) -> Matcher:
    """
    The matcher of a condition.

    :raises NoMatcher: if there is none
    :raises UnknownVariable: if it asks for a variable that has no placeholder
    :raises BadPattern: if its regular expression has no counterpart
    """
    words = words_of(condition)
    if len(words) == 1 and words[0].startswith("$"):
        return ("expression", f'{names.operand(words[0])} not in ("", "0")')
    if words and words[0] in _FILE_TESTS:
        raise NoMatcher("there is no matcher yet that looks for files; `try_files` does")
    if len(words) < 2 or words[1] not in _OPERATORS or not words[0].startswith("$"):
        raise NoMatcher("this condition has no matcher")
    return _compared(words[0], words[1], " ".join(words[2:]), names)


def _compared(left: str, operator: str, right: str, names: Names) -> Matcher:
    name = left.strip("${}")
    negated = operator.startswith("!")
    positive = operator.removeprefix("!")
    found = _equals(name, right, names) if positive == "=" else _finds(name, positive == "~*", right, names)
    return ("not", *found) if negated else found


def captured(condition: Line, names: Names) -> tuple[str, str] | None:
    """
    What a condition looks into, and with which expression, where only `map` can keep what its groups catch.

    :raises UnknownVariable: if it asks for a variable that has no placeholder
    :raises BadPattern: if its regular expression has no counterpart
    """
    words = words_of(condition)
    if len(words) < 3 or words[1] not in ("~", "~*"):
        return None
    text = " ".join(words[2:])
    written = pattern(text, ignore_case=words[1] == "~*")
    used = {name for line in walk(condition) for word in line.args for name in names_of(word)}
    groups = {*group_names(text), *map(str, range(1, re.compile(written).groups + 1))}
    if not groups & used or matcher(condition, names)[0] != "expression":
        return None
    return names.template(words[0]), written


_METHOD = re.compile(r"\^?\(?([A-Z]+(?:\|[A-Z]+)*)\)?\$?")


def _equals(name: str, value: str, names: Names) -> Matcher:
    placeholder = names.placeholder(name) if name not in names.constants else ""
    if "$" not in value and value:
        if placeholder in ("method", "scheme"):
            return (placeholder, value)
        if placeholder == "host" and "*" not in value:
            return ("host", value)
        if placeholder.startswith("header.") and "*" not in value:
            return ("header", placeholder.removeprefix("header."), value)
    return ("expression", f"{names.operand(f'${{{name}}}')} == {names.operand(value)}")


def _finds(name: str, ignore_case: bool, text: str, names: Names) -> Matcher:
    written = pattern(text, ignore_case=ignore_case)
    placeholder = names.placeholder(name)
    methods = _METHOD.fullmatch(text)
    if placeholder == "method" and methods is not None and text.startswith("^") and text.endswith("$"):
        return ("method", *methods[1].split("|"))
    if placeholder == "path":
        return ("path_regexp", written)
    if placeholder.startswith("header."):
        return ("header_regexp", placeholder.removeprefix("header."), written)
    if placeholder == "host" and (group_names(text) or re.compile(pattern(text)).groups):
        return ("header_regexp", "Host", _before_port(written))
    return ("expression", f"re_match({written!r}, {operand(placeholder)})")


def _before_port(written: str) -> str:
    """A pattern of a host, for the field `Host`, which may name a port."""
    return f"{written[:-1]}(?::\\d+)?$" if written.endswith("$") and not written.endswith("\\$") else written
