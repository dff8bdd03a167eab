"""`edge run`."""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgescript.runtime.engines import Engine
    from edgescript.text.problem import Problem

_HELP = """
Serve an Edgefile until Ctrl-C or SIGTERM; then what is in flight may finish. A second signal ends at once.

SIGHUP reads the Edgefile again, SIGUSR1 opens log files anew, and SIGUSR2 goes on with the program that is installed now.
"""


class _Workers(click.ParamType[int]):
    """`auto`, which is 0, or a number."""

    name = "workers"

    def convert(self, value: object, parameter: click.Parameter | None, context: click.Context | None) -> int:
        from edgescript.settings.workers import MOST

        text = str(value)
        if text != "auto" and not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= MOST):
            self.fail(f"expected auto, or a number from 1 to {MOST}", parameter, context)
        return 0 if text == "auto" else int(text)


@click.command(help=_HELP)
@click.option("--config", metavar="FILE", help="The Edgefile; without it, Edgefile in this directory.")
@click.option(
    "--workers", type=_Workers(), metavar="N|auto", help="How many processes serve, whatever the Edgefile says."
)
@click.option(
    "--engine",
    type=click.Choice(["fast", "hypercorn"]),
    default="fast",
    help="Our own HTTP/1.1, or the ASGI application under hypercorn.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Take a changed Edgefile, what it imports, or a Python module of its handlers over without stopping;"
    " one with errors is reported only.",
)
def command(config: str | None, workers: int | None, engine: Engine, watch: bool) -> None:
    if watch and config == "-":
        raise click.UsageError("standard input cannot be watched")

    import anyio

    from edgescript.runtime import upgrade
    from edgescript.runtime.bundle import Bundle
    from edgescript.runtime.followed import Followed
    from edgescript.runtime.notify import Notifier, inherited
    from edgescript.runtime.sockets import Sockets
    from edgescript.runtime.supervisor import CannotStart, Supervisor
    from edgescript.storage.place import state_directory

    if upgrade.TRIAL in os.environ:
        from edgescript.runtime import trial

        trial.main()
        return
    left = upgrade.inherited(os.environ)
    bundle = None if left is None else Bundle.of_data(left["bundle"])
    followed = Followed() if watch else None
    if followed is not None:  # before it is read: no change may be missed
        for name in (config or edgefile.DEFAULT, *(() if bundle is None else bundle.files)):
            followed.add(name)
        for pattern in () if bundle is None else bundle.found:
            followed.find(pattern)
    source = edgefile.read(config) if bundle is None else bundle.source
    logging.basicConfig(level=logging.WARNING, format="edge: %(message)s", stream=sys.stderr)
    _allow_many_connections()
    _see_children_end()
    supervisor = Supervisor(
        source,
        edgefile.directory(source),
        engine=engine,
        workers=workers,
        followed=followed,
        state=state_directory(os.environ),
        sockets=Sockets(inherited(os.environ)),
        notifier=Notifier.of(os.environ),
        left=left,
        tell=console.complain,
        show=_show,
    )
    gc.enable()
    options = {"use_uvloop": importlib.util.find_spec("uvloop") is not None}
    try:
        anyio.run(supervisor.run, backend_options=options)
    except CannotStart as error:
        if str(error):
            raise click.ClickException(str(error)) from None
        raise click.exceptions.Exit(1) from None


def _show(problems: Sequence[Problem]) -> None:
    edgefile.show(problems, error=True)


def _see_children_end() -> None:
    """Whoever has started us may ignore SIGCHLD; then we would, too, and nobody could tell how a worker has ended."""
    if hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _allow_many_connections() -> None:
    """Raise the soft limit of open files, often 1024, to the hard one, as servers do. Workers have it from us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # macOS refuses "unlimited"; what there is must do
            logging.getLogger("edgescript").info("the limit of open files stays at %d", soft)
