"""Expressions: `path.startswith("/api/") and int(header["X-Level"] or 0) > 3`, compiled to nested functions.

The syntax is a part of Python's own, read by `ast` and never evaluated by Python. A name is a placeholder's: `{client_ip}` is
`client_ip`, `{header.X-Level}` is `header["X-Level"]`, `{tls.version}` is `tls.version`. Every placeholder is a text, and one
that has no value is an empty one, except for the few in NUMBERS. What is known to be a mistake of types is a problem; a
comparison that turns out to be impossible while a request is there (`int("x") > 3`) is false.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from edgescript.expr import functions
from edgescript.expr.functions import FUNCTIONS, METHODS, Function, Type, add, number, read_number
from edgescript.expr.names import Resolve, UnknownName
from edgescript.expr.syntax import ExpressionError, PythonText, constant_index, dotted
from edgescript.http.exchange import Exchange
from edgescript.text.problem import Hint, did_you_mean

#: Characters of an expression, and levels of it.
MAX_LENGTH = 8192
MAX_DEPTH = 64

#: Placeholders that read as numbers.
NUMBERS = frozenset({"port", "remote_port", "status", "err.status", "upstream.latency"})

#: What goes wrong when a value is not what an operation needs.
_IMPOSSIBLE = (TypeError, ValueError, LookupError, ArithmeticError)

_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_MEMBERSHIP: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.In: lambda value, values: value in values,
    ast.NotIn: lambda value, values: value not in values,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition on an exchange."""

    #: As written.
    text: str
    test: Callable[[Exchange], bool]
    #: The placeholders in it, in order.
    names: tuple[str, ...] = ()
    #: The regular expressions in it that are written out.
    patterns: tuple[str, ...] = ()


class _Code(NamedTuple):
    """A compiled part: how to come by its value, and what is known of it."""

    type: Type
    run: Callable[[Exchange], Any]
    #: True where the value is always `value`.
    constant: bool = False
    value: Any = None


