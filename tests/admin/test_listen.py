"""Where the admin address is, and what happens where it cannot be."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import anyio
import pytest

from edgescript.admin.serve import Admin
from edgescript.server.listen import ListenError
from edgescript.settings import admin as setting
from tests.admin.conftest import FakeOperator, setting_of


def admin_of(**options: object) -> Admin:
    return Admin(FakeOperator(), setting_of(**options), directory=".")


def taken() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_an_address_that_nobody_wrote_may_be_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(port: int) -> None:
        monkeypatch.setattr(setting, "DEFAULT", f"127.0.0.1:{port}")
        async with anyio.create_task_group() as tasks:
            admin = admin_of()
            with caplog.at_level(logging.WARNING):
                assert await admin.start(tasks) == []
            await admin.stop()
            tasks.cancel_scope.cancel()

    with taken() as other:
        anyio.run(run, other.getsockname()[1])
    assert "there is no admin address: cannot listen on 127.0.0.1:" in caplog.text


def test_an_address_that_was_written_must_be_free() -> None:
    async def run(port: int) -> None:
        failed = False
        async with anyio.create_task_group() as tasks:
            admin = admin_of(address=f"127.0.0.1:{port}")
            try:
                await admin.start(tasks)
            except ListenError:
                failed = True
            await admin.stop()
            tasks.cancel_scope.cancel()
        assert failed

    with taken() as other:
        anyio.run(run, other.getsockname()[1])


def test_off_means_that_there_is_none() -> None:
    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            admin = admin_of(address="off")
            assert await admin.start(tasks) == []
            assert admin.bound is None
            await admin.stop()
            tasks.cancel_scope.cancel()

    anyio.run(run)


def test_the_file_of_a_socket_goes_with_it_unless_somebody_goes_on_with_it(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            admin = admin_of(address=f"unix/{path}")
            (address,) = await admin.start(tasks)
            assert str(address) == f"unix/{path}"
            assert admin.bound is not None
            heir = admin.bound.dup()
            await admin.stop(handed_over=True)
            assert path.exists()
            next_one = admin_of(address=f"unix/{path}")
            await next_one.start(tasks, bound=heir)
            await next_one.stop()
            assert not path.exists()
            tasks.cancel_scope.cancel()

    anyio.run(run)


async def gone(path: Path) -> None:
    with anyio.fail_after(10):
        while path.exists():  # noqa: ASYNC110, ASYNC240 - the file system tells nobody
            await anyio.sleep(0.001)


def test_another_setting_is_taken_over_while_it_runs(tmp_path: Path) -> None:
    async def run() -> None:
        first, second = tmp_path / "a.sock", tmp_path / "b.sock"
        async with anyio.create_task_group() as tasks:
            admin = admin_of(address=f"unix/{first}")
            await admin.start(tasks)
            before = admin.bound
            (same,) = await admin.replace(setting_of(address=f"unix/{first}", users=(5,)))
            assert (str(same), admin.bound) == (f"unix/{first}", before)
            (moved,) = await admin.replace(setting_of(address=f"unix/{second}"))
            assert str(moved) == f"unix/{second}"
            with pytest.raises(ListenError):
                await admin.replace(setting_of(address=f"unix/{tmp_path}/nowhere/x.sock"))
            assert second.exists()
            assert admin.setting.address == f"unix/{second}"
            await gone(first)
            assert await admin.replace(setting_of(address="off")) == []
            await gone(second)
            (again,) = await admin.replace(setting_of(address=f"unix/{first}"))
            assert str(again) == f"unix/{first}"
            await admin.stop()
            assert not first.exists()
            tasks.cancel_scope.cancel()

    anyio.run(run)
