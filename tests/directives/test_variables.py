from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("vars a b", "b"),
        ("vars a {path}", "/x"),
        ("vars a b\nvars a c", "c"),
        ("vars /other a b", ""),
        ("vars {\n z 1\n a 2\n}", "2"),
        ("vars a b {\n a c\n}", "c"),
        ("vars a true", "true"),
        ("vars a 1.10", "1.10"),
        ("vars a 007", "007"),
        ("vars a -5", "-5"),
    ],
)
def test_vars(site, lines, expected):
    assert site(f'{lines}\nrespond "{{vars.a}}"')("/x").text == expected


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("12", 12), ("1.5", "1.5"), ("x", "x")])
def test_constants_have_types(site, text, value):
    variables = site(f"vars a {text}\nrespond")().exchange.variables
    assert variables == {"a": value}
    assert type(variables["a"]) is type(value)


@pytest.mark.parametrize("line", ["vars", "vars a", "vars {\n}", "vars {\n a\n}", "vars a b c"])
def test_mistakes_in_vars(mistakes, line):
    assert mistakes(f"{line}\nrespond")


@pytest.mark.parametrize(
    ("rows", "host", "expected"),
    [
        ("a.example one uno", "a.example", "one uno"),
        ("a.example one uno\ndefault none nada", "b.example", "none nada"),
        ("a.example one uno", "b.example", " "),
        ("a.example one -\ndefault none nada", "a.example", "one nada"),
        ("a.example - uno", "a.example", " uno"),
        ("~^(.*)\\.example$ ${1} $1!", "b.example", "b b!"),
        ("~^(?P<who>.*)\\.example$ ${who} {re.who}", "b.example", "b b"),
        ("~example one uno\na.example two dos", "a.example", "one uno"),
        ("a.example two dos\n~example one uno", "a.example", "two dos"),
        ("a.example one uno\na.example two dos", "a.example", "one uno"),
        ("a.example {path} {method}", "a.example", "/ GET"),
        ("default one", "a.example", "one "),
    ],
)
def test_map(site, rows, host, expected):
    ask = site(f'map {{host}} {{one}} vars.two {{\n{rows}\n}}\nrespond "{{vars.one}} {{vars.two}}"')
    assert ask(host=host).text == expected


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("map {host} {\n a b\n}", "E107"),
        ("map {host} a {\n x y z\n}", 'E115 "x" needs one value'),
        ("map {host} a b {\n x y\n}", 'E115 "x" needs 2 values'),
        ("map {host} a {\n ~( y\n}", "E115 the regular expression is malformed"),
        ("map {host} a {\n default y z\n}", "E115 there are more values than destinations"),
        ("map {host} a/b {\n x y\n}", 'E115 "a/b" is no name of a variable'),
    ],
)
def test_mistakes_in_map(mistakes, line, problem):
    (found,) = mistakes(f"{line}\nrespond")
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("line", "method"),
    [("method POST", "POST"), ("method post", "POST"), ("method {query.m}", "PUT"), ("method /x PUT", "GET")],
)
def test_method(site, line, method):
    answer = site(f'{line}\nrespond "{{method}} {{orig_method}}"')("/?m=put")
    assert answer.text == f"{method} GET"


def test_what_is_no_method_is_refused(site, mistakes):
    assert site("method {query.m}\nrespond")("/?m=a%20b").status == 400
    assert mistakes('method "a b"\nrespond') == ["E106 expected a method such as GET"]
