"""Plug-ins that are really installed: packages with metadata on the path, seen by `edge` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WORKS = '''
from edgescript.declare.entries import Placeholder, Role, balancer, directive, matcher
from edgescript.declare.fields import arg
from edgescript.http.message import Response


@directive("greet", role=Role.TERMINAL)
class Greet:
    """Greets."""

    whom: str = arg("Whom.")

    def check(self):
        if self.whom == "check":
            1 / 0
        return ()

    def build(self, build):
        if self.whom == "build":
            raise KeyError("no such thing")
        if self.whom == "nothing":
            return None
        if self.whom == "later":

            async def later(exchange):
                return "a text, later"

            return later

        def run(exchange):
            if self.whom == "text":
                return "a text"
            if self.whom == "step":
                raise KeyError("not now")
            return Response(200, [], f"hello {self.whom}".encode())

        return run


@matcher("evening")
class Evening:
    """Matches paths that end in evening."""

    def build(self, build):
        return lambda exchange: exchange.path.endswith("evening")

    def reason(self, exchange):
        return f"the path is {exchange.path}"


@balancer("last")
class Last:
    """Takes the last one."""

    def build(self, build):
        return lambda exchange, pools: pools[-1]


greeting = Placeholder("greeting", "A greeting.", read=lambda exchange: "good day")
'''

TAKEN = """
from edgescript.declare.entries import Role, directive


@directive("respond", role=Role.TERMINAL)
class Respond:
    'Another one.'
"""

PACKAGES = {
    "works": WORKS,
    "breaks": "import no_such_module_anywhere",
    "wrong": WORKS.replace("whom: str", "whom: object").replace('"greet"', '"other"'),
    "taken": TAKEN,
    "leaves": "class Leave(BaseException): pass\nraise Leave",
    "silent": "",
}


@pytest.fixture
def installed(tmp_path: Path) -> Any:
    """`installed("works", …)` gives `edge(*arguments)`, which finds these packages installed."""

    def install(*names: str) -> Any:
        place = tmp_path / "installed"
        for name in names:
            module = f"plug_{name}"
            information = place / f"{module}-1.2.dist-info"
            information.mkdir(parents=True)
            (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plug-{name}\nVersion: 1.2\n")
            (information / "entry_points.txt").write_text(f"[edgescript.entries]\n{name} = {module}\n")
            (place / f"{module}.py").write_text(PACKAGES[name])

        def edge(*arguments: str, edgefile: str = "") -> subprocess.CompletedProcess[str]:
            (tmp_path / "Edgefile").write_text(edgefile)
            environment = os.environ | {"PYTHONPATH": str(place)}
            command = [sys.executable, "-m", "edgescript.cli.main", *arguments]
            code = "import sys; from edgescript.cli.main import main; main()"
            command[1:3] = ["-c", code]
            return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

        return edge

    return install


def test_plug_ins_are_listed_with_what_they_add(installed: Any) -> None:
    edge = installed("works")
    done = edge("plugins")
    assert done.returncode == 0, done.stderr
    assert "plug-works 1.2 (plug_works)\n    directive greet\n    matcher evening\n" in done.stdout
    (found,) = [plugin for plugin in json.loads(edge("plugins", "--json").stdout) if plugin["package"] == "plug-works"]
    assert found["version"] == "1.2"
    assert {(entry["shelf"], entry["name"]) for entry in found["entries"]} == {
        ("directives", "greet"),
        ("matchers", "evening"),
        ("balancers", "last"),
        ("placeholders", "greeting"),
    }


def test_plug_ins_work_in_an_edgefile(installed: Any) -> None:
    done = installed("works")(
        "test",
        edgefile="""\
:80 {
    @evening evening
    greet @evening you
    proxy /up 10.0.0.1:80 10.0.0.2:80 {
        balance last
    }
    respond "{greeting}"
}
test "all of them" {
    request GET http://localhost/good-evening
    expect body "hello you"
    request GET http://localhost/
    expect body "good day"
}
test "the policy" {
    upstream 10.0.0.2:80 {
        body "the last"
    }
    request GET http://localhost/up
    expect upstream 10.0.0.2:80
}
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("breaks", "cannot be imported: ModuleNotFoundError"),
        ("leaves", "cannot be imported: Leave()"),
        ("wrong", "no kind of value is known"),
        ("taken", 'declares "respond" on directives, and that name is taken'),
        ("silent", "declares no entry"),
    ],
)
def test_a_broken_plug_in_disables_itself_and_nothing_else(name: str, problem: str, installed: Any) -> None:
    edge = installed("works", name)
    done = edge("plugins")
    assert done.returncode == 1
    assert f"plug-{name} 1.2" in done.stdout
    assert problem in done.stdout
    used = edge("validate", edgefile=":80 {\n    greet you\n}\n")
    assert used.returncode == 0, used.stdout + used.stderr


@pytest.mark.parametrize(
    ("whom", "said"),
    [
        ("check", "the plug-in plug_works failed when it checked this line: ZeroDivisionError"),
        (
            "nothing",
            "greet cannot be set up: the plug-in plug_works failed with TypeError('build() gave a value of type None",
        ),
        ("build", "greet cannot be set up: the plug-in plug_works failed with KeyError('no such thing')"),
    ],
)
def test_a_mistake_of_a_plug_in_is_a_problem_of_the_line_that_uses_it(whom: str, said: str, installed: Any) -> None:
    done = installed("works")("validate", edgefile=f":80 {{\n    greet {whom}\n}}\n")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Edgefile:2:5" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("whom", ["text", "later"])
def test_a_step_of_a_plug_in_that_gives_no_response_is_answered_500(whom: str, installed: Any) -> None:
    done = installed("works")(
        "test",
        edgefile=f":80 {{\n    greet /a {whom}\n    respond ok\n}}\n"
        'test "its own" {\n    request GET http://localhost/a\n    expect status 500\n}\n',
    )
    assert "the plug-in plug_works answered with a value of type str, and no Response in the step" in done.stdout


def test_a_step_of_a_plug_in_that_fails_is_answered_500_and_nothing_more(installed: Any) -> None:
    done = installed("works")(
        "test",
        edgefile=":80 {\n    greet /a step\n    respond ok\n}\n"
        'test "others" {\n    request GET http://localhost/\n    expect body ok\n}\n'
        'test "its own" {\n    request GET http://localhost/a\n    expect status 500\n}\n',
    )
    assert "1 passed" in done.stdout
    assert "KeyError: 'not now' in the step `greet /a step` (Edgefile:2:5)" in done.stdout
