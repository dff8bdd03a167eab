from __future__ import annotations

from ipaddress import ip_network

import pytest

from edgescript.graph.networks import within

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"), ip_network("192.0.2.7/32"), ip_network("fe80::/10")]


@pytest.mark.parametrize("address", ["10.1.2.3", "2001:db8::1", "192.0.2.7", "::ffff:10.0.0.1", "fe80::1%eth0"])
def test_an_address_inside(address: str) -> None:
    assert within(NETWORKS)(address)


@pytest.mark.parametrize("address", ["11.0.0.1", "2001:db9::1", "192.0.2.8", "", "@", "/run/x.sock", "10.0.0.1:80"])
def test_an_address_outside_or_none_at_all(address: str) -> None:
    assert not within(NETWORKS)(address)
