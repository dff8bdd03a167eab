"""The corpus: Caddyfiles that follow patterns of Caddy's documentation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.convert.caddy.convert import convert
from edgescript.convert.report import Conversion
from edgescript.graph.load import analyse
from edgescript.text.problem import Severity
from edgescript.text.source import Source

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.Caddyfile"))
_CATALOGUE = Catalogue.load()


class _AnyEnvironment(dict[str, str]):
    """Every variable that the file gives no default has one value."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self._value = value

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        return self._value if default is None else default


def no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "no such file", name)


@pytest.fixture
def converted() -> Callable[..., Conversion]:
    """`converted(text, files={})` converts a Caddyfile, which may import the files."""

    def run(text: str, files: dict[str, str] | None = None) -> Conversion:
        known = {name: content.encode() for name, content in (files or {}).items()}

        def read(name: str) -> bytes:
            return known[name] if name in known else no_file(name)

        return convert(Source("Caddyfile", text), read=read, find=lambda pattern: sorted(known))

    return run


@pytest.fixture
def errors_of() -> Callable[[str], list[str]]:
    """The errors of an Edgefile; where its variables may be numbers or hosts, those of which it has fewer."""

    def errors(text: str) -> list[str]:
        return min((errors_with(text, value) for value in ("80", "localhost")), key=len)

    def errors_with(text: str, value: str) -> list[str]:
        source = Source("Edgefile", text)
        found = analyse(source, catalogue=_CATALOGUE, environment=_AnyEnvironment(value), read=no_file).problems
        return [f"{problem.span}: {problem.message}" for problem in found if problem.severity is Severity.ERROR]

    return errors


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `caddyfile` runs for each file of the corpus."""
    if "caddyfile" in metafunc.fixturenames:
        metafunc.parametrize("caddyfile", CORPUS, ids=lambda file: file.stem)
