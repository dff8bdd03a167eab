"""The configuration: what is in use, what was, and another one in its place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edgescript.admin.operator import Past
from tests.admin.conftest import TEXT, Answer, FakeOperator, RunningAdmin

OTHER = ":80 {\n\trespond 200 other\n}\n"


def post(admin: RunningAdmin, text: str | bytes, query: str = "", **headers: str) -> Answer:
    return admin.ask("POST", f"/config{query}", text, content_type="text/edgefile", **headers)


def test_the_text_in_use_is_given_as_written(admin: RunningAdmin) -> None:
    answer = admin.get("/config")
    assert answer.text == TEXT
    assert answer.headers["content-type"] == "text/edgefile; charset=utf-8"
    told = admin.get("/config", Accept="application/json").json
    assert (told["text"], told["number"], told["source"]) == (TEXT, 1, "start")
    assert told["etag"] == answer.headers["etag"]


def test_the_history_is_listed_and_each_of_it_can_be_had(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.pasts.insert(0, Past(2, 200.0, "signal", "Edgefile", OTHER))
    listed = admin.get("/config?history").json
    assert [(past["number"], past["source"]) for past in listed] == [(2, "signal"), (1, "start")]
    assert "text" not in listed[0]
    assert admin.get("/config?number=1").text == TEXT
    assert admin.get("/config?number=7").status == 404
    assert admin.get("/config?number=x").status == 400


def test_another_configuration_is_put_to_use(admin: RunningAdmin, operator: FakeOperator) -> None:
    answer = post(admin, OTHER)
    assert (answer.status, answer.json["done"], answer.json["number"]) == (200, True, 2)
    assert (operator.pasts[0].text, operator.pasts[0].source) == (OTHER, "admin")
    assert answer.headers["etag"] == admin.get("/config").headers["etag"]
    assert post(admin, OTHER, accept="text/plain").text == "configuration 3 is in use\n"


def test_a_dry_run_says_the_same_and_changes_nothing(admin: RunningAdmin, operator: FakeOperator) -> None:
    answer = post(admin, OTHER, "?dry_run")
    assert (answer.status, answer.json["done"]) == (200, False)
    assert post(admin, OTHER, "?dry_run", accept="text/plain").text == "it could be put to use; nothing has changed\n"
    wrong = post(admin, ":80 {\n respnd\n}\n", "?dry_run")
    assert (wrong.status, wrong.json["problems"][0]["line"]) == (422, 2)
    operator.reason = "Edgefile has no site"
    unusable = post(admin, "", "?dry_run")
    assert (unusable.status, unusable.json["reason"]) == (409, "Edgefile has no site")
    assert len(operator.pasts) == 1
    assert operator.last is None


def test_if_match_keeps_one_from_undoing_what_another_did(admin: RunningAdmin, operator: FakeOperator) -> None:
    seen = admin.get("/config").headers["etag"]
    assert post(admin, OTHER, if_match=seen).status == 200
    answer = post(admin, TEXT, if_match=seen)
    assert answer.status == 412
    assert answer.headers["etag"] == admin.get("/config").headers["etag"]
    assert operator.pasts[0].text == OTHER
    assert post(admin, TEXT, "?dry_run", if_match=seen).status == 412
    assert post(admin, TEXT, if_match=f'"0-0", {answer.headers["etag"]}').status == 200
    assert post(admin, TEXT, if_match="*").status == 200
    assert post(admin, TEXT, if_match=f"W/{admin.get('/config').headers['etag']}").status == 412


def test_the_same_text_applied_twice_has_two_tags(admin: RunningAdmin) -> None:
    assert post(admin, TEXT).headers["etag"] != post(admin, TEXT).headers["etag"]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "text/html"]
)
def test_only_an_edgefile_is_taken(admin: RunningAdmin, operator: FakeOperator, kind: str) -> None:
    assert admin.ask("POST", "/config", OTHER, content_type=kind).status == 415
    assert len(operator.pasts) == 1


def test_two_that_write_at_once_are_taken_one_after_the_other(admin: RunningAdmin) -> None:
    from concurrent.futures import ThreadPoolExecutor

    seen = admin.get("/config").headers["etag"]
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: post(admin, OTHER, if_match=seen).status, range(8)))
    assert statuses == [200] + [412] * 7


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@example(b"\xef\xbb\xbf{")
@example(b"{\n" * 5000)
@example(b"\0")
@example(b"import /dev/zero")
@example(b"}" * 100)
def test_garbage_is_a_clear_error_and_changes_nothing(admin: RunningAdmin, operator: FakeOperator, data: bytes) -> None:
    before = operator.pasts[0]
    answer = post(admin, data)
    if answer.status == 200:  # an empty file means nothing, and is no garbage
        assert not answer.json["problems"] or answer.json["done"]
        return
    assert answer.status in (400, 422)
    assert answer.json["detail"]
    assert operator.pasts[0] is before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text("GETPOSHD", min_size=1, max_size=7),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40),
    st.dictionaries(
        st.sampled_from(["Accept", "If-Match", "Content-Type", "Authorization", "Sec-Fetch-Site"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    ),
    st.binary(max_size=100),
)
def test_no_request_is_answered_with_a_fault_of_ours(
    admin: RunningAdmin, operator: FakeOperator, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    answer = admin.ask(method, f"/{path}", body, **headers)
    assert answer.status < 500 or answer.status == 501
    assert len(operator.pasts) == 1
