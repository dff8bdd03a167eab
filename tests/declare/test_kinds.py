from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.declare import kinds, values
from edgescript.declare.entries import Placeholder
from edgescript.declare.kinds import KINDS, Kind, KindError, Rate, StatusPattern, kind_of
from edgescript.declare.scope import Scope
from edgescript.declare.values import Address

#: What a template says where there is no better hint.
MANY_NINES = "9" * 5000


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "word", "word"),
        (int, "-3", -3),
        (float, "1.5", 1.5),
        (bool, "on", True),
        (bool, "off", False),
        (Literal["a", "b"], "b", "b"),
        (kinds.Duration, "0", 0.0),
        (kinds.Duration, "250ms", 0.25),
        (kinds.Duration, "1h30m", 5400.0),
        (kinds.Duration, "7d", 604800.0),
        (kinds.Duration, "1.5s", 1.5),
        (kinds.Size, "512", 512),
        (kinds.Size, "64KiB", 65536),
        (kinds.Size, "10MB", 10_000_000),
        (kinds.Size, "1.5kb", 1500),
        (kinds.Rate, "10/s", Rate(10, 1.0)),
        (kinds.Rate, "600/10m", Rate(600, 600.0)),
        (kinds.Percentage, "12.5%", 0.125),
        (kinds.Status, "404", 404),
        (kinds.StatusPattern, "5xx", StatusPattern(5, True)),
        (kinds.StatusPattern, "404", StatusPattern(404, False)),
        (kinds.HeaderName, "X-Level", b"x-level"),
        (kinds.PathPattern, "*.php", "*.php"),
        (kinds.Address, "localhost:8080", Address("", "", "localhost", 8080)),
        (kinds.Address, ":8080", Address("", "", "", 8080)),
        (kinds.Address, "app", Address("", "", "app", None)),
        (kinds.Address, "https://app.example.com", Address("", "https", "app.example.com", None)),
        (kinds.Address, "http://app:80/base", Address("", "http", "app", 80, "/base")),
        (kinds.Address, "H2C://[::1]:8080", Address("", "h2c", "::1", 8080)),
        (kinds.Address, "unix//run/app.sock", Address("", "unix", "", None, "/run/app.sock")),
        (kinds.Address, "unix:///run/app.sock", Address("", "unix", "", None, "/run/app.sock")),
        (kinds.Address, "srv+http://_http._tcp.app", Address("", "srv+http", "_http._tcp.app", None)),
    ],
)
def test_a_text_means_its_value(scope: Scope, annotation: Any, text: str, value: Any) -> None:
    kind = kind_of(annotation)
    assert kind is not None
    assert kind.parse(text, scope) == value


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (int, "1.5", "expected a whole number"),
        (int, MANY_NINES, "expected a whole number"),
        (float, "nan", "expected a number"),
        (bool, "true", "expected on or off"),
        (Literal["a", "b"], "c", "expected a or b"),
        (kinds.Duration, "10", "expected a duration"),
        (kinds.Duration, "-1s", "expected a duration"),
        (kinds.Duration, "1h 30m", "expected a duration"),
        (kinds.Duration, f"{MANY_NINES}d", "expected a duration"),
        (kinds.Size, "10 MB", "expected a size"),
        (kinds.Size, "0.5", "whole number of bytes"),
        (kinds.Size, "10XB", "expected a size"),
        (kinds.Size, "10iB", "expected a size"),
        (kinds.Size, "10\N{KELVIN SIGN}B", "expected a size"),
        (kinds.Size, "\N{ARABIC-INDIC DIGIT THREE}MB", "expected a size"),
        (kinds.Rate, "10", "expected a rate"),
        (kinds.Rate, "10/fortnight", "expected a unit of time"),
        (kinds.Rate, "0/s", "at least one"),
        (kinds.Rate, "5/0s", "at least one"),
        (kinds.Percentage, "101%", "from 0% to 100%"),
        (kinds.Percentage, "0.5", "from 0% to 100%"),
        (kinds.Status, "99", "expected a status code"),
        (kinds.Status, "600", "expected a status code"),
        (kinds.StatusPattern, "6xx", "or a class"),
        (kinds.HeaderName, "X Level", "name of a header field"),
        (kinds.HeaderName, "", "name of a header field"),
        (kinds.PathPattern, "api", "begins with / or *"),
        (kinds.Address, "", "expected an address"),
        (kinds.Address, "app:0", "from 1 to 65535"),
        (kinds.Address, "app:65536", "from 1 to 65535"),
        (kinds.Address, "app:", "from 1 to 65535"),
        (kinds.Address, "app:8o80", "from 1 to 65535"),
        (kinds.Address, "app:٣٣", "from 1 to 65535"),
        (kinds.Address, "ftp://app", 'the scheme "ftp" is none of'),
        (kinds.Address, "app:80/x", "needs a scheme in front"),
        (kinds.Address, "::1", "in brackets"),
        (kinds.Address, "[::g]:80", "in brackets"),
        (kinds.Address, "[::1", "in brackets"),
        (kinds.Address, "[::1]80", "from 1 to 65535"),
        (kinds.Address, "a b:80", "no host name has"),
        (kinds.Address, "user@app:80", "no user"),
        (kinds.Address, "http://user:pass@app", "no user"),
        (kinds.Address, "3000", "a host cannot be a number"),
        (kinds.Address, "http://", "expected an address"),
        (kinds.Address, "unix/run/app.sock", "path of a socket"),
        (kinds.Cidr, "10.0.0.0/33", "expected an IP address"),
        (kinds.Cidr, "example.com", "expected an IP address"),
        (kinds.Pattern, "a(b", "missing )"),
        (kinds.Pattern, "(" * 5000, "regular expression"),
    ],
)
def test_a_text_of_another_kind_is_refused(scope: Scope, annotation: Any, text: str, message: str) -> None:
    kind = kind_of(annotation)
    assert kind is not None
    with pytest.raises(KindError) as caught:
        kind.parse(text, scope)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("annotation", "text", "start", "end"),
    [
        (kinds.Address, "app:99999", 4, 9),
        (kinds.Address, "ftp://app", 0, 3),
        (kinds.Address, "http://a b:80", 7, 10),
        (kinds.Pattern, "ab(c", 2, 3),
        (kinds.HeaderName, "X Level", 1, 2),
    ],
)
def test_the_wrong_part_is_pointed_at(scope: Scope, annotation: Any, text: str, start: int, end: int) -> None:
    kind = kind_of(annotation)
    assert kind is not None
    with pytest.raises(KindError) as caught:
        kind.parse(text, scope)
    assert (caught.value.start, caught.value.end) == (start, end)


