"""The text of an expression as Python's own parser reads it, and where its parts stand. Nothing is evaluated."""

from __future__ import annotations

import ast
import re
import warnings

from edgescript.expr.template import TemplateError
from edgescript.text.problem import Hint

#: How people write it who have other languages in their fingers. Texts in quotes are passed over.
_FOREIGN = re.compile(r"""'[^']*'|"[^"]*"|(?P<sign>&&|\|\||!(?!=)|\?|===?|(?<![<>!:])=)""")
_OURS = {
    "&&": Hint('write "and"', "and", safe=True), "||": Hint('write "or"', "or", safe=True),
    "!": Hint('write "not"', "not ", safe=True), "?": Hint('write "A if CONDITION else B"'),
    "=": Hint('write "=="', "==", safe=True), "===": Hint('write "=="', "==", safe=True),
}  # fmt: skip


class ExpressionError(TemplateError):
    """A text is no expression."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None, code: str = "E114") -> None:
        super().__init__(message, start, end, hint, code)


class PythonText:
    """One expression: Python's tree of it, and the offsets of a node in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        #: Python takes neither blanks before an expression nor newlines in it.
        self._python = re.sub(r"\s", " ", text).lstrip()
        self._indent = len(text) - len(self._python)

    def tree(self) -> ast.expr:
        """
        The text as Python reads it.

        :raises ExpressionError: if it does not
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in string literals
                return ast.parse(self._python, mode="eval").body
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (ValueError, RecursionError, MemoryError):
            raise ExpressionError("the expression cannot be read", 0, len(self._text)) from None

    def _syntax_error(self, error: SyntaxError) -> ExpressionError:
        length = len(self._text)
        start = min(self._indent + max((error.offset or 1) - 1, 0), max(length - 1, 0))
        end = min(max(self._indent + (error.end_offset or 0) - 1, start + 1), length)
        sign = next((match for match in _FOREIGN.finditer(self._text) if match["sign"] in _OURS), None)
        if sign is not None:
            message = f'there is no "{sign["sign"]}" in an expression'
            return ExpressionError(message, *sign.span("sign"), _OURS[sign["sign"]])
        return ExpressionError(f"the expression is malformed: {error.msg}", start, end)

    def offsets(self, node: ast.expr) -> tuple[int, int]:
        """Where a node stands in the text; Python counts in bytes of UTF-8."""
        data = self._python.encode("utf-8", "surrogatepass")
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        first, last = (self._indent + len(data[:offset].decode("utf-8", "replace")) for offset in (start, end))
        return first, last


def dotted(node: ast.expr) -> str | None:
    """The placeholder that names, dots and constant subscripts spell: `resp.header["X"]` is `resp.header.X`."""
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append(str(node.slice.value))
        else:
            return None
        node = node.value
    return ".".join([node.id, *reversed(parts)])


def constant_index(node: ast.expr) -> str | int | slice | None:
    """What stands between brackets, where it is constant."""
    if isinstance(node, ast.Slice):
        bounds = [None if part is None else constant_index(part) for part in (node.lower, node.upper)]
        fine = node.step is None and all(
            part is None or isinstance(bound, int) for part, bound in zip((node.lower, node.upper), bounds, strict=True)
        )
        return slice(*bounds) if fine else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = constant_index(node.operand)
        return -number if isinstance(number, int) else None
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str | int) else None
