from __future__ import annotations

import json
import re
import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.http.message import HTTPError
from edgescript.observe.entry import ERROR, INFO, WARNING
from edgescript.observe.lines import (
    NAMES,
    Added,
    Selection,
    combined_lines,
    common_lines,
    console_lines,
    entries,
    in_text,
    json_lines,
    logfmt_lines,
)
from edgescript.observe.masking import ip_mask


def wall() -> float:
    return 1_700_000_000.25


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


HEADERS = [(b"user-agent", b"curl/8"), (b"referer", b"https://example.org/")]


@pytest.mark.parametrize(
    ("maker", "line"),
    [
        (
            json_lines,
            '{"ts":"2023-11-14T22:13:20.250Z","client_ip":"192.0.2.1","method":"GET","host":"example.com","uri":"/a?b=c",'
            '"protocol":"HTTP/1.1","status":200,"size":5,"duration":0.001235,"user_agent":"curl/8",'
            '"referer":"https://example.org/"}\n',
        ),
        (
            console_lines,
            "2023-11-14T22:13:20.250Z 200 GET example.com /a?b=c 5B 0.001235s 192.0.2.1 protocol=HTTP/1.1 "
            "user_agent=curl/8 referer=https://example.org/\n",
        ),
        (
            logfmt_lines,
            'ts=2023-11-14T22:13:20.250Z client_ip=192.0.2.1 method=GET host=example.com uri="/a?b=c" protocol=HTTP/1.1 '
            "status=200 size=5 duration=0.001235 user_agent=curl/8 referer=https://example.org/\n",
        ),
        (common_lines, '192.0.2.1 - - [14/Nov/2023:23:13:20 +0100] "GET /a?b=c HTTP/1.1" 200 5\n'),
        (
            combined_lines,
            '192.0.2.1 - - [14/Nov/2023:23:13:20 +0100] "GET /a?b=c HTTP/1.1" 200 5 "https://example.org/" "curl/8"\n',
        ),
    ],
)
def test_each_format(ended, maker, line):
    assert maker(wall=wall)(ended(b"/a?b=c", HEADERS)) == line


def test_common_says_nothing_was_sent_as_apache_does_and_combined_as_nginx_does(ended):
    exchange = ended(status=None)
    exchange.sent = 0
    assert common_lines(wall=wall)(exchange).endswith('"GET / HTTP/1.1" 000 -\n')
    assert combined_lines(wall=wall)(exchange).endswith('"GET / HTTP/1.1" 000 0 "-" "-"\n')


@pytest.mark.parametrize(("version", "shown"), [("1.0", "HTTP/1.0"), ("2", "HTTP/2.0"), ("3", "HTTP/3.0")])
def test_combined_names_versions_as_nginx_does(ended, version, shown):
    exchange = ended()
    exchange.version = version
    assert f'"GET / {shown}"' in combined_lines(wall=wall)(exchange)


def test_what_nginx_escapes_is_escaped_as_nginx_does_it():
    assert in_text('a"b\\c\n\x7f é') == "a\\x22b\\x5Cc\\x0A\\x7F \\xC3\\xA9"


def test_a_choice_of_fields(ended):
    selection = Selection(
        keep=frozenset(("client_ip", "status", "upstream", "user_agent")),
        rename={"client_ip": "remote", "upstream": "served_by"},
        changes={"client_ip": ip_mask()},
        added=(Added("tenant", lambda exchange: 'a "b"'),),
    )
    line = json_lines(selection, wall)
    exchange = ended(headers=HEADERS)
    assert line(exchange) == '{"remote":"192.0.2.0","status":200,"user_agent":"curl/8","tenant":"a \\"b\\""}\n'
    exchange.upstream = SimpleNamespace(address="10.0.0.1:80", latency=0.5)
    assert json.loads(line(exchange))["served_by"] == "10.0.0.1:80"
    assert console_lines(selection, wall)(exchange) == (
        '200 remote=192.0.2.0 user_agent=curl/8 tenant="a \\x22b\\x22" served_by=10.0.0.1:80\n'
    )


