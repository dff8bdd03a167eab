"""Python modules through reloads: what changed is loaded anew, what did not lives on, and nothing is left behind."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.handlers.modules import Modules, parse_target
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.server.serve import serve
from edgescript.text.problem import StartFailed

pytestmark = pytest.mark.anyio

Compiled = Callable[..., Graph]


class Client:
    remote_ip = local_ip = "127.0.0.1"
    remote_port = local_port = 1
    scheme = "http"
    trust = None
    can_upgrade = False


async def ask(graph: Graph, target: bytes = b"/") -> str:
    exchange = Exchange(Client(), b"GET", target, "1.1", [(b"host", b"localhost")], b"", 0.0)  # type: ignore[arg-type]
    outcome = serve(exchange, graph.listeners[0])
    response = outcome if isinstance(outcome, Response) else await outcome
    assert isinstance(response.body, bytes)
    for ending in exchange.endings or ():
        ending(exchange)
    return response.body.decode()


COUNTER = """
calls = 0

async def index(request):
    global calls
    calls += 1
    return f"{VERSION} {calls}"
"""


class Worker:
    """Graphs of one process, one after the other."""

    def __init__(self, compiled: Compiled, tasks: Any) -> None:
        self.shared = Shared()
        self._compiled = compiled
        self._tasks = tasks
        self.graph: Graph | None = None

    async def take(self, site: str, **files: str) -> Graph:
        """The next graph, started; the old one is not closed."""
        graph = self._compiled(site, self.shared, **files)
        try:
            await graph.start(self._tasks)
        except BaseException:
            await graph.close()
            raise
        self.graph = graph
        return graph


@pytest.fixture
async def worker(compiled: Compiled) -> Any:
    async with anyio.create_task_group() as tasks:
        made = Worker(compiled, tasks)
        yield made
        assert len(made.shared) == 0, "something is still in use"
        tasks.cancel_scope.cancel()


async def test_what_did_not_change_lives_on_with_its_state(worker: Worker) -> None:
    shop = f"VERSION = 1\n{COUNTER}"
    first = await worker.take("python shop.py:index", shop=shop)
    assert await ask(first) == "1 1"
    second = await worker.take("header X-New yes\npython shop.py:index", shop=shop)
    await first.close()
    assert await ask(second) == "1 2"
    await second.close()


async def test_what_changed_is_loaded_anew_and_requests_of_before_end_with_the_old(worker: Worker) -> None:
    first = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}")
    assert await ask(first) == "1 1"
    second = await worker.take("python shop.py:index", shop=f"VERSION = 2\n{COUNTER}")
    assert await ask(second) == "2 1"
    assert await ask(first) == "1 2"
    await first.close()
    assert await ask(second) == "2 2"
    await second.close()


async def test_a_change_of_a_module_that_is_imported_counts_as_well(worker: Worker) -> None:
    shop = f"from texts import VERSION\n{COUNTER}"
    first = await worker.take("python shop.py:index", shop=shop, texts="VERSION = 'one'")
    second = await worker.take("python shop.py:index", shop=shop, texts="VERSION = 'two'")
    assert (await ask(first), await ask(second)) == ("one 1", "two 1")
    await first.close()
    await second.close()


async def test_a_module_that_was_imported_late_is_noticed(worker: Worker) -> None:
    shop = "async def index(request):\n    import late\n    return late.TEXT"
    first = await worker.take("python shop.py:index", shop=shop, late="TEXT = 'one'")
    assert await ask(first) == "one"
    second = await worker.take("python shop.py:index", shop=shop, late="TEXT = 'two'")
    assert await ask(second) == "two"
    await first.close()
    await second.close()


async def test_a_package_and_its_parts_are_loaded_anew_together(worker: Worker) -> None:
    files = {"shop/__init__": "", "shop/views": "from .texts import TEXT\nasync def index(request): return TEXT"}
    first = await worker.take("python shop.views:index", **files, **{"shop/texts": "TEXT = 'one'"})
    second = await worker.take("python shop.views:index", **files, **{"shop/texts": "TEXT = 'two'"})
    assert (await ask(first), await ask(second)) == ("one", "two")
    await first.close()
    await second.close()


async def test_if_the_new_one_fails_the_old_one_goes_on(worker: Worker) -> None:
    first = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}")
    for broken in (
        "import no_such_thing",
        "def index(",
        "x = 1",
        "@on_start\ndef no(): raise OSError\ndef index(r): ...",
    ):
        with pytest.raises(StartFailed):
            await worker.take("python shop.py:index", shop=broken)
        assert (await ask(first)).startswith("1 ")
    mended = await worker.take("python shop.py:index", shop=f"VERSION = 3\n{COUNTER}")
    assert await ask(mended) == "3 1"
    await first.close()
    await mended.close()


async def test_a_change_that_is_taken_back_finds_what_is_there(worker: Worker) -> None:
    first = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}")
    assert await ask(first) == "1 1"
    with pytest.raises(StartFailed):
        await worker.take("python shop.py:index", shop="import no_such_thing")
    again = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}")
    assert await ask(again) == "1 2"
    await first.close()
    await again.close()


async def test_another_line_that_fails_leaves_the_module_in_use_as_it_was(worker: Worker) -> None:
    shop = f"VERSION = 1\n{COUNTER}"
    first = await worker.take("python shop.py:index", shop=shop)
    with pytest.raises(StartFailed):
        await worker.take("python /x other.py:index\npython shop.py:index", shop=shop, other="1 / 0")
    assert "other" not in sys.modules
    assert await ask(first) == "1 1"
    await first.close()


async def test_lines_share_what_their_modules_import(worker: Worker) -> None:
    graph = await worker.take(
        "python /a a.py:index\npython b.py:index",
        a="import state\nasync def index(request):\n    state.seen.append('a')\n    return 'ok'",
        b="import state\nasync def index(request): return state.seen",
        state="seen = []",
    )
    await ask(graph, b"/a")
    assert await ask(graph, b"/b") == '["a"]'
    await graph.close()


HOOKED = """
import pathlib
notes = pathlib.Path(__file__).parent / "notes"

