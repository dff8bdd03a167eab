"""W314: a secret stands in the file, where everybody reads it who may read the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from edgescript.language.tree import Line, Tree, Word
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem
from edgescript.text.source import Span

CERTAIN = True

# The patterns are texts, because most files need none of them compiled.

#: Texts that are secrets by what they look like.
_KEY = r"""(?x)
    -----BEGIN\ (?:[A-Z]+\ )*PRIVATE\ KEY-----
  | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                          # Amazon
  | \bgh[pousr]_[0-9A-Za-z]{36,}\b | \bgithub_pat_\w{40,}  # GitHub
  | \bglpat-[\w-]{20,}                                     # GitLab
  | \b[sr]k_live_[0-9A-Za-z]{16,}                          # Stripe
  | \bxox[abprs]-[0-9A-Za-z-]{10,}                         # Slack
  | \bAIza[\w-]{35}                                        # Google
  | \bnpm_[0-9A-Za-z]{36}\b | \bpypi-[\w-]{50,}
  | \bsk-(?:ant-|proj-)?[\w-]{32,}
  | \beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}             # a JSON Web Token
"""
#: A user and a password in a URL.
_IN_URL = r"(?i)[a-z][a-z0-9+.-]{0,15}://[^\s/:@{}]+:(?P<secret>[^\s/@{}]+)@"
_CREDENTIALS = r"(?i)(?:Bearer|Basic|Token|ApiKey)\s+(?P<secret>[\w.~+/=:-]{8,})"
#: Names whose value is a secret, as names of fields, options and variables have it.
_NAME = (
    r"(?i)[+?>]?(?:[\w.-]*[_.-])?"
    r"(?:password|passwd|secret|api[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?key|hash[_-]?key)|(?i:token)"
)
#: One of these, in lower case, is in whatever is found here: looking for them first costs large files next to nothing.
_SIGNS = (
    "-----begin", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat-", "k_live_", "xox", "aiza",
    "npm_", "pypi-", "sk-", "eyj", "bearer", "basic", "token", "key", "passw", "secret",
)  # fmt: skip
#: Of a word with a key or credentials in it.
_SHORTEST = 12
#: Characters of a word that are looked at.
_LONGEST = 8192
_HINT = "put it into an environment variable, and write {$NAME}, or {env.NAME} to read it at each request"


def check(facts: Facts) -> Iterator[Problem]:
    for tree in facts.analysis.file.trees:
        if _may_have_any(tree.source.text):
            yield from _in_tree(tree)


def _may_have_any(text: str) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in _SIGNS) or ("://" in text and re.search(_IN_URL, text) is not None)


def _in_tree(tree: Tree) -> Iterator[Problem]:
    for top in tree.lines:
        if top.words and top.words[0].value == "test":
            continue  # what tests send are examples
        for line in top.walk():
            if line.words:
                yield from _in_line(line)


def _in_line(line: Line) -> Iterator[Problem]:
    for word in line.words:
        if len(word.value) < _SHORTEST:
            continue
        for pattern, what in ((_KEY, "a key"), (_IN_URL, "a password in a URL"), (_CREDENTIALS, "credentials")):
            found = re.search(pattern, word.value[:_LONGEST])
            if found is not None:
                yield _problem(line, word, found, what)
                break
    yield from _named(line, line.words)


def _named(line: Line, words: Sequence[Word]) -> Iterator[Problem]:
    """`password hunter2`, also behind the name of a directive: `header X-Api-Key abc`."""
    for name, value in pairwise(words):
        if re.fullmatch(_NAME, name.value[:_LONGEST]) and _is_written_out(value) and value is words[-1]:
            yield Problem(
                "W314",
                f'the value of "{name.value}" written out, for everybody to read who may read this file',
                line.span(value),
                hint=_HINT,
                is_secret=True,
            )


def _is_written_out(word: Word) -> bool:
    return (
        len(word.value) >= 4
        and not re.search(r"[{}*\s]", word.value)
        and not word.value.startswith(("/", "@", "./"))
        and re.search(_CREDENTIALS, word.value[:_LONGEST]) is None
        and re.search(_KEY, word.value[:_LONGEST]) is None
    )


def _problem(line: Line, word: Word, found: re.Match[str], what: str) -> Problem:
    secret = found.groupdict().get("secret") or found[0]
    span = line.span(word)
    start = span.source.text.find(secret, span.start, span.end)
    if start >= 0:
        span = Span(span.source, start, start + len(secret), span.imported)
    message = f"{what} written out, for everybody to read who may read this file"
    return Problem("W314", message, span, hint=_HINT, is_secret=True)
