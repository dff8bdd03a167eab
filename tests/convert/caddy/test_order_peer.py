"""The order of directives is the one that Caddy itself puts them in."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.convert.report import Conversion

_CADDY = shutil.which("caddy")
# (Of /a and /a* Caddy 2.6 takes the longer one first, later ones the exact one, as this converter does.)
# Nor have two the same length, with or without `*`: Caddy 2.6 leaves those as they are written, later ones sort them.
_MATCHERS = ("", "*", "/a", "/ab*", "/abcdefgh/*", "/a/b*", "/a/b/c", "/longer/path/*", "@one", "@two", "@none")
_DIRECTIVES = (
    "respond {m} {id}", "header {m} A {id}", "redir {m} /{id}", "error {m} {id} 404",
    "request_header {m} A {id}", "uri {m} strip_prefix /{id}", "reverse_proxy {m} {id}:80",
)  # fmt: skip
_NAMED = "\t@one path /named/*\n\t@two {\n\t\tpath /xyz/uvwx\n\t\tmethod GET\n\t}\n\t@none method POST\n"


def _site(number: int, rng: random.Random) -> str:
    lines = []
    for at in range(rng.randint(2, 9)):
        directive, matcher = rng.choice(_DIRECTIVES), rng.choice(_MATCHERS)
        lines.append("\t" + directive.format(m=matcher or "*", id=f"id{number}x{at}"))
    return f"http://s{number}.example {{\n{_NAMED}" + "\n".join(lines) + "\n}\n"


@pytest.mark.skipif(_CADDY is None, reason="needs caddy")
def test_three_hundred_sites_are_sorted_as_caddy_sorts_them(
    tmp_path: Path, converted: Callable[..., Conversion]
) -> None:
    rng = random.Random(7)
    text = "\n".join(_site(number, rng) for number in range(300))
    file = tmp_path / "Caddyfile"
    file.write_text(text)
    command = [str(_CADDY), "adapt", "--adapter", "caddyfile", "--config", str(file)]
    adapted = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout
    routes = json.loads(adapted)["apps"]["http"]["servers"]["srv0"]["routes"]
    theirs = {route["match"][0]["host"][0]: re.findall(r"id\d+x\d+", json.dumps(route["handle"])) for route in routes}
    sites = re.findall(r"^http://(\S+) \{\n(.*?)^\}", converted(text).text, re.MULTILINE | re.DOTALL)
    ours = {host: re.findall(r"id\d+x\d+", inside) for host, inside in sites}
    assert len(ours) == 300
    different = {host: (ids, theirs[host]) for host, ids in ours.items() if ids != theirs[host]}
    lines = dict(re.findall(r"^http://(\S+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    assert not different, [(lines[host], found) for host, found in different.items()]
