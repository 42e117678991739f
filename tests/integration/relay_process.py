"""A relay as a process, with a fault that production code knows nothing of: methods are wrapped from outside.

RELAY_FAULT is `<fault>:<n>`, at the n-th call: `kill-before-cursor` and `kill-before-publish` end the
process by SIGKILL, `pause-before-cursor` and `pause-before-publish` stop it by SIGSTOP until SIGCONT. A
paused relay is also deaf: it does not notice the loss of its lock, the worst that a deposed one can do.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from command_api.relay.app import run_relay
from command_api.relay.kafka.publisher import KafkaPublisher
from command_api.relay.postgres.log_tail import PostgresLogTail
from command_api.relay.settings import RelaySettings
from shared.ops.logs import configure_logs
from shared.ops.process import run
from tests.integration.process_faults import install

_PLACES: dict[str, tuple[Any, str]] = {
    "before-cursor": (PostgresLogTail, "move_cursor"),
    "before-publish": (KafkaPublisher, "publish"),
}


if __name__ == "__main__":
    if os.environ["RELAY_FAULT"] and install(os.environ["RELAY_FAULT"], _PLACES) == "pause":
        setattr(PostgresLogTail, "lost", lambda _: asyncio.Event().wait())  # noqa: B010
    settings = RelaySettings(_env_file=None)
    configure_logs("relay", settings)
    sys.exit(run("relay", lambda stop: run_relay(stop, settings)))
