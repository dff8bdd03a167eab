"""Where trusted proxies say who the client is."""

from __future__ import annotations

from edgescript.declare.entries import setting
from edgescript.declare.fields import rest
from edgescript.declare.kinds import HeaderName


@setting("client_ip_headers")
class ClientIpHeaders:
    """
    The header fields that trusted proxies name the client in; the first that a request has counts.

    Without this setting it is `X-Forwarded-For`.

    ```edge-test
    {
        trusted_proxies 10.0.0.0/8
        client_ip_headers X-Real-IP X-Forwarded-For
    }
    :80 {
        respond 200 "hello"
    }
    test "an ordinary request is served" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    names: tuple[HeaderName, ...] = rest("Names of header fields, most trusted first.")
