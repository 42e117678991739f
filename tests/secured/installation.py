"""One installation as production should be: TLS and a log-in at every server, secrets in files, few rights.

The relay shows Kafka a certificate, the projector a password. The roles of the database are members of the
usual ones with passwords of their own, so that a test may change those.
"""

import http.client
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from deploy.kafka_rights import LAG, PROJECTOR, QUERY_API, RECOVERY, RELAY, REPLAY, kafka_rights
from deploy.local.ports import HOST, free_port
from deploy.local.postgres import PostgresServer
from deploy.local.process import Process
from tests.databases import create_database, drop_database
from tests.end_to_end.system import PATIENCE_OF_TESTS, REPOSITORY, in_parallel
from tests.secured.certificates import Certificates
from tests.secured.kafka import SecuredKafka
from tests.secured.redis import SecuredRedis
from tests.secured.tls_front import TlsFront
from tests.superuser import superuser_of

MARK = "hunter2"
"""In every secret, and nowhere else."""
RECIPIENT = "ann@shop.test"
# So slow that its count is still in Redis when a test looks.
SLOW_LIMIT = {
    "WRITES_PER_ADDRESS_PER_SECOND_MAX": "0.01",
    "WRITES_PER_ADDRESS_BURST_MAX": "100000",
    "RATE_LIMIT_SECONDS_MAX": "5",
}
_ROLES = {
    "writer": "catalogue_writer",
    "log-reader": "catalogue_log_reader",
    "projector": "catalogue_projector",
    "reader": "catalogue_reader",
}


def password(name: str, turn: int = 1) -> str:
    """A secret of this run."""
    return f"{MARK}-{name}-{turn}"


KAFKA_USERS = (RELAY, PROJECTOR, QUERY_API, REPLAY, LAG, RECOVERY)


