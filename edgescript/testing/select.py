"""Which tests `-k` means: words, of which each must stand in a test's name, joined by `and`, `or`, `not` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

#: Whether a name is meant.
Selected = Callable[[str], bool]

_TOKEN = re.compile(r"""\s*(?:([()])|"([^"]*)"|'([^']*)'|([^\s()"']+))""")


def selector(expression: str) -> Selected:
    """
    A test for names. Upper and lower case are the same; a word with blanks is put into quotes.

    :raises ValueError: if the expression is malformed
    """
    parser = _Parser(_tokens(expression))
    selected = parser.either()
    if parser.left:
        raise ValueError(f'"and" or "or" is expected before "{parser.left[0][1]}"')
    return selected


#: Whether it is a word, which may be called `and` in quotes; and its text.
_Token = tuple[bool, str]


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, text = 0, expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError("a quote is not closed")
        mark, double, single, bare = match.groups()
        quoted = double if double is not None else single
        if quoted is not None:
            tokens.append((True, quoted))
        else:
            tokens.append((mark is None and bare not in ("and", "or", "not"), mark or bare))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.left = tokens

    def _take(self, text: str) -> bool:
        if self.left and self.left[0] == (False, text):
            self.left.pop(0)
            return True
        return False

    def either(self) -> Selected:
        selected = self._both()
        while self._take("or"):
            selected = _either(selected, self._both())
        return selected

    def _both(self) -> Selected:
        selected = self._one()
        while self._take("and"):
            selected = _both(selected, self._one())
        return selected

    def _one(self) -> Selected:
        if self._take("not"):
            inner = self._one()
            return lambda name: not inner(name)
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise ValueError('")" is missing')
            return inner
        if not self.left or not self.left[0][0]:
            raise ValueError(
                "a word of a test's name is expected" + (f' before "{self.left[0][1]}"' if self.left else "")
            )
        word = self.left.pop(0)[1].lower()
        return lambda name: word in name.lower()


def _either(one: Selected, other: Selected) -> Selected:
    return lambda name: one(name) or other(name)


def _both(one: Selected, other: Selected) -> Selected:
    return lambda name: one(name) and other(name)
