"""A projector as a process, with a fault that production code knows nothing of: methods are wrapped.

PROJECTOR_FAULT is `<kill|pause>-<place>:<n>`, at the n-th call of what `_PLACES` says: SIGKILL, or SIGSTOP
until SIGCONT. The arguments are the projections to run.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil
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
from projector.views.product_cache.redis.documents import CachedProducts
from shared.ops.logs import configure_logs
from shared.ops.process import run
from tests.eventually import eventually
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
    "before-cache-save": (CachedProducts, "save"),
    "before-offsets": (AIOKafkaConsumer, "commit"),
}


def environment_of(settings: ProjectorSettings) -> dict[str, str]:
    """What a process must be told to have these settings."""
    return {
        name.upper(): str(value)
        for name, value in settings.model_dump().items()
        if value != type(settings).model_fields[name].default
    }


class ProjectorProcess:
    """A projector of its own process, to be killed and paused."""

    def __init__(self, settings: ProjectorSettings, *names: str, fault: str = "") -> None:
        environment = {**os.environ, **environment_of(settings), "PROJECTOR_FAULT": fault}
        self.process = subprocess.Popen([sys.executable, __file__, *names], env=environment)

    async def is_paused(self) -> None:
        """By itself, at its fault."""

        def has_stopped() -> None:
            assert self.process.poll() is None, "the projector has ended"
            assert psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

        await eventually(has_stopped, 60)

    async def has_ended(self) -> int:
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), 60)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def projector_process(
    settings: ProjectorSettings, *names: str, fault: str = ""
) -> Iterator[ProjectorProcess]:
    process = ProjectorProcess(settings, *names, fault=fault)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.wait()


if __name__ == "__main__":
    if os.environ["PROJECTOR_FAULT"]:
        install(os.environ["PROJECTOR_FAULT"], _PLACES)
    chosen = ProjectorSettings(_env_file=None)
    configure_logs("projector", chosen)
    sys.exit(
        run("projector", lambda stop: run_projector(chosen, [BY_NAME[name] for name in sys.argv[1:]], stop))
    )
