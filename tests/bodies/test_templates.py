"""Filling in pages: what the sandbox keeps inside, and how much a page may make."""

from __future__ import annotations

from typing import Any

import anyio.lowlevel
import pytest
from jinja2 import TemplateError

from edgescript.bodies import templates
from edgescript.bodies.templates import Pages, PageTooLarge, PageTooSlow

pytestmark = pytest.mark.anyio

DEEPER, BACK = "{% set n.n = n.n + 1 %}", "{% set n.n = n.n - 1 %}"
FILES = {"/part.html": "part {{ x }}", "/base.html": "<{% block a %}{% endblock %}>", "/bad.html": "{% if %}"}


def read(name: str) -> tuple[str, object]:
    return FILES[name], name


@pytest.fixture
def pages() -> Pages:
    return Pages(read, timeout=30)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{{ x }}", "1"),
        ("{{ html }}", "&lt;b&gt;"),
        ("{{ html | safe }}", "<b>"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ('{% include "/part.html" %}', "part 1"),
        ('{% extends "/base.html" %}{% block a %}b{% endblock %}', "<b>"),
        ("{{ nothing }}", ""),
        ('{{ "*a* <i>" | markdown }}', "<p><em>a</em> &lt;i&gt;</p>\n"),
        ("{{ 7 % 4 }}{{ 2 ** 3 }}{{ 'ab' * 2 }}", "38abab"),
    ],
)
async def test_a_page_is_a_jinja_template(pages: Pages, text: str, filled: str) -> None:
    assert await pages.fill_in(text, {"x": 1, "html": "<b>"}) == filled


class Secret:
    value = "open"
    _hidden = "SECRET"

    def method(self) -> str:
        return "called"


@pytest.mark.parametrize(
    "text",
    [
        "{{ thing._hidden }}",
        "{{ thing.__class__.__mro__ }}",
        "{{ thing.method.__globals__ }}",
        "{{ function.__closure__ }}",
        "{{ function.__code__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ thing | attr('_hidden') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ ''.format.__self__ }}",
        "{{ '{0._hidden}'.format(thing) }}",
        "{% set _ = things.append(1) %}{{ things }}",
        "{{ 'a' * 10000000000 }}",
        "{{ 10000000000 * 'a' }}",
        "{{ [1] * 10000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ range(1000000) }}",
        '{% include "/missing.html" %}',
        '{% include "/bad.html" %}',
        "{% if %}",
        "{{ x.y.z }}",
    ],
)
async def test_what_a_page_must_not_do_is_an_error_or_nothing(pages: Pages, text: str) -> None:
    secret = "SECRET"

    def function() -> str:
        return secret

    things: list[int] = []
    try:
        filled = await pages.fill_in(text, {"thing": Secret(), "function": function, "things": things, "x": {}})
    except (TemplateError, OverflowError):
        filled = ""
    assert "SECRET" not in filled
    assert "object at" not in filled
    assert "class" not in filled
    assert things == []


async def test_a_page_that_becomes_too_large_is_given_up(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_OUTPUT", 10_000)
    with pytest.raises(PageTooLarge):
        await pages.fill_in("{% for n in range(99999) %}0123456789{% endfor %}", {})


async def test_a_page_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(PageTooSlow):
        await Pages(read, timeout=0).fill_in("{% for n in range(99999) %}0{% endfor %}", {})


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{% set a = f(n - 1) %}{% set b = f(n - 1) %}{% endif %}{% endmacro %}{{ f(60) }}",
        '{% include "/self" %}',
        "{% block a %}{% if n.n < 60 %}" + DEEPER + "{{ self.a() }}{{ self.a() }}" + BACK + "{% endif %}{% endblock %}",
        "{{ wait() }}",
    ],
)
async def test_a_page_that_takes_too_long_is_given_up_where_it_writes_nothing_too(text: str) -> None:
    """And meanwhile others have their turn."""
    files = {
        "/self": "{% if n.n < 60 %}" + DEEPER + '{% include "/self" %}{% include "/self" %}' + BACK + "{% endif %}"
    }
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        pages = Pages(lambda name: (files[name], 1), timeout=0.2)
        with pytest.raises(PageTooSlow):
            await pages.fill_in("{% set n = namespace(n=0) %}" + text, {"wait": anyio.sleep_forever})
        tasks.cancel_scope.cancel()
    assert turns > 5


@pytest.mark.parametrize(
    "text",
    [
        '{{ "%99999d"|format(1) }}',
        '{{ "%-099999d"|format(1) }}',
        '{{ "%.*f"|format(99999999, 1) }}',
        '{{ "%(a)99999s"|format(a=1) }}',
        "{{ 10 ** 64 ** 64 }}",
        "{% set a = 10 ** 64 %}{{ a ** 64 }}",
        "{{ lipsum(n=100000) }}",
    ],
)
async def test_what_would_make_too_much_of_little_is_refused(pages: Pages, text: str) -> None:
    with pytest.raises((TemplateError, ValueError)):
        await pages.fill_in(text, {})


async def test_the_filter_format_has_widths(pages: Pages) -> None:
    assert await pages.fill_in('{{ "%5.1f %s %%99999"|format(1.25, "x") }}', {}) == "  1.2 x %99999"


async def test_a_file_that_changes_is_read_anew() -> None:
    files = {"/a": ("one", 1)}
    pages = Pages(files.__getitem__, timeout=30)
    text = '{% include "/a" %}'
    assert await pages.fill_in(text, {}) == "one"
    files["/a"] = ("two", 2)
    assert await pages.fill_in(text, {}) == "two"
    del files["/a"]
    with pytest.raises(TemplateError):
        await pages.fill_in(text, {})


async def test_functions_may_be_coroutines(pages: Pages) -> None:
    async def later(x: Any) -> str:
        return f"later {x}"

    assert await pages.fill_in("{{ later(2) }}", {"later": later}) == "later 2"


async def test_many_pages_keep_a_bounded_number_compiled(pages: Pages) -> None:
    for number in range(300):
        assert await pages.fill_in(f"{number} {{{{ x }}}}", {"x": 1}) == f"{number} 1"
    assert len(pages._compiled) <= 256
