"""A cluster of three primaries, and a primary with a replica and three sentinels: real ones, here.

The program is the one of the project (6.2), without redis-cli, so its steps are here; with `tls` another one,
because this one was built without TLS.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from deploy.local.ports import HOST, free_port, port_is_taken
from deploy.local.redis import RedisServer, redis_answers
from deploy.local.redis_program import find_redis_server
from deploy.local.server import Command, Server, silent
from shared.redis.errors import is_transient
from tests.eventually import eventually_blocking
from tests.secured.redis_tls import RedisTls

# On a busy machine a node that works may be silent for a second, and must not be replaced for it.
NODE_TIMEOUT_MILLISECONDS = 2_000
PRIMARY_NAME = "catalogue"
_BUS, FIRST_OF_BLOCKS, _FROM_LAST_BLOCKS = 10_000, 20_000, 26_000


class _Member(RedisServer):
    """A server that others know, too, over TLS or not."""

    def __init__(self, folder: Path, name: str, port: int, tls: RedisTls | None) -> None:
        super().__init__(folder / name, port, folder / f"{name}.log", silent)
        self.tls = tls

    def command(self) -> Command:
        usual = super().command()
        more = [f"--{name}" if at == 0 else name for pair in self._settings() for at, name in enumerate(pair)]
        program = usual.argv[0] if self.tls is None else str(self.tls.program)
        return Command([program, *usual.argv[1:], *more], directory=usual.directory)

    @property
    def client(self) -> Redis:
        """A new client of this server alone."""
        return Redis(HOST, self.port, socket_timeout=5) if self.tls is None else self.tls.client(self.port)

    def is_ready(self) -> bool:
        """True if it answers."""
        return redis_answers(self.port) if self.tls is None else self.tls.answers(self.port)

    def _settings(self) -> list[tuple[str, str]]:
        """Beside the usual ones."""
        return [] if self.tls is None else self.tls.settings(self.port)


class ClusterNode(_Member):
    """One node."""

    timeout_milliseconds = NODE_TIMEOUT_MILLISECONDS

    def _settings(self) -> list[tuple[str, str]]:
        own = [
            ("cluster-enabled", "yes"),
            ("cluster-config-file", "nodes.conf"),
            ("cluster-node-timeout", str(self.timeout_milliseconds)),
            # A replica of a primary that dies takes over even if it was just made one.
            ("cluster-replica-validity-factor", "0"),
        ]
        if self.tls is not None:
            own += [("tls-cluster", "yes"), ("cluster-announce-hostname", self.tls.name)]
            own += [("cluster-preferred-endpoint-type", "hostname")]
        return [*super()._settings(), *own]


def _cluster_port() -> int:
    """Both ports of a node are free: Redis 6 has no option for the bus, which is 10,000 above.

    Ports from 32768 on are the kernel's, so the upper one must be below. It is of our block where the lower
    one is then below all blocks, and both are below where it is not. Even and odd numbers keep these apart.
    """
    while True:
        ours = free_port()
        is_low = ours - _BUS < FIRST_OF_BLOCKS
        port = ours - _BUS if is_low else ours - _FROM_LAST_BLOCKS
        if port % 2 != is_low and not port_is_taken(port) and not port_is_taken(port + _BUS):
            return port


class RedisCluster:
    """Primaries with a third of the slots each, and a replica each if `replicas`."""

    def __init__(
        self, folder: Path, *, primaries: int = 3, replicas: bool = False, tls: RedisTls | None = None
    ) -> None:
        count = primaries * (2 if replicas else 1)
        self.nodes = [ClusterNode(folder, f"node-{at}", _cluster_port(), tls) for at in range(count)]
        if not replicas:  # nobody could take over, so nothing is gained by noticing
            for node in self.nodes:
                node.timeout_milliseconds = 60_000
        self.primaries = self.nodes[:primaries]
        self.replicas = self.nodes[primaries:]

    @property
    def url(self) -> str:
        """Of all nodes."""
        return _url("redis{}-cluster", self.nodes)

    def start(self) -> None:
        """Returns when all nodes agree."""
        for node in self.nodes:
            node.start()
        for epoch, node in enumerate(self.nodes, start=1):
            with node.client as client:
                # Before they meet: else they begin with the same epoch, and take seconds to sort it out.
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", epoch)
                if node is not self.nodes[0]:
                    client.execute_command("CLUSTER MEET", HOST, self.nodes[0].port)
        for at, node in enumerate(self.primaries):
            first = REDIS_CLUSTER_HASH_SLOTS * at // len(self.primaries)
            end = REDIS_CLUSTER_HASH_SLOTS * (at + 1) // len(self.primaries)
            with node.client as client:
                client.execute_command("CLUSTER ADDSLOTS", *range(first, end))
        for replica, primary in zip(self.replicas, self.primaries, strict=False):
            eventually_blocking(partial(self._replicate, replica, primary), 30)
        eventually_blocking(self.check, 30)

    def stop(self) -> None:
        """All nodes."""
        for node in self.nodes:
            with suppress(Exception):
                node.kill()

    def check(self) -> None:
        """All nodes know all others and all slots."""
        for node in self.nodes:
            if node.pid is None:
                continue
            with node.client as client:
                info = client.execute_command("CLUSTER INFO")
                text = info if isinstance(info, dict) else {}
                assert text.get("cluster_state") == "ok", (node.port, info)
                assert int(text["cluster_known_nodes"]) == len(self.nodes)
                if node in self.replicas and node.pid is not None:
                    assert client.info("replication")["master_link_status"] == "up"

    def primary_of(self, key: str) -> ClusterNode:
        """The node that has the key's slot now."""
        slot = key_slot(key.encode())
        for node in self.nodes:
            if node.pid is None:
                continue
            with node.client as client, suppress(RedisError):
                if client.info("replication")["role"] != "master":
                    continue
                ours = next(
                    facts
                    for facts in client.execute_command("CLUSTER NODES").values()
                    if "myself" in facts["flags"]
                )
                ranges = [[int(one) for one in part] for part in ours["slots"] if part[0].isdigit()]
                if any(part[0] <= slot <= part[-1] for part in ranges):
                    return node
        raise AssertionError(f"no node has the slot {slot}")

    def begin_migration(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        """From now on both nodes redirect."""
        with source.client as one, target.client as other:
            source_id, target_id = (
                client.execute_command("CLUSTER MYID").decode() for client in (one, other)
            )
            other.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source_id)
            one.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target_id)

    def move_keys(self, slot: int, source: ClusterNode, target: ClusterNode, keys_max: int) -> int:
        """Some keys of a slot that is on its way; returns how many."""
        with source.client as client:
            keys = client.execute_command("CLUSTER GETKEYSINSLOT", slot, keys_max)
            if keys:
                client.execute_command("MIGRATE", HOST, target.port, "", 0, 5_000, "KEYS", *keys)
            return len(keys)

    def end_migration(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        """Its keys must have moved."""
        with target.client as client:
            target_id = client.execute_command("CLUSTER MYID").decode()
        for node in (target, source, *self.primaries):
            with node.client as client:
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", target_id)

    @staticmethod
    def _replicate(replica: ClusterNode, primary: ClusterNode) -> None:
        with replica.client as client, primary.client as other:
            try:
                client.execute_command("CLUSTER REPLICATE", other.execute_command("CLUSTER MYID").decode())
            except RedisError as error:
                raise AssertionError(str(error)) from error


class _Sentinel(Server):
    """Watches one primary."""

    def __init__(self, folder: Path, number: int, primary: _Member) -> None:
        self.port = free_port()
        super().__init__(f"sentinel-{number}", folder / f"sentinel-{number}.log", silent)
        self._file = folder / f"sentinel-{number}.conf"
        self._primary = primary
        self.tls = primary.tls

    def prepare(self) -> None:
        """It writes what it learns into its file."""
        if not self._file.exists():
            host, settings = HOST, [("port", str(self.port))]
            if self.tls is not None:
                host, settings = self.tls.name, self.tls.settings(self.port)
                settings += [("sentinel resolve-hostnames", "yes"), ("sentinel announce-hostnames", "yes")]
            self._file.write_text(
                "".join(f"{name} {value}\n" for name, value in [("bind", HOST), *settings])
                + f"sentinel monitor {PRIMARY_NAME} {host} {self._primary.port} 2\n"
                f"sentinel down-after-milliseconds {PRIMARY_NAME} 1500\n"
                f"sentinel failover-timeout {PRIMARY_NAME} 2000\n"
            )

    def command(self) -> Command:
        program = find_redis_server(silent) if self.tls is None else self.tls.program
        return Command([str(program), str(self._file), "--sentinel"])

    @property
    def client(self) -> Redis:
        """A new client of this sentinel alone."""
        return Redis(HOST, self.port) if self.tls is None else self.tls.client(self.port)

    def is_ready(self) -> bool:
        """True if it answers."""
        return redis_answers(self.port) if self.tls is None else self.tls.answers(self.port)


class _Replicated(_Member):
    """A primary or its replica."""

    def _settings(self) -> list[tuple[str, str]]:
        own = [] if self.tls is None else [("replica-announce-ip", self.tls.name)]
        return [*super()._settings(), *own]


class ReplicatedRedis:
    """Two servers and three sentinels."""

    def __init__(self, folder: Path, *, tls: RedisTls | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.servers = [_Replicated(folder, f"redis-{at}", free_port(), tls) for at in range(2)]
        self.sentinels = [_Sentinel(folder, number, self.servers[0]) for number in range(3)]

    @property
    def url(self) -> str:
        """Of the sentinels."""
        return f"{_url('redis{}-sentinel', self.sentinels)}/0#{PRIMARY_NAME}"

    def start(self) -> None:
        """Returns when the sentinels know each other and the replica."""
        primary, replica = self.servers
        for server in self.servers:
            server.start()
        with replica.client as client:
            client.replicaof(HOST if primary.tls is None else primary.tls.name, str(primary.port))
        for sentinel in self.sentinels:
            sentinel.start()
        eventually_blocking(self._check, 30)

    def stop(self) -> None:
        """All of them."""
        for server in (*self.sentinels, *self.servers):
            with suppress(Exception):
                server.kill()

    def primary(self) -> _Member:
        """As the first sentinel says."""
        with self.sentinels[0].client as client:
            _, port = client.sentinel_get_master_addr_by_name(PRIMARY_NAME)
        return next(server for server in self.servers if server.port == port)

    def fail_over(self) -> None:
        """Both servers go on; the sentinels let them change places."""
        with self.sentinels[0].client as client:
            client.sentinel_failover(PRIMARY_NAME)

    def _check(self) -> None:
        for sentinel in self.sentinels:
            with sentinel.client as client:
                state = client.sentinel_masters()[PRIMARY_NAME]
                assert (state["num-other-sentinels"], state["num-slaves"]) == (2, 1)
        with self.servers[1].client as client:
            assert client.info("replication").get("master_link_status") == "up"


def _url(scheme: str, servers: Sequence[ClusterNode] | Sequence[_Sentinel]) -> str:
    tls = servers[0].tls
    host = HOST if tls is None else tls.name
    addresses = ",".join(f"{host}:{one.port}" for one in servers)
    return f"{scheme.format('' if tls is None else 's')}://{addresses}"


@contextmanager
def running(*servers: RedisCluster | ReplicatedRedis) -> Iterator[Sequence[RedisCluster | ReplicatedRedis]]:
    """Started, and stopped at the end."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start()
        yield servers


@contextmanager
def passing() -> Iterator[None]:
    """An outage is an assertion to repeat; other errors are not."""
    try:
        yield
    except RedisError as error:
        if not is_transient(error):
            raise
        raise AssertionError(str(error)) from error
