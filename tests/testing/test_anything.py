"""Whatever stands in a `test` block: it is a problem with a place, or a test that passes or fails."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edgescript.testing.check import Report
from edgescript.testing.scenario import _EXPECTATIONS, _OF_UPSTREAM, _REQUEST, _STAND_IN, _TEST

Check = Callable[[str], Report]

SITE = """:80 {
    handle /api/* {
        proxy 10.0.0.1:8080 {
            response_header_timeout 5s
        }
    }
    handle /gone {
        abort
    }
    handle /broken {
        broken
    }
    respond "{method} {query.x} {time.now}"
}
"""
TABLES = (_TEST, _REQUEST, _STAND_IN, _EXPECTATIONS, _OF_UPSTREAM)
OTHERS = """
    not none GET / /api/x /gone /broken http://localhost/ https://x/ http://[ 10.0.0.1:8080 * 200 5xx 99 10s 3d -1 ~( ~a|b
    2026-01-01T00:00:00Z "" "a\\nb" X-Y é {path}
"""
WORDS = st.sampled_from([*(word for table in TABLES for word in table), *OTHERS.split()])
LINES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
STAND_INS = st.lists(LINES, max_size=3).map(lambda lines: "upstream 10.0.0.1:8080 {\n" + "\n".join(lines) + "\n}")
SOUND = st.sampled_from(
    ["request GET /api/x", "request POST /", "expect status 200", "expect abort", "after 1h", "body x"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES | SOUND | STAND_INS, max_size=6))
@example(["request GET /", "expect not status 5xx", "request GET /broken", "expect status 200"])
@example(["upstream * {\nstatus 101\nbody x\n}", "request GET /api/x", "expect status 200"])
def test_any_lines_give_problems_or_results(run_tests: Check, lines: list[str]) -> None:
    report = run_tests(SITE + 'test "it" {\n' + "\n".join(lines) + "\n}\n")
    assert report.problems or len(report.results) == 1
    assert all(problem.span is not None and problem.message for problem in report.problems)
