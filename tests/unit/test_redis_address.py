"""What the forms of the address say."""

import pytest

from shared.ops.secret import Secret
from shared.redis.address import Place, RedisAddress, unverified_hosts


def address(url: str) -> RedisAddress:
    return RedisAddress(Secret(url))


@pytest.mark.parametrize(
    ("url", "places", "one"),
    [
        (
            "redis-sentinel://ann:p%23@one,two:1/2?client_name=x#mymaster",
            [Place("one", 26379), Place("two", 1)],
            "redis://ann:p%23@one/2?client_name=x",
        ),
        (
            "rediss-cluster://[::1]:7000,two",
            [Place("::1", 7000), Place("two", 6379)],
            "rediss://[::1]:7000",
        ),
    ],
)
def test_several_servers_have_their_usual_ports(url: str, places: list[Place], one: str) -> None:
    assert address(url).places == places
    assert address(url).url_of_one == one


def test_the_kinds_are_told_apart() -> None:
    urls = ["redis://h", "rediss://h", "redis-sentinel://h#m", "rediss-cluster://h", "unix:///s"]
    assert [address(url).is_tls for url in urls] == [False, True, False, True, False]
    assert [address(url).is_cluster for url in urls] == [False, False, False, True, False]
    assert [address(url).primary_name for url in urls] == ["", "", "m", "", ""]


def test_each_server_without_tls_is_named_in_the_warning() -> None:
    assert unverified_hosts("redis-sentinel://ann:p@one:1,two/0#m") == ["one", "two"]
    assert unverified_hosts("redis-cluster://one,[::1]:2") == ["one", "[::1]"]
    assert unverified_hosts("rediss-cluster://one") == []
    assert unverified_hosts("unix:///s") == []
    assert unverified_hosts("redis://one/0") == ["one"]