def test_private_ranges_stand_for_several_networks(scope: Scope) -> None:
    networks = kinds.CIDR.parse("private_ranges", scope).networks
    assert ip_network("10.0.0.0/8") in networks
    assert ip_network("fd00::/8") in networks
    assert kinds.CIDR.parse("10.1.2.3/8", scope).networks == (ip_network("10.0.0.0/8"),)


def test_status_patterns_match_a_status_or_a_class() -> None:
    assert StatusPattern(5, True).matches(503)
    assert not StatusPattern(5, True).matches(404)
    assert StatusPattern(404, False).matches(404)
    assert not StatusPattern(404, False).matches(405)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not kinds.SECRET], ids=lambda kind: kind.name)
def test_samples_are_good_and_come_back_from_what_is_shown(catalogue: Catalogue, kind: Kind) -> None:
    extended = catalogue.with_entries(placeholder("method"), placeholder("path"))
    scope = Scope(extended)
    for sample in kind.samples:
        value = kind.parse(sample, scope)
        again = kind.parse(kind.show(value), scope)
        assert _comparable(again) == _comparable(value)


def placeholder(name: str) -> Placeholder:
    return Placeholder(name, "For a test.", read=lambda exchange: name)


def _comparable(value: Any) -> Any:
    return getattr(value, "text", value) if isinstance(value, kinds.Template | kinds.Expression) else value


PLAIN = [
    kind
    for kind in KINDS
    if kind not in (kinds.TEMPLATE, kinds.URI_TEMPLATE, kinds.PATH_TEMPLATE, kinds.EXPRESSION, kinds.SECRET)
]


