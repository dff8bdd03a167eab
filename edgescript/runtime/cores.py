"""How many processor cores this process may use: what it is pinned to, and what its control group allows."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """At least one."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    quota = _quota()
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def _quota() -> float | None:
    """The least of the quotas of our control group and of those it is in, in cores."""
    group = group_of(_text(Path("/proc/self/cgroup")))
    found = [cores_of(_text(_GROUPS / path.relative_to("/") / "cpu.max")) for path in (group, *group.parents)]
    return min((cores for cores in found if cores is not None), default=None)


def group_of(text: str) -> PurePosixPath:
    """Our place in the unified hierarchy (cgroups(7)): the line `0::/path`. What stands there may be seen from outside."""
    path = next((line[3:] for line in text.splitlines() if line.startswith("0::/")), "/")
    return PurePosixPath("/") if ".." in path else PurePosixPath(path)


def cores_of(text: str) -> float | None:
    """What `cpu.max` allows: `150000 100000` is one and a half cores, `max 100000` all."""
    words = text.split()
    if len(words) != 2 or not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return None
    return int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:  # not Linux, no such group, or an older hierarchy
        return ""
