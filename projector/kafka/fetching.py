"""What aiokafka has no call for: the wait of fetches of a running consumer, and whether its tasks live."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

METADATA_MAX_AGE_MILLISECONDS = 5_000
"""A topic that is created after the projector's start is found within this time."""
FETCHER_LOOK_MILLISECONDS = 1_000
"""Whatever lets aiokafka fetch again wakes its fetcher. It also looks by itself, by default 5 times a
second.
"""


class BatchWait(NamedTuple):
    """What the broker waits for before it answers a fetch: so many bytes, at most for so long."""

    bytes_min: int
    milliseconds_max: int

    def use_in(self, consumer: "AIOKafkaConsumer") -> None:
        """For the next fetches; call it before the fetcher runs again. aiokafka reads both for each fetch."""
        fetcher = consumer._fetcher
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = self


def dead_task(consumer: "AIOKafkaConsumer") -> str | None:
    """Which of aiokafka's own tasks has ended, and why: it restarts none and then waits for ever."""
    tasks = {
        "metadata": consumer._client._sync_task,
        # Without a group there is none.
        "coordination": getattr(consumer._coordinator, "_coordination_task", None),
        "fetching": consumer._fetcher._fetch_task,
    }
    for name, task in tasks.items():
        if task is not None and task.done():
            cause = "cancelled" if task.cancelled() else repr(task.exception())
            return f"the consumer's {name} task has ended: {cause}"
    return None
