"""Where a site is listened for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from edgescript.declare.entries import Complaint, Role, directive
from edgescript.declare.fields import rest

_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@directive("bind", role=Role.SITE, matcher=False)
class Bind:
    """
    Listen for the site only on these addresses of the machine, and not on all.

    An address is an IP address, a name of this machine, or `unix//path` for a socket in the file system. The port is the
    one of the site's own address.

    ```edge-test
    http://localhost:8080 {
        bind 127.0.0.1 [::1]
        respond "only from here"
    }
    test "served as ever" {
        request GET http://localhost:8080/
        expect body "only from here"
    }
    ```
    """

    hosts: tuple[str, ...] = rest("The addresses.", least=1)

    def check(self) -> Iterator[Complaint]:
        for host in self.hosts:
            if not _is_address(host):
                hint = "the port stands in the site's address" if host.rpartition(":")[2].isdigit() else None
                yield Complaint("hosts", f'"{host}" is no address to listen on', hint, "E106")


def _is_address(host: str) -> bool:
    if host.startswith("unix/"):
        return len(host) > len("unix//") and host[5] == "/"
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None
    return True
