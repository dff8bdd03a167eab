"""Whatever the bytes are, there is a valid Edgefile and a report, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.convert.nginx.convert import convert, looks_like
from edgescript.convert.nginx.syntax import MOST_BYTES
from edgescript.convert.report import Conversion, Outcome
from edgescript.graph.load import analyse
from edgescript.text.problem import Severity
from edgescript.text.source import Source

CORPUS = Path(__file__).parent / "corpus"
_CATALOGUE = Catalogue.load()
_TEXTS = [path.read_bytes() for path in sorted(CORPUS.glob("*.conf"))]
#: What breaks a configuration, put where there was something else.
_PIECES = [
    b"{",
    b"}",
    b";",
    b'"',
    b"'",
    b"\\",
    b"$",
    b"${",
    b"#",
    b"\n",
    b"\0",
    b"\xff\xfe",
    b"(",
    b")",
    b"~",
    b"*",
    b"=",
    b"@",
]
_PIECES += [
    b"location ",
    b"if (",
    b"return ",
    b"{}",
    b"{$X}",
    b"{path}",
    b"<<E\n",
    b"`",
    b" ",
    b"/",
    b"999999999999",
    b"\xe2\x80\x8b",
]


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


def converted(data: bytes | str, files: dict[str, bytes] | None = None) -> Conversion:
    """The conversion of bytes, which is held to be valid, with a reason for whatever is not converted."""
    known = files or {}
    source = Source("nginx.conf", data) if isinstance(data, str) else Source.of_bytes("nginx.conf", data)
    looks_like(source)
    conversion = convert(
        source, read=lambda name: known[name] if name in known else _nothing(name), find=lambda _: sorted(known)
    )
    problems = analyse(Source("Edgefile", conversion.text), catalogue=_CATALOGUE, environment={}).problems
    assert [problem.message for problem in problems if problem.severity is Severity.ERROR] == [], conversion.text
    assert all(one.reason for one in conversion.report.open())
    return conversion


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file of the corpus with pieces put in, taken out, or exchanged."""
    data = bytearray(draw(st.sampled_from(_TEXTS)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 0, 1, 2, 5, 20]))
        data[start : start + length] = draw(st.sampled_from(_PIECES) | st.binary(max_size=3))
    return bytes(data)


_SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SETTINGS
@given(mutated())
def test_any_change_of_a_file_gives_an_edgefile_and_a_report(data: bytes) -> None:
    converted(data)


@_SETTINGS
@given(st.binary(max_size=300))
def test_any_bytes_give_an_edgefile_and_a_report(data: bytes) -> None:
    converted(data)


_WORD = st.text(st.characters(codec="utf-8", exclude_characters="\"'\\\0"), max_size=12)
_NAMES = st.sampled_from(
    [
        *("return", "rewrite", "set", "if", "root", "alias", "index", "try_files", "proxy_pass", "proxy_set_header"),
        *(
            "add_header",
            "expires",
            "allow",
            "deny",
            "error_page",
            "listen",
            "server_name",
            "internal",
            "location",
            "map",
        ),
        *("upstream", "server", "access_log", "client_max_body_size", "limit_except", "types", "geo", "proxy_redirect"),
    ]
)


