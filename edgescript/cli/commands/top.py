"""`edge top`."""

from __future__ import annotations

import sys

import click

from edgescript.cli import client


@click.command(
    help="""
    Watch a running server in the terminal: requests per second, the slowest routes, servers behind, workers.

    It asks the admin address, as the dashboard there does. Keys: r reloads the Edgefile, d drains the server behind that is
    chosen or uses it again, q ends it.
    """
)
@client.options
def command(config: str | None, address: str | None) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException(
            "edge top needs a terminal; edge status and the admin address tell the same to programs"
        )
    server = client.connect(config, address)
    answer = server.ask("GET", "/version")  # what keeps it from being used is told before the screen is taken
    if not answer.is_good:
        raise answer.complaint()

    from edgescript.cli.top import Remote, Top

    Top(Remote(server)).run()
