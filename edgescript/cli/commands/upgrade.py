"""`edge upgrade`."""

from __future__ import annotations

import time
from typing import Any

import click

from edgescript.cli import client, console

#: Seconds between two looks at how far it is, and how long it may take.
_LOOK = 0.2
_PATIENCE = 120.0


@click.command(
    help="Have the running server go on with the version that is installed now. No connection is refused meanwhile; where the"
    " new version cannot serve, the old one goes on."
)
@client.options
def command(config: str | None, address: str | None) -> None:
    server = client.connect(config, address)
    before = _workers(_status(server))
    answer = server.ask("POST", "/upgrade")
    if not answer.is_good:
        raise answer.complaint()
    version = answer.data["version"]
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        time.sleep(_LOOK)
        try:
            status = _status(server)
        except client.Unreachable:
            continue  # for the moment in which the new program opens it
        if status["upgrade_failed"]:
            raise click.ClickException(status["upgrade_failed"])
        if status["ready"] and not before & _workers(status):
            console.say(f"version {version} has taken over")
            return
    raise click.ClickException(f"version {version} has not taken over within {_PATIENCE:g} s; `edge status` shows more")


def _status(server: client.Client) -> dict[str, Any]:
    answer = server.ask("GET", "/status")
    if not answer.is_good:
        raise answer.complaint()
    status: dict[str, Any] = answer.data
    return status


def _workers(status: dict[str, Any]) -> set[int]:
    return {worker["pid"] for worker in status["workers"]}
