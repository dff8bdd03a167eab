"""The page of each code that a problem can have: `codes/E012.md`, found by being there.

E0xx text and structure · E1xx names and values · E2xx the graph · W… warnings. Codes are never reused: people search for them.

A page is Markdown: `# Title`, what it means and what to do, then a block that is wrong and one that is right, marked
`edgefile wrong` and `edgefile right`. Each of the two is a whole Edgefile that stands alone in its folder, where no environment
variable is set.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "codes"
_EXAMPLE = re.compile(r"^```edgefile (wrong|right)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page(NamedTuple):
    """What there is to say about a code."""

    code: str
    #: In a few words, without an end: `an unknown directive`.
    title: str
    #: All of it below the title.
    body: str

    @property
    def wrong(self) -> str | None:
        """An Edgefile that has the problem; None where a file alone cannot have it."""
        return self._example("wrong")

    @property
    def right(self) -> str | None:
        """The same without any problem."""
        return self._example("right")

    @property
    def markdown(self) -> str:
        """The page as other readers of Markdown know it, the code in its title."""
        return f"# {self.code}: {self.title}\n\n{_EXAMPLE.sub(_captioned, self.body)}"

    @property
    def text(self) -> str:
        """The page for a terminal that knows no Markdown: examples are indented."""
        return f"{self.code}: {self.title}\n\n{_EXAMPLE.sub(_indented, self.body)}"

    def _example(self, which: str) -> str | None:
        return next((match[2] for match in _EXAMPLE.finditer(self.body) if match[1] == which), None)


def page(code: str) -> Page | None:
    """
    The page of a code, or None if there is no such code.

    :raises OSError: if it cannot be read
    """
    if re.fullmatch(r"[EW][0-9]{3}", code) is None:
        return None
    path = _FOLDER / f"{code}.md"
    if not path.is_file():
        return None
    title, _, body = path.read_text(encoding="utf-8").partition("\n")
    return Page(code, title.removeprefix("# "), body.strip() + "\n")


def codes() -> list[str]:
    """Every code there is, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.md"))


def _indented(match: re.Match[str]) -> str:
    lines = "".join(f"    {line}" if line.strip() else line for line in match[2].splitlines(keepends=True))
    return f"{match[1].capitalize()}:\n\n{lines.rstrip()}"


def _captioned(match: re.Match[str]) -> str:
    return f"{match[1].capitalize()}:\n\n```edgefile\n{match[2]}```"
