"""The whole system where every server requires TLS and a log-in, and with no more rights than it needs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from prometheus_client.parser import text_string_to_metric_families

from deploy.kafka_rights import LAG, PROJECTOR, RECOVERY, RELAY
from deploy.local.postgres import PostgresServer
from deploy.local.process import Process
from projector.projections import NAMES, SEARCH_INDEX
from shared.contract.addresses import DEFAULT_PARTITION_COUNT, state_topic, topics
from shared.kafka.servers import KafkaServers
from shared.kafka.topic_deletion import delete_topics
from shared.kafka.topics import LATEST_PER_KEY, KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.retry import RetryPolicy
from shared.ops.secret import Secret
from shared.ops.tls import TlsFiles
from tests.end_to_end.catalogue import Catalogue
from tests.eventually import eventually
from tests.mail_server import MailServer, only
from tests.secured.installation import MARK, RECIPIENT, SecuredInstallation, asked, password

pytestmark = pytest.mark.servers
REFUSED = "password authentication failed"
"""PostgreSQL's words, which every process of ours passes on."""


@pytest.fixture(scope="module")
def installation(
    postgres_server: PostgresServer,
    event_store_template: str,
    read_model_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SecuredInstallation]:
    templates = (event_store_template, read_model_template)
    made = SecuredInstallation(postgres_server, templates, tmp_path_factory.mktemp("secured"))
    try:
        made.start()
        yield made
    finally:
        made.close()


