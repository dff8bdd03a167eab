from __future__ import annotations

from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.describe import Description, as_markdown, as_schema, as_text, describe, examples, option_names


@pytest.fixture
def answer(catalogue: Catalogue) -> Description:
    return describe(_entry(catalogue.directive("answer")))


@pytest.fixture
def forward(catalogue: Catalogue) -> Description:
    return describe(_entry(catalogue.directive("forward")))


def _entry(entry: Any) -> Any:
    assert entry is not None
    return entry


def test_the_documentation_is_the_docstring_in_parts(answer: Description) -> None:
    assert answer.summary == "Answer with a status and a text."
    assert answer.body == "The text may have placeholders."
    assert answer.usage == "answer [<matcher>] [<status>] [<text>] [{ … }]"
    (example,) = answer.examples
    assert example.startswith(":80 {\n    answer 404")
    assert example.endswith("}\n")


def test_fields_are_told_as_they_are_written(forward: Description) -> None:
    told = {field.name: (field.syntax, field.default, field.required, field.repeated) for field in forward.fields}
    assert told == {
        "to": ("<to>…", None, True, False),
        "balance": ("balance <balancing policy>", "first", False, False),
        "health": ("health [<path>] [{ … }]", None, False, False),
        "set": ("set <name> [<value>]", None, False, True),
        "only": ("only <network>…", None, False, False),
        "window": ("window <duration> <size>", None, False, False),
        "limit": ("limit <rate>", None, False, False),
        "key": ("key <template>", "{client_ip}", False, False),
    }
    health = next(field for field in forward.fields if field.name == "health")
    assert [(field.name, field.expected) for field in health.fields][1] == (
        "interval",
        "a duration such as 10s, at least 1s, at most 1h",
    )


def test_the_page_for_a_terminal_says_everything(answer: Description) -> None:
    text = as_text(answer)
    assert text.startswith("answer: directive (answers the request)\n\n    answer [<matcher>]")
    for part in (
        "Arguments\n    <status>\n        The status.",
        "close [on|off]",
        "Default: `plain`.",
        "Example\n    :80 {",
    ):
        assert part in text


def test_the_reference_page_has_the_same_facts(answer: Description) -> None:
    page = as_markdown(answer)
    assert page.startswith("# answer\n\n*Directive, answers the request.*\n")
    assert "- `mode <plain|html>`: What the text is. Default: `plain`." in page
    assert "```edgefile\n:80 {" in page


def test_the_schema_has_types_and_defaults(answer: Description, forward: Description) -> None:
    schema = as_schema(answer)
    assert schema["properties"]["status"] == {"description": "The status.", "type": "integer", "default": 200}
    assert schema["properties"]["close"]["default"] is False
    assert schema["properties"]["mode"]["enum"] == ["plain", "html"]
    schema = as_schema(forward)
    assert schema["required"] == ["to"]
    assert schema["properties"]["to"]["type"] == "array"
    assert schema["properties"]["health"]["properties"]["interval"]["default"] == "10s"
    assert schema["properties"]["set"]["items"]["required"] == ["name"]


def test_placeholders_are_told_by_how_they_are_written(catalogue: Catalogue) -> None:
    assert describe(_entry(catalogue.placeholder("header"))).usage == "{header.X-Level}"
    assert describe(_entry(catalogue.placeholder("err"))).usage == "{err.status} {err.message}"


def test_an_editor_knows_the_options_of_every_depth(forward: Description) -> None:
    assert {"balance", "health", "interval"} <= set(option_names([forward]))


def test_a_docstring_without_example_has_none() -> None:
    assert list(examples("Nothing.")) == list(examples(None)) == []
