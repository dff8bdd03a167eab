"""`edge stop`."""

from __future__ import annotations

import time

import click

from edgescript.cli import client, console

#: Seconds between two looks at whether it is still there.
_LOOK = 0.1


@click.command(help="Have the running server stop gracefully: what is in flight may finish.")
@client.options
def command(config: str | None, address: str | None) -> None:
    server = client.connect(config, address)
    answer = server.ask("POST", "/stop")
    if not answer.is_good:
        raise answer.complaint()
    console.say("the server is stopping")
    try:
        while True:
            server.ask("GET", "/health")
            time.sleep(_LOOK)
    except client.Unreachable:
        pass