def parse(text: str, resolve: Resolve) -> Expression:
    """
    Compile a text.

    :raises ExpressionError: if it is no expression, or one that cannot mean anything
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters", 0, len(text))
    if not text.strip():
        raise ExpressionError("the expression is empty", 0, len(text))
    compiler = _Compiler(text, resolve)
    run = compiler.compiled().run

    def test(exchange: Exchange) -> bool:
        try:
            return bool(run(exchange))
        except _IMPOSSIBLE:
            return False

    return Expression(text, test, tuple(compiler.names), tuple(compiler.patterns))


class _Compiler:
    def __init__(self, text: str, resolve: Resolve) -> None:
        self.names: list[str] = []
        self.patterns: list[str] = []
        self._text = text
        self._resolve = resolve
        self._python = PythonText(text)
        self._compilers: dict[type[ast.expr], Callable[[Any, int], _Code]] = {
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary_op,
            ast.BinOp: self._bin_op,
            ast.Compare: self._compare,
            ast.IfExp: self._if_exp,
            ast.Call: self._call,
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._name,
            ast.Subscript: self._subscript,
            ast.Tuple: self._list,
            ast.List: self._list,
            ast.Set: self._set,
        }

    def _error(self, node: ast.expr, message: str, hint: str | None = None, code: str = "E114") -> NoReturn:
        raise ExpressionError(message, *self._python.offsets(node), hint, code)

    # From Python's tree to functions

    def compiled(self) -> _Code:
        """The compiled form of the whole text."""
        return self.code(self._python.tree(), 0)

    def code(self, node: ast.expr, depth: int) -> _Code:
        """
        The compiled form of a node.

        :raises ExpressionError: if it is nothing that an expression may hold
        """
        compiler = self._compilers.get(type(node))
        if compiler is None:
            self._error(node, "this is not possible in an expression")
        if depth > MAX_DEPTH:
            self._error(node, f"the expression is nested more than {MAX_DEPTH} deep")
        return compiler(node, depth + 1)

    def _constant(self, node: ast.Constant, depth: int) -> _Code:
        value = node.value
        kind = _TYPES.get(type(value))
        if kind is None:
            hint = 'a placeholder without a value is an empty text: write "not X"' if value is None else None
            self._error(node, "an expression holds texts, numbers, True and False", hint)
        return _Code(kind, lambda exchange: value, True, value)

    def _set(self, node: ast.Set, depth: int) -> _Code:
        """`{"GET", "HEAD"}` is a list; `{method}` is how a name is written elsewhere."""
        if len(node.elts) == 1 and not isinstance(node.elts[0], ast.Constant):
            name = self._written(node.elts[0])
            hint = Hint(f"write {name} without the braces", name, safe=True)
            self._error(node, "names have no braces in an expression", hint)
        return self._list(node, depth)

    def _list(self, node: ast.Tuple | ast.List | ast.Set, depth: int) -> _Code:
        items = [self.code(item, depth) for item in node.elts]
        if all(item.constant for item in items):
            value = tuple(item.value for item in items)
            return _Code(Type.LIST, lambda exchange: value, True, value)
        readers = [item.run for item in items]
        return _Code(Type.LIST, lambda exchange: tuple([run(exchange) for run in readers]))

    def _bool_op(self, node: ast.BoolOp, depth: int) -> _Code:
        parts = [self.code(value, depth) for value in node.values]
        kind = parts[0].type if len({part.type for part in parts}) == 1 else Type.ANY
        runs = [part.run for part in parts]
        first, rest = runs[0], runs[1:]
        stops_at = isinstance(node.op, ast.Or)
        if len(rest) == 1:
            second = rest[0]
            if stops_at:
                return _Code(kind, lambda exchange: first(exchange) or second(exchange))
            return _Code(kind, lambda exchange: first(exchange) and second(exchange))

        def run(exchange: Exchange) -> Any:
            value = first(exchange)
            for each in rest:
                if bool(value) is stops_at:
                    break
                value = each(exchange)
            return value

        return _Code(kind, run)

    def _unary_op(self, node: ast.UnaryOp, depth: int) -> _Code:
        operand = self.code(node.operand, depth)
        run = operand.run
        if isinstance(node.op, ast.Not):
            return _Code(Type.BOOLEAN, lambda exchange: not run(exchange))
        if isinstance(node.op, ast.Invert):
            self._error(node, '"~" is not possible in an expression', 'write "not"')
        self._must_be(operand, Type.NUMBER, node.operand)
        if isinstance(node.op, ast.UAdd):
            return _Code(Type.NUMBER, lambda exchange: +run(exchange))
        return _Code(Type.NUMBER, lambda exchange: -run(exchange))

    def _bin_op(self, node: ast.BinOp, depth: int) -> _Code:
        operate = _ARITHMETIC.get(type(node.op))
        if operate is None:
            self._error(node, "of arithmetic, an expression may use + - * / // %")
        left, right = self.code(node.left, depth), self.code(node.right, depth)
        first, second = left.run, right.run
        if isinstance(node.op, ast.Add) and Type.NUMBER not in (left.type, right.type):
            self._must_be(left, Type.TEXT, node.left)
            self._must_be(right, Type.TEXT, node.right)
            kind = Type.TEXT if Type.TEXT in (left.type, right.type) else Type.ANY
            return _Code(kind, lambda exchange: add(first(exchange), second(exchange)))
        self._must_be(left, Type.NUMBER, node.left)
        self._must_be(right, Type.NUMBER, node.right)
        return _Code(Type.NUMBER, lambda exchange: operate(number(first(exchange)), number(second(exchange))))

    def _if_exp(self, node: ast.IfExp, depth: int) -> _Code:
        condition = self.code(node.test, depth).run
        yes, no = self.code(node.body, depth), self.code(node.orelse, depth)
        when_true, when_false = yes.run, no.run
        kind = yes.type if yes.type is no.type else Type.ANY
        return _Code(kind, lambda exchange: when_true(exchange) if condition(exchange) else when_false(exchange))

    # Comparisons

    def _compare(self, node: ast.Compare, depth: int) -> _Code:
        nodes = [node.left, *node.comparators]
        codes = [self.code(each, depth) for each in nodes]
        links: list[tuple[Callable[[Exchange], Any], Callable[[Any, Any], bool]]] = []
        for position, sign in enumerate(node.ops):
            left, right = codes[position], codes[position + 1]
            links.append((right.run, self._comparison(sign, left, right, nodes[position], nodes[position + 1])))
        first = codes[0].run
        second, compare = links[0]

        def single(exchange: Exchange) -> bool:
            try:
                return compare(first(exchange), second(exchange))
            except _IMPOSSIBLE:
                return False

        def chained(exchange: Exchange) -> bool:
            try:
                value = first(exchange)
                for run, holds in links:
                    other = run(exchange)
                    if not holds(value, other):
                        return False
                    value = other
            except _IMPOSSIBLE:
                return False
            return True

        return _Code(Type.BOOLEAN, single if len(links) == 1 else chained)

    def _comparison(
        self, sign: ast.cmpop, left: _Code, right: _Code, left_node: ast.expr, right_node: ast.expr
    ) -> Callable[[Any, Any], bool]:
        if type(sign) in _MEMBERSHIP:
            if right.type in (Type.NUMBER, Type.BOOLEAN):
                self._error(right_node, f'"in" needs a text or a list, not {right.type.value}')
            if right.type is Type.TEXT:
                self._must_be(left, Type.TEXT, left_node)
            return _MEMBERSHIP[type(sign)]
        compare = _EQUALITY.get(type(sign)) or _ORDER.get(type(sign))
        if compare is None:
            self._error(right_node, '"is" is not possible in an expression', 'write "=="')
        if Type.ANY not in (left.type, right.type) and left.type is not right.type:
            wrong = left_node if left.type is Type.TEXT else right_node
            hint = None
            if {left.type, right.type} == {Type.TEXT, Type.NUMBER}:
                hint = f"write int({self._written(wrong)})"
            self._error(right_node, f"{left.type.value} is never equal to or ordered with {right.type.value}", hint)
        return compare

    def _must_be(self, code: _Code, wanted: Type, node: ast.expr) -> None:
        if code.type is not wanted and code.type is not Type.ANY:
            converts = (code.type, wanted) == (Type.TEXT, Type.NUMBER) and not code.constant
            hint = f"write int({self._written(node)})" if converts else None
            self._error(node, f"this must be {wanted.value}, and is {code.type.value}", hint)

    def _written(self, node: ast.expr) -> str:
        start, end = self._python.offsets(node)
        return self._text[start:end]

    # Names

    def _name(self, node: ast.expr, depth: int) -> _Code:
        name = dotted(node)
        if name is None:
            assert isinstance(node, ast.Attribute)
            self._error(
                node, f'"{node.attr}" must be called: {node.attr}(…)' if node.attr in METHODS else _NO_ATTRIBUTES
            )
        try:
            return self._placeholder(name)
        except UnknownName as error:
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                self._error(node, _not_called(node.attr))
            self._error(node, error.message, _name_hint(name, error), "E104")

    def _placeholder(self, name: str) -> _Code:
        if name.startswith("_") or "._" in name:
            raise UnknownName(name)
        read = self._resolve(name)
        self.names.append(name)
        if name in NUMBERS:
            return _Code(Type.NUMBER, lambda exchange: read_number(read(exchange)))
        return _Code(Type.TEXT, read)

    def _subscript(self, node: ast.Subscript, depth: int) -> _Code:
        """`header["X"]` is a placeholder; `path[0]` and `path[1:]` are parts of a text."""
        name = dotted(node)
        whole = dotted(node.value)
        unknown: UnknownName | None = None
        if name is not None:
            try:
                return self._placeholder(name)
            except UnknownName as error:
                unknown = error
        index = constant_index(node.slice)
        if index is None or (unknown is not None and isinstance(index, str)):
            hint = str(unknown.hint) if unknown is not None and unknown.hint is not None else None
            message = (
                unknown.message if unknown is not None else "a subscript is a text, a number or a slice of numbers"
            )
            self._error(node, message, hint, "E104" if whole is not None and unknown is not None else "E114")
        value = self.code(node.value, depth)
        if value.type in (Type.NUMBER, Type.BOOLEAN):
            self._error(node, f"{value.type.value} has no parts")
        run = value.run
        kind = Type.TEXT if value.type is Type.TEXT else value.type if isinstance(index, slice) else Type.ANY
        return _Code(kind, lambda exchange: run(exchange)[index])

    # Calls

    def _call(self, node: ast.Call, depth: int) -> _Code:
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self._error(node, "arguments of a call have neither names nor stars here")
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func, depth)
        name = dotted(node.func)
        if name == "re_match":
            return self._re_match(node, depth)
        if name == "cidr":
            return self._cidr(node, depth)
        function = FUNCTIONS.get(name or "")
        if function is not None:
            return self._applied(node, name or "", function, node.args, depth)
        if name is not None and len(node.args) == 1 and constant_index(node.args[0]) is not None:
            return self._member(node, name)
        return self._no_function(node, name)

    def _no_function(self, node: ast.Call, name: str | None) -> NoReturn:
        known = [*FUNCTIONS, "re_match", "cidr"]
        hint = did_you_mean(name or "", known) or f"there are {', '.join(sorted(known))}"
        self._error(node.func, f'there is no function "{name}"' if name else "this cannot be called", hint)

    def _member(self, node: ast.Call, name: str) -> _Code:
        """`query("q")`, another way to write `query["q"]`."""
        try:
            return self._placeholder(f"{name}.{constant_index(node.args[0])}")
        except UnknownName:
            self._no_function(node, name)

    def _method(self, node: ast.Call, func: ast.Attribute, depth: int) -> _Code:
        function = METHODS.get(func.attr)
        if function is None:
            hint = did_you_mean(func.attr, METHODS) or f"there are {', '.join(sorted(METHODS))}"
            _, end = self._python.offsets(func)
            raise ExpressionError(f'there is no method "{func.attr}"', end - len(func.attr), end, hint)
        return self._applied(node, func.attr, function, [func.value, *node.args], depth)

    def _applied(self, node: ast.Call, name: str, function: Function, nodes: list[ast.expr], depth: int) -> _Code:
        takes = function.takes
        least = len(takes) - function.optional
        if not least <= len(nodes) <= len(takes):
            self._error(node, f'"{name}" is called with {len(node.args)} arguments, which is not what it takes')
        arguments = [self.code(argument, depth) for argument in nodes]
        for argument, wanted, written in zip(arguments, takes, nodes, strict=False):
            if wanted is not Type.ANY:
                self._must_be(argument, wanted, written)
        runs = [argument.run for argument in arguments]
        call, first = function.run, runs[0]
        if len(runs) == 1:
            return _Code(function.gives, lambda exchange: call(first(exchange)))
        if len(runs) == 2:
            second = runs[1]
            return _Code(function.gives, lambda exchange: call(first(exchange), second(exchange)))
        return _Code(function.gives, lambda exchange: call(*[run(exchange) for run in runs]))

    def _re_match(self, node: ast.Call, depth: int) -> _Code:
        if len(node.args) != 2:
            self._error(node, "write re_match(pattern, value)")
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            self.patterns.append(node.args[0].value)
        return self._tested(node.args[1], node.args[:1], lambda texts: functions.re_match(texts[0]), depth)

    def _cidr(self, node: ast.Call, depth: int) -> _Code:
        if len(node.args) < 2:
            self._error(node, 'write cidr(client_ip, "10.0.0.0/8")')
        return self._tested(node.args[0], node.args[1:], functions.cidr, depth)

    def _tested(
        self, value: ast.expr, nodes: list[ast.expr], make: Callable[[list[str]], Callable[[str], bool]], depth: int
    ) -> _Code:
        """A test of a value that is made once, from texts written in the expression."""
        texts: list[str] = []
        for node in nodes:
            code = self.code(node, depth)
            if not code.constant or not isinstance(code.value, str):
                self._error(node, "this must be a text in quotes, for it is compiled once")
            texts.append(code.value)
        try:
            test = make(texts)
        except ValueError as error:
            self._error(nodes[0], str(error))
        tested = self.code(value, depth)
        self._must_be(tested, Type.TEXT, value)
        run = tested.run

        def holds(exchange: Exchange) -> bool:
            try:
                return test(run(exchange))
            except _IMPOSSIBLE:
                return False

        return _Code(Type.BOOLEAN, holds)


_NO_ATTRIBUTES = "values have methods, but nothing else behind a dot"
_TYPES: dict[type[Any], Type] = {str: Type.TEXT, int: Type.NUMBER, float: Type.NUMBER, bool: Type.BOOLEAN}


def _not_called(method: str) -> str:
    return f'"{method}" must be called: {method}(…)'


def _name_hint(name: str, error: UnknownName) -> str | None:
    if name in ("true", "false"):
        return Hint(f'write "{name.capitalize()}"', name.capitalize(), safe=True)
    # Of `heder["X"]` the name is "heder.X", which cannot be written like that here.
    return error.hint if "." not in name or error.hint is None else str(error.hint)
