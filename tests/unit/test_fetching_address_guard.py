"""No spelling of an inner address passes the guard."""

from __future__ import annotations

import pytest

from assent.fetching.address_guard import AddressGuard, AddressRefusedError


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:7f00:1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "3fff::1",
        "5f00::1",
        "2001:db8::1",
        "not-an-address",
    ],
)
def test_inner_addresses_are_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        AddressGuard().check(host, 80)


@pytest.mark.parametrize("host", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
@pytest.mark.parametrize("port", [80, 443])
def test_public_addresses_pass(host: str, port: int) -> None:
    AddressGuard().check(host, port)


@pytest.mark.parametrize("port", [0, 22, 8080, 9092, 6333])
def test_odd_ports_are_refused(port: int) -> None:
    with pytest.raises(AddressRefusedError):
        AddressGuard().check("8.8.8.8", port)


def test_an_exception_is_one_exact_socket() -> None:
    guard = AddressGuard(frozenset({("127.0.0.1", 8181)}))
    guard.check("127.0.0.1", 8181)
    for host, port in (("127.0.0.1", 8182), ("127.0.0.2", 8181), ("::1", 8181)):
        with pytest.raises(AddressRefusedError):
            guard.check(host, port)
