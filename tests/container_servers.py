"""The same three servers out of images, where a container engine runs (TEST_SERVERS=containers).

The images are those of docker-compose.yml, by the same variables: POSTGRES_IMAGE, REDIS_IMAGE, KAFKA_IMAGE.
"""

import os
import time
from collections.abc import Mapping

from docker.errors import APIError
from testcontainers.core.container import DockerContainer

from deploy.local.kafka import broker_answers
from deploy.local.ports import HOST, free_port
from deploy.local.postgres import ROLES_SQL, SUPERUSER
from deploy.local.redis import redis_answers

_READY_SECONDS_MAX = 120.0


class _Container:
    """One container on a fixed host port, which a stop and a start keep."""

    def __init__(self, image: str, container_port: int) -> None:
        self.port = free_port()
        self._container = DockerContainer(image).with_bind_ports(container_port, self.port)
        self._is_created = False
        self._is_paused = False

    def is_ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        if not self._is_created:
            self._container.start()
            self._is_created = True
        else:
            self._container.get_wrapped_container().start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._container.image} is not ready after {_READY_SECONDS_MAX:.0f} s")
            time.sleep(0.1)

    def stop(self) -> None:
        if not self._is_created:
            return
        self.resume()
        self._container.get_wrapped_container().stop(timeout=20)

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()
        self._container.get_wrapped_container().wait()

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()
        self._is_paused = True

    def resume(self) -> None:
        if self._is_paused:
            self._container.get_wrapped_container().unpause()
            self._is_paused = False

    def restart(self) -> None:
        self.stop()
        self.start()

    def ensure_running(self) -> None:
        if not self.is_ready():
            self.resume()
            self.start()


class PostgresContainer(_Container):
    def __init__(self) -> None:
        super().__init__(os.environ.get("POSTGRES_IMAGE", "postgres:18"), 5432)
        self._container.with_env("POSTGRES_PASSWORD", SUPERUSER)
        self._container.with_command("postgres -c max_connections=200 -c timezone=UTC")

    def dsn(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{role}@{HOST}:{self.port}/{database}"

    def superuser_password(self) -> str:
        return SUPERUSER

    def start(self) -> None:
        super().start()
        self.run_sql(ROLES_SQL.read_text())

    def is_ready(self) -> bool:
        # Over TCP, because the image's set-up phase runs a server that listens on the socket alone.
        try:
            answer = self._container.get_wrapped_container().exec_run(["pg_isready", "-q", "-h", HOST])
        except APIError:
            return False  # An engine executes nothing in a container that is paused or has ended.
        return bool(answer.exit_code == 0)

    def run_sql(
        self, sql: str, database: str = "postgres", variables: Mapping[str, str] | None = None
    ) -> str:
        options = " ".join(f"-v {name}={value}" for name, value in (variables or {}).items())
        psql = f"psql -X -q -A -t -v ON_ERROR_STOP=1 {options} -U {SUPERUSER} -d {database} -f -"
        script = f"{psql} <<'END_OF_SQL'\n{sql}\nEND_OF_SQL"
        answer = self._container.get_wrapped_container().exec_run(["bash", "-c", script])
        if answer.exit_code != 0:
            raise RuntimeError(answer.output.decode())
        return str(answer.output.decode())


class RedisContainer(_Container):
    def __init__(self) -> None:
        super().__init__(os.environ.get("REDIS_IMAGE", "redis:8"), 6379)
        self._container.with_command(
            "redis-server --bind 0.0.0.0 --protected-mode no --appendonly yes --save ''"
        )

    def url(self, database: int = 0) -> str:
        return f"redis://{HOST}:{self.port}/{database}"

    def is_ready(self) -> bool:
        return redis_answers(self.port)


class KafkaContainer(_Container):
    def __init__(self) -> None:
        super().__init__(os.environ.get("KAFKA_IMAGE", "apache/kafka:4.4.0"), 19092)
        settings = {
            "NODE_ID": "1",
            "PROCESS_ROLES": "broker,controller",
            # The broker asks itself about transactions, and cannot reach the port of the host.
            "LISTENERS": "PLAINTEXT://:19092,INTERNAL://localhost:9094,CONTROLLER://localhost:9093",
            "ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{self.port},INTERNAL://localhost:9094",
            "INTER_BROKER_LISTENER_NAME": "INTERNAL",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        }
        for name, value in settings.items():
            self._container.with_env(f"KAFKA_{name}", value)

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self.port}"

    def is_ready(self) -> bool:
        return broker_answers(self.port)
