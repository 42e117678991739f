"""The parts of the local stack: servers, migrations, processes, and the environment of each.

Each process gets only what it needs: the query API cannot write events, and the projector cannot send
commands. An address that the user has set replaces ours.
"""

from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.issuer_process import IssuerProcess
from deploy.local.kafka import KafkaServer
from deploy.local.mail import MailServer
from deploy.local.postgres import LOG_READER, OWNER, PROJECTOR, READER, WRITER, PostgresServer
from deploy.local.process import Job, Process
from deploy.local.prometheus import PrometheusServer
from deploy.local.redis import RedisServer
from deploy.local.server import Progress, Server
from deploy.local.settings import ADDRESSES, PROCESSES, StackSettings
from deploy.local.traces.server import TraceServer
from deploy.prometheus.configuration import configuration

EVENT_STORE, READ_MODEL = "event_store", "read_model"
CAUGHT_RECIPIENT = "somebody@localhost"
# So that a receiver on this machine can be tried.
WEBHOOKS = {
    "WEBHOOK_SECRET_KEY": "local-stack-only-webhook-key",
    "WEBHOOK_NETWORKS_ALLOWED": "127.0.0.0/8,::1/128",
}


@dataclass(frozen=True)
class Stack:
    """Started from left to right, stopped from right to left; members of a group run in parallel."""

    servers: list[Server]
    migrations: list[Job]
    processes: list[Process]


def build_stack(settings: StackSettings, progress_of: Callable[[str], Progress]) -> Stack:
    """Builds the stack for these settings. Starts nothing."""
    postgres = PostgresServer(
        settings.data / "postgres",
        settings.ports["POSTGRES_PORT"],
        settings.logs / "postgresql.log",
        progress_of("postgresql"),
    )
    redis = RedisServer(
        settings.data / "redis",
        settings.ports["REDIS_PORT"],
        settings.logs / "redis.log",
        progress_of("redis"),
    )
    kafka = KafkaServer(
        settings.data / "kafka",
        settings.ports["KAFKA_PORT"],
        settings.ports["KAFKA_CONTROLLER_PORT"],
        settings.logs / "kafka.log",
        progress_of("kafka"),
    )
    mail = MailServer(
        settings.mails,
        settings.ports["SMTP_PORT"],
        settings.root,
        settings.logs / "mail.log",
        progress_of("mail"),
    )
    issuer = IssuerProcess(
        settings.folder,
        settings.ports["ISSUER_PORT"],
        settings.root,
        settings.logs / "issuer.log",
        progress_of("issuer"),
    )
    traces = _traces(settings, progress_of("traces"))
    wanted: list[tuple[bool, Server]] = [
        (settings.starts_postgres, postgres),
        (settings.starts_redis, redis),
        (settings.starts_kafka, kafka),
        (settings.starts_mail, mail),
        (settings.starts_issuer, issuer),
        (settings.starts_traces, traces),
        (settings.starts_prometheus, _prometheus(settings, progress_of("prometheus"))),
    ]
    shared = _shared_environment(settings, postgres, redis, kafka)
    if settings.starts_issuer:
        shared |= issuer.access_settings
    if settings.starts_traces:
        shared |= traces.settings_of_processes
    return Stack(
        [server for is_wanted, server in wanted if is_wanted],
        _migrations(settings, postgres, shared, progress_of),
        _processes(settings, postgres, shared, _mail_environment(settings, mail), progress_of),
    )


def _traces(settings: StackSettings, progress: Progress) -> TraceServer:
    port, log_file = settings.ports["OTLP_PORT"], settings.logs / "traces.log"
    return TraceServer(settings.traces, port, settings.root, log_file, progress)


def _prometheus(settings: StackSettings, progress: Progress) -> PrometheusServer:
    port, log_file = settings.ports["PROMETHEUS_PORT"], settings.logs / "prometheus.log"
    return PrometheusServer(
        settings.data / "prometheus", port, configuration(settings.ports), log_file, progress
    )


