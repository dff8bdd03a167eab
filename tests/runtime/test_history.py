from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgescript.runtime.bundle import Bundle
from edgescript.runtime.history import MOST, History


def bundle(number: int) -> Bundle:
    return Bundle("Edgefile", f":{number} {{\n}}\n", "/etc/edge", {"a.edge": b"\xff\x00"}, {"*.edge": ["a.edge"]})


def test_the_last_configurations_are_kept_and_read_again(tmp_path: Path) -> None:
    history = History(tmp_path / "history", clock=lambda: 1000.0)
    for number in range(1, MOST + 6):
        assert history.record(bundle(number), source="admin") == number
    again = History(tmp_path / "history")
    assert [entry.number for entry in again.entries] == list(range(6, MOST + 6))
    assert again.entries == history.entries
    assert again.entries[-1].bundle.read("a.edge") == b"\xff\x00"
    assert len(list((tmp_path / "history").iterdir())) == MOST
    assert again.record(bundle(99), source="start") == MOST + 6


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    History(tmp_path / "history").record(bundle(1), source="start")
    (file,) = (tmp_path / "history").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o700


def test_the_same_configuration_is_not_noted_twice(tmp_path: Path) -> None:
    history = History(tmp_path)
    assert history.record(bundle(1), source="start") == 1
    assert history.record(bundle(1), source="signal") == 1
    assert history.record(bundle(2), source="signal") == 2
    assert history.record(bundle(1), source="rollback to 1") == 3


def test_histories_of_different_edgefiles_do_not_mix(tmp_path: Path) -> None:
    History.of(tmp_path, "/etc/edge/Edgefile").record(bundle(1), source="start")
    assert History.of(tmp_path, "/home/jane/Edgefile").entries == []
    assert len(History.of(tmp_path, "/etc/edge/Edgefile").entries) == 1


def test_one_that_is_damaged_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    history = History(tmp_path)
    for number in range(1, 4):
        history.record(bundle(number), source="start")
    (tmp_path / "000001.json").write_text("{")
    (tmp_path / "000002.json").write_text(json.dumps({"number": 2, "when": 0, "source": "start", "bundle": []}))
    assert [entry.number for entry in History(tmp_path).entries] == [3]
    assert len(caplog.records) == 2


def test_a_disk_that_takes_nothing_is_told_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no folder")
    history = History(tmp_path / "file")
    assert history.record(bundle(1), source="start") == 1
    assert history.record(bundle(2), source="signal") == 2
    assert history.find(None).number == 1
    assert len(caplog.records) == 1
    assert "only remembered" in caplog.records[0].message


def test_what_is_not_there_cannot_be_found(tmp_path: Path) -> None:
    history = History(tmp_path)
    with pytest.raises(LookupError):
        history.find(None)
    history.record(bundle(1), source="start")
    with pytest.raises(LookupError):
        history.find(None)
    with pytest.raises(LookupError):
        history.find(7)
    history.record(bundle(2), source="signal")
    assert history.find(None).number == 1
    assert history.find(2).number == 2