@_SETTINGS
@given(st.lists(st.tuples(_NAMES, st.lists(_WORD, max_size=4), st.booleans()), max_size=8))
def test_directives_with_any_words_give_an_edgefile_and_a_report(lines: list[tuple[str, list[str], bool]]) -> None:
    text = "server {\n"
    for name, words, is_block in lines:
        text += " ".join([name, *(f'"{word}"' for word in words)]) + (" { return 200 x; }\n" if is_block else ";\n")
    converted(text + "}\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("server {", 'unexpected end of file, expecting "}"'),
        ("server { listen 80; } }", 'unexpected "}"'),
        ("server { listen 80 }", "the text ends in the middle of a directive or a quoted text"),
        ('return 200 "x;', "the text ends in the middle of a directive or a quoted text"),
        ("server { include absent.conf; }", "absent.conf cannot be read: No such file or directory"),
        ("location / {" * 3000 + "}" * 3000, "blocks are nested too deep"),
        ("location / {" * 60 + "}" * 60, "blocks are nested too deep"),
        ("\0\1\2", "this is no text"),
        ("#" * (MOST_BYTES + 1), "more than 4 MiB are not read"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, reason: str) -> None:
    report = converted(text).report
    assert reason in [one.reason for one in report.remarks]


def test_an_include_cycle_is_said_once() -> None:
    files = {"a.conf": b"include b.conf; return 200 a;", "b.conf": b"include a.conf;"}
    report = converted("server { include a.conf; }", files).report
    assert [one.reason for one in report.open()] == ["a.conf includes itself, or too many files are included"]


def test_files_that_include_each_other_many_times_come_to_an_end() -> None:
    files = {f"{number}.conf": f"include {number + 1}.conf;".encode() * 10 for number in range(20)}
    assert converted("server { include 0.conf; }", files).report.open()


def test_included_files_are_read_where_they_are_named() -> None:
    files = {
        "sites/b.conf": b"server { server_name b.example; return 200 b; }",
        "sites/a.conf": b"server { return 200 a; }",
    }
    conversion = converted("http { include sites/*.conf; }", files)
    assert conversion.report.is_complete
    assert [one.place for one in conversion.report.remarks if one.written.startswith("return")] == [
        "sites/a.conf:1",
        "sites/b.conf:1",
    ]


def test_a_large_file_is_converted() -> None:
    text = "".join(f"server {{ server_name h{number}.example; return 200 x; }}\n" for number in range(2000))
    conversion = converted(text)
    assert conversion.report.is_complete
    assert conversion.text.count("respond 200 x") == 2000


def test_a_small_file_cannot_ask_for_an_endless_edgefile() -> None:
    inner = "".join(
        f"location /{number}/ {{ rewrite ^/{number}/a /{(number + 1) % 40}/x last; rewrite ^ /{(number + 7) % 40}/x last; }}\n"
        for number in range(40)
    )
    pages = " ".join(f"error_page {number} /{number % 40}/x;" for number in range(400, 520))
    conversion = converted(f"server {{ {pages} {inner} }}")
    assert len(conversion.text) < 4_000_000
    assert {one.outcome for one in conversion.report.remarks} <= set(Outcome)


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    conversion = convert(
        Source("nginx.conf", "\ufeffserver {\r\nreturn 200 x;\r\n}\r\n"), read=_missing, find=lambda _: []
    )
    assert "respond 200 x" in conversion.text


def test_a_file_that_ends_too_early_stays_whole_as_a_comment() -> None:
    text = "server {\n    listen 80;\n    location / {\n        deny all;\n    }\n"
    conversion = convert(Source("half.conf", text), read=_missing, find=lambda _: [])
    for line in text.splitlines():
        assert f"# {line}".strip() in conversion.text
    assert [one.written for one in conversion.report.open()] == ["half.conf"]


def test_files_that_no_name_fits_are_reported_once() -> None:
    source = Source("nginx.conf", "http { include conf.d/*.conf; server { return 200 x; } }")
    conversion = convert(source, read=_missing, find=lambda _: [])
    assert [(one.written, one.reason) for one in conversion.report.open()] == [
        ("include conf.d/*.conf;", "no file has such a name")
    ]
    assert sum("include" in one.written for one in conversion.report.remarks) == 1


def test_a_table_whose_file_is_read_is_whole() -> None:
    text = "http { map $host $bad { include bad.map; } server { if ($bad) { return 403; } root /srv; } }"
    conversion = convert(Source("nginx.conf", text), read=lambda _: b"a.example 1;", find=lambda _: [])
    assert "error @bad 403" in conversion.text
    assert "@refused" not in conversion.text


def _missing(name: str) -> bytes:
    raise FileNotFoundError(2, "no such file", name)
