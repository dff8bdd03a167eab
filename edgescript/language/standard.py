"""What the standard library says about itself: each snippet's head comment, with its arguments, and its example.

A file `stdlib/NAME.edge` begins with a comment: a sentence that sums it up, paragraphs, and below `Arguments:` a line for
each argument. `stdlib/examples/NAME.edge` is an Edgefile that uses it, with tests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgescript.language.files import standard_example, standard_file

_ARGUMENT = re.compile(r"  (?P<name>\S+)  +(?P<text>\S.*)")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a snippet: of `name=value` its name in lower case, otherwise a word in capitals."""

    name: str
    text: str

    @property
    def is_named(self) -> bool:
        return self.name.islower()


@dataclass(frozen=True, slots=True)
class StandardSnippet:
    """One snippet of the standard library, for a reader."""

    #: As it is imported: `std/cors`.
    name: str
    summary: str
    #: The paragraphs behind it.
    body: str
    arguments: tuple[Argument, ...]
    #: An Edgefile that uses it, with tests.
    example: str

    @property
    def usage(self) -> str:
        """How it is imported, in a line."""
        named = [f"[{argument.name}=…]" for argument in self.arguments if argument.is_named]
        words = [f"<{argument.name.lower()}>" for argument in self.arguments if not argument.is_named]
        return " ".join(["import", self.name, *words, *named])


def standard_snippet(name: str) -> StandardSnippet:
    """
    What is to say about `std/NAME`, which there is.

    :param name: without `std/`
    """
    text, _, rest = _head_comment(standard_file(name).read_text(encoding="utf-8")).partition("\nArguments:\n")
    summary, _, body = text.partition("\n\n")
    return StandardSnippet(
        f"std/{name}",
        " ".join(summary.split()),
        body.strip(),
        tuple(_arguments(rest.splitlines())),
        standard_example(name).read_text(encoding="utf-8"),
    )


def _head_comment(text: str) -> str:
    """The comment that a file begins with, without its `#`."""
    lines = text.splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(f"{line.removeprefix('#').removeprefix(' ')}\n" for line in lines[:end])


def _arguments(lines: Sequence[str]) -> list[Argument]:
    """A line for each argument; deeper lines go on with the one above."""
    found: list[Argument] = []
    for line in lines:
        match = _ARGUMENT.fullmatch(line)
        if match is not None:
            found.append(Argument(match["name"], match["text"]))
        elif found and line.strip():
            found[-1] = Argument(found[-1].name, f"{found[-1].text} {line.strip()}")
    return found


def as_text(snippet: StandardSnippet) -> str:
    """The page of `edge help std/NAME`, plain."""
    width = max((len(argument.name) for argument in snippet.arguments), default=0)
    arguments = "\n".join(f"    {argument.name:<{width}}  {argument.text}" for argument in snippet.arguments)
    parts = [
        f"{snippet.name}: snippet of the standard library",
        f"    {snippet.usage}",
        snippet.summary,
        snippet.body,
        f"Arguments\n{arguments}" if arguments else "",
        "Example\n" + "\n".join(f"    {line}".rstrip() for line in snippet.example.splitlines()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_markdown(snippet: StandardSnippet) -> str:
    """The reference page of a snippet."""
    arguments = "\n".join(f"- `{argument.name}`: {argument.text}" for argument in snippet.arguments)
    parts = [
        f"# {snippet.name}",
        "*Snippet of the standard library.*",
        f"```text\n{snippet.usage}\n```",
        snippet.summary,
        snippet.body,
        f"## Arguments\n\n{arguments}" if arguments else "",
        f"## Example\n\n```edgefile\n{snippet.example}```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
