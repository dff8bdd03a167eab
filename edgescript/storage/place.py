"""Where the program keeps what outlives it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def state_directory(environment: Mapping[str, str]) -> Path:
    """
    The directory for the program's own state; it may not be there yet.

    What systemd gives a service (`StateDirectory=`), `/var/lib/edge` for root, and otherwise the user's own place by the XDG
    base directory specification.
    """
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/edge")
    home = environment.get("XDG_STATE_HOME") or os.path.join(environment.get("HOME") or "/", ".local/state")
    return Path(home) / "edge"
