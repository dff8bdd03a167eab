from __future__ import annotations

import pytest

from edgescript.files.roots import absolute, checked, has_way_out
from edgescript.http.message import HTTPError


@pytest.mark.parametrize(
    ("written", "filled", "expected"),
    [
        ("/srv/{host}", "/srv/example.com", False),
        ("/srv/{host}", "/srv/..", True),
        ("/srv/{host}", "/srv/", True),
        ("/srv/{host}", "/srv/.", True),
        ("/srv/{host}/public", "/srv//public", True),
        ("/srv/{host}/public", "/srv/../public", True),
        ("/srv/{header.X}", "/srv/a/b", False),
        ("/srv/{header.X}", "/srv/a/../../etc", True),
        ("/srv/{header.X}", "/srv/..\\..\\etc", True),
        ("/srv/{header.X}", "/srv/a\0b", True),
        ("../sites/{host}", "../sites/example.com", False),
        ("../sites/{host}", "../sites/..", True),
        ("/srv/site-{host}", "/srv/site-..", False),
    ],
)
def test_placeholders_cannot_lead_out_of_the_root_as_written(written: str, filled: str, expected: bool) -> None:
    assert has_way_out(filled, written) is expected


def test_a_root_that_leads_out_is_answered_404(make_exchange) -> None:
    find = checked(lambda exchange: f"/srv/{exchange.host}", "/srv/{host}", "/etc/edge")
    assert find(make_exchange("/")) == "/srv/example.com"
    tricky = make_exchange("/")
    tricky.host = ".."
    with pytest.raises(HTTPError) as caught:
        find(tricky)
    assert caught.value.status == 404


def test_a_relative_root_starts_at_the_directory() -> None:
    assert absolute("public", "/etc/edge") == "/etc/edge/public"
    assert absolute("../public/", "/etc/edge") == "/etc/public"
    assert absolute("/srv", "/etc/edge") == "/srv"
