"""Which URLs messages may be sent to. The machine itself knows `localhost`: no test asks a name server."""

import ipaddress

import pytest

from command_api.webhooks.errors import UnknownUrlHost, UrlRefused
from command_api.webhooks.urls import ResolvedUrls
from shared.webhooks.networks import AllowedNetworks, RefusedUrl, parsed_networks, target

ONLY_PUBLIC = ResolvedUrls(AllowedNetworks(), seconds_max=30)
HERE = ResolvedUrls(AllowedNetworks(parsed_networks("127.0.0.0/8, ::1")), seconds_max=30)

PRIVATE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1:8443/hooks?a=b",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://192.0.0.192/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a00:1::1]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://\uff11\uff12\uff17.0.0.1/",  # full-width digits are digits for IDNA
    "https://127\u30020\u30020\u30021/",  # and this is a full stop
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",  # localhost in circled letters
]
MALFORMED = [
    "",
    "127.0.0.1",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://127.0.0.1:25/",
    "https://",
    "https:///path",
    "https://user@8.8.8.8/",
    "https://user:password@8.8.8.8/",
    "https://8.8.8.8@127.0.0.1/",
    "https://:@8.8.8.8/",
    "https://8.8.8.8/#fragment",
    "https://8.8.8.8/#",
    "https://8.8.8.8\\@127.0.0.1/",
    "https://8.8.8.8/a\\b",
    "https://8.8.8.8/a b",
    "https://8.8.8.8/\r\nHost:%20other",
    "https://8.8.8.8/\t",
    "https://8.8.8.8:99999/",
    "https://8.8.8.8:port/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://8.8.8.8/\u00e4",
    "https://8.8.8.8/" + "a" * 2048,
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_an_address_that_is_not_public_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(UrlRefused, match="not public"):
        await ONLY_PUBLIC.check(url)


@pytest.mark.parametrize("url", MALFORMED)
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        await HERE.check(url)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/hooks", "https://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/"],
)
async def test_a_network_that_an_operator_names_is_allowed_also_by_plain_http(url: str) -> None:
    await HERE.check(url)


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/"])
async def test_networks_beside_the_named_ones_stay_refused(url: str) -> None:
    with pytest.raises(UrlRefused, match="WEBHOOK_NETWORKS_ALLOWED"):
        await HERE.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/",
        "https://8.8.8.8:8443/a?b=c",
        "https://[2606:4700:4700::1111]/",
        "https://[64:ff9b::808:808]/",
    ],
)
async def test_a_public_address_is_allowed(url: str) -> None:
    await ONLY_PUBLIC.check(url)


async def test_a_public_address_needs_https() -> None:
    with pytest.raises(UrlRefused, match="https is needed"):
        await ONLY_PUBLIC.check("http://8.8.8.8/")


@pytest.mark.parametrize("url", ["https://a..b/", "https://127.0.0.1../", f"https://{'a' * 64}/"])
async def test_what_can_be_no_name_is_refused_or_unknown(url: str) -> None:
    with pytest.raises((UrlRefused, UnknownUrlHost)):
        await HERE.check(url)


def test_the_parts_of_a_url() -> None:
    assert target("https://Shop.Example:8443/hooks?a=%C3%A4") == (
        "https", "shop.example", 8443, "/hooks?a=%C3%A4",
    )  # fmt: skip
    assert target("http://b\u00fccher.example") == ("http", "xn--bcher-kva.example", 80, "/")
    assert target("https://[::1]/").address == ipaddress.ip_address("::1")


def test_networks_of_the_setting_are_checked() -> None:
    assert [str(each) for each in parsed_networks("10.0.0.0/8, ::1,")] == ["10.0.0.0/8", "::1/128"]
    for wrong in ("10.0.0.1/8", "localhost", "10.0.0.0/33"):
        with pytest.raises(ValueError, match=r"."):
            parsed_networks(wrong)


def test_a_refusal_says_which_host_it_is_about() -> None:
    with pytest.raises(RefusedUrl, match="user"):
        target("https://me@shop.example/")
