"""Nobody can choose the address under which a request is counted."""

import pytest

from shared.rate_limits.client_address import HOPS_MAX, UNKNOWN, ClientAddresses, networks_of

PROXY, CLIENT, FORGED = "10.0.0.7", "203.0.113.5", "198.51.100.9"


def forwarded_for(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode("latin-1")) for value in values]


def behind(*networks: str, header: str = "x-forwarded-for") -> ClientAddresses:
    return ClientAddresses(networks_of(" ".join(networks)), header)


@pytest.mark.parametrize("value", [FORGED, f"{FORGED}, {PROXY}", "127.0.0.1", "", "junk"])
def test_a_client_without_a_trusted_proxy_is_its_connection_whatever_it_sends(value: str) -> None:
    for addresses in (ClientAddresses(), behind("10.0.0.0/8")):
        assert addresses.of(CLIENT, forwarded_for(value)) == CLIENT


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([CLIENT], CLIENT),
        ([f"{FORGED}, {CLIENT}"], CLIENT),
        ([f"10.1.1.1, {CLIENT}"], CLIENT),
        ([f"{FORGED}, {CLIENT}, 10.2.2.2"], CLIENT),
        ([FORGED, CLIENT], CLIENT),
        ([f"{CLIENT}:4711"], CLIENT),
        (["::ffff:203.0.113.5"], CLIENT),
        (["[2001:db8:1:2:3:4:5:6]:4711"], "2001:db8:1:2::/64"),
        ([f"{CLIENT}, unknown"], PROXY),
        ([f"{CLIENT}, "], PROXY),
        ([f"{CLIENT}, _hidden, 10.2.2.2"], "10.2.2.2"),
        (["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ([], PROXY),
        (["\xff\x00"], PROXY),
    ],
)
def test_behind_trusted_proxies_it_is_the_last_address_that_is_no_proxy(
    values: list[str], expected: str
) -> None:
    assert behind("10.0.0.0/8").of(PROXY, forwarded_for(*values)) == expected


def test_a_long_list_costs_no_more_than_a_few_hops() -> None:
    hops = ", ".join([FORGED] + ["10.1.1.1"] * 5000)
    assert behind("10.0.0.0/8").of(PROXY, forwarded_for(hops)) == "10.1.1.1"
    beyond = ", ".join([CLIENT] + ["10.1.1.1"] * HOPS_MAX)
    assert behind("10.0.0.0/8").of(PROXY, forwarded_for(beyond)) == "10.1.1.1"
    within = ", ".join([CLIENT] + ["10.1.1.1"] * (HOPS_MAX - 1))
    assert behind("10.0.0.0/8").of(PROXY, forwarded_for(within)) == CLIENT


def test_only_the_configured_header_counts() -> None:
    both = [*forwarded_for(CLIENT), (b"forwarded", f'for=1.2.3.4, For="{FORGED}:80";proto=https'.encode())]
    assert behind("10.0.0.0/8").of(PROXY, both) == CLIENT
    assert behind("10.0.0.0/8", header="forwarded").of(PROXY, both) == FORGED
    six = [(b"forwarded", b'by=10.0.0.7;for="[2001:db8:1:2::9]"')]
    assert behind("10.0.0.0/8", header="forwarded").of(PROXY, six) == "2001:db8:1:2::/64"
    hidden = [(b"forwarded", f"for={CLIENT}, for=_secret".encode())]
    assert behind("10.0.0.0/8", header="forwarded").of(PROXY, hidden) == PROXY


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    addresses = ClientAddresses()
    assert addresses.of("2001:db8:1:2::1", []) == addresses.of("2001:db8:1:2:ffff::1", [])
    assert addresses.of("2001:db8:1:2::1", []) != addresses.of("2001:db8:1:3::1", [])
    assert addresses.of("fe80::1%eth0", []) == "fe80::/64"
    assert addresses.of("::1", []) == "::/64"
    assert addresses.of("::ffff:127.0.0.1", []) == "127.0.0.1"
    assert addresses.of(None, []) == UNKNOWN


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        networks_of("10.0.0.0/8, proxy.example.com")
