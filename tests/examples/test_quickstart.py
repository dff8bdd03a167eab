"""`make run`: the quickstart starts with its own upstream, answers, and stops in good order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

START = Path(__file__).parents[2] / "examples" / "quickstart" / "start.py"


def test_the_quickstart_starts_answers_and_stops() -> None:
    starting = subprocess.Popen(
        [sys.executable, str(START)],
        env=os.environ | {"EDGE_PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert starting.stderr is not None
        # Another server of this machine may have the usual admin address, which is told first.
        line = next(line for line in starting.stderr if "listening on" in line)
        found = re.search(r"listening on (?:127\.0\.0\.1)?:(\d+)", line)
        assert found is not None, line
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/api/hello?name=you", timeout=20) as answer:
            seen = json.load(answer)
        assert (seen["hello"], seen["path"]) == ("you", "/hello")
        assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"
        starting.terminate()
        assert starting.wait(30) == 0
    finally:
        starting.kill()
        starting.communicate()
