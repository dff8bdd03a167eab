"""The page about the admin address: what it lists is what there is, and its commands do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgescript.admin.found import resources
from edgescript.admin.operator import Past
from tests.admin.conftest import TEXT, FakeOperator, RunningAdmin

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "admin.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]

#: What --max-time gives for a stream, which has no end.
_ENDED = 28


def test_the_table_lists_every_resource_with_its_methods() -> None:
    rows = dict(re.findall(r"^\| `(/\w+)` \| ([A-Z, ]+) \|", PAGE, re.M))
    assert rows == {resource.path: ", ".join(resource.handlers) for resource in resources().values()}
    assert len(COMMANDS) > 12


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_its_commands_can_be_typed_one_after_the_other(
    admin: RunningAdmin, operator: FakeOperator, tmp_path: Path
) -> None:
    operator.answers["upstreams"] = [
        [{"address": f"10.0.0.{number}:8080", "in_use": 0, "idle": 0, "waiting": 0} for number in (1, 2)]
    ]
    operator.answers["explain"] = [{"explanation": {"answer": "answer 200"}, "text": ""}]
    operator.pasts = [Past(1, 100.0, "start", "Edgefile", TEXT)]
    for command in COMMANDS:
        typed = command.replace("localhost:2019", f"localhost:{admin.port}").replace("curl ", "curl -sS --fail ", 1)
        done = subprocess.run(typed, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == (_ENDED if "--max-time" in command else 0), (command, done)
    assert (tmp_path / "Edgefile.now").read_text() == TEXT
    assert operator.shares == {"10.0.0.2:8080": {"drained": False, "weight": 3}}
    assert operator.pasts[0].source == "rollback to 1"
