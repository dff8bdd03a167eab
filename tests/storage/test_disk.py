"""What only the store on disk promises: processes that share it, and what happens when the file or its disk is bad."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.storage.base import StorageError
from edgescript.storage.disk import Disk
from edgescript.storage.environment import NAME
from edgescript.storage.health import QUIET, Health

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


@pytest.fixture
async def disk(tmp_path: Path) -> Any:
    made = Disk(tmp_path / "state")
    yield made
    await made.close()


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that has the store of the directory of its first argument."""
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    text = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom edgescript.storage.disk import Disk\n"
        f"async def main():\n    store = Disk(Path(sys.argv[1]))\n{lines}\n    await store.close()\nasyncio.run(main())\n"
    )
    command = [sys.executable, "-c", text, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def children(*processes: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.communicate()


COUNT = """
sys.stdin.readline()
def change(old):
    number = int(old or b"0") + 1
    return b"%d" % number, number
for _ in range(2000):
    await store.increment("i")
    await store.update("u", change, ttl=60)
"""


async def test_two_processes_that_count_at_once_lose_nothing(disk: Disk, tmp_path: Path) -> None:
    both = [child(COUNT, tmp_path / "state") for _ in range(2)]
    with children(*both):
        for process in both:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in both:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
    assert await disk.get("i") == await disk.get("u") == b"4000"


async def test_the_lock_of_a_process_that_was_killed_is_free_when_its_time_is_over(tmp_path: Path) -> None:
    holder = child(
        'async with store.lock("a", ttl=1000, wait=0) as got:\n    print(got, flush=True)\n    sys.stdin.readline()',
        tmp_path,
    )
    now = 0.0
    store = Disk(tmp_path, clock=lambda: now)
    with children(holder):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        now = time.time()
        async with store.lock("a", ttl=1, wait=0.02) as got:
            assert not got
        holder.kill()
        holder.wait()
        async with store.lock("a", ttl=1, wait=0.02) as got:
            assert not got
        now += 1001
        async with store.lock("a", ttl=1, wait=0) as got:
            assert got
    await store.close()


async def test_processes_that_are_killed_while_they_write_damage_and_block_nothing(disk: Disk, tmp_path: Path) -> None:
    await disk.set("before", b"1")
    for _ in range(5):
        writer = child(
            'print(flush=True)\nwhile True:\n    await store.increment("i", ttl=60)\n    await store.get("i")',
            tmp_path / "state",
        )
        with children(writer):
            assert writer.stdout is not None
            writer.stdout.readline()
            await asyncio.sleep(0.01)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        before = int(await disk.get("i") or b"0")
        # One that was killed as it committed may have done so for those who write, and not yet for those who read.
        assert await disk.increment("i") in (before + 1, before + 2)
    assert await disk.get("before") == b"1"


async def test_only_its_owner_may_read_it(disk: Disk, tmp_path: Path) -> None:
    await disk.set("a", b"1")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for name in (NAME, f"{NAME}-lock"):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600


async def test_expired_entries_are_taken_away_by_those_who_write(tmp_path: Path) -> None:
    now = 1000.0
    store = Disk(tmp_path, clock=lambda: now)
    for number in range(1000):
        await store.set(f"{number}", b"", ttl=10)
    await store.set("stays", b"1")
    now += 11
    for _ in range(20):
        await store.increment("i")
    assert store._environment is not None
    assert store._environment.run(lambda transaction: transaction.stat(store._environment.values)["entries"]) == 2  # type: ignore[union-attr]
    assert store._environment.run(lambda transaction: transaction.stat(store._environment.expiries)["entries"]) == 0  # type: ignore[union-attr]
    await store.close()


async def fill(store: Disk, size: int, ttl: float | None = None) -> None:
    for number in range(100):
        await store.set(f"{number}", bytes(size), ttl=ttl)


async def test_the_file_grows_as_far_as_it_may_and_then_it_is_full_until_something_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    store = Disk(tmp_path, max_size=24 * MIB, health=Health("disk", "full", clock=lambda: now))
    with pytest.raises(StorageError, match="full"):
        await fill(store, MIB)
    assert 15 < len([key async for key in store.keys("")]) < 24
    assert (tmp_path / NAME).stat().st_size <= 24 * MIB
    with pytest.raises(StorageError, match="full"):
        await store.set("more", bytes(MIB))
    assert await store.get("0") == bytes(MIB)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert await store.delete("0")
    assert await store.delete("1")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    now += QUIET
    await store.set("more", bytes(MIB))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert store._health.errors == 2
    await store.close()


async def test_what_has_expired_makes_room_where_the_file_is_full(tmp_path: Path) -> None:
    now = 1000.0
    store = Disk(tmp_path, clock=lambda: now, max_size=16 * MIB)
    with pytest.raises(StorageError, match="full"):
        await fill(store, MIB // 2, ttl=10)
    now += 11
    for number in range(20):
        await store.set(f"new {number}", bytes(MIB // 2))
    await store.close()


async def test_a_process_sees_how_large_another_has_made_the_file(disk: Disk, tmp_path: Path) -> None:
    await disk.set("a", b"1")
    other = child('for number in range(30):\n    await store.set(f"{number}", bytes(1024 * 1024))', tmp_path / "state")
    with children(other):
        _, errors = other.communicate(timeout=60)
        assert other.returncode == 0, errors
    assert await disk.get("29") == bytes(MIB)
    await disk.set("b", b"2")


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"this is no database" * 1000),
        lambda file: file.write_bytes(b""),
        lambda file: os.truncate(file, 12288),
        lambda file: os.truncate(file, 100),
        lambda file: file.write_bytes(bytes(8192) + file.read_bytes()[8192:]),
    ],
    ids=["text", "empty", "cut", "cut very short", "zeros"],
)
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = Disk(tmp_path)
    for number in range(100):
        await store.set(f"{number}", bytes(10_000))
    await store.close()
    damage(tmp_path / NAME)
    for _ in range(2):
        assert await store.get("1") is None
        await store.set("2", b"new")
        assert await store.get("2") == b"new"
        await store.delete("2")
        await store.close()
    assert (tmp_path / f"{NAME}.damaged").exists() == bool(caplog.messages)
    for message in caplog.messages:
        assert message.endswith("it is set aside as storage.mdb.damaged, and a new one begun")


async def test_a_page_that_is_damaged_is_an_error_once_and_then_a_new_file_is_begun(tmp_path: Path) -> None:
    store = Disk(tmp_path)
    for number in range(2000):
        await store.set(f"{number}", bytes(100))
    await store.close()
    file = tmp_path / NAME
    content = bytearray(file.read_bytes())
    # All pages but the two that describe the file: none says any more what kind of page it is.
    for start in range(2 * 4096, len(content), 4096):
        content[start : start + 4096] = bytes(4096)
    file.write_bytes(content)
    code = """
from edgescript.storage.base import StorageError
for _ in range(3):
    try:
        await store.set("a", b"1")
        print("set", await store.get("a"), flush=True)
    except StorageError as error:
        print("error", flush=True)
"""
    # In another process: LMDB is C, and what it does with a damaged file is not to be this one's end.
    other = child(code, tmp_path)
    with children(other):
        said, errors = other.communicate(timeout=60)
    assert other.returncode == 0, errors
    assert said.splitlines()[-1] == "set b'1'"


async def test_a_lock_file_that_was_overwritten_is_an_error_once(tmp_path: Path) -> None:
    code = """
from edgescript.storage.base import StorageError
await store.set("a", b"1")
with Path(sys.argv[1], "storage.mdb-lock").open("r+b") as lock:
    lock.write(b"\\xff" * 65536)
for _ in range(2):
    try:
        await store.set("a", b"1")
        print("set", await store.get("a"), flush=True)
    except StorageError as error:
        print("error", flush=True)
"""
    other = child(code, tmp_path)
    with children(other):
        said, errors = other.communicate(timeout=60)
    assert other.returncode == 0, errors
    assert said.splitlines()[-1] == "set b'1'"


async def test_the_smallest_size_is_kept(tmp_path: Path) -> None:
    store = Disk(tmp_path, max_size=MIB)
    for number in range(8):
        await store.set(f"{number}", bytes(100_000))
    with pytest.raises(StorageError, match="is full"):
        await store.set("8", bytes(400_000))
    assert (tmp_path / NAME).stat().st_size <= MIB
    await store.delete("0")
    await store.close()


async def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path) -> None:
    now = 1000.0
    store = Disk(tmp_path / "state", clock=lambda: now)
    await store.set("a", b"1")
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    (tmp_path / "state").rmdir()
    now += 2
    await store.set("b", b"2")
    other = Disk(tmp_path / "state")
    assert await other.get("b") == b"2"
    await other.close()
    await store.close()


@pytest.fixture
def nobody() -> Iterator[None]:
    """This process may do what anybody may, and no more."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def closed(nobody: None) -> Iterator[Path]:
    """A directory that nobody may write to."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "closed")
        place.mkdir(mode=0o500)
        yield place


async def test_a_directory_without_permission_is_an_error_that_names_it_and_heals(
    closed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    store = Disk(closed / "state", health=Health("disk", "closed", clock=lambda: now))
    for call in (store.get("a"), store.set("a", b"1"), store.increment("a")):
        with pytest.raises(StorageError, match=r"closed/state: Permission denied"):
            await call
    assert store._health.errors == 3
    os.chmod(closed, 0o700)
    now += QUIET
    await store.set("a", b"1")
    assert await store.get("a") == b"1"
    await store.close()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A disk that may only be read."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


async def test_a_disk_that_may_only_be_read_is_an_error(read_only: Path) -> None:
    store = Disk(read_only / "state")
    for call in (store.get("a"), store.set("a", b"1")):
        with pytest.raises(StorageError, match="Read-only file system"):
            await call


WRITE_UNTIL_IT_FAILS = """
import resource, signal
from edgescript.storage.base import StorageError
await store.set("a", b"1")
size = os.stat(store._path).st_size
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))
failed = 0
for number in range(100):
    try:
        await store.set(f"{number}", bytes(50_000))
    except StorageError as error:
        failed += 1
        said = str(error)
print(failed > 80, said)
print(await store.get("a"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for number in range(100):
    await store.set(f"{number}", bytes(50_000))
print(await store.get("a"), len(await store.get("99")))
"""


async def test_a_disk_that_is_full_is_an_error_which_loses_nothing_and_heals(tmp_path: Path) -> None:
    other = child(WRITE_UNTIL_IT_FAILS, tmp_path)
    with children(other):
        said, errors = other.communicate(timeout=60)
    assert other.returncode == 0, errors
    first, second, third = said.splitlines()
    assert first.startswith(f"True {tmp_path / NAME}: ")
    assert (second, third) == ("b'1'", "b'1' 50000")


async def test_one_file_is_opened_once_by_a_process_whichever_way_leads_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "state")
    one, other = Disk(tmp_path / "state"), Disk(tmp_path / "link", max_size=99 * MIB)
    await one.set("a", b"1")
    assert await other.get("a") == b"1"
    await one.close()
    assert await other.get("a") == b"1"
    await other.close()


async def test_a_durable_write_is_on_the_disk_when_it_comes_back(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    await disk.set("a", b"1")
    assert disk._environment is not None
    synced: list[bool] = []
    original = disk._environment.sync
    monkeypatch.setattr(disk._environment, "sync", lambda: (original(), synced.append(True)))
    await disk.set("a", b"2")
    assert synced == []
    await disk.set("a", b"3", durable=True)
    await disk.update("a", lambda old: (b"4", None), durable=True)
    assert synced == [True, True]
