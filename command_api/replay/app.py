"""The composition root of a replay: runs an operator's order and returns its outcome."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from command_api.relay.kafka.publisher import KafkaPublisher, PublisherSettings
from command_api.relay.ports import RelayError
from command_api.replay.pace import Pace
from command_api.replay.ports import Selection
from command_api.replay.postgres.replay_log import PostgresReplayLog, ReplayLimits
from command_api.replay.replay import Replay, Tally
from command_api.replay.settings import ReplaySettings
from shared.contract.addresses import topics
from shared.kafka.topics import TopicSpec


@dataclass(frozen=True, slots=True)
class Order:
    """The replay that an operator asks for; `last` None: up to the newest event at the start."""

    topic: str
    first: int = 1
    last: int | None = None
    product_ids: tuple[UUID, ...] = ()
    event_types: tuple[str, ...] = ()
    events_per_second: float | None = None
    create_topic: bool = False
    is_dry_run: bool = False


@dataclass(slots=True)
class Outcome:
    """The outcome. `last`: the last position to replay; None if the log could not be read."""

    last: int | None = None
    tally: Tally | None = None
    is_complete: bool = False
    error: RelayError | None = None


Progress = Callable[[Selection, Tally], None]


async def run_replay(
    order: Order, settings: ReplaySettings, progress: Progress, stop: asyncio.Event
) -> Outcome:
    """Replay until done, failed or `stop`. An outage is an outcome; any exception raised here is a bug."""
    outcome = Outcome()
    try:
        log = await PostgresReplayLog.open(settings.event_store_read_dsn, _limits(settings))
        try:
            await _replay(log, order, settings, progress, stop, outcome)
        finally:
            await log.close()
    except RelayError as error:
        outcome.error = error
    return outcome


async def _replay(
    log: PostgresReplayLog,
    order: Order,
    settings: ReplaySettings,
    progress: Progress,
    stop: asyncio.Event,
    outcome: Outcome,
) -> None:
    end = await _end(log, order, settings)
    # Positions that have no event yet will get one: they must not count as replayed.
    outcome.last = end if order.last is None else min(order.last, end)
    selection = Selection(order.first, outcome.last, order.product_ids, order.event_types)
    replay = Replay(
        log,
        selection,
        chunk_events_max=settings.replay_chunk_events_max,
        pace=Pace(order.events_per_second),
        now=time.monotonic,
        progress=lambda tally: progress(selection, tally),
    )
    outcome.tally = replay.tally
    progress(selection, replay.tally)
    if order.is_dry_run:
        await replay.count(stop)
    else:
        await replay.publish(KafkaPublisher(_publisher_settings(order, settings), log.log_id), stop)
    outcome.is_complete = replay.is_complete


async def _end(log: PostgresReplayLog, order: Order, settings: ReplaySettings) -> int:
    """The last position that may be sent now.

    A live topic gets only events that the relay has sent before. Otherwise the marked record would be the
    first that consumers see of the event: they would leave out its side effects, and drop the relay's as a
    duplicate.
    """
    newest = await log.newest_position()
    if order.topic not in topics(settings.kafka_topic_prefix):
        return newest
    return min(newest, await log.relayed_position())


def _limits(settings: ReplaySettings) -> ReplayLimits:
    return ReplayLimits(
        settings.replay_chunk_bytes_max,
        settings.replay_window_positions_max,
        settings.replay_statement_seconds_max,
    )


def _publisher_settings(order: Order, settings: ReplaySettings) -> PublisherSettings:
    """As the relay's, but for one topic, with the replay mark; creates the topic only if the operator asks
    for it.
    """
    return PublisherSettings(
        servers=settings.kafka_servers,
        topics=[TopicSpec(order.topic, settings.partition_count, settings.kafka_replication_factor)],
        topics_of=lambda _: (order.topic,),
        partition_count=settings.partition_count,
        start_seconds_max=settings.replay_start_seconds_max,
        send_seconds_max=settings.replay_send_seconds_max,
        stop_seconds_max=settings.replay_stop_seconds_max,
        client_id="catalogue-replay",
        create_missing_topics=order.create_topic,
        is_replay=True,
    )
