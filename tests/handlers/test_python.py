"""`python`: what a function may be, what it may give, and what happens when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.declare.describe import describe
from edgescript.testing import Edge, Unanswered

Make = Callable[..., Edge]


@pytest.mark.parametrize(
    ("gives", "status", "kind", "body"),
    [
        ("'héllo'", 200, "text/plain; charset=utf-8", "héllo"),
        ("b'raw'", 200, "application/octet-stream", "raw"),
        ("{'a': [1, None]}", 200, "application/json", '{"a":[1,null]}'),
        ("[1, 2]", 200, "application/json", "[1,2]"),
        ("Response('made', 201)", 201, "text/plain; charset=utf-8", "made"),
        ("Response('<p>', headers={'Content-Type': 'text/html'})", 200, "text/html", "<p>"),
        ("Response.json({'id': 7}, 201)", 201, "application/json", '{"id":7}'),
        ("Response(iter(['a', b'b']))", 200, "application/octet-stream", "ab"),
        ("Response(status=204)", 204, None, ""),
        ("''", 200, None, ""),
    ],
)
@pytest.mark.parametrize("how", ["async def", "def"])
def test_what_a_function_gives_is_the_answer(
    how: str, gives: str, status: int, kind: str | None, body: str, edge: Make
) -> None:
    made = edge("python shop.py:index", shop=f"{how} index(request):\n    return {gives}\n")
    answer = made.get("/")
    assert (answer.status, answer.headers.get("content-type"), answer.text) == (status, kind, body)


@pytest.mark.parametrize("gives", ["None", "7", "object()", "('x', 200)", "asyncio.sleep(0)", "Response"])
def test_anything_else_is_an_error_that_says_what_it_was_and_where(gives: str, edge: Make) -> None:
    made = edge("python shop.py:index", shop=f"async def index(request):\n    return {gives}\n")
    with pytest.raises(
        Unanswered, match=r"TypeError: shop\.py:index \(.*shop\.py:7\) gave a value of type .*Edgefile:2:1"
    ):
        made.get("/")


def test_a_callable_object_and_a_method_of_one_are_functions(edge: Make) -> None:
    made = edge(
        "python /a shop.py:page\npython /b shop.py:page.other\npython /c shop.py:bound",
        shop="""
        import functools

        class Page:
            async def __call__(self, request): return "called"
            def other(self, request): return "other"

        page = Page()
        bound = functools.partial(lambda text, request: text, "bound")
        """,
    )
    assert [made.get(path).text for path in ("/a", "/b", "/c")] == ["called", "other", "bound"]


def test_a_module_beside_the_edgefile_and_its_neighbours_are_found(edge: Make) -> None:
    made = edge(
        "python shop.views:index",
        **{
            "shop/__init__": "",
            "shop/views": "from shop.texts import HELLO\nasync def index(request): return HELLO",
            "shop/texts": "HELLO = 'hello from the package'",
        },
    )
    assert made.get("/").text == "hello from the package"


def test_a_function_may_import_when_it_is_called(edge: Make) -> None:
    made = edge(
        "python shop.py:index",
        shop="async def index(request):\n    import later\n    return later.TEXT\n",
        later="TEXT = 'late'",
    )
    assert made.get("/").text == "late"


def test_a_file_with_the_name_of_a_standard_module_is_itself_and_no_other(edge: Make) -> None:
    made = edge("python json.py:index", json="async def index(request): return 'mine'")
    assert made.get("/").text == "mine"
    import json

    assert json.dumps([1]) == "[1]"


def test_files_of_the_same_name_in_two_folders_do_not_meet(edge: Make) -> None:
    text = "import helper\nasync def index(request): return helper.NAME"
    made = edge(
        "python /a a/site.py:index\npython /b b/site.py:index",
        **{"a/site": text, "b/site": text, "a/helper": "NAME = 'a'", "b/helper": "NAME = 'b'"},
    )
    assert (made.get("/a").text, made.get("/b").text) == ("a", "b")


# ---- wrappers


def test_a_wrapper_sees_the_request_before_and_the_response_behind(edge: Make) -> None:
    made = edge(
        """
        python guard.py:guard wrap
        header X-Below yes
        respond 201 "{vars.who} {header.X-Who}"
        """,
        guard="""
        async def guard(request, next):
            if request.path == "/no":
                return Response("stop", 403)
            request.vars["who"] = "you"
            request.headers["X-Who"] = "me"
            response = await next(request)
            response.headers["X-Seen"] = f"{response.status} {response.headers['x-below']}"
            response.status = 202
            return response
        """,
    )
    answer = made.get("/")
    assert (answer.status, answer.text, answer.headers["x-seen"]) == (202, "you me", "201 yes")
    refused = made.get("/no")
    assert (refused.status, refused.text) == (403, "stop")


def test_a_wrapper_may_look_into_the_body_and_send_another(edge: Make) -> None:
    made = edge(
        "python guard.py:guard wrap\nrespond small",
        guard="""
        async def guard(request, next):
            response = await next()
            text = (await response.body()).decode()
            response.replace(text.upper())
            return response
        """,
    )
    answer = made.get("/")
    assert (answer.text, answer.headers["content-length"]) == ("SMALL", "5")


def test_a_wrapper_may_catch_what_is_raised_below_and_try_again(edge: Make) -> None:
    made = edge(
        "python guard.py:guard wrap\npython guard.py:flaky",
        guard="""
        calls = []

        async def guard(request, next):
            try:
                return await next(request)
            except HTTPError as error:
                response = await next(request)
                response.headers["X-Before"] = str(error.status)
                return response

        async def flaky(request):
            calls.append(1)
            if len(calls) == 1:
                raise HTTPError(503)
            return "at last"
        """,
    )
    answer = made.get("/")
    assert (answer.text, answer.headers["x-before"]) == ("at last", "503")


def test_what_is_below_a_wrapper_can_run_and_what_is_below_a_function_cannot(write: Any, mistakes: Any) -> None:
    assert mistakes("python x.py:f wrap\nrespond ok") == []
    assert [line.split()[0] for line in mistakes("python x.py:f\nrespond ok")] == ["E201"]


# ---- failures


def test_an_error_is_answered_500_and_names_the_line_of_the_edgefile(
    edge: Make, caplog: pytest.LogCaptureFixture
) -> None:
    made = edge(
        'python shop.py:index\nhandle_errors {\nrespond "sorry {err.status}"\n}',
        shop="async def index(request):\n    raise ValueError('of no use')\n",
    )
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(Unanswered, match=r"of no use.*`python shop.py:index` \(.*:2:1\)"),
    ):
        made.get("/")
    assert "shop.py" in caplog.text
    assert "line 8, in index" in caplog.text


@pytest.mark.parametrize("how", ["async def", "def"])
def test_an_http_error_goes_to_handle_errors(how: str, edge: Make) -> None:
    made = edge(
        'python shop.py:index\nhandle_errors 4xx {\nrespond "{err.status} {err.message}"\n}',
        shop=f"{how} index(request):\n    raise HTTPError(418, 'short and stout')\n",
    )
    assert made.get("/").text == "418 short and stout"


def test_an_http_error_brings_its_header(edge: Make) -> None:
    shop = "async def index(request):\n    raise HTTPError(429, headers={'Retry-After': '7'})\n"
    answer = edge("python shop.py:index", shop=shop).get("/")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("raises", ["SystemExit(3)", "KeyboardInterrupt()", "asyncio.CancelledError()"])
@pytest.mark.parametrize("how", ["async def", "def"])
def test_no_error_of_a_function_ends_the_server(how: str, raises: str, edge: Make) -> None:
    made = edge("python shop.py:index", shop=f"{how} index(request):\n    raise {raises}\n")
    with pytest.raises(Unanswered, match=r"raised|cancelled|CancelledError"):
        made.get("/")


def test_a_coroutine_that_takes_too_long_is_cancelled_and_the_answer_is_504(edge: Make) -> None:
    made = edge(
        "python /slow shop.py:slow {\ntimeout 2s\n}\npython shop.py:seen",
        shop="""
        log = []

        async def slow(request):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        async def seen(request): return log
        """,
    )
    assert made.get("/slow").status == 504
    assert made.get("/").json() == ["cancelled"]


def test_a_coroutine_that_will_not_be_cancelled_keeps_nobody_waiting(edge: Make) -> None:
    made = edge(
        "python shop.py:stubborn {\ntimeout 1s\n}",
        shop="""
        async def stubborn(request):
            for _ in range(3):
                try:
                    await asyncio.sleep(5)
                except asyncio.CancelledError:
                    pass
            return "too late"
        """,
    )
    assert made.get("/").status == 504


def test_a_plain_function_that_takes_too_long_is_abandoned(edge: Make, caplog: pytest.LogCaptureFixture) -> None:
    made = edge(
        "python shop.py:slow {\ntimeout 50ms\n}",
        shop="""
        import threading
        release = threading.Event()

        def slow(request):
            if not request.query:
                release.wait(20)
            release.set()
            return "done"
        """,
    )
    assert made.get("/").status == 504
    assert "a thread goes on with what nobody waits for any more (1 of 40 do)" in caplog.text
    assert "release.wait(20)" in caplog.text
    assert made.get("/?x=1").text == "done"


# ---- what is checked when it starts


@pytest.mark.parametrize(
    ("line", "shop", "message", "hint"),
    [
        ("missing.py:index", "", "ImportError: there is no file", None),
        ("no_such_module_at_all:index", "", "ModuleNotFoundError: No module named 'no_such_module_at_all'", None),
        ("shop.py:index", "import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'", None),
        ("shop.py:index", "def x(:", "SyntaxError", None),
        ("shop.py:index", "raise SystemExit(2)", "RuntimeError: the function raised SystemExit", None),
        ("shop.py:index", "1 / 0", "ZeroDivisionError: division by zero", None),
        ("shop.py:other", "def index(request): ...", "has no 'other'", None),
        ("shop.py:index", "index = 7", "it is a value of type int, and no function", "name a function"),
        ("shop.py:index", "class index: ...", "it is a class, and no function", "name a function"),
        ("shop.py:index", "def index(): ...", "does not take a request alone", "async def NAME(request)"),
        ("shop.py:index", "async def index(r, next): ...", "does not take a request alone", "shop.py:index wrap"),
        ("shop.py:index wrap", "async def index(request): ...", "does not take a request and", "(request, next)"),
        ("shop.py:index wrap", "def index(request, next): ...", "is a coroutine function", "async def"),
        (
            "shop.py:index",
            "@on_start\ndef boot(): raise OSError('no database')\ndef index(r): ...",
            "no database",
            None,
        ),
    ],
)
def test_what_cannot_be_used_keeps_the_server_from_starting_and_shows_its_line(
    line: str, shop: str, message: str, hint: str | None, compiled: Any, failure: Any
) -> None:
    problem = failure(compiled(f"python {line}", shop=shop)).problem
    assert problem.code == "E206"
    assert str(problem.span).endswith("Edgefile:2:1")
    assert message in problem.message
    assert (hint is None) == (problem.hint is None)
    assert hint is None or hint in problem.hint


def test_the_lines_of_the_users_files_are_notes(compiled: Any, failure: Any) -> None:
    graph = compiled("python shop.py:index", shop="import helper", helper="def f():\n    1 / 0\nf()")
    notes = [note.message for note in failure(graph).problem.notes]
    assert [note.split(",")[0] for note in notes] == ["in <module>", "in <module>", "in f"]
    assert notes[-1].endswith("helper.py:8")


@pytest.mark.parametrize("target", ["index", "shop.py", ":index", "shop.py:in dex", "shop/x:index", "9:x", "shop:a..b"])
def test_a_target_that_can_be_none_is_a_problem_of_the_file(target: str, mistakes: Any) -> None:
    (problem,) = mistakes(f'python "{target}"')
    assert problem.startswith("E106 ")


def test_validating_and_explaining_run_nothing(tmp_path: Any, compiled: Any) -> None:
    from edgescript.graph.explain import explain
    from edgescript.testing.client import imagined
    from edgescript.testing.scenario import request_for
    from edgescript.text.source import Source, Span

    proof = tmp_path / "proof"
    shop = f"open({str(proof)!r}, 'w').close()\nasync def index(request): ..."
    graph = compiled("python shop.py:index wrap\npython shop.py:index", shop=shop)
    request = request_for("GET", "/", Span(Source("x", "/"), 0, 1))
    listener = graph.listeners[0]
    told = explain(graph, imagined(graph, listener, request), listener).as_text()
    assert "call shop.py:index" in told
    assert not proof.exists()


def test_the_documentation_names_every_option() -> None:
    from edgescript.directives.python import Python

    text = str(describe(Python))
    assert all(word in text for word in ("target", "wrap", "timeout"))


def test_a_response_that_is_kept_carries_nothing_from_one_request_to_the_next(edge: Make) -> None:
    site = edge(
        """
        header +Set-Cookie "id={query.id}"
        python shop.py:remembers wrap
        python /kept shop.py:kept
        python /stream shop.py:stream
        respond "below"
        """,
        shop="""
        KEPT = Response("kept")
        STREAM = []
        MEMORY = []

        async def kept(request):
            return KEPT

        async def stream(request):
            STREAM[:] = STREAM or [Response(iter(["once"]))]
            return STREAM[0]

        async def remembers(request, next):
            if request.path != "/":
                return await next(request)
            MEMORY[:] = MEMORY or [await next(request)]
            return MEMORY[0]
        """,
    )
    for path in ("/kept", "/"):
        for number in ("1", "2", "3"):
            assert site.get(f"{path}?id={number}").headers.every("set-cookie") == [f"id={number}"], path
    assert site.get("/stream").text == "once"
    with pytest.raises(Unanswered, match="was sent before"):
        site.get("/stream")


def test_a_file_that_is_too_large_to_look_into_is_closed_once(edge: Make, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 1000)
    site = edge(
        f"""
        python shop.py:looks wrap
        files {tmp_path}
        """,
        shop="""
        from edgescript.http.body import BodyTooLarge

        async def looks(request, next):
            response = await next(request)
            try:
                return await response.body(10)
            except BodyTooLarge:
                return "too large"
        """,
    )
    assert site.get("/large.txt").text == "too large"


def test_what_is_below_runs_once_at_a_time_and_for_no_request_that_is_over(edge: Make) -> None:
    site = edge(
        """
        handle /errors {
            python shop.py:errors
        }
        python shop.py:eager wrap
        python shop.py:slow
        """,
        shop="""
        ERRORS = []

        async def errors(request):
            return ERRORS

        async def slow(request):
            await asyncio.sleep(0.1)
            return "below"

        async def noted(awaitable):
            try:
                await awaitable
            except RuntimeError as error:
                ERRORS.append(str(error))

        async def late(request, next):
            await noted(next(request))

        async def eager(request, next):
            background(late, request, next)
            if request.path == "/both":
                await asyncio.gather(noted(next(request)), noted(next(request)))
            return await next(request)
        """,
    )
    assert site.get("/").text == site.get("/both").text == "below"
    over = "what is below cannot be called when its request has its answer already"
    assert site.get("/errors").json() == [over, "what is below cannot be called while it runs", over]