def note(text):
    with notes.open("a") as file:
        file.write(f"{VERSION} {text}, ")

@on_start
async def first(): note("start")

@on_start
def second():
    wait(store.set("at", "start"))
    note("start in a thread")

@on_stop
def last(): note("stopped")

@on_stop
async def before(): note((await store.get("at")).decode() + " remembered")

async def index(request): return "ok"
"""


async def test_hooks_run_once_for_each_load_before_the_first_and_behind_the_last_request(
    worker: Worker, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    first = await worker.take("python /x shop.py:index\npython shop.py:index", shop=f"VERSION = 1\n{HOOKED}")
    assert notes.read_text() == "1 start, 1 start in a thread, "
    same = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{HOOKED}")
    await first.close()
    assert notes.read_text() == "1 start, 1 start in a thread, "
    second = await worker.take("python shop.py:index", shop=f"VERSION = 2\n{HOOKED}")
    assert notes.read_text() == "1 start, 1 start in a thread, 2 start, 2 start in a thread, "
    await same.close()
    assert notes.read_text().endswith("2 start in a thread, 1 start remembered, 1 stopped, ")
    await second.close()
    assert notes.read_text().endswith("1 stopped, 2 start remembered, 2 stopped, ")


async def test_modules_are_loaded_where_every_thread_has_work_that_does_not_end(worker: Worker, tmp_path: Path) -> None:
    site = """
    {
        python {
            threads 1
        }
    }
    :80 {
        python /stuck shop.py:stuck {
            timeout 50ms
        }
        python shop.py:index
    }
    """
    shop = """
    import pathlib
    released = pathlib.Path(__file__).parent / "released"

    @on_start
    def start():
        pass

    def stuck(request):
        while not released.exists():
            time.sleep(0.01)

    async def index(request):
        return VERSION

    VERSION = "one"
    """
    first = await worker.take(site, shop=shop)
    assert "504" in await ask(first, b"/stuck")
    with anyio.fail_after(20):
        second = await worker.take(site, shop=shop.replace('"one"', '"two"'))
    assert await ask(second) == "two"
    (tmp_path / "released").touch()
    await first.close()
    await second.close()


async def test_the_loop_turns_while_one_module_is_imported_and_another_let_go(worker: Worker, tmp_path: Path) -> None:
    first = await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}")
    slow = """
import pathlib
here = pathlib.Path(__file__).parent
(here / "importing").touch()
while not (here / "go").exists():
    time.sleep(0.01)
