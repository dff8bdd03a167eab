"""The guide about Python: its files, put side by side, do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import edgescript.api as api

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "python.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```\w+ title="(\S+)"\n(.*?)^```$', GUIDE, re.MULTILINE | re.DOTALL))


def test_the_files_of_the_guide_work_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(FILES["test_shop.py"], names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 4
    for test in tests:
        test()  # type: ignore[operator]
    names["edge"].close()  # type: ignore[attr-defined]


def test_everything_public_is_in_the_guide() -> None:
    values = {"Headers", "Values"}  # named by what has them
    assert [
        name
        for name in api.__all__
        if name not in values and f"`{name}" not in GUIDE and f"{name}(" not in GUIDE and f"@{name}" not in GUIDE
    ] == ["Request"]
    public = {name for name in dir(api.Request) if not name.startswith("_")} - {"exchange"}
    assert [name for name in public if name not in GUIDE] == []
