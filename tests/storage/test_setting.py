"""Which store a graph gets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Build, Role, directive
from edgescript.graph.adapt import adapt
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.settings.storage import storage_of
from edgescript.storage.base import StorageError
from edgescript.storage.health import ERRORS
from edgescript.testing.suite import open_suite
from edgescript.text.render import as_text
from edgescript.text.source import Source

pytestmark = pytest.mark.anyio


@directive("visits", role=Role.TERMINAL)
class Visits:
    """Says how often it was asked."""

    def build(self, build: Build) -> Any:
        storage = storage_of(build)
        STORES.append(storage)

        async def count(exchange: Exchange) -> Response:
            return Response(200, [], b"%d" % await storage.increment("visits"))

        return count


STORES: list[Any] = []
CATALOGUE = Catalogue.load().with_entries(Visits)


def graph_of(text: str, shared: Shared | None = None) -> Graph:
    STORES.clear()
    graph, problems = load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=".", shared=shared)
    assert graph is not None, problems
    return graph


async def test_a_store_in_memory_lives_through_a_reload_that_keeps_its_size() -> None:
    shared = Shared()
    old = graph_of("{\n storage memory\n}\n:80 {\n visits\n}", shared)
    first = STORES[0]
    await first.set("a", b"1")
    new = graph_of("{\n storage memory\n}\n:80 {\n visits\n}\n:81 {\n visits\n}", shared)
    await old.close()
    assert [first, first] == STORES
    assert await first.get("a") == b"1"
    smaller = graph_of("{\n storage memory {\n max_size 1MiB\n }\n}\n:80 {\n visits\n}", shared)
    assert STORES[0] is not first
    await new.close()
    await smaller.close()
    assert len(shared) == 0


TESTED = """
{
    storage memory
}
:80 {
    visits
}
:81 {
    visits
}
test "one visit" {
    request GET http://localhost/
    expect body "1"
}
test "two sites see the same store" {
    request GET http://localhost/
    expect body "1"
    request GET http://localhost:81/
    expect body "2"
}
"""


def test_each_test_of_an_edgefile_has_a_store_of_its_own_which_its_sites_share() -> None:
    suite = open_suite(Source("Edgefile", TESTED), catalogue=CATALOGUE, environment={}, directory=".")
    assert not suite.has_errors, suite.problems
    for result in suite.run(suite.scenarios):
        assert result.passed, result.failures
    assert len(suite.scenarios) == 2


def problems_of(text: str) -> list[tuple[str, str, str | None]]:
    _, problems = load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=".")
    return [
        (problem.code, problem.message, None if problem.hint is None else str(problem.hint)) for problem in problems
    ]


def global_block(line: str) -> str:
    return f"{{\n    {line}\n}}\n:80 {{\n    respond 200\n}}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("storage file /var/lib/edge", 'it is called "disk"'),
        ("storage file_system /var/lib/edge", 'it is called "disk"'),
        ("storage valkey redis://h", 'it is called "redis"'),
        ("storage cloud", "expected memory, disk or redis"),
        ("storage redis", "redis needs a URL"),
        ("storage redis /run", "redis needs a URL"),
        ("storage redis http://h", "expected a URL such as"),
        ("storage redis redis://h:x", "expected a host"),
        ("storage disk redis://h", "a directory"),
        ("storage memory /here", "memory has no place"),
        ("storage disk /here {\n password x\n}", "password is for redis"),
        ("storage disk /here {\n max_size 1KB\n}", "1MiB"),
        ("storage redis redis://h {\n max_size 1GiB\n}", "maxmemory"),
        ("storage redis redis://h {\n ca /ca.pem\n}", "rediss://"),
        ("storage redis rediss://h {\n key /key.pem\n}", "a key needs its certificate"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_that_says_what_to_write(line: str, said: str) -> None:
    found = problems_of(global_block(line))
    assert any(said in f"{message} {hint}" for _, message, hint in found), found


@pytest.mark.parametrize(
    "line",
    [
        "storage",
        "storage disk",
        "storage disk /var/lib/edge {\n max_size 2GiB\n}",
        "storage redis unix:///run/redis.sock",
        "storage redis redis+cluster://a,b {\n user edge\n password {$PASSWORD:x}\n prefix shop:\n}",
        "storage redis rediss+sentinel://a,b/m/1 {\n ca /ca\n certificate /c\n key /k\n sentinel_password {$PASSWORD:x}\n}",
    ],
)
def test_what_can_be_meant_is_understood(line: str) -> None:
    assert problems_of(global_block(line)) == []


def test_passwords_are_in_no_dump_of_the_graph() -> None:
    graph = graph_of(
        global_block("storage redis redis://ann:s3cr3t@h/1 {\n password s3cr3t2\n sentinel_password s3cr3t3\n}")
    )
    dump = json.dumps(adapt(graph))
    assert dump.count('"***"') == 3
    assert "'***'" not in dump
    assert "s3cr3t" not in dump + repr(graph.settings)


@pytest.mark.parametrize("url", ["redis://ann:s3cr3t@h:x", "redis://:s3cr3t/@h/0/0", "redis+cluster://a:s3cr3t@h/7"])
def test_a_url_that_is_wrong_is_shown_without_its_password(url: str) -> None:
    text = global_block(f"storage redis {url}")
    _, problems = load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=".")
    shown = as_text(problems) + str([(problem.message, problem.hint) for problem in problems])
    assert "E106" in shown
    assert "s3cr3t" not in shown
    assert ":******" in shown


def test_to_read_a_file_opens_nothing_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys
from edgescript.catalog import Catalogue
from edgescript.graph.adapt import adapt
from edgescript.graph.load import load
from edgescript.text.source import Source
from tests.storage.test_setting import CATALOGUE
for line in ("storage disk %s", "storage redis redis://127.0.0.1:1"):
    text = "{\\n" + line.replace("%s", sys.argv[1]) + "\\n}\\n:80 {\\n visits\\n}\\n"
    assert load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=".")[0] is not None
print([name for name in ("lmdb", "redis") if name in sys.modules])
"""
    root = Path(__file__).parents[2]
    made = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")], cwd=root, capture_output=True, text=True, check=False
    )
    assert made.stdout == "[]\n", made.stderr
    assert not (tmp_path / "state").exists()