def test_a_line_without_fields_is_json_too(ended):
    assert json_lines(Selection(keep=frozenset(("error",))), wall)(ended()) == "{}\n"


def test_all_fields_chosen_make_the_usual_line(ended):
    exchange = ended(b"/a?b", HEADERS)
    exchange.upstream = SimpleNamespace(address="10.0.0.1:80", latency=0.5)
    exchange.error = HTTPError(502, "no")
    exchange.span = SimpleNamespace(trace_id="a" * 32, span_id="b" * 16)
    assert exchange.request_id
    assert json_lines(Selection(keep=frozenset(NAMES)), wall)(exchange) == json_lines(wall=wall)(exchange)


class Note:
    def shown(self, exchange):
        return "REDACTED"

    def clear(self, exchange):
        return "clear"


def test_what_was_appended_stands_in_every_line(ended):
    exchange = ended()
    exchange.notes = {"a": Note(), "b": Note()}
    assert json.loads(json_lines()(exchange))["a"] == "REDACTED"
    selection = Selection(drop=frozenset(("a",)), rename={"b": "c"}, changes={"b": str.upper}, hashed=frozenset(("b",)))
    told = json.loads(json_lines(selection)(exchange))
    assert (told.get("a"), told.get("b"), told["c"]) == (None, None, "CLEAR")
    assert " c=CLEAR" in console_lines(selection)(exchange)
    assert ("c", "CLEAR", False) in entries(json_lines(selection), selection)(exchange).fields


@pytest.mark.parametrize(("status", "severity"), [(200, INFO), (404, WARNING), (503, ERROR), (None, ERROR)])
def test_an_entry_has_the_line_its_fields_and_how_bad_it_is(ended, status, severity):
    exchange = ended(b"/a", status=status)
    exchange.span = SimpleNamespace(trace_id="a" * 32, span_id="b" * 16)
    entry = entries(combined_lines(wall=wall), wall=wall)(exchange)
    assert entry.text == combined_lines(wall=wall)(exchange)[:-1]
    assert (entry.severity, entry.when, entry.trace_id) == (severity, wall(), "a" * 32)
    assert {("uri", "/a", False), ("status", str(status or 0), True)} <= set(entry.fields)
    assert len(entry) > len(entry.text)


ANYTHING = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b'"\n{"a":1}', b"\x1b[31m", b"\r\n127.0.0.1 - -", b"\\", b"\xff\xfe", b"%s%%"]),
)


@given(ANYTHING, ANYTHING, ANYTHING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_a_client_sends_makes_one_line_in_every_format(ended, agent, referer, target):
    exchange = ended(headers=[(b"user-agent", agent), (b"referer", referer)])
    exchange.target = b"/" + target
    exchange.host = agent.decode("utf-8", "surrogateescape")
    exchange.original_method = b"G" + referer
    exchange.error = HTTPError(400, referer.decode("utf-8", "surrogateescape"))
    added = Selection(added=(Added("x", lambda exchange: exchange.host),))
    lines = [
        maker(selection, wall)(exchange) for maker in (json_lines, console_lines) for selection in (added, Selection())
    ]
    logfmt = logfmt_lines(added, wall)(exchange)
    pairs = re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "=]*)(?: |\n\Z)', logfmt)
    assert "".join(f"{name}={value} " for name, value in pairs) == logfmt[:-1] + " "
    told = {name: json.loads(value) if value.startswith('"') else value for name, value in pairs}
    assert told["user_agent"] == agent.decode("utf-8", "replace")
    lines += [common_lines(wall=wall)(exchange), combined_lines(wall=wall)(exchange)]
    for line in lines:
        assert line.isascii()
        assert re.fullmatch(r"[ -~]+\n", line)
    for line in lines[:2]:
        assert json.loads(line)["user_agent"] == agent.decode("utf-8", "replace")
    for line in lines[4:]:
        assert line.count('"') == (2 if line is lines[4] else 6)