VERSION = 2
"""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: worker.take("python shop.py:index", shop=slow + COUNTER))
        while not (tmp_path / "importing").exists():  # noqa: ASYNC110
            await anyio.sleep(0.01)
        tasks.start_soon(first.close)
        await anyio.sleep(0.1)  # so that it comes to the modules
        (tmp_path / "go").touch()
    assert worker.graph is not None
    assert await ask(worker.graph) == "2 1"
    await worker.graph.close()


async def test_a_module_that_takes_its_folder_off_the_path_is_loaded_all_the_same(worker: Worker) -> None:
    before = list(sys.path)
    graph = await worker.take("python shop.py:index", shop=f"import sys\nsys.path.pop(0)\nVERSION = 1\n{COUNTER}")
    assert await ask(graph) == "1 1"
    await graph.close()
    assert sys.path == before


async def test_a_start_up_that_does_not_end_is_given_up(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgescript.handlers.workplace._STARTUP", 0.1)
    hangs = "\n@on_start\nasync def hangs(): await asyncio.sleep(1000)\n"
    with pytest.raises(StartFailed, match=r"the start-up hook hangs takes longer than 0\.1 s"):
        await worker.take("python shop.py:index", shop=f"VERSION = 1\n{COUNTER}{hangs}")


async def test_a_shut_down_that_does_not_end_is_given_up(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    hangs = "\n@on_stop\nasync def hangs(): await asyncio.sleep(1000)\n"
    site = "{\n    grace_period 100ms\n}\n:80 {\n    python shop.py:index\n}\n"
    graph = await worker.take(site, shop=f"VERSION = 1\n{COUNTER}{hangs}")
    with anyio.fail_after(20):
        await graph.close()
    assert "the shut-down hook hangs takes longer than 1 s" in caplog.text


async def test_lines_that_are_first_used_at_the_same_time_start_their_module_once(
    compiled: Compiled, tmp_path: Path
) -> None:
    shop = """
    import pathlib
    notes = pathlib.Path(__file__).parent / "notes"

    @on_start
    async def start():
        await asyncio.sleep(0.05)
        notes.write_text(notes.read_text() + "hook " if notes.exists() else "hook ")

    async def index(request):
        return "index"

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            notes.write_text(notes.read_text() + "lifespan ")
            await send({"type": "lifespan.startup.complete"})
            return await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"app"})
    """
    lines = "python /index shop.py:index\napp /one shop.py:app\napp shop.py:app"
    graph = compiled(lines, shop=shop)  # nobody starts it
    answers: list[str] = []

    async def take(path: bytes) -> None:
        answers.append(await ask(graph, path))

    async with anyio.create_task_group() as tasks:
        for path in (b"/index", b"/one", b"/two"):
            tasks.start_soon(take, path)
    assert sorted(answers) == ["app", "app", "index"]
    await graph.close()
    assert (tmp_path / "notes").read_text() == "hook lifespan "


async def test_a_hundred_reloads_leave_nothing_behind(worker: Worker, compiled: Compiled) -> None:
    modules_before, path_before = set(sys.modules), list(sys.path)
    seen: list[weakref.ref[Any]] = []
    old: Graph | None = None
    for number in range(100):
        graph = await worker.take(
            "python shop.py:index", shop=f"import helper\nVERSION = {number}\n{COUNTER}", helper="x = 1"
        )
        seen.append(weakref.ref(sys.modules["shop"]))
        assert await ask(graph) == f"{number} 1"
        if old is not None:
            await old.close()
        old = graph
    assert old is not None
    await old.close()
    worker.graph = old = graph = None  # type: ignore[assignment]
    gc.collect()
    assert [number for number, module in enumerate(seen) if module() is not None] == []
    assert set(sys.modules) - modules_before == set()
    assert sys.path == path_before


# ---- targets and generations, as values


@pytest.mark.parametrize(
    ("text", "module", "file", "attribute"),
    [
        ("shop:index", "shop", None, "index"),
        ("shop.views:Page.show", "shop.views", None, "Page.show"),
        ("shop.py:index", "shop", "/srv/shop.py", "index"),
        ("sub/shop.py:index", "shop", "/srv/sub/shop.py", "index"),
        ("/opt/x.py:index", "x", "/opt/x.py", "index"),
    ],
)
async def test_what_a_target_names(text: str, module: str, file: str | None, attribute: str) -> None:
    target = parse_target(text, "/srv")
    assert (target.module, target.file, target.attribute) == (module, file, attribute)


async def test_installed_packages_and_this_one_are_never_the_users_own(tmp_path: Path) -> None:
    package = tmp_path / "venv" / "lib" / "site-packages" / "installed_thing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def f(request): ...")
    sys.path.append(str(package.parent))
    try:
        modules = Modules()
        generation = modules.generation(str(tmp_path))
        generation.load(parse_target("installed_thing:f", str(tmp_path)))
        assert generation.files == {}
        await generation.close()
        assert "installed_thing" in sys.modules
    finally:
        sys.path.remove(str(package.parent))
        sys.modules.pop("installed_thing", None)
    root = str(Path(__file__).parents[2])
    generation = modules.generation(root)
    generation.load(parse_target("edgescript.testing.sample:hello", root))
    assert generation.files == {}
    await generation.close()
