"""`python -m command_api replay` on real servers: what arrives, what does not, and what it says when stopped.

Read by a client that is not ours.
"""

import asyncio
import getpass
import os
import signal
import termios
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from shared.contract.addresses import topics
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics
from tests.eventually import eventually
from tests.integration.relay_world import (
    EventLog,
    assert_complete_in_order,
    describe,
    event_log,
    read_raw,
    relay_settings,
    relaying,
    sever,
)
from tests.integration.replay_world import Operator
from tests.local_issuer import local_issuer
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import product, sample_event, sample_events

pytestmark = pytest.mark.servers
EVENTS = [*sample_events(299, products=30), sample_event(300, product(1), 11, event_type="product-deleted")]


@pytest.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[EventLog]:
    """A log of 300 events."""
    async with event_log(event_store_dsns) as opened:
        await opened.append(EVENTS)
        await opened.index_products()
        yield opened


@pytest.fixture
def operator(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> Operator:
    return Operator(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)


async def test_a_replay_is_what_the_relay_published_but_for_the_mark(
    log: EventLog, operator: Operator, event_store_dsns: DatabaseDsns, kafka_prefix: str
) -> None:
    """Byte for byte: partition, order, key, value, time and headers, the log's id among them."""
    async with relaying(relay_settings(event_store_dsns, operator.bootstrap_servers, kafka_prefix)):
        await log.cursor_reaches(300)
    assert (await operator.replay("--create-topic")).code == 0
    live = await read_raw(operator.bootstrap_servers, topics(kafka_prefix).events)
    again = await read_raw(operator.bootstrap_servers, operator.topic)
    assert [(r.partition, r.key, r.value, r.timestamp) for r in again] == [
        (r.partition, r.key, r.value, r.timestamp) for r in live
    ]
    assert [r.headers for r in again] == [[*r.headers, ("ce_replay", b"true")] for r in live]
    assert len({r.partition for r in live}) > 5
    assert len(live) == 300


async def test_everything_arrives_in_order_per_product_and_says_so(operator: Operator) -> None:
    ended = await operator.replay("--create-topic")
    done = f"replayed: 300 events of positions 1 to 300, to {operator.topic}\n"
    assert (ended.code, ended.out, ended.complaints) == (0, done, [])
    records = await operator.records()
    assert assert_complete_in_order([record.event for record in records], EVENTS) == 0
    assert all(record.is_replay for record in records)


@pytest.mark.parametrize(
    ("arguments", "positions"),
    [
        (["--from", "290"], range(290, 301)),
        (["--to", "9"], range(1, 10)),
        (["--from", "120", "--to", "239"], range(120, 240)),
        (["--from", "7", "--to", "7"], [7]),
        (["--product", str(product(3))], range(4, 300, 30)),
        (["--product", str(product(3)), "--product", str(product(5)), "--to", "40"], [4, 6, 34, 36]),
        (["--type", "product-deleted"], [300]),
        (["--type", "product-created", "--type", "product-deleted"], [*range(1, 31), 300]),
        (["--product", str(product(1)), "--type", "product-deleted"], [300]),
        (["--product", str(product(99))], []),
        (["--type", "product-archived"], []),
    ],
    ids=[
        "from",
        "to",
        "range",
        "one",
        "product",
        "products",
        "type",
        "types",
        "product-and-type",
        "no-such-product",
        "no-such-type",
    ],
)
async def test_only_what_is_asked_for_arrives(
    operator: Operator, arguments: list[str], positions: list[int]
) -> None:
    ended = await operator.replay("--create-topic", "--json", *arguments)
    assert (ended.code, ended.complaints) == (0, [])
    assert (ended.report["events"], ended.report["completed"]) == (len(positions), True)
    assert await operator.positions() == list(positions)


async def test_the_report_for_programs_names_everything(operator: Operator) -> None:
    filters = ("--product", str(product(3)), "--type", "product-price-changed")
    ended = await operator.replay("--create-topic", "--json", "--from", "5", "--to", "900", *filters)
    assert ended.report == {
        "topic": operator.topic,
        "from": 5,
        "to": 300,
        "products": [str(product(3))],
        "types": ["product-price-changed"],
        "dry_run": False,
        "events": 9,
        "confirmed_position": 300,
        "completed": True,
        "error": None,
    }


async def test_a_range_that_the_log_has_not_reached_is_empty(operator: Operator) -> None:
    ended = await operator.replay("--create-topic", "--from", "301")
    assert (ended.code, ended.out) == (0, "nothing to replay: the last available position is 300\n")
    assert ended.complaints == []
    assert await operator.positions() == []


@pytest.mark.parametrize(("prefix_is_known", "last"), [(True, 120), (False, 300)])
async def test_a_live_topic_gets_nothing_that_the_relay_has_not_published_before(
    log: EventLog, operator: Operator, kafka_prefix: str, prefix_is_known: bool, last: int
) -> None:
    """Another topic gets everything: its readers do not wait for the relay."""
    await log.set_cursor(120)
    operator.topic = topics(kafka_prefix).events
    prefix = kafka_prefix if prefix_is_known else ""
    ended = await operator.replay("--create-topic", "--json", KAFKA_TOPIC_PREFIX=prefix)
    assert (ended.code, ended.report["to"], ended.report["confirmed_position"]) == (0, last, last)
    assert await operator.positions() == list(range(1, last + 1))


async def test_an_empty_log_is_replayed_at_once(
    event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    operator = Operator(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    ended = await operator.replay("--create-topic", "--json")
    assert (ended.code, ended.report["events"], ended.report["confirmed_position"]) == (0, 0, None)


async def test_a_dry_run_counts_without_a_broker_and_confirms_nothing(operator: Operator) -> None:
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    types = ("--type", "product-created", "--type", "product-deleted")
    ended = await operator.replay("--dry-run", *types, **away)
    assert ended == (0, f"would replay: 31 events of positions 1 to 300, to {operator.topic}\n", "")
    report = (await operator.replay("--dry-run", "--json", "--product", str(product(3)), **away)).report
    assert (report["events"], report["dry_run"], report["confirmed_position"]) == (10, True, None)
    assert operator.topic not in await operator.topics()


async def test_a_topic_that_does_not_exist_is_not_made_unasked(operator: Operator) -> None:
    ended = await operator.replay()
    assert (ended.code, ended.out) == (1, "replayed: 0 events\n")
    assert ended.complaints == [
        f"replay failed: topic {operator.topic} does not exist; create it with --create-topic",
        "no event is confirmed; start again with --from 1",
    ]
    assert operator.topic not in await operator.topics()


async def test_a_topic_that_is_made_is_made_as_the_live_ones_are(operator: Operator) -> None:
    assert (await operator.replay("--create-topic")).code == 0
    partitions, configs = await describe(operator.bootstrap_servers, operator.topic)
    assert (partitions, configs["retention.ms"], configs["cleanup.policy"]) == (12, "-1", "delete")
    assert configs["max.message.bytes"] == str(1024 * 1024)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (TopicSpec("", 3), "has 3 partitions, wanted 12"),
        (TopicSpec("", 12, configs={"cleanup.policy": "compact"}), "has cleanup.policy=compact"),
    ],
    ids=["partitions", "compacted"],
)
async def test_a_topic_that_would_not_keep_every_event_in_its_place_is_refused(
    operator: Operator, spec: TopicSpec, complaint: str
) -> None:
    wrong = TopicSpec(operator.topic, spec.partition_count, configs=spec.configs)
    await ensure_topics(KafkaServers(operator.bootstrap_servers), [wrong])
    ended = await operator.replay("--create-topic")
    assert ended.code == 1
    assert f"topic {operator.topic} {complaint}" in ended.err
    assert await operator.positions() == []


async def test_a_broker_that_is_away_is_said_in_a_line(operator: Operator) -> None:
    ended = await operator.replay(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    assert ended.code == 1
    assert "replay failed: no connection to Kafka" in ended.err
    assert "no event is confirmed; start again with --from 1" in ended.err
    assert "Traceback" not in ended.err


async def test_an_event_store_that_is_away_is_said_in_a_line(operator: Operator) -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere"
    ended = await operator.replay("--json", "--from", "7", EVENT_STORE_READ_DSN=dsn)
    assert ended.code == 1
    assert "replay failed: the event log is unavailable" in ended.err
    assert "Traceback" not in ended.err
    assert (ended.report["completed"], ended.report["confirmed_position"]) == (False, None)
    assert ended.report["error"].startswith("the event log is unavailable")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_replay_says_where_to_go_on_and_doing_so_completes_it(
    operator: Operator, number: signal.Signals
) -> None:
    under_way = operator.begin("--create-topic", "--rate", "10", "--json")

    async def some_have_arrived() -> None:
        assert operator.topic in await operator.topics()
        assert len(await operator.positions()) >= 10

    await eventually(some_have_arrived)
    under_way.signal(number)
    ended = await under_way.ended()
    confirmed = ended.report["confirmed_position"]
    assert ended.code == 128 + number
    assert f"confirmed up to position {confirmed}; continue with --from {confirmed + 1}" in ended.err
    assert 10 <= confirmed < 300
    assert await operator.positions() == list(range(1, confirmed + 1))
    assert (await operator.replay("--from", str(confirmed + 1))).code == 0
    assert await operator.positions() == list(range(1, 301))
    assert assert_complete_in_order([record.event for record in await operator.records()], EVENTS) == 0


async def test_a_broker_that_dies_on_the_way_ends_it_and_nothing_unconfirmed_is_counted(
    operator: Operator, kafka_server: KafkaServer
) -> None:
    under_way = asyncio.create_task(
        operator.replay("--create-topic", "--rate", "10", "--json", REPLAY_SEND_SECONDS_MAX="1")
    )

    async def some_have_arrived() -> None:
        assert operator.topic in await operator.topics()
        assert len(await operator.positions()) >= 10

    await eventually(some_have_arrived)
    await asyncio.to_thread(kafka_server.kill)
    ended = await under_way
    await asyncio.to_thread(kafka_server.start)
    confirmed = ended.report["confirmed_position"]
    assert ended.code == 1
    assert "replay failed: no confirmation within 1 s" in ended.err
    assert f"confirmed up to position {confirmed}; continue with --from {confirmed + 1}" in ended.err
    assert "Traceback" not in ended.err
    assert set(range(1, confirmed + 1)) <= set(await operator.positions())


async def test_a_replay_told_to_stop_while_its_broker_hangs_ends_in_order(
    operator: Operator, kafka_server: KafkaServer
) -> None:
    under_way = operator.begin("--create-topic", "--rate", "10", "--json")

    async def some_have_arrived() -> None:
        assert operator.topic in await operator.topics()
        assert len(await operator.positions()) >= 10

    await eventually(some_have_arrived)
    await asyncio.to_thread(kafka_server.pause)
    under_way.signal(signal.SIGTERM)
    ended = await under_way.ended()
    await asyncio.to_thread(kafka_server.resume)
    assert ended.code == 128 + signal.SIGTERM
    assert "replay interrupted" in ended.err
    assert set(range(1, ended.report["confirmed_position"] + 1)) <= set(await operator.positions())


async def test_a_session_that_is_cut_ends_it_in_a_line(
    operator: Operator, postgres_server: PostgresServer, event_store_dsns: DatabaseDsns
) -> None:
    under_way = asyncio.create_task(operator.replay("--create-topic", "--rate", "10", "--json"))
    await sever(postgres_server, event_store_dsns, "catalogue-replay")
    ended = await under_way
    assert ended.code == 1
    assert "replay failed: the event log is unavailable" in ended.err
    assert "Traceback" not in ended.err


async def test_on_a_terminal_a_bar_shows_how_far_it_is(operator: Operator) -> None:
    terminal, its_end = os.openpty()
    termios.tcsetwinsize(its_end, (24, 120))
    under_way = operator.begin("--create-topic", stderr=its_end)
    os.close(its_end)
    showing = asyncio.create_task(asyncio.to_thread(_read_to_end, terminal))
    assert (await under_way.ended()).code == 0
    shown = await showing
    assert "replaying: 100%" in shown
    assert "300/300" in shown
    assert "positions/s" in shown
    assert "300 events" in shown


def _read_to_end(terminal: int) -> str:
    """A terminal whose other end is closed by all cannot be read any more."""
    shown = b""
    with suppress(OSError):
        while chunk := os.read(terminal, 65_536):
            shown += chunk
    os.close(terminal)
    return shown.decode()


async def test_where_there_is_no_terminal_a_line_of_log_tells_how_far_it_is(operator: Operator) -> None:
    ended = await operator.begin("--create-topic", REPLAY_REPORT_INTERVAL_SECONDS="0.000001").ended()
    assert ended.code == 0
    assert '"event":"replaying"' in ended.err.splitlines()[-2]
    assert '"log_position":300,"last_position":300,"events":300' in ended.err


async def test_a_replay_says_in_its_log_who_asked_for_it_and_why_and_how_it_ended(operator: Operator) -> None:
    with capture_logs() as lines:
        assert (await operator.replay("--dry-run", "--actor", "ann")).code == 0
        assert (await operator.replay("--to", "5", "--actor", "ann", "--reason", "a new index")).code == 1
        assert (await operator.replay("--create-topic", "--to", "5")).code == 0
    acts = [line for line in lines if line["event"] == "operator action"]
    assert [(line["action"], line["result"], line["topic"]) for line in acts] == [
        ("replay", "started", operator.topic), ("replay", "failed", operator.topic),
        ("replay", "started", operator.topic), ("replay", "done", operator.topic),
    ]  # fmt: skip
    assert {(line["actor"], line["reason"]) for line in acts[:2]} == {("ann", "a new index")}
    assert acts[3]["actor"] == getpass.getuser()
    assert acts[3]["detail"] == "5 events, confirmed up to position 5"


async def test_with_access_control_a_replay_needs_a_token_with_the_right_to_act(
    operator: Operator, tmp_path: Path
) -> None:
    with local_issuer(tmp_path, time.time()) as issuer:
        secure = {"AUTH_ISSUER": issuer.url}
        refused = await operator.replay("--create-topic", **secure)
        assert (refused.code, "give --token-file" in refused.err) == (2, True)
        for role, code in (("reader", 1), ("operator", 0)):
            token = str(tmp_path / "tokens" / role)
            ended = await operator.replay("--create-topic", "--to", "5", "--token-file", token, **secure)
            assert ended.code == code, ended.err
