"""The page about expressions: what may stand in them, and every function and method that they may call."""

from __future__ import annotations

import inspect

from edgescript.catalog import Catalogue
from edgescript.expr.functions import FUNCTIONS, METHODS, Function, cidr, re_match
from edgescript.generate.shelves import as_table

PATH = "docs/reference/expressions.md"

_HEAD = """\
# Expressions

An expression is a condition in Python's own syntax over the names of [placeholders](placeholders.md). It stands in the
matcher [`expression`](matchers/expression.md), best between backticks, where quotes need no backslash.

```edgefile
:8080 {
    @beta expression `cookie["beta"] == "1" and header["X-Region"] in ("se", "no")`
    respond @beta "new"
    respond "old"
}

test "who has the cookie and lives in Sweden gets the new one" {
    request GET http://localhost:8080/
    header Cookie beta=1
    header X-Region se
    expect body "new"
}

test "everybody else gets the old one" {
    request GET http://localhost:8080/
    header X-Region se
    expect body "old"
}
```

What may stand in it:

- names of placeholders: `path`, `method`, `client_ip`; those with a part as `header["X-Level"]`, `query["page"]` or
  `query.page`. All are texts, `""` where there is no value;
- texts in quotes, numbers, `True`, `False`, and lists in parentheses: `("se", "no")`;
- `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `and`, `or`, `not`, and `a if condition else b`;
- `+`, `-`, `*`, `/`, `//` and `%` with numbers, `+` with texts;
- the calls below, and no others.

An expression is compiled once. What cannot be right, such as a text that is compared with a number, is an error of
`edge validate`; what turns out to be impossible for a request, such as `int(query["n"])` of no number, is false."""


def files(catalogue: Catalogue) -> dict[str, str]:
    tests = [_test(make) for make in (re_match, cidr)]
    functions = [_row(f"{name}({', '.join(_arguments(one))})", one) for name, one in FUNCTIONS.items()]
    methods = [_row(f"text.{name}({', '.join(_arguments(one)[1:])})", one) for name, one in METHODS.items()]
    head = ["Written", "Gives"]
    parts = [
        _HEAD,
        "## Functions",
        as_table(head, [*functions, *tests]),
        "## Methods of texts",
        as_table(head, methods),
    ]
    return {PATH: "\n\n".join(parts) + "\n"}


def _row(written: str, function: Function) -> list[str]:
    return [f"`{written}`", f"{function.gives.value}: {function.doc[0].lower()}{function.doc[1:].removesuffix('.')}"]


def _arguments(function: Function) -> list[str]:
    """Named after their types; those that may be left out in brackets."""
    names = [kind.value.removeprefix("a ") for kind in function.takes]
    return [f"[{name}]" if at >= len(names) - function.optional else name for at, name in enumerate(names)]


def _test(make: object) -> list[str]:
    """How a test whose first argument is compiled is written, and what it is, from its documentation."""
    first = inspect.cleandoc(getattr(make, "__doc__", "") or "").partition("\n")[0]
    written, about = first.removeprefix("The test of `").removesuffix(".").split("`: ")
    return [f"`{written}`", f"a truth value: {about}"]
