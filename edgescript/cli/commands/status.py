"""`edge status`."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from edgescript.cli import client, console


@click.command(help="Show the running server: version, addresses, configuration, and its workers.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@client.options
def command(as_json: bool, config: str | None, address: str | None) -> None:
    answer = client.connect(config, address).ask("GET", "/status")
    if not answer.is_good:
        raise answer.complaint()
    status = answer.data
    console.say(json.dumps(status, indent=2) if as_json else _as_text(status))
    if not status["ready"]:
        raise click.exceptions.Exit(1)


def _as_text(status: dict[str, Any]) -> str:
    config = status["config"]
    lines = [
        f"edge {status['version']}, process {status['pid']}, since {_when(status['started'])}",
        f"listening on {', '.join(status['addresses'])}",
        f"configuration {config['number']} of {config['name']}, since {_when(config['when'])} ({config['source']})",
        *(_worker(worker) for worker in status["workers"]),
    ]
    last = status["last_reload"]
    if last is not None and not last["done"]:
        lines.append(f"the last reload failed: {last['reason'] or 'the Edgefile has errors'}")
    return "\n".join(lines)


def _worker(worker: dict[str, Any]) -> str:
    process = f", process {worker['pid']}" if worker["pid"] else ""
    restarts = f", started anew {_times(worker['restarts'])} ({worker['reason']})" if worker["restarts"] else ""
    return f"worker {worker['number']}: {worker['state']} since {_when(worker['since'])}{process}{restarts}"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
