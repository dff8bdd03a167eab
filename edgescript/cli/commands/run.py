"""`edge run`."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile

if TYPE_CHECKING:
    from edgescript.cli.watch import Watch
    from edgescript.runtime.engines import Engine
    from edgescript.server.listen import Address


@click.command(
    help="Serve an Edgefile until Ctrl-C or SIGTERM; then what is in flight may finish. A second signal ends at once."
)
@click.option("--config", metavar="FILE", help="The Edgefile; without it, Edgefile in this directory.")
@click.option(
    "--engine",
    type=click.Choice(["fast", "hypercorn"]),
    default="fast",
    help="Our own HTTP/1.1, or the ASGI application under hypercorn.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Take a changed Edgefile, or what it imports, over without stopping; one with errors is reported only.",
)
def command(config: str | None, engine: Engine, watch: bool) -> None:
    if watch and config == "-":
        raise click.UsageError("standard input cannot be watched")
    watching = _watch(config or edgefile.DEFAULT) if watch else None  # before it is read: no change may be missed
    source = edgefile.read(config)
    graph = edgefile.usable(source, read=None if watching is None else watching.read)
    if not graph.listeners:
        raise click.ClickException(f"{source.name} has no site, so there is nothing to serve")

    from edgescript.observe.program import set_up
    from edgescript.runtime.compose import run
    from edgescript.server.listen import ListenError
    from edgescript.settings.log import ProgramLog

    close_log = set_up(graph.setting(ProgramLog), directory=edgefile.directory(source))
    _allow_many_connections()
    # What is loaded stays: later collections need not look at it. 10,000 sites are a million objects.
    gc.collect()
    gc.freeze()
    gc.enable()
    try:
        run(graph, engine=engine, on_ready=_announce, beside=None if watching is None else watching.follow)
    except ListenError as error:
        raise click.ClickException(str(error)) from None
    finally:
        close_log()


def _watch(name: str) -> Watch:
    from edgescript.cli.watch import Watch

    return Watch(name)


def _announce(addresses: tuple[Address, ...]) -> None:
    console.complain(f"listening on {', '.join(map(str, addresses))}")


def _allow_many_connections() -> None:
    """Raise the soft limit of open files, often 1024, to the hard one, as servers do."""
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