async def test_without_the_setting_state_is_in_the_programs_own_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    graph = graph_of(":80 {\n visits\n}")
    assert not (tmp_path / "state").exists()
    await STORES[0].set("a", b"1")
    assert (tmp_path / "state" / "storage.mdb").exists()
    await graph.close()
    graph = graph_of(":80 {\n visits\n}")
    assert await STORES[0].get("a") == b"1"
    await graph.close()


async def test_where_that_cannot_be_written_it_is_in_memory_and_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file" / "state"))
    graph = graph_of(":80 {\n visits\n}")
    for _ in range(3):
        await STORES[0].increment("a")
    assert await STORES[0].get("a") == b"3"
    assert len(caplog.messages) == 1
    assert "kept in memory" in caplog.messages[0]
    assert "Not a directory" in caplog.messages[0]
    await graph.close()


async def test_a_directory_that_was_asked_for_is_not_replaced_by_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    graph = graph_of(f"{{\n storage disk {tmp_path}/file/state\n}}\n:80 {{\n visits\n}}")
    with pytest.raises(StorageError, match="Not a directory"):
        await STORES[0].get("a")
    await graph.close()


async def test_a_reload_that_only_changes_the_size_keeps_what_is_on_the_disk(tmp_path: Path) -> None:
    shared = Shared()
    text = f"{{\n storage disk {tmp_path} {{\n max_size SIZE\n }}\n}}\n:80 {{\n visits\n}}"
    old = graph_of(text.replace("SIZE", "16MiB"), shared)
    first = STORES[0]
    await first.set("a", b"1")
    new = graph_of(text.replace("SIZE", "32MiB"), shared)
    assert await STORES[0].get("a") == b"1"
    await first.set("a", b"2")
    await old.close()
    assert await STORES[0].get("a") == b"2"
    await new.close()


async def test_failures_are_counted_by_the_meter(tmp_path: Path) -> None:
    shared = Shared()
    (tmp_path / "file").write_text("")
    graph = graph_of(f"{{\n storage disk {tmp_path}/file/state\n}}\n:80 {{\n visits\n}}", shared)
    for _ in range(3):
        with pytest.raises(StorageError):
            await STORES[0].get("a")
    assert shared.meter.counter(ERRORS, "disk").value == 3
    await graph.close()
