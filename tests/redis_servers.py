"""A cluster of three primaries, and a primary with a replica and three sentinels: real ones, here.

The program is the one of the project (6.2), without redis-cli, so its steps are here.
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
from tests.eventually import eventually_blocking

# On a busy machine a node that works may be silent for a second, and must not be replaced for it.
NODE_TIMEOUT_MILLISECONDS = 2_000
PRIMARY_NAME = "catalogue"
_BUS, FIRST_OF_BLOCKS, _FROM_LAST_BLOCKS = 10_000, 20_000, 26_000


class ClusterNode(RedisServer):
    """One node."""

    timeout_milliseconds = NODE_TIMEOUT_MILLISECONDS

    def command(self) -> Command:
        usual = super().command()
        options = [
            "--cluster-enabled", "yes",
            "--cluster-config-file", "nodes.conf",
            "--cluster-node-timeout", str(self.timeout_milliseconds),
            # A replica of a primary that dies takes over even if it was just made one.
            "--cluster-replica-validity-factor", "0",
        ]  # fmt: skip
        return Command([*usual.argv, *options], directory=usual.directory)

    @property
    def client(self) -> Redis:
        """A new client of this node alone."""
        return Redis(HOST, self.port, socket_timeout=5)

    def is_ready(self) -> bool:
        """True if it answers."""
        return redis_answers(self.port)


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

    def __init__(self, folder: Path, *, primaries: int = 3, replicas: bool = False) -> None:
        count = primaries * (2 if replicas else 1)
        self.nodes = [
            ClusterNode(folder / f"node-{number}", _cluster_port(), folder / f"node-{number}.log", silent)
            for number in range(count)
        ]
        if not replicas:  # nobody could take over, so nothing is gained by noticing
            for node in self.nodes:
                node.timeout_milliseconds = 60_000
        self.primaries = self.nodes[:primaries]
        self.replicas = self.nodes[primaries:]

    @property
    def url(self) -> str:
        """Of all nodes."""
        return "redis-cluster://" + ",".join(f"{HOST}:{node.port}" for node in self.nodes)

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

    def __init__(self, folder: Path, number: int, primary: RedisServer) -> None:
        self.port = free_port()
        super().__init__(f"sentinel-{number}", folder / f"sentinel-{number}.log", silent)
        self._file = folder / f"sentinel-{number}.conf"
        self._primary = primary

    def prepare(self) -> None:
        """It writes what it learns into its file."""
        if not self._file.exists():
            self._file.write_text(
                f"bind {HOST}\nport {self.port}\n"
                f"sentinel monitor {PRIMARY_NAME} {HOST} {self._primary.port} 2\n"
                f"sentinel down-after-milliseconds {PRIMARY_NAME} 1500\n"
                f"sentinel failover-timeout {PRIMARY_NAME} 2000\n"
            )

    def command(self) -> Command:
        return Command([str(find_redis_server(silent)), str(self._file), "--sentinel"])

    def is_ready(self) -> bool:
        """True if it answers."""
        return redis_answers(self.port)


class ReplicatedRedis:
    """Two servers and three sentinels."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.servers = [
            RedisServer(folder / f"redis-{number}", free_port(), folder / f"redis-{number}.log", silent)
            for number in range(2)
        ]
        self.sentinels = [_Sentinel(folder, number, self.servers[0]) for number in range(3)]

    @property
    def url(self) -> str:
        """Of the sentinels."""
        servers = ",".join(f"{HOST}:{one.port}" for one in self.sentinels)
        return f"redis-sentinel://{servers}/0#{PRIMARY_NAME}"

    def start(self) -> None:
        """Returns when the sentinels know each other and the replica."""
        primary, replica = self.servers
        for server in self.servers:
            server.start()
        with Redis(HOST, replica.port) as client:
            client.replicaof(HOST, str(primary.port))
        for sentinel in self.sentinels:
            sentinel.start()
        eventually_blocking(self._check, 30)

    def stop(self) -> None:
        """All of them."""
        for server in (*self.sentinels, *self.servers):
            with suppress(Exception):
                server.kill()

    def primary(self) -> RedisServer:
        """As the first sentinel says."""
        with Redis(HOST, self.sentinels[0].port) as client:
            _, port = client.sentinel_get_master_addr_by_name(PRIMARY_NAME)
        return next(server for server in self.servers if server.port == port)

    def fail_over(self) -> None:
        """Both servers go on; the sentinels let them change places."""
        with Redis(HOST, self.sentinels[0].port) as client:
            client.sentinel_failover(PRIMARY_NAME)

    def _check(self) -> None:
        for sentinel in self.sentinels:
            with Redis(HOST, sentinel.port) as client:
                state = client.sentinel_masters()[PRIMARY_NAME]
                assert (state["num-other-sentinels"], state["num-slaves"]) == (2, 1)
        with Redis(HOST, self.servers[1].port) as client:
            assert client.info("replication").get("master_link_status") == "up"


@contextmanager
def running(*servers: RedisCluster | ReplicatedRedis) -> Iterator[Sequence[RedisCluster | ReplicatedRedis]]:
    """Started, and stopped at the end."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start()
        yield servers
