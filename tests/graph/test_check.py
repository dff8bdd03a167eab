"""What is wrong between directives: each case is a text and the problems it has, with both lines they are about."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any

import pytest

Read = Callable[[str], Any]


def said(read: Read, text: str) -> list[str]:
    """Code, line, and the lines of the notes, of every problem."""
    _, problems = read(text)
    found = []
    for problem in problems:
        lines = [
            span.source.position(span.start)[0] for span in (problem.span, *(n.span for n in problem.notes)) if span
        ]
        found.append(" ".join([problem.code, *map(str, lines)]))
    return found


def in_site(text: str) -> str:
    return ":80 {\n" + indent(text.strip("\n"), "    ") + "\n}\n"


CASES = {
    "behind a terminal that takes everything": ('answer "a"\nanswer "b"', ["E201 3 2"]),
    "only the first line behind it is named": ('answer "a"\nmark x\nanswer "b"', ["E201 3 2"]),
    "the same with a star": ('answer * "a"\nanswer "b"', ["E201 3 2"]),
    "the same with a named matcher of a star": ('@all path *\nanswer @all "a"\nanswer "b"', ["E201 4 3"]),
    "behind one that goes on": ('answer "a" {\n pass_on\n}\nanswer "b"', []),
    "a path in place that none can fit": ('answer /a%20b "a"\nanswer "b"', ["E106 2"]),
    "behind a matcher that is not defined": ('answer @typo "a"\nanswer "b"', ["E111 2"]),
    "inside a block": ('handle /a {\n answer "a"\n answer "b"\n}', ["E201 4 3"]),
    "inside a block for errors": ('handle_errors {\n answer "a"\n answer "b"\n}', ["E201 4 3"]),
    "behind a block that always answers": ('route {\n answer "a"\n}\nanswer "b"', ["E201 5 2"]),
    "behind a block that may not answer": ('route {\n answer /a "a"\n}\nanswer "b"', []),
    "behind a block with a matcher": ('route /a {\n answer "a"\n}\nanswer "b"', []),
    "behind alternatives that always answer": (
        'handle /a {\n answer "a"\n}\nhandle {\n answer "b"\n}\nanswer "c"',
        ["E201 8 5"],
    ),
    "behind alternatives of which one may not": ('handle /a {\n mark x\n}\nhandle {\n answer "b"\n}\nanswer "c"', []),
    "a handle behind one without matcher": ('handle {\n answer "a"\n}\nhandle /b {\n answer "b"\n}', ["E201 5 2"]),
    "error routes are no neighbours": ('answer "a"\nhandle_errors {\n answer "b"\n}', []),
    "an exact path twice": ('answer /a "a"\nanswer /A "b"', ["E201 3 2"]),
    "a path inside a prefix": ('answer /a/* "a"\nanswer /a/b "b"', ["E201 3 2"]),
    "a prefix inside a prefix": ('answer /a/* "a"\nanswer /a/b/* "b"', ["E201 3 2"]),
    "a prefix that is wider": ('answer /a/b/* "a"\nanswer /a/* "b"', []),
    "a block inside a prefix": ('answer /a/* "a"\nhandle /a/b {\n answer "b"\n}', ["E201 3 2"]),
    "several paths that others take": (
        '@both path /a /b/*\n@one path /b/c\nanswer @both "a"\nanswer @one "b"\nanswer /a "c"',
        ["E201 5 4", "E201 6 4"],
    ),
    "several paths of which one is left": ('@both path /a /b\nanswer /a "a"\nanswer @both "b"', []),
    "by ending": ('@js path *.js\nanswer @js "a"\nanswer /x.js "b"', ["E201 4 3"]),
    "the same named matcher twice": ('@post method POST\nanswer @post "a"\nanswer @post "b"', ["E201 4 3"]),
    "different matchers": ('@post method POST\n@put method PUT\nanswer @post "a"\nanswer @put "b"', []),
    "a rewrite between": ('answer /a "a"\ngo_to /b /a\nanswer /a "b"', []),
    "a rewrite in a block between": ('answer /a "a"\nroute {\n go_to /b /a\n}\nanswer /a "b"', []),
    "a stripped prefix between": ('answer /a "a"\nhandle_path /x/* {\n mark x\n}\nanswer /a "b"', []),
    "a shadowed handle": ('handle /a/* {\n answer "a"\n}\nhandle /a/b {\n answer "b"\n}', ["W201 5 2"]),
    "a handle that is wider than one above": ('handle /a/b {\n answer "a"\n}\nhandle /a/* {\n answer "b"\n}', []),
    "handles apart are no alternatives": ('handle /a {\n mark x\n}\nmark y\nhandle /a {\n answer "b"\n}', []),
    "a wrapper at the end": ('answer /a "a"\nmark x', ["W202 3 2"]),
    "a wrapper above something": ('answer /a "a"\nmark x\nanswer "b"', []),
    "only a wrapper": ("mark x", []),
    "an unknown matcher": ('@post method POST\nanswer @psot "a"', ["E111 3"]),
    "a matcher of another block": ('handle /a {\n @x path /x\n}\nanswer @x "a"', ["E111 5"]),
    "a matcher that is defined twice": ('@x path /a\n@x path /b\nanswer @x "a"', ["E112 3 2"]),
    "a matcher that says nothing": ('@x {\n}\nanswer @x "a"', ["E107 2"]),
    "a matcher without a word behind it": ('@x\nanswer @x "a"', ["E107 2"]),
    "an unknown matcher name": ('@x paht /a\nanswer @x "a"', ["E103 2"]),
    "an error route in a block": ('handle {\n handle_errors {\n answer "a"\n }\n}', ["E116 3"]),
    "a line about the site in a block": ("handle {\n bind 127.0.0.1\n}", ["E116 3"]),
}


@pytest.mark.parametrize("case", CASES)
def test_of_directives(case: str, read: Read) -> None:
    text, problems = CASES[case]
    assert said(read, in_site(text)) == problems


SITES = {
    "the same address": ("http://a.example {\n}\nhttp://a.example {\n}\n", ["E202 3 1"]),
    "the same in other words": ("http://A.example:80 {\n}\nhttp://a.example. {\n}\n", ["E202 3 1"]),
    "twice in one line": ("http://a.example, http://a.example {\n}\n", ["E202 1 1"]),
    "another port": ("http://a.example:81 {\n}\nhttp://a.example {\n}\n", []),
    "another address of the machine": ("http://a.example {\n bind ::1\n}\nhttp://a.example {\n}\n", []),
    "the same address of the machine": (
        "http://a.example {\n bind ::1\n}\nhttp://a.example {\n bind 127.0.0.1 ::1\n}\n",
        ["E202 4 1"],
    ),
    "the same socket": (
        "http://a.example {\n bind unix//x\n}\nhttp://a.example:81 {\n bind unix//x\n}\n",
        ["E202 4 1"],
    ),
    "https": ("https://a.example {\n}\nb.example {\n}\n", ["E203 1", "E203 3"]),
    "malformed": ("http://a*.example {\n}\n", ["E113 1"]),
}


@pytest.mark.parametrize("case", SITES)
def test_of_sites(case: str, read: Read) -> None:
    text, problems = SITES[case]
    assert said(read, text) == problems


def test_a_part_of_an_address_is_marked(read: Read) -> None:
    _, (problem,) = read("http://b.example, http://a.example:99999 {\n}\n")
    assert problem.span.source.text[problem.span.start : problem.span.end] == "99999"


def test_an_unknown_matcher_is_answered_with_the_nearest(read: Read) -> None:
    _, (problem,) = read(in_site('@post method POST\nanswer @psot "a"'))
    assert (problem.message, problem.hint) == ("there is no matcher @psot here", 'did you mean "@post"?')


def test_a_setting_that_is_given_twice_is_a_problem(read: Read) -> None:
    assert said(read, "{\n    grace_period 5s\n    grace_period 6s\n}\n:80 {\n}\n") == ["E110 3 2"]