def test_a_secret_is_never_shown() -> None:
    scope: Any = None
    value = kinds.SECRET.parse("hunter2", scope)
    assert value.value == "hunter2"
    assert "hunter2" not in f"{kinds.SECRET.show(value)} {value!r} {value}"


@given(st.integers(0, 10**15).map(lambda microseconds: microseconds / 1e6))
def test_any_duration_comes_back(seconds: float) -> None:
    assert values.duration(values.show_duration(seconds)) == seconds


@given(st.integers(0, 10**17))
def test_any_size_comes_back(size: int) -> None:
    assert values.size(values.show_size(size)) == size


@given(st.integers(1, 10**9), st.integers(1, 10**10).map(lambda microseconds: microseconds / 1e6))
def test_any_rate_comes_back(count: int, period: float) -> None:
    assert values.rate(values.show_rate(Rate(count, period))) == Rate(count, period)


@given(st.integers(0, 10**8).map(lambda millionths: f"{millionths / 1e6:.6f}%"))
def test_any_percentage_comes_back(text: str) -> None:
    scope: Any = None
    value = kinds.PERCENTAGE.parse(text, scope)
    assert kinds.PERCENTAGE.parse(kinds.PERCENTAGE.show(value), scope) == value


@given(
    st.sampled_from(["", "http", "https", "h2c", "tcp"]),
    st.one_of(st.from_regex(r"[a-z]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True), st.ip_addresses().map(str)),
    st.integers(1, 65535),
)
def test_any_address_comes_back(scheme: str, host: str, port: int) -> None:
    address = Address("", scheme, host, port)
    assert values.address(values.show_address(address)) == address


def mutated(sample: str) -> st.SearchStrategy[str]:
    """The sample with one character replaced by up to three others."""
    return st.builds(
        lambda at, new: sample[:at] + new + sample[at + 1 :], st.integers(0, len(sample)), st.text(max_size=3)
    )


SAMPLES = [sample for kind in PLAIN for sample in kind.samples]


@given(st.one_of(st.text(max_size=40), st.sampled_from(SAMPLES).flatmap(mutated)))
def test_any_text_is_a_value_or_refused_and_what_is_taken_comes_back(text: str) -> None:
    scope: Any = None
    for kind in PLAIN:
        value = None
        with suppress(KindError):
            value = kind.parse(text, scope)
        if value is not None:
            assert kind.parse(kind.show(value), scope) == value


# ---- placeholders in templates


@pytest.mark.parametrize("text", ["{client_ip}", "{header.X-Level}", "{err.status}", "{labels.0}"])
def test_known_placeholders_are_found(scope: Scope, text: str) -> None:
    assert kinds.TEMPLATE.parse(text, scope).constant is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{clint_ip}", 'there is no placeholder "clint_ip"', 'did you mean "client_ip"?'),
        ("{client_ip.x}", 'there is no placeholder "client_ip.x"', 'did you mean "client_ip"?'),
        ("{err.statsu}", 'there is no placeholder "err.statsu"', 'did you mean "err.status"?'),
        ("{header}", 'the placeholder "header" lacks its last part', 'it takes a name, as in "header.X-Level"'),
        ("{labels.one}", 'the placeholder "labels.one": expected a number behind the dot', None),
    ],
)
def test_unknown_placeholders_are_told_with_the_nearest_known(
    scope: Scope, text: str, message: str, hint: str | None
) -> None:
    with pytest.raises(KindError) as caught:
        kinds.TEMPLATE.parse(text, scope)
    error = caught.value
    assert (error.code, error.message, error.hint) == ("E104", message, hint)


def test_an_unknown_placeholder_is_pointed_at(scope: Scope) -> None:
    with pytest.raises(KindError) as caught:
        kinds.TEMPLATE.parse("a {client_ip} b {clint_ip} c", scope)
    assert caught.value.start is not None
    assert "clint_ip" in "a {client_ip} b {clint_ip} c"[caught.value.start : caught.value.end]


def test_patterns_are_compiled_once(scope: Scope) -> None:
    assert scope.value(kinds.PATTERN, "^/v1") is scope.value(kinds.PATTERN, "^/v1")
    assert isinstance(scope.value(kinds.PATTERN, "^/v1"), re.Pattern)
