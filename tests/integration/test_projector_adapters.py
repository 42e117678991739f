"""The adapters of the projector's ports pass the suites that their fakes pass."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from projector.applying.postgres import PostgresEventLog
from projector.audit.postgres import PostgresAuditLog
from projector.rebuild.postgres.verifications import PostgresVerifications
from shared.contract.recorded_event import RecordedEvent
from tests.integration.mail_stores import PostgresMailStores
from tests.integration.projector_stores import PostgresControlStores, PostgresStores
from tests.integration.rebuild_stores import PostgresRebuildStores, locked_rebuild_stores
from tests.integration.state_stores import KafkaTopics, PostgresStoredStates
from tests.integration.view_world import PROJECTION, Log, cache, log, owner, read_model, redis, table
from tests.servers import DatabaseDsns
from tests.unit.projector.audit_suite import AuditLogSuite
from tests.unit.projector.control_suites import ControlBoardSuite, UncopiedDeadLettersSuite
from tests.unit.projector.event_log_suite import EventLogSuite
from tests.unit.projector.mail_suites import ClaimsSuite, DigestsSuite, PacingSuite
from tests.unit.projector.rebuild_suites import RecordsSuite, ShadowSuite
from tests.unit.projector.state_suites import StateTableSuite, StateTopicSuite
from tests.unit.projector.verification_suite import VerificationsSuite
from tests.unit.projector.view_suites import CheckpointSuite, ParkingSuite, ShortcutSuite, ViewSuite

__all__ = ["log", "owner", "read_model", "redis"]
pytestmark = pytest.mark.servers


class TestPostgresTable(ViewSuite, CheckpointSuite, ShortcutSuite, ParkingSuite):
    @pytest.fixture
    def stores(self, read_model: Any) -> PostgresStores:
        return PostgresStores(read_model, PROJECTION, partial(table, read_model))


class TestRedisCache(ViewSuite, ParkingSuite):
    @pytest.fixture
    def stores(self, read_model: Any, redis: Redis) -> PostgresStores:
        return PostgresStores(read_model, PROJECTION, partial(cache, redis, read_model))


class WrittenPostgresLog:
    """Implements `event_log_suite.WrittenLog`."""

    def __init__(self, log: Log, log_id: UUID) -> None:
        self.reading: PostgresEventLog = log.reading
        self.log_id = log_id
        self._log = log

    async def keep(self, events: Sequence[RecordedEvent]) -> None:
        await self._log.keep(events)


class TestPostgresEventLog(EventLogSuite):
    @pytest_asyncio.fixture
    async def log(self, log: Log) -> WrittenPostgresLog:
        log_id = await log._owner.fetchval("SELECT log_id FROM catalogue.event_log")
        return WrittenPostgresLog(log, UUID(int=log_id.int))


class TestPostgresMails(ClaimsSuite, PacingSuite, DigestsSuite):
    @pytest.fixture
    def stores(self, read_model: Any, owner: Any) -> PostgresMailStores:
        return PostgresMailStores(read_model, owner)


class TestPostgresStateTable(StateTableSuite):
    @pytest.fixture
    def states(self, read_model: Any) -> PostgresStoredStates:
        return PostgresStoredStates(read_model)


class TestKafkaStateTopic(StateTopicSuite):
    @pytest.fixture
    def topics(self, kafka_bootstrap_servers: str, kafka_prefix: str) -> KafkaTopics:
        return KafkaTopics(kafka_bootstrap_servers, kafka_prefix)


class TestPostgresRebuild(RecordsSuite, ShadowSuite):
    @pytest_asyncio.fixture
    async def stores(
        self, read_model: Any, read_model_dsns: DatabaseDsns
    ) -> AsyncIterator[PostgresRebuildStores]:
        async with locked_rebuild_stores(read_model, read_model_dsns.projector) as stores:
            yield stores


class TestPostgresControl(ControlBoardSuite, UncopiedDeadLettersSuite):
    @pytest.fixture
    def stores(self, read_model: Any) -> PostgresControlStores:
        return PostgresControlStores(read_model)


class TestPostgresAuditLog(AuditLogSuite):
    @pytest.fixture
    def audit(self, read_model: Any) -> PostgresAuditLog:
        return PostgresAuditLog(read_model)


class TestPostgresVerifications(VerificationsSuite):
    @pytest.fixture
    def verifications(self, read_model: Any) -> PostgresVerifications:
        return PostgresVerifications(read_model)
