"""Any bytes give a valid Edgefile and a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.convert.caddy.convert import MAX_SIZE, convert, looks_like
from edgescript.convert.report import Conversion
from edgescript.text.source import Source

_TEXTS = [file.read_text() for file in sorted((Path(__file__).parent / "corpus").glob("*.Caddyfile"))]
_SNIPPETS = ["{", "}", '"', "`", "\n", "\\", "\\\n", "<<E\n", "@x", "*", "/", "#", "\x00", "\ud800", "\r", "{$A}", "{x}",
             "{block}", "{args[0]}", "{args[:]}", "import x\n", "(x) {\n", "&(x) {\n", "invoke x\n", "handle {\n", "route {\n",
             "not ",
             "expression {path} == ", "header -", "{http.request.uri}", "respond ", "http://", ":80", ","]  # fmt: skip
_SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(_SNIPPETS) | st.text(max_size=6)),
    min_size=1,
    max_size=12,
)


def _mutated(text: str, edits: list[tuple[float, int, str]]) -> str:
    for where, taken, put in edits:
        at = int(where * len(text))
        text = text[:at] + put + text[at + taken :]
    return text


@given(text=st.sampled_from(_TEXTS), edits=_edits)
@_SETTINGS
def test_mutated_caddyfiles_give_valid_edgefiles(
    text: str,
    edits: list[tuple[float, int, str]],
    converted: Callable[..., Conversion],
    errors_of: Callable[[str], list[str]],
) -> None:
    conversion = converted(_mutated(text, edits))
    conversion.text.encode()
    assert errors_of(conversion.text) == []


@given(data=st.binary(max_size=400))
@_SETTINGS
def test_any_bytes_give_a_valid_edgefile(data: bytes, errors_of: Callable[[str], list[str]]) -> None:
    source = Source.of_bytes("Caddyfile", data)
    looks_like(source)
    conversion = convert(source, read=lambda name: data, find=lambda pattern: [pattern])
    assert errors_of(conversion.text) == []


def test_blocks_nested_without_end_are_reported(converted: Callable[..., Conversion]) -> None:
    conversion = converted("harbour.example {\n" + "handle {\n" * 3000 + "respond x\n" + "}\n" * 3001)
    assert any("nested more than" in remark.reason for remark in conversion.report.remarks)


def test_expressions_nested_without_end_are_reported(converted: Callable[..., Conversion]) -> None:
    conversion = converted(f"harbour.example {{\n@x expression `{'(' * 3000}`\nrespond @x no\n}}\n")
    assert any("nested too deep" in remark.reason for remark in conversion.report.remarks)


def test_an_import_of_itself_is_reported(converted: Callable[..., Conversion]) -> None:
    conversion = converted("(a) {\nimport b\n}\n(b) {\nimport a\n}\nharbour.example {\nimport a\nrespond x\n}\n")
    assert any("imports itself: a > b > a" in remark.reason for remark in conversion.report.remarks)
    assert "respond x" in conversion.text


def test_imports_that_multiply_are_bounded(converted: Callable[..., Conversion]) -> None:
    levels = "".join(f"(s{n}) {{\n" + f"import s{n + 1}\n" * 20 + "}\n" for n in range(12))
    conversion = converted(f"{levels}(s12) {{\nheader A b\n}}\nharbour.example {{\nimport s0\n}}\n")
    assert any("imports come to more than" in remark.reason for remark in conversion.report.remarks)


def test_a_file_that_is_too_large_is_reported(converted: Callable[..., Conversion]) -> None:
    conversion = converted("x" * (MAX_SIZE + 1))
    assert not conversion.report.is_complete
    assert len(conversion.text) < 200


def test_an_imported_file_is_read_and_a_missing_one_reported(converted: Callable[..., Conversion]) -> None:
    text = "harbour.example {\nimport pier\nimport missing\n}\n"
    conversion = converted(text, {"pier": "respond /pier afloat\n"})
    assert "respond /pier afloat" in conversion.text
    assert "# not converted: import missing" in conversion.text
    assert [remark.written for remark in conversion.report.remarks if "cannot be read" in remark.reason] == [
        "import missing"
    ]
