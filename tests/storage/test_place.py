"""Where the program's own state is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.storage.place import state_directory


@pytest.mark.parametrize(
    ("user", "environment", "place"),
    [
        (0, {}, "/var/lib/edge"),
        (0, {"STATE_DIRECTORY": "/var/lib/shop"}, "/var/lib/shop"),
        (0, {"STATE_DIRECTORY": "/one:/two"}, "/one"),
        (1000, {"HOME": "/home/ann"}, "/home/ann/.local/state/edge"),
        (1000, {"HOME": "/home/ann", "XDG_STATE_HOME": "/state"}, "/state/edge"),
        (1000, {}, "/.local/state/edge"),
    ],
)
def test_the_state_is_where_the_system_wants_it(
    user: int, environment: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert state_directory(environment) == Path(place)
