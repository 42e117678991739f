"""What operators, readers and alerts see of projections whose Kafka is lost: a state, a reason and a lag."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.projector_commands import command_json
from tests.integration.projector_world import PARTITIONS, World, product_id_in, world
from tests.integration.query_world import Installation, installation
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
# One that keeps its place in the read model, and one whose group keeps it in Kafka.
PROJECTIONS = ("product_view", "product_cache")
REMAKE = "does not exist: python -m command_api remake-topics"
LATE_SECONDS = 60
"""The limit of the alert ProjectionLate. The events of these tests are older."""


@pytest_asyncio.fixture
async def readers(world: World, read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[Installation]:
    prefix = world.settings.kafka_topic_prefix
    async with installation(
        read_model_dsns, redis_url, kafka_topic_prefix=prefix, redis_key_prefix=prefix
    ) as one:
        yield one


class Seen:
    """What is seen of a loss: by `status`, by `/v1/status`, and by Prometheus."""

    def __init__(self, world: World, readers: Installation) -> None:
        self._world = world
        self._readers = readers

    async def are(self, state: str, lag_events: int, reason: str | None = None) -> None:
        """All projections, everywhere; for `eventually`."""
        status = await command_json(self._world, "status", code=None)
        told = {one["projection"]: one for one in status["projections"]}
        async with self._readers.world() as hands:
            answer = await hands.served.get("/v1/status")
        shown = {one["projection"]: one for one in answer.json()["projections"]}
        for name in PROJECTIONS:
            assert (told[name]["state"], told[name]["lag_events"]) == (state, lag_events), told[name]
            assert (shown[name]["state"], shown[name]["lag_events"]) == (state, lag_events), shown[name]
            assert (shown[name]["lag_seconds"] > LATE_SECONDS) == bool(lag_events), shown[name]
            assert (told[name]["reason"] or "") == "" if reason is None else reason in told[name]["reason"]
            places = [one for one in status["partitions"] if one["projection"] == name]
            assert len(places) == PARTITIONS
            if lag_events:
                assert {one["lag_source"] for one in places if one["lag_events"]} == {"log"}, places
        await self._alerts(state, lag_events)

    async def reports(self, event: RecordedEvent) -> None:
        """The places after this event are stored: what is lost later is counted from there."""
        async with self._readers.world() as hands:
            answer = await hands.served.get("/v1/status")
        shown = {one["projection"]: one["position"] for one in answer.json()["projections"]}
        assert {shown.get(name) for name in PROJECTIONS} == {event.log_position}, shown

    async def _alerts(self, state: str, lag_events: int) -> None:
        """The series that ProjectionStopped and ProjectionLate look at have values, of each partition."""
        metrics = await self._series()
        for name in PROJECTIONS:
            assert metrics["projection_stopped", name] == [state == "stopped"]
            assert len(metrics["projection_lag_seconds", name]) == PARTITIONS
            assert (max(metrics["projection_lag_seconds", name]) > LATE_SECONDS) == bool(lag_events)
            assert sum(metrics["projection_lag_events", name]) == lag_events

    async def _series(self) -> dict[tuple[str, str], list[float]]:
        text = (await self._world.ops("/metrics")).text
        found: dict[tuple[str, str], list[float]] = {}
        for line in text.splitlines():
            for name in PROJECTIONS:
                if f'projection="{name}"' in line:
                    series, value = line.split("{")[0], line.rsplit(" ", 1)[1]
                    found.setdefault((series, name), []).append(float(value))
        return found


@pytest.fixture
def seen(world: World, readers: Installation) -> Seen:
    return Seen(world, readers)


async def _have_it(world: World, event: RecordedEvent) -> None:
    await world.table_shows(event.product_id, event.stream_version)
    await world.cache_shows(event.product_id, event.stream_version)


def _stream() -> Sequence[RecordedEvent]:
    return history(product_id_in(3), *([created()] + [priced(f"{number}.00") for number in range(2, 8)]))


async def test_a_topic_that_is_deleted_or_made_again_empty_stops_the_projections_with_a_lag_from_the_log(
    world: World, seen: Seen
) -> None:
    stream = _stream()
    async with world.projecting(*PROJECTIONS):
        await world.happen(stream[:3])
        await eventually(lambda: _have_it(world, stream[2]))
        await eventually(lambda: seen.reports(stream[2]))
        await eventually(lambda: seen.are("running", 0))
        await world.append(stream[3:])
        await world.delete_topic()
        await eventually(lambda: seen.are("stopped", 4, REMAKE))
        await world.make_topic()
        await eventually(lambda: seen.are("stopped", 4, "python -m projector reposition product_"))
    # As after a start of the process again.
    async with world.projecting(*PROJECTIONS, wait=False):
        await eventually(lambda: seen.are("stopped", 4, "python -m projector reposition product_"))


async def test_without_a_broker_the_projections_wait_with_a_lag_from_the_log_also_after_a_start(
    world: World, seen: Seen, kafka_server: KafkaServer
) -> None:
    stream = _stream()
    async with world.projecting(*PROJECTIONS):
        await world.happen(stream[:3])
        await eventually(lambda: _have_it(world, stream[2]))
        await eventually(lambda: seen.reports(stream[2]))
        await eventually(lambda: seen.are("running", 0))
        await world.append(stream[3:])
        await asyncio.to_thread(kafka_server.kill)
        try:
            await eventually(lambda: seen.are("waiting", 4, "Kafka does not answer"))
        except BaseException:
            await asyncio.to_thread(kafka_server.start)
            raise
    try:
        async with world.projecting(*PROJECTIONS, wait=False):
            await eventually(lambda: seen.are("waiting", 4, "waits for Kafka: "))
            await asyncio.to_thread(kafka_server.start)
            await world.publish(stream[3:])
            await eventually(lambda: seen.are("running", 0))
            await _have_it(world, stream[6])
    finally:
        await asyncio.to_thread(kafka_server.ensure_running)
