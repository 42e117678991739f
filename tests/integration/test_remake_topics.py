"""`python -m command_api remake-topics` on real servers, beside a relay that runs."""

import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from structlog.testing import capture_logs

from command_api.command_line import command_parser
from command_api.remake.cli import remake
from command_api.remake.settings import RemakeSettings
from shared.contract.addresses import state_topic, topics
from shared.kafka.servers import KafkaServers
from shared.kafka.topic_deletion import delete_topics
from shared.kafka.topics import KEEP_FOR_EVER, TopicSpec, ensure_topics
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal
from tests.command_line import Ended, run_in_process
from tests.eventually import eventually
from tests.integration.relay_world import (
    EventLog,
    describe,
    event_log,
    get,
    read_events,
    relay_settings,
    relaying,
)
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import sample_events

pytestmark = pytest.mark.servers


class Installation:
    """One log and its topics; `relay` are the settings of a relay."""

    def __init__(self, dsns: DatabaseDsns, bootstrap_servers: str, prefix: str, log: EventLog) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self.log = log
        self.names = topics(prefix)
        self.relay = relay_settings(dsns, bootstrap_servers, prefix, relay_check_seconds=0.2)
        self.environment = {
            "EVENT_STORE_DSN": dsns.writer,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": prefix,
        }

    async def remake(self, *arguments: str, code: int = 0) -> Ended:
        def read() -> tuple[Namespace, RemakeSettings]:
            words = ["remake-topics", "--reason", "Kafka is lost", "--actor", "anna", *arguments]
            return command_parser().parse_args(words), load_settings(RemakeSettings)

        async def act(wanted: tuple[Namespace, RemakeSettings], terminal: Terminal) -> int:
            return await remake(*wanted, terminal)

        ended = await run_in_process(self.environment, read, act)
        assert ended.code == code, ended.output + ended.errors
        return ended

    async def lose(self, *names: str) -> None:
        await delete_topics(KafkaServers(self.bootstrap_servers), names or self.names, seconds_max=30)

    async def make_empty(self, names: Sequence[str]) -> None:
        """As an operator of Kafka makes them again from their descriptions."""
        specs = [TopicSpec(name, 12) for name in names]
        await ensure_topics(KafkaServers(self.bootstrap_servers), specs)

    async def relay_is_stopped(self, why: str) -> None:
        answer = await get(self.relay.relay_ops_port, "/readyz")
        assert answer.status == 503, answer.text
        assert why in answer.text
        assert "python -m command_api remake-topics" in answer.text

    async def relay_is_late(self, lag_events: int) -> None:
        """The series that the alert RelayStuck looks at are there; the events of these tests are old."""
        text = (await get(self.relay.relay_ops_port, "/metrics")).text
        series = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("relay_lag_"))
        assert float(series["relay_lag_events"]) == lag_events
        assert float(series["relay_lag_seconds"]) > 30

    async def positions(self) -> list[int]:
        """Of the topic of all events, in order within each partition."""
        return [event.log_position for event in await read_events(self.bootstrap_servers, self.prefix)]


