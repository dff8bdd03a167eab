"""`edge explain`."""

from __future__ import annotations

import json
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile
from edgescript.text.source import Source, Span

if TYPE_CHECKING:
    from edgescript.testing.scenario import Request


#: What stands out on a terminal: what happened, what a matcher said, where, and the answer.
_STYLES = {
    r"(?m)^(site|run|wrap|enter|choose)\b": "cyan",
    r"(?m)^(answer)\b": "bold green",
    r"(?m)^(error)\b": "bold red",
    r"(?m)^skip .*$": "dim",
    r"(?<=  )yes\b": "green",
    r"(?<=  )no\b": "yellow",
    r"\S+:\d+:\d+": "blue",
    r"(?m)^→ .*$": "bold",
}


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    from edgescript.testing.scenario import FIELD_NAME

    found = []
    for value in values:
        name, colon, rest = value.partition(":")
        if not colon or not FIELD_NAME.fullmatch(name.strip()):
            raise click.BadParameter(f"{value!r} is not 'Name: value'")
        found.append((name.strip(), rest.strip()))
    return found


def _ip(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no IP address") from None


@click.command(
    help="""
    Tell what happens to a request, without making it: the site, each matcher and its verdict, the steps in the order in
    which they run, with their places in the file, and where the request would go.

    METHOD is GET when it is left out. URL may be a path; the first site is meant then.
    """
)
@click.argument("request", nargs=-1, required=True, metavar="[METHOD] URL")
@click.option(
    "-H", "--header", "headers", multiple=True, callback=_pairs, metavar="'Name: value'", help="A header field."
)
@click.option("--ip", default="127.0.0.1", callback=_ip, metavar="ADDRESS", help="Where the request comes from.")
@click.option("--config", metavar="FILE", help="The Edgefile; `-` is standard input.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for tools.")
def command(request: tuple[str, ...], headers: list[tuple[str, str]], ip: str, config: str | None, form: str) -> None:
    from edgescript.graph.explain import explain, render
    from edgescript.http.message import HTTPError
    from edgescript.testing.client import imagined, listener_for, nothing_listens

    wanted = _request(request)
    wanted.headers += headers
    graph = edgefile.usable(edgefile.read(config))
    listener = listener_for(graph, wanted)
    if listener is None:
        raise click.ClickException(nothing_listens(graph, wanted))
    try:
        explanation = explain(graph, imagined(graph, listener, wanted, ip=ip), listener)
    except HTTPError as error:
        raise click.ClickException(f"such a request is answered {error.status}: {error.reason}") from None
    if form == "json":
        console.say(json.dumps(explanation.as_json(), indent=2))
    elif console.has_colour(sys.stdout):
        console.say_highlighted(render(explanation), _STYLES)
    else:
        console.say(render(explanation))


def _request(words: tuple[str, ...]) -> Request:
    """METHOD and URL; `example.com/x` is short for `http://example.com/x`."""
    from edgescript.testing.scenario import request_for

    if len(words) > 2:
        raise click.UsageError("edge explain takes a method and a URL")
    method, url = words if len(words) == 2 else ("GET", words[0])
    if not method.isascii() or not method.isprintable() or " " in method:
        raise click.UsageError(f"{method!r} is no method")
    typed = Source("<command line>", url)
    try:
        full = url if url.startswith("/") or "://" in url else f"http://{url}"
        return request_for(method, full, Span(typed, 0, len(url)))
    except ValueError as error:
        raise click.UsageError(f"{url!r}: {error}") from None