class SecuredInstallation:
    """`start` starts the servers and all four processes, and waits until they are ready."""

    def __init__(self, postgres: PostgresServer, templates: tuple[str, str], folder: Path) -> None:
        self.postgres = postgres
        self.folder = folder
        self.prefix = f"sec{uuid4().hex[:8]}-"
        self.certificates = Certificates(folder / "certificates")
        self.redis = SecuredRedis(folder / "redis", folder / "redis.log", "catalogue", password("redis"))
        users = {name: password(name) for name in (*KAFKA_USERS, "outsider")}
        self.kafka = SecuredKafka(folder / "kafka", folder / "kafka.log", self.certificates, users)
        self.mail_port = free_port()
        self.ports = {name: free_port() for name in ("COMMAND_PORT", "QUERY_PORT")}
        self._templates = templates
        self._stack = ExitStack()

    def start(self) -> None:
        """Everything."""
        in_parallel([self.redis, self.kafka], lambda server: server.start())
        self._stack.callback(self.redis.stop)
        self._stack.callback(self.kafka.stop)
        self.kafka.allow(*kafka_rights(self.prefix))
        self.event_store, self.read_model = (f"{self.prefix}{name}" for name in ("events", "views"))
        for database, template in zip((self.event_store, self.read_model), self._templates, strict=True):
            create_database(self.postgres, database, template)
            self._stack.callback(drop_database, self.postgres, database)
        for name, role in _ROLES.items():
            self.sql(f"CREATE ROLE \"{self.role(name)}\" LOGIN PASSWORD '{password(name)}' IN ROLE {role}")
            self._stack.callback(self.sql, f'DROP ROLE "{self.role(name)}"')
        context = self.certificates.context()
        self.postgres_front = self._stack.enter_context(
            TlsFront(self.postgres.port, context, is_postgres=True)
        )
        self.redis_front = self._stack.enter_context(TlsFront(self.redis.port, context))
        self.processes = self._processes(self.environments())
        self._stack.callback(in_parallel, self.processes, lambda process: process.stop())
        in_parallel(self.processes, lambda process: process.start())

    def close(self) -> None:
        """In the reverse order."""
        self._stack.close()

    def sql(self, statement: str) -> None:
        """As superuser."""
        superuser_of(self.postgres).run(statement)

    def role(self, name: str) -> str:
        """The role that logs in."""
        return f"{self.prefix}{name}"

    def dsn(self, role: str, secret: str) -> str:
        """The database of this role by TLS."""
        database = self.event_store if role in ("writer", "log-reader") else self.read_model
        user = self.role(role)
        tls = f"sslmode=verify-full&sslrootcert={self.certificates.ca}"
        return f"postgresql://{user}:{secret}@{HOST}:{self.postgres_front.port}/{database}?{tls}"

    def redis_url(self, secret: str) -> str:
        """By TLS."""
        return f"rediss://{self.redis.user}:{secret}@{HOST}:{self.redis_front.port}/0"

    def secret_file(self, name: str, text: str) -> str:
        """The path of a file with this text; one that is there is replaced at once, as by a rotation."""
        file, new = self.folder / f"secret-{name}", self.folder / f"secret-{name}.new"
        new.write_text(f"{text}\n")
        os.replace(new, file)
        return str(file)

    def environments(self, suffix: str = "", *, turn: int = 1) -> dict[str, dict[str, str]]:
        """Process -> its settings. Files of secrets have this suffix; passwords are those of this turn."""

        def of(name: str, text: str) -> str:
            return self.secret_file(f"{name}{suffix}", text)

        def dsn_of(role: str) -> str:
            return of(f"dsn-{role}", self.dsn(role, password(role, turn)))

        ca = str(self.certificates.ca)
        redis = {"REDIS_URL_FILE": of("redis", self.redis_url(password("redis", turn))), "REDIS_CA_FILE": ca}
        log = {"EVENT_STORE_READ_DSN_FILE": dsn_of("log-reader")}
        mutual = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.address("mutual"),
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_CA_FILE": ca,
            "KAFKA_CERTIFICATE_FILE": str(self.certificates.client(RELAY)),
        }
        scram = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.address("scram"),
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_USER": PROJECTOR,
            "KAFKA_SASL_PASSWORD_FILE": of("kafka", password(PROJECTOR, turn)),
            "KAFKA_CA_FILE": ca,
        }
        searching = {
            **scram,
            "KAFKA_SASL_USER": QUERY_API,
            "KAFKA_SASL_PASSWORD_FILE": of("kafka-of-search", password(QUERY_API)),
        }
        smtp = f"smtp://catalogue:{password('smtp', turn)}@{HOST}:{self.mail_port}?starttls=required"
        mails = {
            "SMTP_URL_FILE": of("smtp", smtp),
            "SMTP_CA_FILE": ca,
            "NOTIFICATION_RECIPIENTS": RECIPIENT,
            "NOTIFICATION_RETRY_DELAYS": "1s",
        }
        key = {"CURSOR_SIGNING_KEY_FILE": of("cursor", password("cursor"))}
        return {
            "command-api": {"EVENT_STORE_DSN_FILE": dsn_of("writer"), **redis, **SLOW_LIMIT},
            "relay": {"EVENT_STORE_DSN_FILE": dsn_of("writer"), **mutual},
            "projector": {"READ_MODEL_DSN_FILE": dsn_of("projector"), **log, **redis, **scram, **mails},
            "query-api": {"READ_MODEL_DSN_FILE": dsn_of("reader"), **log, **redis, **searching, **key},
        }

    def _processes(self, environments: Mapping[str, Mapping[str, str]], suffix: str = "") -> list[Process]:
        return [
            self.process(name, arguments, setting, environments[name], suffix)
            for name, arguments, setting in (
                ("command-api", ["command_api", "serve"], "COMMAND_OPS_PORT"),
                ("relay", ["command_api", "relay"], "RELAY_OPS_PORT"),
                ("projector", ["projector", "run"], "PROJECTOR_OPS_PORT"),
                ("query-api", ["query_api", "serve"], "QUERY_OPS_PORT"),
            )
        ]

    def others(self, environments: Mapping[str, Mapping[str, str]], suffix: str) -> list[Process]:
        """Four more processes on ports of their own, not started."""
        free = {name: str(free_port()) for name in self.ports}
        return self._processes({name: {**one, **free} for name, one in environments.items()}, suffix)

    def process(
        self, name: str, arguments: Sequence[str], setting: str, given: Mapping[str, str], suffix: str
    ) -> Process:
        """One of ours, not started."""
        ops_port = free_port()
        environment = {
            **{name: str(port) for name, port in self.ports.items()},
            "REDIS_KEY_PREFIX": self.prefix,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "RELAY_OPERATOR_WAIT_SECONDS": "1",
            **PATIENCE_OF_TESTS,
            setting: str(ops_port),
            **given,
        }
        log_file = self.folder / f"{name}{suffix}.log"
        return Process(f"{name}{suffix}", arguments, environment, REPOSITORY, log_file, ops_port)

    @property
    def command_url(self) -> str:
        return f"http://{HOST}:{self.ports['COMMAND_PORT']}"

    @property
    def query_url(self) -> str:
        return f"http://{HOST}:{self.ports['QUERY_PORT']}"


def asked(process: Process, path: str) -> tuple[int, str]:
    """What its operations port answers."""
    connection = http.client.HTTPConnection(HOST, process.ops_port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
