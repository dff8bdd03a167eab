"""Results for people, and for tools: text, JSON, and JUnit's XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from edgescript.graph.explain import render
from edgescript.testing.coverage import Part, percentage
from edgescript.testing.expect import Answer
from edgescript.testing.run import Failure
from edgescript.testing.suite import Result
from edgescript.text.problem import Problem
from edgescript.text.render import as_text

#: Characters of a response's body that a failure shows, and of a header field.
MOST_SHOWN = 400
#: What XML cannot hold (XML 1.0, 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What would move a terminal's cursor or change its colours.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


# ---- text


def failed(result: Result) -> str:
    """A failing test: what was expected, what came, and which way the request went."""
    lines = [f"FAILED {result.scenario.span} {result.scenario.name}"]
    told: set[int] = set()
    for failure in result.failures:
        lines.append(f"  {failure.span}: {failure.message}")
        lines += [f"      {line}" for line in failure.difference]
    for failure in result.failures:
        if failure.walk is not None and id(failure.answer) not in told:
            told.add(id(failure.answer))
            lines += ["", *_walked(failure)]
    return _CONTROLS.sub("\ufffd", "\n".join([*lines, ""]))


def _walked(failure: Failure) -> Iterator[str]:
    assert failure.walk is not None, "asked for before"
    yield from (f"    {line}".rstrip() for line in render(failure.walk).splitlines())
    if failure.answer is not None:
        yield from (f"      {_cut(line)}".rstrip() for line in _shown(failure.answer))


def _shown(answer: Answer) -> Iterator[str]:
    """An answer's header and the beginning of its body."""
    yield from (f"{name}: {value}" for name, value in answer.headers)
    text = answer.body[:MOST_SHOWN].decode("utf-8", "replace")
    if text:
        yield ""
        yield from text.splitlines()
    if len(answer.body) > MOST_SHOWN:
        yield "… and more"


def _cut(line: str) -> str:
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}…"


def summary(results: Sequence[Result], deselected: int, seconds: float) -> str:
    """`3 passed, 1 failed in 0.02 s`."""
    passed = sum(result.passed for result in results)
    counts = {"passed": passed, "failed": len(results) - passed, "deselected": deselected}
    said = [f"{count} {word}" for word, count in counts.items() if count]
    return f"{', '.join(said) or 'no tests'} in {seconds:.2f} s"


def covered(parts: Mapping[Part, bool]) -> str:
    """What no test touched, and how much that is."""
    missed = [str(part) for part, touched in parts.items() if not touched]
    heading = ["not touched by any test:", *(f"  {line}" for line in missed)] if missed else []
    touched = len(parts) - len(missed)
    return "\n".join([*heading, f"coverage: {percentage(parts):.0f} % ({touched} of {len(parts)})"])


# ---- JSON


def as_json(
    results: Sequence[Result], deselected: int, seconds: float, parts: Mapping[Part, bool] | None
) -> dict[str, Any]:
    """Everything as plain lists, dictionaries and texts."""
    said: dict[str, Any] = {
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "deselected": deselected,
        "seconds": round(seconds, 6),
        "tests": [_test(result) for result in results],
    }
    if parts is not None:
        missed = [part._asdict() for part, touched in parts.items() if not touched]
        said["coverage"] = {"percentage": round(percentage(parts), 2), "parts": len(parts), "missed": missed}
    return said


def dumped(value: Any) -> str:
    """JSON; what is no text (bytes of a header that are no UTF-8) is escaped."""
    return json.dumps(value, indent=2)


def _test(result: Result) -> dict[str, Any]:
    line = result.scenario.span.source.position(result.scenario.span.start)[0]
    return {
        "name": result.scenario.name,
        "file": result.scenario.span.source.name,
        "line": line,
        "passed": result.passed,
        "seconds": round(result.seconds, 6),
        "failures": [_failure(failure) for failure in result.failures],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    line, column = failure.span.source.position(failure.span.start)
    return {
        "message": failure.message,
        "line": line,
        "column": column,
        "difference": list(failure.difference),
        "walk": None if failure.walk is None else failure.walk.as_json(),
        "answer": None if failure.answer is None else _answer(failure.answer),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body[:MOST_SHOWN].decode("utf-8", "replace"),
        "aborted": answer.aborted,
        "upstream": answer.upstream,
    }


# ---- JUnit


def junit(results: Iterable[Result], problems: Sequence[Problem] = ()) -> bytes:
    """
    JUnit's XML, as continuous integration reads it: a suite for each file, a case for each test.

    :param problems: why nothing was run, each as a case of its own
    """
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result.scenario.span.source.name, []).append(result)
    root = ElementTree.Element("testsuites", _counts([result for found in by_file.values() for result in found]))
    for name, found in by_file.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(name), **_counts(found)})
        for result in found:
            _case(suite, name, result)
    if problems:
        _broken(root, problems)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.passed for result in results)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(result.seconds for result in results):.6f}",
    }


def _case(suite: ElementTree.Element, file: str, result: Result) -> None:
    line = result.scenario.span.source.position(result.scenario.span.start)[0]
    attributes = {"classname": file, "name": result.scenario.name, "file": file, "line": str(line)}
    attributes = {key: _xml(value) for key, value in attributes.items()} | {"time": f"{result.seconds:.6f}"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if not result.passed:
        message = _xml("; ".join(failure.message for failure in result.failures))
        ElementTree.SubElement(case, "failure", {"message": message}).text = _xml(failed(result))


def _broken(root: ElementTree.Element, problems: Sequence[Problem]) -> None:
    count = str(len(problems))
    counts = {"tests": count, "failures": "0", "errors": count, "skipped": "0", "time": "0"}
    root.attrib.update(counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "problems", **counts})
    for problem in problems:
        name = _xml(f"{problem.code} {problem.span}")
        case = ElementTree.SubElement(suite, "testcase", {"classname": "problems", "name": name, "time": "0"})
        ElementTree.SubElement(case, "error", {"message": _xml(problem.message)}).text = _xml(as_text([problem]))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
