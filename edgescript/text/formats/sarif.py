"""Problems in the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS Standard, 27 March 2020).

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edgescript.text.pages import page
from edgescript.text.problem import Fix, Problem
from edgescript.text.source import Source, Span
from edgescript.version import __version__

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(problems: Iterable[Problem]) -> str:
    found = list(problems)
    rules = {code: number for number, code in enumerate(sorted({problem.code for problem in found}))}
    driver = {"name": "edge", "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, rules) for problem in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    found = page(code)
    rule: dict[str, Any] = {"id": code, "defaultConfiguration": {"level": _level(code)}}
    if found is not None:
        rule["shortDescription"] = {"text": found.title}
        rule["help"] = {"text": re.sub(r"[`*]", "", found.body), "markdown": found.markdown}
    return rule


def _level(code: str) -> str:
    return "error" if code.startswith("E") else "warning"


def _result(problem: Problem, rules: dict[str, int]) -> dict[str, Any]:
    text = problem.message if problem.hint is None else f"{problem.message}; {problem.hint}"
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rules[problem.code],
        "level": _level(problem.code),
        "message": {"text": text},
    }
    if problem.span is not None:
        result["locations"] = [_location(problem.span)]
    related = [{"id": number, **location} for number, location in enumerate(_related(problem), 1)]
    if related:
        result["relatedLocations"] = related
    if problem.fix is not None:
        result["fixes"] = [_fix(problem.fix)]
    return result


def _related(problem: Problem) -> Iterator[dict[str, Any]]:
    """The notes that have a place, and through which imports the problem's own came here."""
    for note in problem.notes:
        if note.span is not None:
            yield {**_location(note.span), "message": {"text": note.message}}
    outer = problem.span.imported if problem.span is not None else None
    while outer is not None:
        yield {**_location(outer), "message": {"text": "imported here"}}
        outer = outer.imported


def _location(span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(span.source), "region": _region(span)}}


def _artifact(source: Source) -> dict[str, str]:
    path = Path(source.name)
    return {"uri": path.as_uri() if path.is_absolute() else quote(source.name, errors="replace")}


def _region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    changes = [
        {
            "artifactLocation": _artifact(source),
            "replacements": [
                {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                for edit in fix.edits
                if edit.span.source is source
            ],
        }
        for source in dict.fromkeys(edit.span.source for edit in fix.edits)
    ]
    return {"description": {"text": fix.title}, "artifactChanges": changes}