@pytest.fixture
async def here(
    event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> AsyncIterator[Installation]:
    async with event_log(event_store_dsns) as log:
        yield Installation(event_store_dsns, kafka_bootstrap_servers, kafka_prefix, log)


async def test_topics_that_are_lost_stop_the_relay_and_are_made_again_from_the_first_event_on(
    here: Installation,
) -> None:
    events = sample_events(300, products=40)
    await here.log.append(events[:200])
    async with relaying(here.relay):
        await here.log.cursor_reaches(200)
        whole = await here.positions()
        await here.lose()
        await eventually(lambda: here.relay_is_stopped("does not exist"))
        await here.log.append(events[200:])
        await eventually(lambda: here.relay_is_late(100))
        with capture_logs() as lines:
            said = await here.remake()
        assert "the relay publishes 300 events again, from the first one on: about 1 s" in said.output
        await here.log.cursor_reaches(300)
    assert [one for one in await here.positions() if one <= 200] == whole
    partitions, configs = await describe(here.bootstrap_servers, here.names.events)
    assert (partitions, configs["retention.ms"]) == (12, KEEP_FOR_EVER["retention.ms"])
    acts = [line for line in lines if line["event"] == "operator action"]
    assert [(one["actor"], one["reason"], one["result"]) for one in acts] == [
        ("anna", "Kafka is lost", "started"), ("anna", "Kafka is lost", "done"),
    ]  # fmt: skip


async def test_topics_that_somebody_made_again_empty_get_nothing_before_the_first_event(
    here: Installation,
) -> None:
    events = sample_events(60, products=10)
    await here.log.append(events[:50])
    async with relaying(here.relay):
        await here.log.cursor_reaches(50)
    await here.lose()
    await here.make_empty(here.names)
    await here.log.append(events[50:])
    async with relaying(here.relay):
        await eventually(lambda: here.relay_is_stopped("is empty"))
        assert await here.positions() == []
        await here.remake()
        await here.log.cursor_reaches(60)
    assert sorted(await here.positions()) == list(range(1, 61))


async def test_topics_that_begin_in_the_middle_stop_the_relay_and_go_only_with_delete(
    here: Installation,
) -> None:
    events = sample_events(60, products=10)
    await here.log.append(events)
    # As the relay of an earlier release went on in an empty topic.
    await here.log.set_cursor(0)
    await here.make_empty(here.names)
    async with relaying(here.relay):
        await here.log.cursor_reaches(60)
    later = sample_events(20, products=10, first_position=61)
    await here.lose()
    await here.log.connection.execute("UPDATE catalogue.relay_cursor SET log_position = 0")
    await here.log.connection.execute("DELETE FROM catalogue.events WHERE position <= 60")
    await here.log.append(later)
    async with relaying(here.relay):
        await here.log.cursor_reaches(80)
    await here.log.append(events)
    async with relaying(here.relay):
        await eventually(lambda: here.relay_is_stopped("Kafka has lost data"))
    said = await here.remake(code=1)
    assert "begins with position" in said.errors
    assert await here.log.cursor() == 80
    await here.remake("--delete")
    async with relaying(here.relay):
        await here.log.cursor_reaches(80)
    assert sorted(await here.positions()) == list(range(1, 81))


async def test_events_of_another_log_go_only_with_the_whole_topic(here: Installation) -> None:
    await here.log.append(sample_events(30, products=10))
    async with relaying(here.relay):
        await here.log.cursor_reaches(30)
    await here.log.connection.execute("UPDATE catalogue.event_log SET log_id = gen_random_uuid()")
    await here.make_empty([state_topic(here.prefix)])
    async with relaying(here.relay):
        await eventually(lambda: here.relay_is_stopped("begins with an event of log"))
        assert "it needs --delete" in (await here.remake(code=1)).errors
        dry = json.loads((await here.remake("--delete", "--dry-run", "--json")).output)
        assert set(dry["deleted"]) == {*here.names, state_topic(here.prefix)}
        assert len(await here.positions()) == 30
        await here.remake("--delete")
        await here.log.cursor_reaches(30)
    assert len(await here.positions()) == 30
    admin = AIOKafkaAdminClient(bootstrap_servers=here.bootstrap_servers)
    await admin.start()
    assert state_topic(here.prefix) not in await admin.list_topics()
    await admin.close()


async def test_a_log_with_a_new_id_is_not_published_into_the_topics_of_the_old_one(
    here: Installation,
) -> None:
    """Also where nothing of it counts as published, so that no first event is expected in any partition."""
    await here.log.append(sample_events(60, products=10))
    async with relaying(here.relay):
        await here.log.cursor_reaches(60)
    await here.log.connection.execute("UPDATE catalogue.event_log SET log_id = gen_random_uuid()")
    await here.log.connection.execute("UPDATE catalogue.relay_cursor SET log_position = 0")
    async with relaying(here.relay):
        await eventually(lambda: here.relay_is_stopped("begins with an event of log"))
    assert len(await here.positions()) == 60


async def test_it_can_be_run_again_and_beside_itself(here: Installation) -> None:
    await here.log.append(sample_events(50, products=10))
    async with relaying(here.relay):
        await here.log.cursor_reaches(50)
        await here.lose()
        await asyncio.gather(here.remake(), here.remake())
        await here.remake()

        async def all_there() -> None:
            assert sorted(set(await here.positions())) == list(range(1, 51))

        await eventually(all_there)
        await here.log.cursor_reaches(50)


async def test_a_relay_that_starts_without_a_broker_tells_how_late_it_is(here: Installation) -> None:
    await here.log.append(sample_events(30))
    here.relay = here.relay.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    async with relaying(here.relay):
        await eventually(lambda: here.relay_is_late(30))