def _mail_environment(settings: StackSettings, mail: MailServer) -> dict[str, str]:
    """There is a default recipient only if our mail catcher keeps the mails in files."""
    names = ("SMTP_URL", "NOTIFICATION_RECIPIENTS")
    caught = {"SMTP_URL": mail.url, "NOTIFICATION_RECIPIENTS": CAUGHT_RECIPIENT}
    own = {name: settings.own[name] for name in names if name in settings.own}
    return {**caught, **own} if settings.starts_mail else own


def _shared_environment(
    settings: StackSettings, postgres: PostgresServer, redis: RedisServer, kafka: KafkaServer
) -> dict[str, str]:
    reader = settings.own.get("EVENT_STORE_DSN") or postgres.dsn(LOG_READER, EVENT_STORE)
    return {
        **{name: str(port) for name, port in settings.ports.items()},
        # The stack has read them: a process that saw both would not start.
        **{f"{name}_FILE": "" for name in ADDRESSES},
        "EVENT_STORE_READ_DSN": settings.own.get("EVENT_STORE_READ_DSN", reader),
        "REDIS_URL": settings.own.get("REDIS_URL", redis.url()),
        "KAFKA_BOOTSTRAP_SERVERS": settings.own.get("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers),
    }


def _migrations(
    settings: StackSettings,
    postgres: PostgresServer,
    shared: dict[str, str],
    progress_of: Callable[[str], Progress],
) -> list[Job]:
    """One migration per database. The user's own database is migrated only if they give the owner's DSN."""
    jobs = []
    for package, service_dsn, migrate_dsn, database in (
        ("command_api", "EVENT_STORE_DSN", "EVENT_STORE_MIGRATE_DSN", EVENT_STORE),
        ("projector", "READ_MODEL_DSN", "READ_MODEL_MIGRATE_DSN", READ_MODEL),
    ):
        if service_dsn in settings.own and migrate_dsn not in settings.own:
            continue
        owner = settings.own.get(migrate_dsn, postgres.dsn(OWNER, database))
        name, log_file = f"migrate-{database}", settings.logs / f"migrate-{database}.log"
        environment = {**shared, migrate_dsn: owner}
        jobs.append(Job(name, [package, "migrate"], environment, settings.root, log_file, progress_of(name)))
    return jobs


def _processes(
    settings: StackSettings,
    postgres: PostgresServer,
    shared: dict[str, str],
    mail_environment: dict[str, str],
    progress_of: Callable[[str], Progress],
) -> list[Process]:
    events = settings.own.get("EVENT_STORE_DSN", postgres.dsn(WRITER, EVENT_STORE))
    views_write = settings.own.get("READ_MODEL_DSN", postgres.dsn(PROJECTOR, READ_MODEL))
    views_read = settings.own.get("READ_MODEL_DSN", postgres.dsn(READER, READ_MODEL))
    index = {"SEARCH_INDEX_FOLDER": str(settings.data / "search")}
    webhooks = {name: settings.own.get(name, value) for name, value in WEBHOOKS.items()}
    only = {
        "command-api": {"READ_MODEL_DSN": views_read, **webhooks},
        "projector": {**mail_environment, **webhooks},
        "query-api": index,
    }
    return [
        Process(
            name, PROCESSES[name].arguments, {**shared, dsn_name: dsn, **only.get(name, {})}, settings.root,
            settings.logs / f"{name}.log", settings.ports[PROCESSES[name].ops_port], progress_of(name),
            PROCESSES[name].ready_seconds_max,
        )
        for name, dsn_name, dsn in (
            ("command-api", "EVENT_STORE_DSN", events),
            ("relay", "EVENT_STORE_DSN", events),
            ("projector", "READ_MODEL_DSN", views_write),
            ("query-api", "READ_MODEL_DSN", views_read),
        )
        if name not in settings.without
    ]  # fmt: skip
