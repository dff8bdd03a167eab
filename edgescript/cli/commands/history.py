"""`edge history`."""

from __future__ import annotations

import time

import click

from edgescript.cli import client, console


@click.command(help="List the last 20 configurations that were put to use, the newest first.")
@client.options
def command(config: str | None, address: str | None) -> None:
    answer = client.connect(config, address).ask("GET", "/config?history")
    if not answer.is_good:
        raise answer.complaint()
    for past in answer.data:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(past["when"]))
        console.say(f"{past['number']:>4}  {when}  {past['source']}")
