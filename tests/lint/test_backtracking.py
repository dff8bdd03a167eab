"""Which regular expressions can take for ever: sure of the bad ones, silent about the good ones."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from edgescript.lint.backtracking import explodes

BAD = [
    r"^(a+)+$", r"^(a*)*$", r"^(a|a)*$", r"^(a|aa)+$", r"(x+x+)+y", r"^([a-z]+)*$", r"^(\w+\s?)*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"^(\d+,?)+$", r"(.*)*x", r"^(?:.+)+@", r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+$",
    r"^(/?[^/]+)*$", r"(?:a?a?)*b", r"^(\s*\w+\s*)*;", r"^((ab)*|ab)*c", r"^(a{2,}|a)*$", r"^([^,]*,?)*!$",
    r"(a+){16,}b", r"^(é|[^a])*$",
]  # fmt: skip

GOOD = [
    r"^/users/([0-9]+)$", r"^/([a-z]+/)*[a-z]+$", r"\.(?:css|js|png|jpe?g|gif|svg|woff2?)$",
    r"^(?:\d{1,3}\.){3}\d{1,3}$",
    r"^[\w.+-]+@[\w-]+\.[\w.-]+$", r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$", r"session=([a-f0-9]+)",
    r"^/(?:wp-admin|wp-login\.php)", r"^(de|en|fr)(-[A-Z]{2})?$", r"^/blog/(\d{4})/(\d{2})/([^/]+)/?$", r"(a+)+",
    r"^(a+)+",
    r'"(?:[^"\\]|\\.)*"', r"^(?:[^/]+/)*[^/]+\.php(?:/.*)?$",
    r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    r"^(?>a+)+$", r"^(a++)+$", r"^(?:a|b)*$", r"^(?:ab|a)c*$", r"(?i)bot|crawl|spider", r"^/api/v\d+(?:\.\d+)*/",
    r"^(-?\d+)(,-?\d+)*$",
    r"Mozilla/\d+\.\d+ \(.*\) .*", r"^\s*(\w+)\s*=\s*(.*?)\s*$", r"^(?:GET|POST|HEAD) (\S+) HTTP/1\.[01]$",
    r"^(/[^/?#]*)*$",
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", r"^(?P<y>\d+)-(?P<m>\d+)$", r"^(?=.*\d)(?=.*[a-z]).{8,}$",
    r"^(.*)/index\.html$",
    r"^/(?!api/)(.*)$", r"(\w+)\s+\1", r"^(\w+ )+\w+$", r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$",
    r"^((?:[^,]*,){3}).*$",
    r"^(\d+;)*$", r"\A(?:[a-z]+\.)*example\.com\Z", r"^(?:x(?:,|$))+$", r"^(?:\w|\d)+$", r"^(?i:(A|a))*$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", BAD)
def test_a_pattern_that_explodes_is_found(pattern: str) -> None:
    assert explodes(pattern)


@pytest.mark.parametrize("pattern", GOOD)
def test_a_usual_pattern_is_left_alone(pattern: str) -> None:
    re.compile(pattern)
    assert not explodes(pattern)


def test_a_large_pattern_is_left_alone() -> None:
    assert not explodes("^(" + "|".join(f"[a-z]{{{number},}}x" for number in range(1, 200)) + ")*$")
    assert not explodes("(" * 3000 + ")*" * 3000)


def test_what_is_found_really_takes_for_ever() -> None:
    """A dozen letters more make the work a thousand times as much: counted in steps that end in time, or do not."""
    program = "import re, sys; re.search(sys.argv[1], 'a' * 60 + '!')"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", program, r"^(a+)+$"], timeout=3, check=False)
    subprocess.run([sys.executable, "-c", program, r"^(?:a+b)+$"], timeout=60, check=True)
