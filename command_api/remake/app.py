"""Makes the topics of events again: the relay is held, topics are deleted and created, and its cursor is set
back to 0, so that it publishes the whole log again.

Each step can be repeated, so a command that was killed is run again. Between the first and the last step no
relay publishes: the lock is ours, and before it is free again the cursor is 0. So the first record of each
partition is its first event, whatever was under way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from command_api.relay.kafka.topic_contents import check_contents, first_positions, places_in
from command_api.relay.ports import OperatorNeeded, PublishFailed
from command_api.remake.postgres.relay_place import RelayPlace
from command_api.remake.settings import RemakeSettings
from shared.contract.addresses import state_topic, topics
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.topic_deletion import delete_topics, listed_topics
from shared.kafka.topics import KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.error_text import named
from shared.ops.retry import RetryPolicy

EVENTS_PER_SECOND = 30_000
"""What a relay publishes in a second, measured (docs/performance.md): for the time that is promised."""


@dataclass(frozen=True, slots=True)
class Remade:
    """What was done, or in a dry run would be done. `cursor`: the relay's place before."""

    deleted: Sequence[str]
    created: Sequence[str]
    cursor: int
    newest_position: int

    @property
    def seconds(self) -> int:
        """About how long the relay takes."""
        return -(-self.newest_position // EVENTS_PER_SECOND)


async def remake_topics(
    settings: RemakeSettings, *, deletes: bool, is_dry_run: bool, start: Callable[[], None]
) -> Remade:
    """Raises `RelayError`: `LogUnavailable`, `PublishFailed` for Kafka, `OperatorNeeded` if topics that exist
    cannot stay. `start` is called before the first change.
    """
    async with RelayPlace.open(
        settings.event_store_dsn, statement_seconds_max=settings.remake_statement_seconds_max
    ) as place:
        try:
            return await _remake(place, settings, deletes, is_dry_run, start)
        except TopicsAreWrong as error:
            raise OperatorNeeded(str(error)) from error
        except (KafkaUnavailable, *KAFKA_IS_AWAY) as error:
            raise PublishFailed(f"Kafka: {named(error)}") from error


async def _remake(
    place: RelayPlace,
    settings: RemakeSettings,
    deletes: bool,
    is_dry_run: bool,
    start: Callable[[], None],
) -> Remade:
    await place.refuse_removed()
    prefix = settings.kafka_topic_prefix
    names = topics(prefix)
    there = await listed_topics(settings.kafka_servers, seconds_max=settings.remake_topics_seconds_max)
    doomed = sorted({*names, state_topic(prefix)} & there) if deletes else []
    if not deletes:
        await _check_those_that_stay(place, settings, there)
    outcome = Remade(
        doomed,
        [name for name in names if name in doomed or name not in there],
        await place.cursor(),
        await place.newest_position(),
    )
    if is_dry_run:
        return outcome
    start()
    await place.take(settings.remake_lock_seconds_max)
    # First: a relay that takes the lock after a crash of this command begins with the first event, too.
    await place.set_back()
    if doomed:
        await delete_topics(settings.kafka_servers, doomed, seconds_max=settings.remake_topics_seconds_max)
    specs = [TopicSpec(name, settings.partition_count, settings.kafka_replication_factor) for name in names]
    policy = RetryPolicy("remake_topics", 0.1, 1.0, budget_seconds=settings.remake_topics_seconds_max)
    await ensure_topics(settings.kafka_servers, specs, policy=policy)
    return outcome


async def _check_those_that_stay(place: RelayPlace, settings: RemakeSettings, there: set[str]) -> None:
    """Events of another log, and topics that begin in the middle, only go with the whole topic."""
    names = topics(settings.kafka_topic_prefix)
    expected = first_positions(
        await place.beginning(), lambda kind: (names.events, names.by_kind(kind)), settings.partition_count
    )
    kept = places_in([name for name in names if name in there], settings.partition_count)
    begin = {at: expected[at] for at in kept if at in expected}
    await check_contents(
        settings.kafka_servers, kept, begin, place.log_id, may_be_empty=True,
        seconds_max=settings.remake_topics_seconds_max,
    )  # fmt: skip
