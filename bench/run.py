"""
Measure beside real peers: `make bench`, or `python bench/run.py --quick --case hello`.

Every server is started here on a free port and ended by its process id. A peer that cannot be had is reported as not
measured. `RESULTS.md` is written after a run that was not quick, of all cases or of some.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cases import CASES, Case
from machine import LOAD_CORE, NotMeasured, allow_many_files, processor, running
from probes import Effort, Probe
from programs import Programs
from report import Outcome, as_markdown, as_text, with_cases
from servers import Place, origin

HERE = Path(__file__).resolve().parent

FULL = Effort(rounds=3, seconds=3, sites=10_000, routes=1_000, idle_connections=5_000)
QUICK = Effort(rounds=1, seconds=1, sites=1_000, routes=200, idle_connections=1_000)


def main() -> int:
    arguments = _arguments()
    effort = QUICK if arguments.quick else FULL
    chosen = [case for case in CASES if not arguments.case or case.name in arguments.case]
    programs = Programs(HERE / ".work" / "peers", arguments.peers)
    allow_many_files()
    if (os.cpu_count() or 1) <= LOAD_CORE:
        print("there is one core only: server and load share it, and the figures say little", file=sys.stderr)

    outcomes = []
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        files = _files(Path(directory))
        for case in chosen:
            outcomes.append(_measure(case, effort, programs, Path(directory), files, arguments.only))
            print(as_text(outcomes[-1]), end="\n\n", flush=True)

    if not arguments.quick and not arguments.only:
        _keep(outcomes, programs, is_all=chosen == list(CASES), rounds=effort.rounds)
    return 0


def _keep(outcomes: list[Outcome], programs: Programs, *, is_all: bool, rounds: int) -> None:
    """Write `RESULTS.md`; of some cases only, where the others were measured on the same kind of processor."""
    file = HERE / "RESULTS.md"
    if is_all:
        used = sorted({contender.program for case in CASES for contender in case.contenders} | {"wrk"})
        versions = {name: programs.version(name) for name in used}
        file.write_text(as_markdown(outcomes, processor=processor(), versions=versions, rounds=rounds))
    elif f"Processor: {processor()}." in file.read_text():
        file.write_text(with_cases(file.read_text(), outcomes, CASES))
    else:
        print("not written: the other results are of another processor", file=sys.stderr)
        return
    print("written: bench/RESULTS.md")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure beside real peers.")
    names = [case.name for case in CASES]
    parser.add_argument("--case", action="append", choices=names, help="only this case; may be repeated")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this contender; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, small sizes: for a look, not for a claim"
    )
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where caddy, traefik and envoy are already")
    return parser.parse_args()


def _files(directory: Path) -> Path:
    """The files that are served: two of noise, and one of text."""
    files = directory / "files"
    files.mkdir()
    files.joinpath("small.bin").write_bytes(os.urandom(10 * 1024))
    files.joinpath("large.bin").write_bytes(os.urandom(1024 * 1024))
    files.joinpath("things.json").write_bytes(_things(100 * 1024))
    directory.chmod(0o755)  # nginx started by root reads them as another user
    return files


def _things(size: int) -> bytes:
    """JSON as interfaces give it, the same in every run; gzip makes a third of it."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(3000)]
    things = [
        {
            "id": number,
            "name": " ".join(chance.choices(words, k=4)),
            "tags": chance.choices(words, k=5),
            "price": chance.random(),
        }
        for number in range(size // 100)
    ]
    return json.dumps(things).encode()[:size]


def _measure(
    case: Case, effort: Effort, programs: Programs, directory: Path, files: Path, only: list[str] | None
) -> Outcome:
    """All contenders of a case in turns, round by round."""
    outcome = Outcome(case)
    needed = ["nginx", "wrk"] if case.needs_wrk else []
    if lacking := [name for name in needed if programs.find(name) is None]:
        outcome.missing = {contender.name: f"needs {' and '.join(lacking)}" for contender in case.contenders}
        return outcome
    with contextlib.ExitStack() as stack:
        upstream_port = 0
        if case.needs_wrk:
            place = Place(programs, _own(directory, case.name, "origin"), files, 0)
            _, upstream_port = stack.enter_context(running(lambda: origin(place)))
        probes: dict[str, Probe] = {}
        for contender in case.contenders:
            if only and contender.name not in only:
                continue
            if programs.find(contender.program) is None:
                outcome.missing[contender.name] = f"{contender.program} is not there"
                continue
            place = Place(programs, _own(directory, case.name, contender.name), files, upstream_port)
            with _noting(outcome, contender.name):
                probes[contender.name] = stack.enter_context(contender.open(place, effort))
        for _ in range(effort.rounds):
            for name, probe in probes.items():
                if name not in outcome.missing:
                    with _noting(outcome, name):
                        outcome.figures.setdefault(name, []).append(probe())
    return outcome


@contextlib.contextmanager
def _noting(outcome: Outcome, name: str) -> Iterator[None]:
    """Note why a contender has no figures; its earlier rounds do not count then."""
    try:
        yield
    except NotMeasured as reason:
        outcome.missing[name] = str(reason)
        outcome.figures.pop(name, None)


def _own(directory: Path, case: str, name: str) -> Path:
    own = directory / case / name.replace(" ", "-")
    own.mkdir(parents=True)
    own.chmod(0o777)
    return own


if __name__ == "__main__":
    sys.exit(main())
