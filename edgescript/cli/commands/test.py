"""`edge test`."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from edgescript.cli import console, edgefile
from edgescript.text.problem import Severity

if TYPE_CHECKING:
    from edgescript.testing.coverage import Coverage, Part
    from edgescript.testing.select import Selected
    from edgescript.testing.suite import Result, Suite
    from edgescript.text.problem import Problem
    from edgescript.text.source import Source

#: Exit codes: a test failed, or a file has errors; and there was nothing to run.
FAILED = 1
NO_TESTS = 5

#: What stands out on a terminal.
_STYLES = {
    r"(?m)^FAILED .*$": "bold red",
    r"(?m)^  \S+:\d+:\d+: .*$": "red",
    r"(?m)^      -.*$": "green",
    r"(?m)^      \+.*$": "red",
    r"(?m)^    skip .*$": "dim",
    r"(?m)^PASSED": "green",
    r"\b\d+ passed": "bold green",
    r"\b\d+ failed": "bold red",
    r"(?m)^    → .*$": "bold",
}


def _selector(context: click.Context, parameter: click.Parameter, value: str | None) -> Selected:
    from edgescript.testing.select import selector

    if value is None:
        return lambda name: True
    try:
        return selector(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@dataclass(frozen=True, slots=True)
class _Options:
    selected: Selected
    stop: bool
    verbose: bool
    coverage: bool
    coverage_min: float | None
    junit: str | None
    form: str


@click.command(
    help="""
    Run the `test` blocks of Edgefiles against their compiled routes, in memory: no port is opened, and no upstream asked.

    FILE is an Edgefile, whose tests stand in it and in the *.test.edge files beside it; a *.test.edge file; or a folder,
    for all of both below it. Without FILE it is the Edgefile of this directory.

    Exit code: 0 all passed, 1 a test failed or a file has errors, 2 wrong usage, 5 there was no test to run.
    """
)
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option(
    "-k", "selected", callback=_selector, metavar="EXPRESSION", help="Only tests whose names fit: `a and not b`."
)
@click.option("-x", "stop", is_flag=True, help="Stop at the first test that fails.")
@click.option("-v", "--verbose", is_flag=True, help="Name the tests that pass too.")
@click.option("--coverage", is_flag=True, help="List the directives, matchers and routes that no test touched.")
@click.option("--coverage-min", type=click.FloatRange(0, 100), metavar="N", help="Fail below N per cent of coverage.")
@click.option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for tools.")
@click.option("--list", "listing", is_flag=True, help="List the tests, and run none.")
@click.option("--watch", is_flag=True, help="Run again whenever one of the files changes.")
def command(
    files: tuple[str, ...],
    selected: Selected,
    stop: bool,
    verbose: bool,
    coverage: bool,
    coverage_min: float | None,
    junit: str | None,
    form: str,
    listing: bool,
    watch: bool,
) -> list[Suite]:
    options = _Options(selected, stop, verbose, coverage or coverage_min is not None, coverage_min, junit, form)
    if watch and (listing or "-" in files):
        raise click.UsageError("--watch runs the tests of files again and again")
    if watch:
        _watched(files, options)
    suites = list(_Files(files).suites())
    code = _list(suites, options) if listing else _Run(suites, options).code()
    if code:
        raise click.exceptions.Exit(code)
    return suites  # so that they go with the process, and not piece by piece before


def _watched(names: tuple[str, ...], options: _Options) -> NoReturn:
    """Run again and again, until Ctrl-C."""
    from edgescript.runtime.followed import INTERVAL

    while True:
        gc.unfreeze()  # what the run before froze is garbage by now
        files = _Files(names)
        try:
            _Run(list(files.suites()), options).code()
        except OSError as error:
            console.complain(console.reason(error))
        except click.ClickException as error:
            console.complain(error.format_message())
        sys.stdout.flush()
        while not files.followed.changed():
            time.sleep(INTERVAL)
        console.say("")


# ---- which suites


class _Files:
    """The files that are meant, found and read; each is told to `followed` before."""

    def __init__(self, names: tuple[str, ...]) -> None:
        from edgescript.runtime.followed import Followed

        self.names = names
        self.followed = Followed()

    def suites(self) -> Iterator[Suite]:
        """Everything to test, each compiled."""
        from edgescript.testing.suite import is_test_file, tests_beside

        own, tests = self._named()
        for name in own:
            beside = [] if name == "-" or is_test_file(Path(name)) else tests_beside(Path(name))
            sources = [self._read(str(path)) for path in beside]
            yield self._open(self._read(name), [source for source in sources if not _stands_alone(source)])
        for tested, sources in tests.items():
            if tested not in own:
                yield self._open(self._read(tested), sources, own=False)

    def _named(self) -> tuple[list[str], dict[str, list[Source]]]:
        """The files to test; and the files of tests that were named, by the file that they test."""
        from edgescript.testing.suite import is_test_file, tested_by

        own: dict[str, None] = {}
        tests: dict[str, list[Source]] = {}
        for name in self._all():
            path = Path(name)
            if name == "-" or not is_test_file(path):
                own[name] = None
                continue
            source = self._read(name)
            tested = tested_by(path)
            if _stands_alone(source):
                own[name] = None
            elif tested is None:
                raise click.ClickException(f"{name} has no site, and there is no Edgefile beside it to test")
            else:
                tests.setdefault(str(tested), []).append(source)
        return list(own), tests

    def _all(self) -> Iterator[str]:
        """Folders are taken for the files below them."""
        from edgescript.testing.suite import SUFFIX

        if not self.names:
            self.followed.add(".")
            here = [path.name for path in sorted(Path().glob(f"*{SUFFIX}"))]
            yield from here if here and not os.path.exists(edgefile.DEFAULT) else (edgefile.DEFAULT, *here)
        for name in self.names:
            if os.path.isdir(name):
                self.followed.add(name)
                found = [path for pattern in (edgefile.DEFAULT, f"*{SUFFIX}") for path in Path(name).rglob(pattern)]
                yield from map(str, sorted(found))
            else:
                yield os.path.normpath(name)

    def _read(self, name: str) -> Source:
        self.followed.add(name)
        return edgefile.read(None if name == edgefile.DEFAULT else name)

    def _open(self, source: Source, tests: list[Source], *, own: bool = True) -> Suite:
        from edgescript.catalog import Catalogue
        from edgescript.testing.suite import open_suite

        return open_suite(
            source,
            tests=tests,
            catalogue=Catalogue.load(),
            environment=os.environ,
            directory=edgefile.directory(source),
            read=self.followed.read,
            own=own,
        )


def _stands_alone(source: Source) -> bool:
    from edgescript.testing.suite import stands_alone

    return stands_alone(source)


# ---- running them


@dataclass(slots=True)
class _Run:
    """One run of all tests that are meant."""

    suites: list[Suite]
    options: _Options
    results: list[Result] = field(default_factory=list)
    parts: dict[Part, bool] = field(default_factory=dict)
    deselected: int = 0
    seconds: float = 0.0

    def code(self) -> int:
        """Run, report, and give the exit code."""
        problems = [problem for suite in self.suites for problem in suite.problems]
        broken = any(suite.has_errors for suite in self.suites)
        if self.options.form == "text" or broken:
            _show(problems, self.options)
        if broken:
            self._write_junit([problem for problem in problems if problem.severity is Severity.ERROR])
            return FAILED
        # As in `edge run`: what is loaded stays, and what tests leave behind is collected.
        gc.freeze()
        gc.enable()
        began = time.perf_counter()
        for suite in self.suites:
            if not (self.options.stop and self._any_failed()):
                self._suite(suite)
        self.seconds = time.perf_counter() - began
        self._report()
        return self._judged()

    def _any_failed(self) -> bool:
        return any(not result.passed for result in self.results)

    def _suite(self, suite: Suite) -> None:
        from edgescript.testing.coverage import Coverage

        coverage: Coverage | None = Coverage() if self.options.coverage else None
        chosen = [scenario for scenario in suite.scenarios if self.options.selected(scenario.name)]
        self.deselected += len(suite.scenarios) - len(chosen)
        for result in suite.run(chosen, coverage):
            self.results.append(result)
            self._tell(result)
            if self.options.stop and not result.passed:
                break
        if coverage is not None and suite.compiled is not None:
            for part, touched in coverage.parts(suite.compiled.graph).items():
                self.parts[part] = self.parts.get(part, False) or touched

    def _tell(self, result: Result) -> None:
        from edgescript.testing.report import failed

        if self.options.form == "json":
            return
        if not result.passed:
            _say(failed(result))
        elif self.options.verbose:
            _say(f"PASSED {result.scenario.span} {result.scenario.name}")

    def _write_junit(self, problems: Sequence[Problem] = ()) -> None:
        from edgescript.testing.report import junit

        if self.options.junit is not None:
            Path(self.options.junit).write_bytes(junit(self.results, problems))

    def _report(self) -> None:
        from edgescript.testing import report

        self._write_junit()
        parts = self.parts if self.options.coverage else None
        if self.options.form == "json":
            console.say(report.dumped(report.as_json(self.results, self.deselected, self.seconds, parts)))
            return
        if parts is not None:
            console.say(report.covered(parts))
        _say(report.summary(self.results, self.deselected, self.seconds))

    def _judged(self) -> int:
        from edgescript.testing.coverage import percentage

        least = self.options.coverage_min
        if self._any_failed():
            return FAILED
        if not self.results:
            return NO_TESTS
        if least is not None and percentage(self.parts) < least:
            console.complain(f"coverage is {percentage(self.parts):.1f} %, below {least:g} %")
            return FAILED
        return 0


def _show(problems: list[Problem], options: _Options) -> None:
    if options.form == "json":
        from edgescript.text.formats.json import render

        console.say(f'{{"problems": {render(problems).rstrip()}}}')
    else:
        edgefile.show(problems)


def _say(text: str) -> None:
    if console.has_colour(sys.stdout):
        console.say_highlighted(text, _STYLES)
    else:
        console.say(text)


def _list(suites: list[Suite], options: _Options) -> int:
    from edgescript.testing.report import dumped

    if any(suite.has_errors for suite in suites):
        _show([problem for suite in suites for problem in suite.problems], options)
        return FAILED
    found = [scenario for suite in suites for scenario in suite.scenarios if options.selected(scenario.name)]
    if options.form == "json":
        console.say(dumped([{"name": scenario.name, "place": str(scenario.span)} for scenario in found]))
    for scenario in found if options.form == "text" else ():
        console.say(f"{scenario.span} {scenario.name}")
    return 0 if found else NO_TESTS
