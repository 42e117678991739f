"""Asks the broker how far consumer groups are: the only place where a dead consumer's lag can be seen.

Each question uses clients of its own. They are made every few seconds and not kept, because a client that has
lost its broker needs more code than one that is made anew.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.connections import mend_connections
from shared.kafka.servers import KafkaServers

_CLIENT_ID = "catalogue-relay-groups"
# Each group costs a question, whether it reads our topics or not.
GROUPS_ASKED_MAX = 500
_FETCH_BYTES_MAX = 64 * 1024
_ROUNDS_MAX = 20
_ROUND_MILLISECONDS = 1000

Committed = Mapping[TopicPartition, int]


class GroupState(NamedTuple):
    """One group: by topic, how many records wait, and the time of the oldest (milliseconds since 1970; None:
    none waits).
    """

    group: str
    members: int
    waiting: Mapping[str, int]
    oldest_ms: Mapping[str, int | None]


class GroupsFound(NamedTuple):
    """`left_out`: groups that were not asked, or are not among the first."""

    groups: Sequence[GroupState]
    left_out: int


class ConsumerGroups:
    """The groups that have committed offsets of these topics, in the order of their names."""

    def __init__(
        self, servers: KafkaServers, topics: Collection[str], *, groups_max: int, request_seconds_max: float
    ) -> None:
        self._servers = servers
        self._topics = frozenset(topics)
        self._groups_max = groups_max
        self._request_milliseconds = int(request_seconds_max * 1000)

    async def find(self) -> GroupsFound:
        """All of them, now. Raises aiokafka's errors."""
        mend_connections()
        admin = AIOKafkaAdminClient(
            **self._servers.arguments(),
            client_id=_CLIENT_ID,
            request_timeout_ms=self._request_milliseconds,
        )
        try:
            await admin.start()
            committed, left_out = await self._committed(admin)
            members = {group: await _members(admin, group) for group in committed}
        finally:
            await admin.close()
        states = await self._states(committed, members) if committed else []
        return GroupsFound(states, left_out)

    async def _committed(self, admin: AIOKafkaAdminClient) -> tuple[dict[str, Committed], int]:
        names = sorted(name for name, *_ in await admin.list_consumer_groups())
        committed: dict[str, Committed] = {}
        for name in names[:GROUPS_ASKED_MAX]:
            offsets = await admin.list_consumer_group_offsets(name)
            ours = {
                tp: at.offset for tp, at in offsets.items() if tp.topic in self._topics and at.offset >= 0
            }
            if ours:
                committed[name] = ours
        shown = dict(list(committed.items())[: self._groups_max])
        return shown, len(committed) - len(shown) + max(0, len(names) - GROUPS_ASKED_MAX)

    async def _states(
        self, committed: Mapping[str, Committed], members: Mapping[str, int]
    ) -> list[GroupState]:
        consumer = AIOKafkaConsumer(
            **self._servers.arguments(),
            client_id=_CLIENT_ID,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=self._request_milliseconds,
            max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        )
        try:
            await consumer.start()
            asked = {tp for offsets in committed.values() for tp in offsets}
            ends = await consumer.end_offsets(list(asked))
            wanted = {
                (tp, offset)
                for offsets in committed.values()
                for tp, offset in offsets.items()
                if offset < ends[tp]
            }
            times = await _times(consumer, wanted)
        finally:
            await consumer.stop()
        return [_state(group, members[group], offsets, ends, times) for group, offsets in committed.items()]


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    """One group for each question: aiokafka cannot read an answer about several."""
    (answer,) = await admin.describe_consumer_groups([group])
    return sum(len(described[5]) for described in answer.groups)


async def _times(
    consumer: AIOKafkaConsumer, wanted: Collection[tuple[TopicPartition, int]]
) -> dict[tuple[TopicPartition, int], int]:
    """The time of the record at each place, or of the next one that compaction has left.

    A round reads one place of each partition, for all partitions at the same time. Places that cannot be read
    within the rounds are absent.
    """
    left = set(wanted)
    times: dict[tuple[TopicPartition, int], int] = {}
    for _ in range(_ROUNDS_MAX):
        places = dict(left)
        if not places:
            break
        consumer.assign(list(places))
        for tp, offset in places.items():
            consumer.seek(tp, offset)
        for tp, records in (await _one_round(consumer, len(places))).items():
            times[tp, places[tp]] = records
            left.discard((tp, places[tp]))
    return times


async def _one_round(consumer: AIOKafkaConsumer, places: int) -> dict[TopicPartition, int]:
    """The time of the first record of each assigned partition, as far as they arrive in time."""
    found: dict[TopicPartition, int] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(_ROUND_MILLISECONDS / 1000):
            while len(found) < places:
                for tp, records in (await consumer.getmany(timeout_ms=_ROUND_MILLISECONDS)).items():
                    found.setdefault(tp, records[0].timestamp)
                consumer.pause(*found)
    return found


def _state(
    group: str,
    members: int,
    committed: Committed,
    ends: Mapping[TopicPartition, int],
    times: Mapping[tuple[TopicPartition, int], int],
) -> GroupState:
    topics = sorted({tp.topic for tp in committed})
    waiting = dict.fromkeys(topics, 0)
    oldest: dict[str, int | None] = dict.fromkeys(topics)
    for tp, offset in committed.items():
        waiting[tp.topic] += max(0, ends[tp] - offset)
        at = times.get((tp, offset))
        known = oldest[tp.topic]
        if at is not None and (known is None or at < known):
            oldest[tp.topic] = at
    return GroupState(group, members, waiting, oldest)
