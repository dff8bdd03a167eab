"""The documentation: every Edgefile in it is valid and its tests hold, and the site builds with nothing missing."""

from __future__ import annotations

import html.parser
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.check import check
from edgescript.text.problem import Severity
from edgescript.text.source import Source

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.load()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: What the examples of the standard library serve.
FILES = ROOT / "stdlib" / "examples"
#: What stands between the fences of a block marked `edgefile`, with a title or without. Those below "Wrong:" are checked
#: with the codes that they are examples of.
BLOCK = re.compile(
    r"^(?<!^Wrong:\n\n)(?P<fence>```+)edgefile(?: title=[^\n]+)?\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced Edgefile of a page."""

    page: str
    line: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("fence")) + 1
        yield Block(page.relative_to(ROOT).as_posix(), line, match["text"])


BLOCKS = [block for page in PAGES for block in _blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_an_edgefile_in_the_documentation_holds(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = str(FILES if block.page.startswith("docs/reference/std/") else tmp_path)
    report = check(Source(block.name, block.text), catalogue=CATALOGUE, environment={}, directory=directory)
    errors = [problem for problem in report.problems if problem.severity is Severity.ERROR]
    assert not errors, str(report)
    assert not any(failures for _, failures in report.results), str(report)


def test_the_guide_shows_edgefiles_and_tests_them() -> None:
    shown = {block.page for block in BLOCKS}
    assert {"README.md", "docs/index.md", "docs/guide/getting-started.md", "docs/guide/concepts.md"} <= shown
    assert sum("\ntest " in block.text for block in BLOCKS) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_fence_says_what_it_holds(page: Path) -> None:
    """So that no Edgefile goes unchecked because its fence says nothing. `edge` marks lines that are part of one."""
    languages = re.findall(r"^```+(\S*)[^\n]*\n.*?^```+$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert "" not in languages, "write `text` behind the fence if it is nothing else"


# ---- the site


class _Fetched(html.parser.HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.urls.append(values.get("src") or "")
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.urls.append(values.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Strict: a link to nowhere fails."""
    pytest.importorskip("material")
    built = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(built)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return built


def test_every_page_is_built_and_can_be_reached(site: Path) -> None:
    navigation = (site / "index.html").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        folder = "" if name == "index" else re.sub(r"(^|/)(?:README|index)$", r"\1", name).rstrip("/") + "/"
        assert (site / folder / "index.html").is_file(), name
        assert f'href="{folder or "."}"' in navigation, f"{name} is not in the navigation"


def test_the_guide_lists_all_of_its_pages_in_the_order_of_the_navigation(site: Path) -> None:
    guide = ROOT / "docs" / "guide"
    listed = re.findall(r"\]\(([a-z-]+)\.md\)", (guide / "index.md").read_text(encoding="utf-8"))
    listed = listed[2:]  # the first sentence names two of them
    assert {*listed, "index"} == {page.stem for page in guide.glob("*.md")}
    html = (site / "guide" / "index.html").read_text(encoding="utf-8")
    shown = list(dict.fromkeys(re.findall(r'<a href="([a-z-]+)/" class="md-nav__link', html)))
    shown.sort(key=lambda name: name.endswith("-converted"))  # what they say is named behind both
    listed.sort(key=lambda name: name.endswith("-converted"))
    assert shown == listed


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        parser = _Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert [url for url in parser.urls if urlsplit(url).netloc] == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_every_fence_becomes_a_block(site: Path) -> None:
    """One that cannot be read, and what stands behind it, would come out as running text."""
    for page in site.rglob("*.html"):
        assert "```" not in page.read_text(encoding="utf-8"), page


def test_no_placeholder_is_swallowed(site: Path) -> None:
    """Braces that are no code may be taken for attributes of the text before them."""
    page = (site / "reference" / "values" / "index.html").read_text(encoding="utf-8")
    assert "which may have placeholders such as <code>{path}</code>" in page


def test_edgefiles_are_coloured(site: Path) -> None:
    page = (site / "guide" / "concepts" / "index.html").read_text(encoding="utf-8")
    assert '<span class="k">handle</span>' in page
    assert '<span class="nf">respond</span>' in page


def test_directives_and_functions_can_be_searched_for(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    for word in ("connect_timeout", "re_match", "std/security-headers", "E101"):
        assert word in index
