"""Whose word counts for the client's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from edgescript.http.headers import Headers, elements, every


@dataclass(frozen=True, slots=True)
class Trust:
    """Which peers are proxies of ours, and in which fields they say who the client is."""

    networks: Sequence[IPv4Network | IPv6Network] = ()
    fields: Sequence[bytes] = (b"x-forwarded-for",)

    def includes(self, ip: str) -> bool:
        """Whether `ip` is a trusted proxy; anything that is no IP address is not."""
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def client_ip(self, remote_ip: str, headers: Headers) -> str:
        """
        The address of the client behind the trusted peer `remote_ip`.

        Reads the first of `fields` that is present from its right end, past every trusted proxy: the first address
        that is no proxy of ours is the client's. What stands further left is the client's own claim and not looked at.
        """
        for field in self.fields:
            hops = elements(every(headers, field))
            if not hops:
                continue
            client = remote_ip
            for hop in reversed(hops):
                try:
                    client = str(ip_address(hop.decode("latin-1").strip('"').removeprefix("[").removesuffix("]")))
                except ValueError:
                    break
                if not self.includes(client):
                    break
            return client
        return remote_ip
