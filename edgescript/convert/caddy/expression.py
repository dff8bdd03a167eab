"""Caddy's expressions (CEL) in ours: `{method} == "GET" && !path("/api/*")` reads `method == "GET" and not path…`.

A parser by recursive descent that gives text. What has no equal raises `NotConverted`, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from edgescript.convert.caddy import placeholders
from edgescript.convert.caddy.context import Context, NotConverted

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<placeholder>\{[A-Za-z_][^{}\s"']*\})
    | (?P<text>[rR]?"(?:[^"\\]|\\.)*"|[rR]?'(?:[^'\\]|\\.)*')
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
#: Signs between two operands, loosest first, with ours.
_LEVELS = (
    {"||": "or"},
    {"&&": "and"},
    {sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=", "in")},
    {"+": "+", "-": "-"},
    {"*": "*", "%": "%"},
)
_METHODS = {"startsWith": "startswith", "endsWith": "endswith", "lowerAscii": "lower", "upperAscii": "upper",
            "trim": "strip", "replace": "replace", "split": "split"}  # fmt: skip
_FUNCTIONS = {"size": "len", "int": "int", "string": "str", "double": "float", "bool": "bool"}
_CONSTANTS = {"true": "True", "false": "False"}

#: Caddy compares these with numbers.
_NUMBERS = ("err.status_code", "resp.status")

MAX_DEPTH = 30
MAX_LENGTH = 4000


def converted(text: str, context: Context) -> str:
    """
    Our expression for one of Caddy's.

    :raises NotConverted: if there is none
    """
    if len(text) > MAX_LENGTH:
        raise NotConverted("the expression is too long")
    parser = _Parser(text, context)
    result = parser.condition()
    parser.must_end()
    return result


class _Parser:
    def __init__(self, text: str, context: Context) -> None:
        self._context = context
        self._tokens = list(_cut(text))
        self._at = 0
        self._depth = 0

    # ---- tokens

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _text(self) -> str:
        return self._tokens[self._at][1]

    def _take(self) -> str:
        text = self._text
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return text

    def _takes(self, sign: str) -> bool:
        if self._text != sign or self._kind not in ("sign", "name"):
            return False
        self._take()
        return True

    def _must(self, sign: str) -> None:
        if not self._takes(sign):
            raise NotConverted(f'the expression is malformed: "{sign}" is missing before "{self._text}"')

    def must_end(self) -> None:
        if self._kind != "end":
            raise NotConverted(f'the expression is malformed at "{self._text}"')

    # ---- grammar

    def condition(self) -> str:
        """`A ? B : C`, or less."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotConverted("the expression is nested too deep")
        test = self._binary(0)
        if self._takes("?"):
            one = self.condition()
            self._must(":")
            test = f"({one} if {test} else {self.condition()})"
        self._depth -= 1
        return test

    def _binary(self, level: int) -> str:
        if level == len(_LEVELS):
            return self._unary()
        text = self._binary(level + 1)
        while self._text in _LEVELS[level] and self._kind in ("sign", "name"):
            sign = _LEVELS[level][self._take()]
            text = f"{text} {sign} {self._binary(level + 1)}"
        return text

    def _unary(self) -> str:
        count = 0
        while self._takes("!"):
            count += 1
        if count:
            return f"(not {self._member()})" if count % 2 else self._member()
        return f"-{self._member()}" if self._takes("-") else self._member()

    def _member(self) -> str:
        text = self._primary()
        while True:
            if self._takes("."):
                text = self._method(text)
            elif self._takes("["):
                text = f"{text}[{self.condition()}]"
                self._must("]")
            else:
                return text

    def _method(self, value: str) -> str:
        name = self._take()
        if not self._takes("("):
            raise NotConverted(f'there is nothing like ".{name}" in expressions')
        arguments = self._arguments(")")
        if name == "contains" and len(arguments) == 1:
            return f"({arguments[0]} in {value})"
        if name == "matches" and len(arguments) == 1:
            return f"re_match({arguments[0]}, {value})"
        if name not in _METHODS:
            raise NotConverted(f'there is no method "{name}" in expressions')
        return f"{value}.{_METHODS[name]}({', '.join(arguments)})"

    def _primary(self) -> str:
        kind, text = self._kind, self._take()
        if kind == "placeholder":
            return _placeholder(text[1:-1], self._context)
        if kind in ("text", "number"):
            return text
        if kind == "name":
            return self._named(text)
        if text == "(":
            inside = self.condition()
            self._must(")")
            return f"({inside})"
        if text == "[":
            items = self._arguments("]")
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        raise NotConverted(f'"{text}" has no equal in expressions' if text else "the expression is incomplete")

    def _named(self, name: str) -> str:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if not self._takes("("):
            raise NotConverted(f'there is no "{name}" in expressions')
        arguments = self._arguments(")")
        if name in _FUNCTIONS:
            return f"{_FUNCTIONS[name]}({', '.join(arguments)})"
        if name in _MATCHERS:
            return _MATCHERS[name]([_value(argument) for argument in arguments])
        raise NotConverted(f'the matcher "{name}" cannot be used in expressions')

    def _arguments(self, closing: str) -> list[str]:
        found: list[str] = []
        while not self._takes(closing):
            if found:
                self._must(",")
            found.append(self.condition())
        return found


def _cut(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotConverted(f'the expression is malformed at "{text[position : position + 20]}"')
        kind = match.lastgroup or "end"
        found.append((kind, match[kind]))
        position = match.end()
        if kind == "end":
            return found


def _placeholder(name: str, context: Context) -> str:
    """`{header.X-Level}` is `header["X-Level"]`."""
    ours = placeholders.name_of(name, context)
    if ours in _NUMBERS:
        return f"int({ours})"
    head, dot, rest = ours.partition(".")
    if dot and not rest.isidentifier():
        return f'{head}["{rest}"]'
    return ours


# ---- matchers as functions


def _value(argument: str) -> str:
    if len(argument) < 2 or argument[0] not in "\"'" or "\\" in argument:
        raise NotConverted("a matcher in an expression needs plain texts")
    return argument[1:-1]


def _quoted(value: str) -> str:
    return f'"{value}"'


def _paths(patterns: list[str]) -> str:
    tests = [_path(pattern.lower()) for pattern in patterns]
    return f"({' or '.join(tests)})"


def _path(pattern: str) -> str:
    inside = pattern.strip("*")
    if "*" in inside or not inside:
        raise NotConverted(f'the path "{pattern}" cannot be used in expressions')
    if pattern.startswith("*") and pattern.endswith("*"):
        return f'"{inside}" in path.lower()'
    if pattern.endswith("*"):
        return f'path.lower().startswith("{inside}")'
    if pattern.startswith("*"):
        return f'path.lower().endswith("{inside}")'
    return f'path.lower() == "{inside}"'


def _one_of(name: str) -> Callable[[list[str]], str]:
    def test(values: list[str]) -> str:
        if any("*" in value or '"' in value for value in values):
            raise NotConverted(f"{name} with a wildcard cannot be used in expressions")
        return f"{name} in ({' '.join(_quoted(value) + ',' for value in values)})"

    return test


def _network(name: str) -> Callable[[list[str]], str]:
    def test(values: list[str]) -> str:
        return f"cidr({', '.join([name, *map(_quoted, values)])})"

    return test


_MATCHERS: dict[str, Callable[[list[str]], str]] = {
    "path": _paths,
    "method": lambda values: _one_of("method")([value.upper() for value in values]),
    "host": lambda values: _one_of("host")([value.lower() for value in values]),
    "remote_ip": _network("remote_ip"),
    "client_ip": _network("client_ip"),
}
