"""`edge lsp`."""

from __future__ import annotations

import click

from edgescript.cli import console


@click.command(help="Serve an editor: problems while typing, completion and more, on standard input and output.")
@click.option(
    "--tcp", metavar="HOST:PORT", help="Listen here instead; port 0 takes a free one. The address is printed."
)
def command(tcp: str | None) -> int:
    from edgescript.lsp import server

    if tcp is None:
        return server.serve_stdio()
    import asyncio

    host, _, port = tcp.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise click.UsageError("an address is HOST:PORT, as 127.0.0.1:0")
    host = host.strip("[]") or "127.0.0.1"
    asyncio.run(server.serve_tcp(host, int(port), ready=lambda at: console.say(f"{at[0]}:{at[1]}\n")))
    return 0
