"""`bind`."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, missing
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    if any(host.startswith(("fd/", "fdgram/", "udp/")) for host in call.arguments):
        raise NotConverted("sockets that were opened by others cannot be used")
    call.options({"protocols": missing})
    hosts = [host.removeprefix("tcp/").removeprefix("tcp4/") for host in call.texts(call.arguments)]
    made = call.directive("bind")
    made.words += hosts
    return [made]
