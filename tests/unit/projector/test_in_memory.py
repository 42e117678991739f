"""The projector's fakes pass the suites that the real adapters pass (tests/integration)."""

import pytest

from tests.in_memory.audit import InMemoryAuditLog
from tests.in_memory.verifications import InMemoryVerifications
from tests.unit.projector.audit_suite import AuditLogSuite
from tests.unit.projector.control_suites import ControlBoardSuite, UncopiedDeadLettersSuite
from tests.unit.projector.event_log_suite import EventLogSuite
from tests.unit.projector.in_memory_mails import InMemoryMailStores
from tests.unit.projector.in_memory_rebuild import InMemoryRebuildStores
from tests.unit.projector.in_memory_states import InMemoryStoredStates, InMemoryTopics
from tests.unit.projector.in_memory_stores import InMemoryControl, InMemoryStores, WrittenInMemoryLog
from tests.unit.projector.mail_suites import ClaimsSuite, DigestsSuite, PacingSuite
from tests.unit.projector.rebuild_suites import RecordsSuite, ShadowSuite
from tests.unit.projector.state_suites import StateTableSuite, StateTopicSuite
from tests.unit.projector.verification_suite import VerificationsSuite
from tests.unit.projector.view_suites import CheckpointSuite, ParkingSuite, ShortcutSuite, ViewSuite


class TestInMemoryTable(ViewSuite, CheckpointSuite, ShortcutSuite, ParkingSuite):
    @pytest.fixture
    def stores(self) -> InMemoryStores:
        return InMemoryStores()


class TestInMemoryCache(ViewSuite, ParkingSuite):
    @pytest.fixture
    def stores(self) -> InMemoryStores:
        return InMemoryStores(forgets=True)


class TestInMemoryEventLog(EventLogSuite):
    @pytest.fixture
    def log(self) -> WrittenInMemoryLog:
        return WrittenInMemoryLog()


class TestInMemoryMails(ClaimsSuite, PacingSuite, DigestsSuite):
    @pytest.fixture
    def stores(self) -> InMemoryMailStores:
        return InMemoryMailStores()


class TestInMemoryStateTable(StateTableSuite):
    @pytest.fixture
    def states(self) -> InMemoryStoredStates:
        return InMemoryStoredStates()


class TestInMemoryStateTopic(StateTopicSuite):
    @pytest.fixture
    def topics(self) -> InMemoryTopics:
        return InMemoryTopics()


class TestInMemoryRebuild(RecordsSuite, ShadowSuite):
    @pytest.fixture
    def stores(self) -> InMemoryRebuildStores:
        return InMemoryRebuildStores()


class TestInMemoryControl(ControlBoardSuite, UncopiedDeadLettersSuite):
    @pytest.fixture
    def stores(self) -> InMemoryControl:
        return InMemoryControl()


class TestInMemoryAuditLog(AuditLogSuite):
    @pytest.fixture
    def audit(self) -> InMemoryAuditLog:
        return InMemoryAuditLog()


class TestInMemoryVerifications(VerificationsSuite):
    @pytest.fixture
    def verifications(self) -> InMemoryVerifications:
        return InMemoryVerifications()
