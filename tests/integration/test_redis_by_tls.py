"""Sentinels with their primary, and a cluster, that speak nothing but TLS: our client gets in, follows a new
primary, or says in one line why not.

Servers name themselves by address or by name; both are in their certificates, and are compared.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deploy.local.ports import HOST
from shared.ops.secret import Secret
from shared.ops.tls import TlsFiles
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.direct_calls import DirectCalls
from shared.redis.errors import is_mistake, is_transient
from tests.eventually import eventually
from tests.redis_servers import RedisCluster, ReplicatedRedis, passing, running
from tests.secured.certificates import HOST_NAME, Certificates
from tests.secured.redis_tls import RedisTls

pytestmark = [pytest.mark.servers, pytest.mark.prove]
Servers = RedisCluster | ReplicatedRedis
SECONDS_MAX = 5.0
KEY = "key"
_MAKE: dict[str, Callable[[Path, RedisTls], Servers]] = {
    "sentinels": lambda folder, tls: ReplicatedRedis(folder, tls=tls),
    "cluster": lambda folder, tls: RedisCluster(folder, replicas=True, tls=tls),
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(
    scope="module", params=[(kind, name) for kind in _MAKE for name in (HOST, HOST_NAME)], ids=str
)
def servers(
    request: pytest.FixtureRequest, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    kind, name = request.param
    one = _MAKE[kind](tmp_path_factory.mktemp("servers"), RedisTls(certificates, name))
    with running(one):
        yield one


@pytest.fixture
def ours(certificates: Certificates) -> TlsFiles:
    """The servers ask for a certificate, too."""
    return TlsFiles(certificates.ca, certificates.client("projector"))


@asynccontextmanager
async def client_of(url: str, files: TlsFiles) -> AsyncIterator[Redis]:
    client = create_redis(
        RedisAddress(Secret(url), files),
        socket_timeout_seconds=SECONDS_MAX,
        connect_timeout_seconds=SECONDS_MAX,
        connections_max=4,
    )
    try:
        yield client
    finally:
        await client.aclose()


async def direct(client: Redis) -> bytes:
    """The value of the key over a connection of its own, as hot reads get it."""
    if isinstance(client, ClusterRedis):
        calls = ClusterCalls(client, seconds_max=SECONDS_MAX)
        try:
            return bytes((await calls([("GET", KEY)]))[0])
        finally:
            await calls.close()
    one = DirectCalls(client, seconds_max=SECONDS_MAX)
    try:
        return bytes(await one(b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"))
    finally:
        await one.close()


async def test_reads_and_writes_go_by_tls_and_follow_a_new_primary(servers: Servers, ours: TlsFiles) -> None:
    async with client_of(servers.url, ours) as client:
        assert await client.ping()
        await client.set(KEY, "before")
        assert await direct(client) == b"before"
        old = servers.primary() if isinstance(servers, ReplicatedRedis) else servers.primary_of(KEY)
        old.kill()

        async def another_takes_it() -> None:
            with passing():
                await client.set(KEY, "after")
                assert await direct(client) == b"after"

        try:
            await eventually(another_takes_it, 30)
        finally:
            old.start()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("authority", "certificate verify failed: (unable to get local issuer|self-signed certificate in)"),
        ("no certificate of ours", "CERTIFICATE_REQUIRED|Connection closed by server|reset by peer|Broken"),
        ("plain text", "Connection closed by server|Connection reset by peer|Broken pipe"),
    ],
)
async def test_a_client_that_is_refused_says_why(
    servers: Servers, certificates: Certificates, ours: TlsFiles, fault: str, reason: str
) -> None:
    files = {
        "authority": ours._replace(ca=certificates.other_ca),
        "no certificate of ours": TlsFiles(certificates.ca),
        "plain text": TlsFiles(),
    }[fault]
    url = servers.url.replace("rediss-", "redis-") if fault == "plain text" else servers.url
    async with client_of(url, files) as client:
        with pytest.raises(RedisError, match=reason) as refusal:
            await client.set(KEY, "value")
        assert is_transient(refusal.value)
        assert not is_mistake(refusal.value)


async def test_servers_that_are_not_named_in_their_certificate_are_refused(
    servers: Servers, ours: TlsFiles
) -> None:
    # It leads to the same servers, and no certificate has it.
    url = servers.url.replace(HOST, "127.1").replace(HOST_NAME, "127.1")
    async with client_of(url, ours) as client:
        with pytest.raises(RedisError, match=r"certificate is not valid for '127\.1'"):
            await client.ping()


async def test_an_authority_that_was_mended_counts_without_a_restart(
    servers: Servers, certificates: Certificates, ours: TlsFiles, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(certificates.other_ca.read_bytes())
    async with client_of(servers.url, ours._replace(ca=file)) as client:
        with pytest.raises(RedisError, match="certificate verify failed"):
            await client.ping()
        mended = tmp_path / "mended.pem"
        mended.write_bytes(certificates.ca.read_bytes())
        mended.rename(file)

        async def is_let_in() -> None:
            with passing():
                assert await client.ping()

        await eventually(is_let_in)
