"""Reads single records at known offsets, such as the first or the last of each partition."""

import math
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.servers import KafkaServers

_FETCH_BYTES_MAX = 16 * 1024
_POLL_MILLISECONDS = 500


def single_record_reader(servers: KafkaServers, client_id: str) -> AIOKafkaConsumer:
    """A consumer without a group that fetches little, not started yet."""
    return AIOKafkaConsumer(
        **servers.arguments(), client_id=client_id, enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
    )  # fmt: skip


async def records_at(
    reader: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int], *, quiet_polls_max: float = math.inf
) -> dict[TopicPartition, Any]:
    """By partition the record at its offset, or the first one after it. Raises aiokafka's errors.

    It waits for all of them, so bound it in time. After `quiet_polls_max` polls of half a second without any
    record it waits no longer: then what is no record, such as a marker of a transaction, is absent.
    """
    found: dict[TopicPartition, Any] = {}
    if not offsets:
        return found
    reader.assign(list(offsets))
    for at, offset in offsets.items():
        reader.seek(at, offset)
    quiet = 0
    while len(found) < len(offsets) and quiet < quiet_polls_max:
        polled = await reader.getmany(timeout_ms=_POLL_MILLISECONDS)
        quiet = 0 if polled else quiet + 1
        for at, records in polled.items():
            found.setdefault(at, records[0])
            reader.pause(at)
    return found