@asynccontextmanager
async def mails_of(installation: SecuredInstallation, turn: int = 1) -> AsyncIterator[MailServer]:
    server = MailServer(
        installation.mail_port,
        tls_context=installation.certificates.context(),
        require_starttls=True,
        auth_required=True,
        authenticator=only(b"catalogue", password("smtp", turn).encode()),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def write_and_see(installation: SecuredInstallation, mails: MailServer, name: str) -> None:
    """A command goes in; its product is in the view and in the cache, and a mail goes out."""
    async with Catalogue(installation.command_url, installation.query_url) as catalogue:
        price = {"amount": "5.00", "currency": "EUR"}
        made = await catalogue.create(name=name, variants=[{"sku": f"{name}-1", "price": price}])
        await catalogue.write("POST", f"/v1/products/{made['id']}/publish")
        assert (await catalogue.product(made["id"]))["name"] == name

        async def cached() -> None:
            answer = await catalogue.read_as_it_is(f"/v1/products/{made['id']}")
            assert "hit" in answer.headers["cache-status"]

        async def mailed() -> None:
            assert f"New product: {name}" in mails.subjects()

        await eventually(cached, seconds_max=60)
        await eventually(mailed, seconds_max=60)
    assert set(mails.recipients()) == {RECIPIENT}


async def test_a_command_goes_in_a_view_and_a_mail_come_out_with_tls_and_a_log_in_everywhere(
    installation: SecuredInstallation,
) -> None:
    async with mails_of(installation) as mails:
        await write_and_see(installation, mails, "Sealed shirt")
    assert installation.redis.has_key(f"{installation.prefix}:limit:*"), "rate limits are not in Redis"


# --- rights on Kafka -----------------------------------------------------------------------------

_ONE_ATTEMPT = RetryPolicy("test_topics", 0.1, 1.0, budget_seconds=30.0)


def servers_of(installation: SecuredInstallation, user: str) -> KafkaServers:
    return KafkaServers(
        installation.kafka.address("scram"),
        "SASL_SSL",
        TlsFiles(installation.certificates.ca),
        user=user,
        password=Secret(password(user)),
    )


@pytest.mark.parametrize("user", [PROJECTOR, "outsider"])
async def test_only_the_relay_and_replays_can_write_events(
    installation: SecuredInstallation, user: str
) -> None:
    producer = AIOKafkaProducer(**servers_of(installation, user).arguments())
    await producer.start()
    try:
        for topic in topics(installation.prefix):
            with pytest.raises(TopicAuthorizationFailedError):
                await producer.send_and_wait(topic, b"{}")
    finally:
        await producer.stop()


async def test_an_autoscaler_sees_the_lag_of_each_group_and_no_record(
    installation: SecuredInstallation,
) -> None:
    events = topics(installation.prefix).events
    servers = servers_of(installation, LAG).arguments()
    admin = AIOKafkaAdminClient(**servers)
    consumer = AIOKafkaConsumer(**servers)
    await admin.start()
    await consumer.start()
    try:
        for name in NAMES:
            offsets = await admin.list_consumer_group_offsets(f"{installation.prefix}{name}")
            assert all(partition.topic == events for partition in offsets)
        partition = TopicPartition(events, 0)
        assert (await consumer.end_offsets([partition]))[partition] >= 0
        consumer.assign([partition])
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.getone()
    finally:
        await consumer.stop()
        await admin.close()


@pytest.mark.parametrize("user", [PROJECTOR, RELAY])
async def test_only_the_user_for_a_recovery_can_delete_topics(
    installation: SecuredInstallation, user: str
) -> None:
    state = state_topic(installation.prefix)
    with pytest.raises((TopicsAreWrong, KafkaUnavailable), match="Authorization"):
        await delete_topics(servers_of(installation, user), [state], seconds_max=30)
    assert await delete_topics(servers_of(installation, RECOVERY), [state], seconds_max=30) == [state]
    spec = TopicSpec(topics(installation.prefix).created, 12)
    await ensure_topics(servers_of(installation, RECOVERY), [spec], policy=_ONE_ATTEMPT)
    made_again = TopicSpec(state, 12, configs=LATEST_PER_KEY)
    await ensure_topics(servers_of(installation, PROJECTOR), [made_again], policy=_ONE_ATTEMPT)


def by_group(text: str, metric: str) -> dict[str, float]:
    return {
        sample.labels["group"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric
    }


async def test_the_relay_sees_how_many_records_wait_for_each_group_and_since_when(
    installation: SecuredInstallation,
) -> None:
    """Without a right to a group the broker leaves it out of its list, and says nothing."""
    async with mails_of(installation) as mails:
        await write_and_see(installation, mails, "Late shirt")
    events, late = topics(installation.prefix).events, "late-subscriber"
    subscriber = AIOKafkaConsumer(bootstrap_servers=installation.kafka.bootstrap_servers, group_id=late)
    await subscriber.start()
    try:
        partitions = [TopicPartition(events, number) for number in range(DEFAULT_PARTITION_COUNT)]
        subscriber.assign(partitions)
        await subscriber.commit(dict.fromkeys(partitions, 0))
    finally:
        await subscriber.stop()
    (relay,) = (process for process in installation.processes if process.name == "relay")

    async def measured() -> None:
        status, text = await asyncio.to_thread(asked, relay, "/metrics")
        assert status == 200
        lags = by_group(text, "consumer_group_lag_events")
        running = set(NAMES) - {SEARCH_INDEX.name}
        assert {f"{installation.prefix}{name}" for name in running} <= lags.keys()
        assert lags.get(late, 0) > 0, lags
        waiting = by_group(text, "consumer_group_oldest_waiting_seconds")
        assert waiting.get(late, 0) > 0, waiting

    await eventually(measured, seconds_max=120)


@pytest.mark.parametrize(
    ("user", "group"),
    [("relay", "product_view"), ("outsider", "product_view"), ("projector", "inventory-of-others")],
)
async def test_nobody_reads_events_but_the_projector_in_its_own_groups(
    installation: SecuredInstallation, user: str, group: str
) -> None:
    topic, own = topics(installation.prefix).events, f"{installation.prefix}{group}"
    consumer = AIOKafkaConsumer(
        topic, **servers_of(installation, user).arguments(), group_id=own, auto_offset_reset="earliest"
    )

    async def read() -> None:
        await consumer.start()
        await consumer.getmany(timeout_ms=30_000)

    try:
        with pytest.raises((TopicAuthorizationFailedError, GroupAuthorizationFailedError)):
            await read()
    finally:
        await consumer.stop()


# --- rotation ------------------------------------------------------------------------------------


async def test_rotated_passwords_are_used_without_a_restart(installation: SecuredInstallation) -> None:
    """The servers' passwords first, then the files, then every connection is cut."""
    pids = [process.pid for process in installation.processes]
    try:
        for name in ("writer", "reader", "projector"):
            installation.sql(f"ALTER ROLE \"{installation.role(name)}\" PASSWORD '{password(name, 2)}'")
        await asyncio.to_thread(installation.redis.change_password, password("redis", 2))
        await asyncio.to_thread(installation.kafka.change_password, PROJECTOR, password(PROJECTOR, 2))
        installation.environments(turn=2)
        for front in (installation.postgres_front, installation.redis_front):
            front.cut()
        await asyncio.to_thread(installation.kafka.restart)
        async with mails_of(installation, turn=2) as mails:
            await write_and_see(installation, mails, "Rotated shirt")
        assert [process.pid for process in installation.processes] == pids
    finally:
        for name in ("writer", "reader", "projector"):
            installation.sql(f"ALTER ROLE \"{installation.role(name)}\" PASSWORD '{password(name)}'")
        await asyncio.to_thread(installation.redis.change_password, password("redis"))
        await asyncio.to_thread(installation.kafka.change_password, PROJECTOR, password(PROJECTOR))
        installation.environments()


# --- secrets are shown nowhere -------------------------------------------------------------------


async def test_no_secret_is_in_any_output_of_the_running_processes(installation: SecuredInstallation) -> None:
    async with mails_of(installation) as mails:
        await write_and_see(installation, mails, "Quiet shirt")
    assert places_with_secrets(installation, "") == []


async def test_no_secret_is_in_any_output_of_processes_that_are_refused_everywhere(
    installation: SecuredInstallation,
) -> None:
    """Wrong passwords at every server; each process stays, is not ready, and says why."""
    wrong = installation.environments("-wrong", turn=3)
    processes = installation.others(wrong, "-wrong")
    # It asks Kafka only where its databases let it in.
    databases = {
        setting: str(installation.folder / f"secret-dsn-{role}")
        for setting, role in (
            ("READ_MODEL_DSN_FILE", "projector"), ("EVENT_STORE_READ_DSN_FILE", "log-reader"),
        )
    }  # fmt: skip
    half = installation.process(
        "projector", ["projector", "run"], "PROJECTOR_OPS_PORT", {**wrong["projector"], **databases}, "-half"
    )
    try:
        half.spawn()
        for process in processes:
            process.spawn()

        def refused() -> None:
            for process in processes:
                status, body = asked_if_up(process, "/readyz")
                assert (status, REFUSED in body) == (503, True), (process.name, body)

        await eventually(lambda: asyncio.to_thread(refused), seconds_max=60)

        def said() -> None:
            for process in (*processes, half):
                assert process.pid is not None, f"{process.name} has ended"
            assert REFUSED in (installation.folder / "projector-wrong.log").read_text()
            assert "SaslAuthenticationFailed" in half.log_file.read_text()

        await eventually(lambda: asyncio.to_thread(said), seconds_max=60)
        told = await asyncio.gather(*(run(installation, wrong, *command) for command in COMMANDS))
        found = places_with_secrets(installation, "-wrong", [*processes, half])
    finally:
        for process in (*processes, half):
            process.kill()
    assert found == []
    assert [output for output in told if REFUSED not in output] == []
    assert [output for output in told if MARK in output] == []


# Operators' commands; each ends by itself, and says why it could do nothing.
COMMANDS = (
    ("projector", ["projector", "status"]),
    ("projector", ["projector", "verify", "product_view"]),
    ("projector", ["command_api", "replay", "--from", "1", "--topic", "products-events", "--dry-run"]),
)


async def run(
    installation: SecuredInstallation, given: Mapping[str, Mapping[str, str]], name: str, arguments: list[str]
) -> str:
    process = installation.process(name, arguments, "PROJECTOR_OPS_PORT", given[name], "-command").command()
    started = await asyncio.create_subprocess_exec(
        *process.argv,
        env=process.full_environment(),
        cwd=process.directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await started.communicate()
    assert started.returncode not in (None, 2), output.decode()
    return output.decode()


def asked_if_up(process: Process, path: str) -> tuple[int, str]:
    try:
        return asked(process, path)
    except OSError as error:
        raise AssertionError(f"{process.name} does not listen yet") from error


def places_with_secrets(
    installation: SecuredInstallation, suffix: str, processes: list[Process] | None = None
) -> list[str]:
    """Logs, operations ports, arguments and the environment of the processes."""
    found = []
    for process in processes or installation.processes:
        places = {"log": process.log_file.read_text()}
        for path in ("/readyz", "/livez", "/version", "/metrics"):
            places[path] = asked(process, path)[1]
        for place in ("cmdline", "environ"):
            places[place] = Path(f"/proc/{process.pid}/{place}").read_bytes().decode(errors="replace")
        found += [f"{process.name} {place}" for place, text in places.items() if MARK in text]
    return found
