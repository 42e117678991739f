"""The servers of a benchmark run: the same as in tests, durable, with new databases for each contender."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from command_api.postgres.migrate import migrate_event_store
from deploy.local.kafka import KafkaServer
from deploy.local.opensearch import OpenSearchServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from projector.postgres.migrate import migrate_read_model
from tests.benchmarks.other_job import other_job
from tests.databases import create_database
from tests.servers import OPENSEARCH, DatabaseDsns, SessionServers

_numbers = itertools.count(1)


class BenchServers:
    """One each of PostgreSQL, Redis, Kafka and OpenSearch; started when first asked for.

    `has_other_job`: the machine has other work on purpose.
    """

    def __init__(self, servers: SessionServers, *, has_other_job: bool = False) -> None:
        self._servers = servers
        self.has_other_job = has_other_job

    @property
    def folder(self) -> Path:
        """For logs and files of what runs beside the servers; removed with them."""
        return self._servers.folder

    @property
    def postgres(self) -> PostgresServer:
        """The database server."""
        return self._servers.get("postgres_server")  # type: ignore[return-value]

    @property
    def redis(self) -> RedisServer:
        """The cache."""
        return self._servers.get("redis_server")  # type: ignore[return-value]

    @property
    def kafka(self) -> KafkaServer:
        """The broker."""
        return self._servers.get("kafka_server")  # type: ignore[return-value]

    @property
    def opensearch(self) -> OpenSearchServer:
        """The other search engine."""
        return self._servers.get(OPENSEARCH)  # type: ignore[return-value]

    async def event_store(self) -> DatabaseDsns:
        """A fresh, migrated event store."""
        dsns = self.empty_database()
        await migrate_event_store(dsns.owner)
        return dsns

    async def read_model(self) -> DatabaseDsns:
        """A fresh, migrated read model."""
        dsns = self.empty_database()
        await migrate_read_model(dsns.owner)
        return dsns

    async def delete_topics(self, prefix: str) -> None:
        """Those of a contender, so that they do not slow down the next one."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await admin.start()
        try:
            found = await admin.list_topics()
            await admin.delete_topics([topic for topic in found if topic.startswith(prefix)])
        finally:
            await admin.close()

    def empty_database(self) -> DatabaseDsns:
        """A new database of the migrate role, after a checkpoint, so that no contender pays for the one
        before.
        """
        made = create_database(self.postgres, f"bench_{next(_numbers)}", "template1")
        self.postgres.run_sql("CHECKPOINT")
        return made


@contextmanager
def bench_servers(*, with_other_job: bool = False) -> Iterator[BenchServers]:
    """Start and stop."""
    servers = SessionServers()
    try:
        with other_job(servers.folder) if with_other_job else nullcontext():
            yield BenchServers(servers, has_other_job=with_other_job)
    finally:
        servers.close()
