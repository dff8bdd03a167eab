from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from edgescript.expr import expression, template
from edgescript.expr.names import Reader, UnknownName
from edgescript.expr.template import TemplateError
from edgescript.text.problem import did_you_mean

#: The placeholders there are, and what they read as.
VALUES = {
    "path": "/api/v1/things", "method": "GET", "host": "api.example.com", "query": "q=1", "query.q": "1",
    "header.X-Level": "5", "header.Absent": "", "cookie.beta": "1", "client_ip": "10.1.2.3", "tls.version": "1.3",
    "status": "404", "resp.header.Age": "7", "labels.0": "com", "vars.x": "y",
}  # fmt: skip


def resolve(name: str) -> Reader:
    if name not in VALUES:
        raise UnknownName(name, did_you_mean(name, VALUES))
    return lambda exchange: VALUES[name]


@dataclass
class Wrong:
    """What an error says, and what part of the text it is about."""

    code: str
    message: str
    part: str
    hint: str | None


def wrong(parse: Callable[..., Any], text: str) -> Wrong:
    with pytest.raises(TemplateError) as caught:
        parse(text, resolve)
    error = caught.value
    assert 0 <= error.start <= error.end <= len(text)
    return Wrong(error.code, error.message, text[error.start : error.end], error.hint)


@pytest.fixture
def exchange() -> Any:
    """Readers here look at no exchange."""
    return None


@pytest.fixture
def values() -> Mapping[str, str]:
    return VALUES


@pytest.fixture
def template_of() -> Callable[[str], template.Template]:
    return lambda text: template.parse(text, resolve)


@pytest.fixture
def expression_of() -> Callable[[str], expression.Expression]:
    return lambda text: expression.parse(text, resolve)


@pytest.fixture
def wrong_template() -> Callable[[str], Wrong]:
    return lambda text: wrong(template.parse, text)


@pytest.fixture
def wrong_expression() -> Callable[[str], Wrong]:
    return lambda text: wrong(expression.parse, text)
