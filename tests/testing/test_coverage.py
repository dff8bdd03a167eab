"""What of a file its tests touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.coverage import Coverage, percentage
from edgescript.testing.suite import open_suite
from edgescript.text.source import Source

SITE = """:80 {
    @writes method POST
    @odd path /odd
    header X-One 1
    handle /api/* {
        respond @writes 405
        respond @odd 404
        proxy 10.0.0.1:8080
    }
    handle_path /files/* {
        respond "files"
    }
    redir /a /b
    redir /c /d
    redir /e /f
    redir /g /h
    handle_errors 502 {
        respond "sorry"
    }
}
http://other.example {
    respond "other"
}
"""


Missed = Callable[..., tuple[list[str], float]]


@pytest.fixture
def missed(tmp_path: Path) -> Missed:
    """What requests leave untouched, and how much was touched."""

    def run(*urls: str) -> tuple[list[str], float]:
        lines = "".join(f"    request {url if ' ' in url else f'GET {url}'}\n    expect not abort\n" for url in urls)
        suite = open_suite(
            Source("Edgefile", f'{SITE}test "it" {{\n{lines}}}\n'),
            catalogue=Catalogue.load(),
            environment={},
            directory=str(tmp_path),
        )
        coverage = Coverage()
        assert all(result.passed for result in suite.run(suite.scenarios, coverage))
        assert suite.compiled is not None
        parts = coverage.parts(suite.compiled.graph)
        return [str(part) for part, touched in parts.items() if not touched], percentage(parts)

    return run


def test_what_no_request_came_to_is_listed_with_its_place(missed: Missed) -> None:
    left, share = missed("http://a.example/api/x", "http://a.example/c")
    assert left == [
        "Edgefile:2: matcher @writes",
        "Edgefile:3: matcher @odd",
        "Edgefile:6: directive respond @writes 405",
        "Edgefile:7: directive respond @odd 404",
        "Edgefile:10: route handle_path /files/*",
        'Edgefile:11: directive respond "files"',
        "Edgefile:13: directive redir /a /b",
        "Edgefile:15: directive redir /e /f",
        "Edgefile:16: directive redir /g /h",
        "Edgefile:21: site http://other.example",
        'Edgefile:22: directive respond "other"',
    ]
    assert share == pytest.approx(100 * 7 / 18)


def test_everything_is_covered_when_everything_was_touched(missed: Missed) -> None:
    urls = ["/a", "/c", "/e", "/g", "/api/x", "/files/x", "http://other.example/"]
    left, share = missed(*(url if "://" in url else f"http://x.example{url}" for url in urls), "POST /api/x")
    assert left == ["Edgefile:3: matcher @odd", "Edgefile:7: directive respond @odd 404"]
    assert share == pytest.approx(100 * 16 / 18)


def test_a_file_without_anything_is_covered() -> None:
    assert percentage({}) == 100
