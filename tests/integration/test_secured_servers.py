"""Our clients at servers that require TLS and a log-in: they get in, or say in one line why not.

Each refusal counts as an outage: the process waits, and goes on when an operator has repaired the cause. No
text has a password.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest

from deploy.local.ports import HOST
from deploy.local.postgres import PostgresServer
from projector.notification_settings import parse_smtp_url
from projector.notifications.ports import Delivery, Mail
from projector.notifications.smtp.mailer import SmtpMailer
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import KafkaUnavailable, TopicSpec, ensure_topics
from shared.ops.retry import RetryPolicy
from shared.ops.secret import Secret
from shared.ops.tls import TlsFiles
from shared.postgres.errors import is_transient
from shared.postgres.pool import connect, create_pool
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.errors import is_mistake
from shared.redis.errors import is_transient as redis_is_transient
from tests.mail_server import MailServer, mail_server, only
from tests.secured.certificates import HOST_NAME, Certificates
from tests.secured.kafka import SecuredKafka
from tests.secured.redis import SecuredRedis
from tests.secured.tls_front import TlsFront
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
USER, PASSWORD, WRONG = "ann", "right-hunter2", "wrong-hunter2"
# A connection that the server ends without a word: which of these the client sees depends on who was first.
CUT_OFF = "Connection closed by server|Connection reset by peer|Broken pipe"
UNKNOWN_AUTHORITY, WRONG_NAME, EXPIRED = (
    "certificate verify failed: (unable to get local issuer|self-signed certificate in)",
    "certificate verify failed: Hostname mismatch, certificate is not valid for 'localhost'",
    "certificate verify failed: certificate has expired",
)  # fmt: skip
ONCE = RetryPolicy("once", 0.01, 0.01, budget_seconds=0.01)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture
def postgres(
    postgres_server: PostgresServer, event_store_dsns: DatabaseDsns, certificates: Certificates
) -> Iterator[TlsFront]:
    with TlsFront(postgres_server.port, certificates.context(), is_postgres=True) as front:
        front.database = event_store_dsns.name  # type: ignore[attr-defined]
        yield front


def dsn(
    front: TlsFront,
    ca: Path,
    *,
    host: str = HOST,
    password: str = "catalogue_log_reader",
    **options: str | Path,
) -> str:
    query = urlencode({"sslmode": "verify-full", "sslrootcert": ca, **options})
    database = front.database  # type: ignore[attr-defined]
    return f"postgresql://catalogue_log_reader:{password}@{host}:{front.port}/{database}?{query}"


async def test_postgresql_by_tls_lets_pools_and_single_connections_in(
    postgres: TlsFront, certificates: Certificates
) -> None:
    address = Secret(dsn(postgres, certificates.ca))
    connection = await connect(address, application_name="t", connect_timeout_seconds=30)
    pool = await create_pool(
        address,
        application_name="t",
        size_max=1,
        statement_timeout_seconds=30,
        connect_timeout_seconds=30,
    )
    assert (await connection.fetchval("SELECT 1"), await pool.fetchval("SELECT 1")) == (1, 1)
    await connection.close()
    await pool.close()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("authority", UNKNOWN_AUTHORITY),
        ("name", WRONG_NAME),
        ("expired", EXPIRED),
        ("password", 'password authentication failed for user "catalogue_log_reader"'),
        ("plain text", "no encryption"),
        ("client certificate", "connection requires a valid client certificate"),
    ],
)
async def test_postgresql_that_refuses_says_why(
    postgres: TlsFront, certificates: Certificates, fault: str, reason: str
) -> None:
    postgres.context = certificates.context(expired=fault == "expired", requests_client=True)
    postgres.requires_client = fault == "client certificate"
    address = dsn(
        postgres,
        certificates.other_ca if fault == "authority" else certificates.ca,
        host=HOST_NAME if fault == "name" else HOST,
        password=WRONG if fault == "password" else "catalogue_log_reader",
        **({"sslmode": "disable"} if fault == "plain text" else {}),
    )
    with pytest.raises(Exception, match=reason) as refusal:
        await connect(Secret(address), application_name="t", connect_timeout_seconds=30)
    assert is_transient(refusal.value)
    assert "hunter2" not in repr(refusal.value)


async def test_postgresql_may_require_a_clients_certificate(
    postgres: TlsFront, certificates: Certificates
) -> None:
    postgres.context = certificates.context(requests_client=True)
    postgres.requires_client = True
    own = certificates.client("catalogue_log_reader")
    address = dsn(postgres, certificates.ca, sslcert=own, sslkey=own)
    connection = await connect(address, application_name="t", connect_timeout_seconds=30)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


# --- Redis ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def redis_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    folder = tmp_path_factory.mktemp("redis")
    server = SecuredRedis(folder / "data", folder / "redis.log", USER, PASSWORD)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(redis_with_users: SecuredRedis, certificates: Certificates) -> Iterator[TlsFront]:
    with TlsFront(redis_with_users.port, certificates.context()) as front:
        yield front


async def ping(server: RedisAddress) -> bool:
    client = create_redis(server, socket_timeout_seconds=30, connect_timeout_seconds=30, connections_max=2)
    try:
        return bool(await client.ping())
    finally:
        await client.aclose()


async def test_redis_by_tls_lets_its_user_in(redis: TlsFront, certificates: Certificates) -> None:
    url = Secret(f"rediss://{USER}:{PASSWORD}@{HOST}:{redis.port}/0")
    assert await ping(RedisAddress(url, TlsFiles(certificates.ca)))


async def test_redis_may_require_a_clients_certificate(redis: TlsFront, certificates: Certificates) -> None:
    redis.context = certificates.context(requires_client=True)
    url = Secret(f"rediss://{USER}:{PASSWORD}@{HOST}:{redis.port}/0")
    assert await ping(RedisAddress(url, TlsFiles(certificates.ca, certificates.client("projector"))))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("authority", UNKNOWN_AUTHORITY),
        ("name", WRONG_NAME),
        ("expired", EXPIRED),
        ("password", "invalid username-password pair or user is disabled"),
        ("no user", "HELLO must be called with the client already authenticated"),
        ("plain text", CUT_OFF),
        # With TLS 1.3 the client is done before the server looks at its certificate: the alert may be late.
        ("client certificate", f"CERTIFICATE_REQUIRED|{CUT_OFF}"),
    ],
)
async def test_redis_that_refuses_says_why(
    redis: TlsFront, certificates: Certificates, fault: str, reason: str
) -> None:
    redis.context = certificates.context(
        expired=fault == "expired", requires_client=fault == "client certificate"
    )
    scheme = "redis" if fault == "plain text" else "rediss"
    user = "" if fault == "no user" else f"{USER}:{WRONG if fault == 'password' else PASSWORD}@"
    host = HOST_NAME if fault == "name" else HOST
    server = RedisAddress(
        Secret(f"{scheme}://{user}{host}:{redis.port}/0"),
        TlsFiles(certificates.other_ca if fault == "authority" else certificates.ca),
    )
    with pytest.raises(Exception, match=reason) as refusal:
        await ping(server)
    # A reader takes the table in both cases; a mistake is logged as an error.
    mistakes = {"password", "no user"}
    assert (is_mistake(refusal.value), redis_is_transient(refusal.value)) == (
        fault in mistakes,
        fault not in mistakes,
    )
    assert "hunter2" not in repr(refusal.value)


@pytest.mark.parametrize(
    "rotated", ["redis://ann:hunter2[@host/0", "redis://ann:hunter2\u2100@host/0", "hunter2"]
)
async def test_a_rotated_address_of_redis_that_cannot_be_used_is_a_mistake_and_is_not_shown(
    redis: TlsFront, certificates: Certificates, tmp_path: Path, rotated: str
) -> None:
    file = tmp_path / "redis-url"
    file.write_text(f"rediss://{USER}:{PASSWORD}@{HOST}:{redis.port}/0")
    client = create_redis(
        RedisAddress(Secret.from_file(file), TlsFiles(certificates.ca)),
        socket_timeout_seconds=30,
        connect_timeout_seconds=30,
        connections_max=1,
    )
    file.write_text(rotated)
    try:
        with pytest.raises(Exception, match="REDIS_URL") as refusal:
            await client.ping()
        assert is_mistake(refusal.value)
        assert "hunter2" not in "".join(traceback.format_exception(refusal.value))
    finally:
        await client.aclose()


# --- Kafka ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kafka(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    folder = tmp_path_factory.mktemp("kafka")
    broker = SecuredKafka(folder / "data", folder / "kafka.log", certificates, {USER: PASSWORD})
    broker.start()
    broker.allow_everything(USER)
    yield broker
    broker.stop()


async def ask(servers: KafkaServers, name: str = "topic-of-ann") -> None:
    await ensure_topics(servers, [TopicSpec(name, 1)], request_timeout_seconds=30, policy=ONCE)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256"])
async def test_kafka_by_tls_lets_a_user_in_by_scram(
    kafka: SecuredKafka, certificates: Certificates, mechanism: str
) -> None:
    await ask(
        KafkaServers(
            kafka.address("scram"),
            "SASL_SSL",
            TlsFiles(certificates.ca),
            mechanism,  # type: ignore[arg-type]
            USER,
            Secret(PASSWORD),
        )
    )


async def test_kafka_lets_a_client_in_by_its_certificate(
    kafka: SecuredKafka, certificates: Certificates
) -> None:
    own = TlsFiles(certificates.ca, certificates.client(USER))
    await ask(KafkaServers(kafka.address("mutual"), "SSL", own))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("authority", UNKNOWN_AUTHORITY),
        ("name", WRONG_NAME),
        ("expired", EXPIRED),
        ("password", "invalid credentials"),
        ("user", "invalid credentials"),
        ("plain text", "does it require TLS, a user, or a client certificate?"),
        ("client certificate", "does it require TLS, a user, or a client certificate?"),
    ],
)
async def test_kafka_that_refuses_says_why(
    kafka: SecuredKafka, certificates: Certificates, fault: str, reason: str
) -> None:
    listener = {"expired": "expired", "client certificate": "mutual"}.get(fault, "scram")
    protocol = {"plain text": "PLAINTEXT", "expired": "SSL", "client certificate": "SSL"}
    servers = KafkaServers(
        kafka.address(listener, HOST_NAME if fault == "name" else HOST),
        protocol.get(fault, "SASL_SSL"),  # type: ignore[arg-type]
        TlsFiles(certificates.other_ca if fault == "authority" else certificates.ca),
        user="bob" if fault == "user" else USER,
        password=Secret(WRONG if fault == "password" else PASSWORD),
    )
    with pytest.raises(KafkaUnavailable, match=reason.replace("?", r"\?")) as refusal:
        await ask(servers)
    assert "hunter2" not in str(refusal.value)


async def test_a_kafka_without_tls_is_not_taken_for_a_safe_one(
    kafka_bootstrap_servers: str, certificates: Certificates
) -> None:
    tls = TlsFiles(certificates.ca)
    with pytest.raises(KafkaUnavailable):
        await ensure_topics(
            KafkaServers(kafka_bootstrap_servers, "SSL", tls),
            [TopicSpec("t", 1)],
            request_timeout_seconds=5,
            policy=ONCE,
        )


# --- mail ----------------------------------------------------------------------------------------

MAIL = Mail(UUID(int=1), "ann@x.test", "Hello", "A line.\n", datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
async def mails(certificates: Certificates) -> AsyncIterator[MailServer]:
    """Takes mails only after STARTTLS and a log-in."""
    async with mail_server(
        tls_context=certificates.context(),
        require_starttls=True,
        auth_required=True,
        authenticator=only(USER.encode(), PASSWORD.encode()),
    ) as server:
        yield server


async def send(url: str, ca: Path | None) -> Delivery:
    mailer = SmtpMailer(
        lambda: parse_smtp_url(url),
        "catalogue@shop.test",
        timeout_seconds=30,
        seconds_max=30,
        certificates=TlsFiles(ca),
    )
    return await mailer.send(MAIL)


async def test_a_mail_goes_out_after_starttls_and_a_log_in(
    mails: MailServer, certificates: Certificates
) -> None:
    delivery = await send(f"smtp://{USER}:{PASSWORD}@{HOST}:{mails.port}", certificates.ca)
    assert (delivery.outcome, mails.recipients()) == ("sent", ["ann@x.test"])


async def test_a_mail_goes_out_by_tls_from_the_first_byte(certificates: Certificates) -> None:
    async with mail_server() as plain:
        with TlsFront(plain.port, certificates.context()) as front:
            assert (await send(f"smtps://{HOST}:{front.port}", certificates.ca)).outcome == "sent"
            refused = await send(f"smtps://{HOST_NAME}:{front.port}", certificates.ca)
            assert (refused.outcome, WRONG_NAME in refused.cause) == ("unreachable", True)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("authority", "certificate verify failed"),
        ("system authorities", "certificate verify failed"),
        ("name", WRONG_NAME),
        ("password", "535"),
        ("plain text", "Try connecting via TLS"),
    ],
)
async def test_a_mail_server_that_refuses_is_unreachable_and_the_cause_says_why(
    mails: MailServer, certificates: Certificates, fault: str, reason: str
) -> None:
    authorities = {"authority": certificates.other_ca, "system authorities": None}
    host = HOST_NAME if fault == "name" else HOST
    password = WRONG if fault == "password" else PASSWORD
    option = "?starttls=never" if fault == "plain text" else "?starttls=required"
    delivery = await send(
        f"smtp://{USER}:{password}@{host}:{mails.port}{option}", authorities.get(fault, certificates.ca)
    )
    assert (delivery.outcome, reason in delivery.cause) == ("unreachable", True), delivery
    assert "hunter2" not in delivery.cause
    assert mails.taken == []


async def test_a_mail_server_with_an_expired_certificate_gets_nothing(certificates: Certificates) -> None:
    async with mail_server(tls_context=certificates.context(expired=True), require_starttls=True) as expired:
        delivery = await send(f"smtp://{HOST}:{expired.port}?starttls=required", certificates.ca)
    assert (delivery.outcome, EXPIRED in delivery.cause) == ("unreachable", True), delivery


async def test_certificates_that_were_renewed_are_used_for_the_next_connection(
    postgres: TlsFront, redis: TlsFront, certificates: Certificates, tmp_path: Path
) -> None:
    """The server's authority is not the one in the file, until the file is replaced."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates.other_ca.read_bytes())
    url = Secret(f"rediss://{USER}:{PASSWORD}@{HOST}:{redis.port}/0")
    client = create_redis(
        RedisAddress(url, TlsFiles(ca)),
        socket_timeout_seconds=30,
        connect_timeout_seconds=30,
        connections_max=1,
    )
    pool = await create_pool(
        dsn(postgres, ca), application_name="t", size_max=1, statement_timeout_seconds=30,
        connect_timeout_seconds=30,
    )  # fmt: skip
    for attempt in (client.ping, partial(pool.fetchval, "SELECT 1")):
        with pytest.raises(Exception, match=UNKNOWN_AUTHORITY):
            await attempt()
    new = tmp_path / "new.pem"
    new.write_bytes(certificates.ca.read_bytes())
    await asyncio.to_thread(new.replace, ca)
    assert await client.ping()
    assert await pool.fetchval("SELECT 1") == 1
    await client.aclose()
    await pool.close()
