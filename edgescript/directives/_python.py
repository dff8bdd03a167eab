"""What `python` and `app` have in common: a target, and what a graph gives to those that are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edgescript.declare.entries import Build, Complaint
from edgescript.settings.grace_period import GracePeriod
from edgescript.settings.python import PythonSetting
from edgescript.settings.storage import storage_of

if TYPE_CHECKING:
    from edgescript.handlers.modules import Target
    from edgescript.handlers.watchdog import Watchdog
    from edgescript.handlers.workplace import Means, Workplace


def complaints_about(target: str) -> Iterator[Complaint]:
    """What is wrong with a target as a text; nothing is looked up."""
    from edgescript.handlers.modules import parse_target

    try:
        parse_target(target, ".")
    except ValueError as error:
        yield Complaint("target", str(error), code="E106")


def place(build: Build, target: str) -> tuple[Target, Workplace, Means, Watchdog]:
    """
    Where a target's module will be loaded; what other lines and other graphs have loaded of its folder is there already.

    Nothing is imported yet.
    """
    from edgescript.api._threads import Threads
    from edgescript.handlers.modules import Modules, parse_target
    from edgescript.handlers.watchdog import Watchdog
    from edgescript.handlers.workplace import Means, Workplace

    setting = build.setting(PythonSetting)
    most, waiting = setting.threads, setting.waiting
    threads = build.share(("python threads", most, waiting), lambda: Threads(most, waiting))
    watchdog = build.share(("python watchdog", setting.slow), lambda: Watchdog(setting.slow))
    modules = build.share(("python modules",), Modules)
    means = Means(threads, storage_of(build), setting.background, build.setting(GracePeriod).duration)
    parsed = parse_target(target, build.directory())
    generation = modules.generation(parsed.folder)
    workplace = build.share(
        ("python generation", generation.folder, generation.number), lambda: Workplace(generation, means)
    )
    return parsed, workplace, means, watchdog
