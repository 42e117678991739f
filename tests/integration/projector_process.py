"""A projector as a process, with a fault that production code knows nothing of: methods are wrapped.

`fault` is `<kill|pause>-<place>:<n>`, at the n-th call of what `_PLACES` says: SIGKILL, or SIGSTOP until
SIGCONT.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from projector.app import run_projector
from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.postgres.digests import PostgresDigests
from projector.notifications.postgres.pacing import PostgresPacing
from projector.notifications.smtp.mailer import SmtpMailer
from projector.projections import BY_NAME
from projector.settings import ProjectorSettings
from projector.state_topic.kafka.topic import KafkaStateChannel
from projector.state_topic.postgres import PostgresStates
from projector.views.postgres import view as postgres_view
from projector.views.postgres.shortcut import PostgresShortcut
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.search_index.opensearch.checkpoints import IndexCheckpoints
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.indexes import SearchIndexes
from shared.ops.logs import configure_logs
from shared.ops.process import run
from tests.forked_process import ForkedProcess, be_ready_to_fork
from tests.integration.process_faults import install

_PLACES: dict[str, tuple[Any, str]] = {
    "before-publish": (KafkaStateChannel, "publish"),
    "before-commit": (AIOKafkaProducer, "commit_transaction"),
    "before-mark": (PostgresStates, "published"),
    "before-send": (SmtpMailer, "send"),
    "before-settle": (PostgresClaims, "settle"),
    "before-plan": (PostgresPacing, "plan"),
    "before-digest-settle": (PostgresDigests, "settle"),
    "before-digest-contents": (PostgresDigests, "contents"),
    "before-digest-marked": (PostgresDigests, "mark_parked"),
    "before-table-save": (postgres_view._Batch, "save"),
    "before-quick-save": (PostgresShortcut, "save"),
    "before-cache-save": (CachedProducts, "save"),
    "before-search-save": (IndexedProducts, "save"),
    "before-refresh": (SearchIndexes, "refresh"),
    "before-checkpoint": (IndexCheckpoints, "move"),
    "before-offsets": (AIOKafkaConsumer, "commit"),
}


@asynccontextmanager
async def projector_process(
    settings: ProjectorSettings, *names: str, fault: str = ""
) -> AsyncIterator[ForkedProcess]:
    """In this block; killed at its end if not before."""
    await asyncio.to_thread(be_ready_to_fork)
    process = ForkedProcess(_project, settings, names, fault)
    try:
        yield process
    finally:
        process.end()


def _project(settings: ProjectorSettings, names: Sequence[str], fault: str) -> None:
    if fault:
        install(fault, _PLACES)
    configure_logs("projector", settings)
    projections = [BY_NAME[name] for name in names]
    sys.exit(run("projector", lambda stop: run_projector(settings, projections, stop)))
