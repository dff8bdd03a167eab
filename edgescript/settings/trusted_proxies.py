"""Whose word counts for the client's address."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import rest
from edgescript.declare.kinds import Cidr


@setting("trusted_proxies")
class TrustedProxies:
    """
    Believe these peers when they say who the client is.

    `{client_ip}` is then read from the fields that `client_ip_headers` names, from their right end past every trusted
    proxy. The word `private_ranges` stands for all private networks. Without this setting nobody is believed.

    ```edge-test
    {
        trusted_proxies 10.0.0.0/8 192.168.0.0/16
    }
    :80 {
        respond 200 "you are {client_ip}"
    }
    test "a peer that is no proxy of ours is not believed" {
        request GET http://localhost/
        header X-Forwarded-For 203.0.113.9
        expect status 200
    }
    ```
    """

    ranges: tuple[Cidr, ...] = rest("Networks of proxies, in CIDR notation, or `private_ranges`.")
