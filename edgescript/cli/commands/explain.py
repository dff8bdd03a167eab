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
    from edgescript.graph.explain import Explanation
    from edgescript.graph.outline import Outline
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
_TREE_STYLES = {
    r"(?m)^(listen|site) .*?(?=  |$)": "bold",
    r"[│├└─]+": "dim",
    r"(?<=  )(wrap|rewrite|enter|set)\b": "cyan",
    r"(?m)(?<=  )answer(?=  |$)": "green",
    r"(?<=  )errors\b": "red",
    r"\S+:\d+:\d+": "blue",
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

    METHOD is GET when it is left out. URL may be a path; the first site is meant then. With --all and no request it tells
    every route of the file, as a tree.
    """
)
@click.argument("request", nargs=-1, metavar="[METHOD] URL")
@click.option(
    "-H", "--header", "headers", multiple=True, callback=_pairs, metavar="'Name: value'", help="A header field."
)
@click.option("--ip", default="127.0.0.1", callback=_ip, metavar="ADDRESS", help="Where the request comes from.")
@click.option("--all", "everything", is_flag=True, help="Every route of the file instead of one request.")
@click.option("--config", metavar="FILE", help="The Edgefile; `-` is standard input.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for tools.")
@click.option("--json", "form", flag_value="json", help="Short for --format json.")
def command(
    request: tuple[str, ...],
    headers: list[tuple[str, str]],
    ip: str,
    everything: bool,
    config: str | None,
    form: str,
) -> None:
    if everything and request:
        raise click.UsageError("--all tells every route, and takes no request")
    if not everything and not request:
        raise click.UsageError("edge explain takes a URL, or --all")
    explanation = _everything(config) if everything else _one(request, headers, ip, config)
    if form == "json":
        console.say(json.dumps(explanation.as_json(), indent=2))
    elif console.has_colour(sys.stdout):
        console.say_highlighted(explanation.as_text(), _TREE_STYLES if everything else _STYLES)
    else:
        console.say(explanation.as_text())


def _everything(config: str | None) -> Outline:
    from edgescript.graph.outline import outline

    return outline(edgefile.sound(edgefile.read(config)))


def _one(request: tuple[str, ...], headers: list[tuple[str, str]], ip: str, config: str | None) -> Explanation:
    from edgescript.graph.explain import explain
    from edgescript.http.message import HTTPError
    from edgescript.testing.client import imagined, listener_for, nothing_listens

    wanted = _request(request)
    wanted.headers += headers
    graph = edgefile.usable(edgefile.read(config))
    listener = listener_for(graph, wanted)
    if listener is None:
        raise click.ClickException(nothing_listens(graph, wanted))
    try:
        return explain(graph, imagined(graph, listener, wanted, ip=ip), listener)
    except HTTPError as error:
        raise click.ClickException(f"such a request is answered {error.status}: {error.reason}") from None


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
