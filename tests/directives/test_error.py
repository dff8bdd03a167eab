from __future__ import annotations

import pytest

from edgescript.http.message import Abort


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("error", 500, ""),
        ("error 404", 404, ""),
        ('error "out of order"', 500, "out of order"),
        ('error 403 "not for {client_ip}"', 403, "not for 192.0.2.1"),
        ("error {\n status 409\n message conflict\n}", 409, "conflict"),
        ("error {query.status}", 500, "410"),
        ('error {query.status} "gone"', 410, "gone"),
    ],
)
def test_status_and_message(site, line, status, reason):
    answer = site(line)("/?status=410")
    assert answer.status == status
    assert (answer.exchange.error.status, answer.exchange.error.reason) == (status, reason)


def test_without_handle_errors_the_message_is_not_sent(site):
    assert site('error 403 "secret"')().text == "403 Forbidden\n"


def test_a_status_that_is_no_error_is_a_problem(mistakes):
    assert mistakes("error 200") == ["E106 a status here is at least 400"]


def test_the_most_specific_handle_errors_answers(site):
    ask = site(
        """
        error /404 404 lost
        error /409 409 conflict
        error /500 500 broken
        handle_errors {
            respond {err.status} "any: {err.message}"
        }
        handle_errors 4xx {
            respond {err.status} "client: {err.message}"
        }
        handle_errors 404 410 {
            respond {err.status} "{err.status_text}: {err.message}"
        }
        """
    )
    assert [(ask(path).status, ask(path).text) for path in ("/404", "/409", "/500", "/none")] == [
        (404, "Not Found: lost"),
        (409, "client: conflict"),
        (500, "any: broken"),
        (404, "Not Found: no directive answered the request"),
    ]


def test_an_error_route_that_fails_leaves_the_plain_page(site):
    answer = site('error 500\nhandle_errors {\n error 503 "again"\n}')()
    assert (answer.status, answer.text) == (503, "503 Service Unavailable\n")


def test_an_error_route_that_answers_nothing_leaves_the_plain_page(site):
    answer = site("error 500\nhandle_errors {\n header X-Seen yes\n}")()
    assert (answer.status, answer.header("x-seen")) == (500, "yes")


def test_wrappers_see_the_answers_to_errors(site):
    assert site("header X-Frame-Options DENY\nerror 500")().header("x-frame-options") == "DENY"


def test_abort_gives_no_answer(site):
    with pytest.raises(Abort):
        site("abort")()
    assert site("abort /x\nrespond ok")("/y").text == "ok"
