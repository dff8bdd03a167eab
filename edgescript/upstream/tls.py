"""TLS towards endpoints."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def client_context(
    *,
    trust_file: str | None = None,
    certificate: str | None = None,
    key: str | None = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """
    How to speak TLS to an endpoint: its certificate is verified unless `verify` is off.

    :param trust_file: the authorities that are believed, instead of the system's
    :param certificate: what we show of ourselves; its key is in `key`, or in the same file
    :raises OSError: if a file cannot be read, or (as ssl.SSLError) holds nothing of use
    """
    import ssl  # most Edgefiles do without

    context = ssl.create_default_context(cafile=trust_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


@cache
def system_context() -> ssl.SSLContext:
    """How to speak TLS without any options; made when first needed, because reading the system's authorities takes long."""
    return client_context()
