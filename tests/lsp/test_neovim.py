"""A real editor, Neovim, set up as the guide says: problems, completion, hover, a fix, and the formatted text."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import EDGE

GUIDE = Path(__file__).parents[2] / "docs/guide/editors.md"
SCRIPT = Path(__file__).with_name("neovim.lua")
NVIM = shutil.which("nvim")


@pytest.mark.skipif(NVIM is None, reason="Neovim is not installed")
def test_neovim_shows_and_mends_a_mistake(tmp_path: Path) -> None:
    assert NVIM is not None
    file, answers = tmp_path / "Edgefile", tmp_path / "answers.json"
    file.write_text(":8080 {\n  log\n  proxxy 127.0.0.1:1\n}\n", encoding="utf-8")
    configuration = tmp_path / "init.lua"
    configuration.write_text(re.findall("```lua\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)[0], encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{EDGE.parent}{os.pathsep}{os.environ['PATH']}",
        "EDGE_CONFIGURATION": str(configuration),
        "EDGE_FILE": str(file),
        "EDGE_ANSWERS": str(answers),
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
    }
    command = [NVIM, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {SCRIPT}"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=110, stdin=subprocess.DEVNULL
    )
    assert answers.exists(), done.stderr
    found = json.loads(answers.read_text(encoding="utf-8"))
    assert "error" not in found, found["error"]
    assert found["shown"]
    (problem,) = found["problems"]
    assert (problem["line"], problem["column"], problem["code"]) == (2, 2, "E101")
    assert "proxy" in problem["message"]
    assert "respond" in found["completion"]
    assert "balance" not in found["completion"]
    assert "log [<matcher>]" in found["hover"]
    assert found["action"] == 'write "proxy"'
    assert found["mended"] == ":8080 {\n  log\n  proxy 127.0.0.1:1\n}"
    assert found["clean"]
    assert found["formatted"] == ":8080 {\n    log\n    proxy 127.0.0.1:1\n}"
    assert found["stopped"]
