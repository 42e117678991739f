"""A Kafka broker: one node that is its own controller (KRaft), on the Java runtime of a wheel."""

import base64
import socket
import struct
import subprocess
import uuid
from pathlib import Path

from deploy.local.errors import StartFailed
from deploy.local.java import find_java
from deploy.local.kafka_jars import kafka_class_path
from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent

_API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)


class KafkaServer(Server):
    """One broker; its address is `bootstrap_servers`."""

    def __init__(
        self, data_dir: Path, port: int, controller_port: int, log_file: Path, progress: Progress = silent
    ) -> None:
        super().__init__("kafka", log_file, progress)
        self.data_dir = data_dir
        self.port = port
        self.controller_port = controller_port
        self._class_path = ""

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Get the jars, write the properties (ports may have changed), format the storage the first time."""
        self._class_path = kafka_class_path(self.progress)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in self._properties().items()]
        self._properties_file.write_text("".join(lines))
        if not (self._log_dir / "meta.properties").exists():
            self.progress("formatting its storage (once)")
            self._format()

    def command(self) -> Command:
        """The broker, with a bounded heap so that the stack fits on a laptop. It logs warnings and errors."""
        jvm = [
            "-Xms256m",
            "-Xmx512m",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
        ]
        jvm += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        jvm += ["-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ"]
        return Command(self._java(*jvm, "kafka.Kafka", str(self._properties_file)), directory=self.data_dir)

    def is_ready(self) -> bool:
        """Asks the broker, because its port is open long before it serves requests."""
        return broker_answers(self.port)

    @property
    def _properties_file(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _log_dir(self) -> Path:
        return self.data_dir / "log"

    def _properties(self) -> dict[str, str | int]:
        broker, controller = f"PLAINTEXT://{HOST}:{self.port}", f"CONTROLLER://{HOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{self.controller_port}",
            "listeners": f"{broker},{controller}",
            "advertised.listeners": broker,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self._log_dir.absolute()),
            "auto.create.topics.enable": "false",
            "num.partitions": 12,
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            # Internal topics: one copy, and few partitions, because each costs time at every start.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 4,
            # Offsets of consumers must survive if the stack is off for weeks.
            "offsets.retention.minutes": 525_600,
            # After a crash the new broker waits until the session of the old one ends (9 s by default).
            "broker.session.timeout.ms": 3_000,
            "broker.heartbeat.interval.ms": 1_000,
            # Few clients: each thread of these pools wakes several times a second while idle,
            # and by default the controller writes two records a second that say nothing.
            "metadata.max.idle.interval.ms": 5_000,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 2,
            "group.coordinator.threads": 1,
            "share.coordinator.threads": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1_000,
            "message.max.bytes": 2_097_152,
        }

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        argv = self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}")
        argv += [*self._format_options(), "--config", str(self._properties_file)]
        answer = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        if answer.returncode != 0:
            raise StartFailed(f"Kafka's storage could not be formatted: {answer.stdout}{answer.stderr}")

    def _format_options(self) -> list[str]:
        """For brokers with users; this one has none."""
        return []

    def _java(self, *arguments: str) -> list[str]:
        return [str(find_java()), "-cp", self._class_path, *arguments]


def broker_answers(port: int) -> bool:
    """True if a broker on 127.0.0.1 answers ApiVersions."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(_API_VERSIONS_REQUEST)
            return len(connection.recv(4)) == 4
    except OSError:
        return False
