"""Brings a projection to the present ends of its topic without reading the topic.

The order of the steps makes it safe while events are written and published. First the ends of the topic are
read, then the newest position of the log: an event is in the log before it is in the topic, so every record
before those ends has a position that is known now. All events up to it are applied from the log, then the
projection is placed at the ends. What is published meanwhile comes after the ends, and is read as usual;
what it has already is dropped by its version.

Each stretch moves the log position of the checkpoint, so a command that was killed is run again and repeats
nothing. Source of the idea: Kafka's own tool moves offsets, but cannot apply what they pass over.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.errors import CannotGoOn, Fenced, LogDiffers, Unavailable
from projector.reposition.ports import Known, Log, Places, Subject, Topic, TopicEdge
from shared.contract.addresses import partition_of
from shared.contract.recorded_event import RecordedEvent

EVENTS_PER_STRETCH_MAX = 1_000
_TRIES_MAX = 20


class Plan(NamedTuple):
    """What has to be done: the events after `after` up to `newest` are looked at, and applied if new."""

    after: int
    newest: int
    published: int
    end_offsets: Mapping[int, int]


class Repositioned(NamedTuple):
    """What was done. `events`: how many were applied from the log."""

    plan: Plan
    events: int


class Reposition:
    """Of one projection. `report` gets the log position that is reached."""

    def __init__(
        self,
        subject: Subject,
        log: Log,
        topic: Topic,
        *,
        partition_count: int,
        report: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._subject = subject
        self._log = log
        self._topic = topic
        self._partition_count = partition_count
        self._report = report

    async def plan(self) -> Plan:
        """What `run` would do now. Raises `LogDiffers`, `Unavailable`."""
        log_id = await self._log.log_id()
        edge = await self._edge(log_id)
        newest = await self._newest(edge)
        known = await self._known(log_id)
        return Plan(self._after(known), newest, await self._log.published_position(), edge.end_offsets)

    async def run(self, action: Action) -> Repositioned:
        """Raises `LogDiffers`, `Unavailable`, and what applying raises; then it can be run again."""
        log_id = await self._log.log_id()
        edge = await self._edge(log_id)
        newest = await self._newest(edge)
        after, events = await self._catch_up(log_id, newest)
        plan = Plan(after, newest, await self._log.published_position(), edge.end_offsets)
        detail = f"{events} events from the log; placed at the ends of the topic, position {newest}"
        await self._subject.place(Places(edge.end_offsets, newest, log_id), action, detail)
        return Repositioned(plan, events)

    async def _edge(self, log_id: UUID) -> TopicEdge:
        edge = await self._topic.edge()
        missing = set(range(self._partition_count)) - edge.end_offsets.keys()
        if missing:
            raise CannotGoOn(
                f"the topic lacks the partitions {sorted(missing)}: compare PARTITION_COUNT with it"
            )
        others = {found for found, _ in edge.newest.values()} - {log_id}
        if others:
            raise LogDiffers(
                f"the topic has events of log {others.pop()}, this is log {log_id}. If this log is the right "
                "one: python -m command_api remake-topics --delete"
            )
        return edge

    async def _newest(self, edge: TopicEdge) -> int:
        """A replica of the log may be behind: then nobody knows whether all of the topic is applied."""
        newest = await self._log.newest_position()
        furthest = max((position for _, position in edge.newest.values()), default=0)
        if newest < furthest:
            raise Unavailable(
                f"the log ends at position {newest}, the topic at {furthest}: wait for the log's replica. If "
                "it is no replica, the log has lost events: docs/recovery.md"
            )
        return newest

    async def _known(self, log_id: UUID) -> Known:
        known = await self._subject.known()
        others = known.log_ids - {log_id}
        if others:
            raise LogDiffers(
                f"{self._subject.name} has events of log {next(iter(others))}, this is log {log_id}: "
                f"python -m projector rebuild {self._subject.name}"
            )
        return known

    def _after(self, known: Known) -> int:
        """Partitions that never had an event are read from the beginning, with all others."""
        positions = [known.log_positions.get(partition, 0) for partition in range(self._partition_count)]
        return min(positions)

    async def _catch_up(self, log_id: UUID, newest: int) -> tuple[int, int]:
        """Returns where it began, and how many events it applied."""
        known = await self._known(log_id)
        began = position = self._after(known)
        events = tries = 0
        while position < newest:
            stretch = await self._log.tail(position, newest, EVENTS_PER_STRETCH_MAX)
            wanted = self._unknown(stretch, known)
            try:
                if wanted:
                    await self._subject.apply(wanted)
            except Fenced:
                # Its consumer works, too. It has applied some of them, and moved its checkpoint.
                tries += 1
                if tries >= _TRIES_MAX:
                    raise
                known = await self._known(log_id)
                continue
            tries = 0
            events += len(wanted)
            is_last = len(stretch) < EVENTS_PER_STRETCH_MAX
            position = newest if is_last else stretch[-1].log_position
            self._report(position)
        return began, events

    def _unknown(self, events: Sequence[RecordedEvent], known: Known) -> list[RecordedEvent]:
        positions, count = known.log_positions, self._partition_count
        return [
            one for one in events
            if one.log_position > positions.get(partition_of(one.product_id, count), 0)
        ]  # fmt: skip
