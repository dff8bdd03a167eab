"""What request fields say of a trace, in each format: tables of cases, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.http.headers import Headers
from edgescript.observe.tracing.propagation import FORMATS, MOST_STATE, Parent, Propagation, baggage

T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SHORT = S.rjust(32, "0")


def headers(**fields: str) -> Headers:
    return [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in fields.items()]


@pytest.mark.parametrize(
    ("name", "given", "parent"),
    [
        ("w3c", headers(traceparent=f"00-{T}-{S}-01"), Parent(T, S, True)),
        ("w3c", headers(traceparent=f"00-{T}-{S}-00"), Parent(T, S, False)),
        ("w3c", headers(traceparent=f" 00-{T}-{S}-03\t"), Parent(T, S, True)),
        ("w3c", headers(traceparent=f"00-{T}-{S}-01", tracestate="a=1,b=2"), Parent(T, S, True, b"a=1,b=2")),
        # A later version may say more (W3C Trace Context 2.2.4).
        ("w3c", headers(traceparent=f"01-{T}-{S}-01-more"), Parent(T, S, True)),
        ("w3c", headers(traceparent=f"00-{T}-{S}-01-more"), None),
        ("w3c", headers(traceparent=f"ff-{T}-{S}-01"), None),
        ("w3c", headers(traceparent=f"00-{T.upper()}-{S}-01"), None),
        ("w3c", headers(traceparent=f"00-{'0' * 32}-{S}-01"), None),
        ("w3c", headers(traceparent=f"00-{T}-{'0' * 16}-01"), None),
        ("w3c", headers(traceparent=f"00-{T[:-1]}-{S}-01"), None),
        ("w3c", headers(traceparent=""), None),
        ("w3c", headers(tracestate="a=1"), None),
        ("w3c", headers(traceparent=f"00-{T}-{S}-01", tracestate="x" * (MOST_STATE + 1)), Parent(T, S, True)),
        ("w3c", [*headers(traceparent=f"00-{T}-{S}-01"), *headers(traceparent=f"00-{T}-{S}-01")], None),
        ("b3", headers(b3=f"{T}-{S}-1"), Parent(T, S, True)),
        ("b3", headers(b3=f"{T}-{S}-0"), Parent(T, S, False)),
        ("b3", headers(b3=f"{T}-{S}-d"), Parent(T, S, True)),
        ("b3", headers(b3=f"{T}-{S}"), Parent(T, S, None)),
        ("b3", headers(b3=f"{T}-{S}-1-{S}"), Parent(T, S, True)),
        ("b3", headers(b3=f"{S}-{S}-1"), Parent(SHORT, S, True)),
        ("b3", headers(b3="0"), Parent("", "", False)),
        ("b3", headers(b3="1"), Parent("", "", True)),
        ("b3", headers(b3=f"{T}-{S}-2"), None),
        ("b3", headers(b3=f"{'0' * 32}-{S}-1"), None),
        ("b3multi", headers(X_B3_TraceId=T, X_B3_SpanId=S, X_B3_Sampled="1"), Parent(T, S, True)),
        ("b3multi", headers(X_B3_TraceId=T.upper(), X_B3_SpanId=S, X_B3_Sampled="0"), Parent(T, S, False)),
        ("b3multi", headers(X_B3_TraceId=S, X_B3_SpanId=S, X_B3_Sampled="true"), Parent(SHORT, S, True)),
        ("b3multi", headers(X_B3_TraceId=T, X_B3_SpanId=S), Parent(T, S, None)),
        ("b3multi", headers(X_B3_TraceId=T, X_B3_SpanId=S, X_B3_Flags="1"), Parent(T, S, True)),
        ("b3multi", headers(X_B3_Sampled="0"), Parent("", "", False)),
        ("b3multi", headers(X_B3_TraceId=T), None),
        ("b3multi", headers(X_B3_TraceId="x", X_B3_SpanId=S), None),
        ("jaeger", headers(uber_trace_id=f"{T}:{S}:0:1"), Parent(T, S, True)),
        ("jaeger", headers(uber_trace_id=f"{T}:{S}:{S}:0"), Parent(T, S, False)),
        ("jaeger", headers(uber_trace_id=f"{T}%3A{S}%3A0%3A3"), Parent(T, S, True)),
        ("jaeger", headers(uber_trace_id="1:2:0:1"), Parent("1".rjust(32, "0"), "2".rjust(16, "0"), True)),
        ("jaeger", headers(uber_trace_id="0:2:0:1"), None),
        ("jaeger", headers(uber_trace_id=f"{T}:{S}:0"), None),
    ],
)
def test_a_format_says_where_a_request_comes_from(name: str, given: Headers, parent: Parent | None) -> None:
    assert Propagation([name]).extract([(b"host", b"x"), *given]) == parent


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("sampled", [True, False])
def test_what_a_format_writes_it_reads(name: str, sampled: bool) -> None:
    made: Headers = [(b"accept", b"*/*")]
    propagation = Propagation([name])
    propagation.inject(made, T, S, sampled=sampled, state=b"")
    assert propagation.extract(made) == Parent(T, S, sampled)
    assert made[0] == (b"accept", b"*/*")


def test_what_a_request_said_before_is_not_passed_on_beside_the_new() -> None:
    made = headers(traceparent="old", tracestate="old", b3="old", x_other="stays")
    Propagation(["w3c", "b3"]).inject(made, T, S, sampled=True, state=b"a=1")
    assert made == [
        (b"x-other", b"stays"),
        (b"traceparent", f"00-{T}-{S}-01".encode()),
        (b"tracestate", b"a=1"),
        (b"b3", f"{T}-{S}-1".encode()),
    ]


def test_of_several_formats_the_first_that_has_a_trace_counts() -> None:
    both = headers(traceparent="nonsense", b3=f"{T}-{S}-1")
    assert Propagation(["w3c", "b3"]).extract(both) == Parent(T, S, True)
    decided = headers(b3="0", traceparent=f"00-{T}-{S}-01")
    assert Propagation(["b3", "w3c"]).extract(decided) == Parent(T, S, True)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(name for one in FORMATS.values() for name in one.fields)),
            st.one_of(st.binary(max_size=80), st.text("0123456789abcdef-:%3A,=", max_size=80).map(str.encode)),
        ),
        max_size=8,
    )
)
def test_no_bytes_in_the_fields_raise_or_make_ids_of_another_form(given: Headers) -> None:
    parent = Propagation(list(FORMATS)).extract(given)
    if parent is not None and parent.trace_id:
        assert len(parent.trace_id) == 32
        assert len(parent.span_id) == 16
        assert int(parent.trace_id, 16)
        assert int(parent.span_id, 16)


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (None, {}),
        (b"a=1", {"a": "1"}),
        (b"a=1;p=x, b = two%20words ;q", {"a": "1", "b": "two words"}),
        (b"a=1,a=2", {"a": "1"}),
        (b"nothing,=x,b=", {"b": ""}),
        (b"a=" + b"x" * 9000, {}),
        (b"\xff=1,c=3", {"c": "3"}),
    ],
)
def test_baggage_is_read_member_by_member(value: bytes | None, members: dict[str, str]) -> None:
    assert baggage(value) == members
