"""An OpenSearch server, on the Java runtime of a wheel: one node, alone or of a cluster. It refuses to run as
root.
"""

import json
import os
import signal
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from deploy.local import unprivileged
from deploy.local.java import java_for_others
from deploy.local.opensearch_jars import opensearch_home
from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent

_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
_ALONE: Mapping[str, int] = {}


class OpenSearchServer(Server):
    """One node; its address is `url`. `cluster`: the transport ports of all its nodes by name; empty: there
    are no others.
    """

    ready_seconds_max = 120.0
    # A JVM that has lost its supervisor has nothing to finish.
    orphan_signal = signal.SIGKILL

    def __init__(
        self,
        data_dir: Path,
        port: int,
        transport_port: int,
        log_file: Path,
        progress: Progress = silent,
        *,
        node: str = "one",
        cluster: Mapping[str, int] = _ALONE,
    ) -> None:
        super().__init__("opensearch", log_file, progress)
        self._node = node
        self._cluster = cluster
        self._requested_data_dir = data_dir
        self.data_dir = data_dir
        self.port = port
        self.transport_port = transport_port
        self._identity = unprivileged.identity_without_root()
        self._home = Path()
        self._java = Path()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        """Get the jars, and write the configuration: ports may have changed."""
        self._home = opensearch_home(self.progress)
        self._java = java_for_others()
        self._requested_data_dir.parent.mkdir(parents=True, exist_ok=True)
        if self._identity is not None and not unprivileged.is_reachable(self._requested_data_dir):
            self.data_dir = unprivileged.outside_home(self._requested_data_dir.absolute()) / "data"
            if not self._requested_data_dir.is_symlink():
                self._requested_data_dir.symlink_to(self.data_dir)
        for name in ("config", "data", "logs", "tmp"):
            (self.data_dir / name).mkdir(parents=True, exist_ok=True)
        lines = [f"{name}: {value}\n" for name, value in self._properties().items()]
        (self._config / "opensearch.yml").write_text("".join(lines))
        (self._config / "log4j2.properties").write_text(_LOGGING)
        if self._identity is not None:
            for path in (self.data_dir, *self.data_dir.rglob("*")):
                os.chown(path, self._identity.uid, self._identity.gid)

    def command(self) -> Command:
        """The server, with a bounded heap so that it fits beside the others."""
        jvm = [
            "-Xms512m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError",
            # With another collector the limit of memory counts garbage, and requests are refused for it.
            "-XX:+UseG1GC",
            f"-Djava.io.tmpdir={self.data_dir / 'tmp'}",
            f"-Dopensearch.path.home={self._home}", f"-Dopensearch.path.conf={self._config}",
            "-Dopensearch.distribution.type=tar", "-Dopensearch.bundled_jdk=false",
            "-Djava.awt.headless=true", "--enable-native-access=ALL-UNNAMED", "-Dfile.encoding=UTF-8",
            "-Djna.nosys=true", "-Dio.netty.noUnsafe=true",
            "-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true",
        ]  # fmt: skip
        argv = [
            str(self._java),
            *jvm,
            "-cp",
            f"{self._home / 'lib'}/*",
            "org.opensearch.bootstrap.OpenSearch",
        ]
        return Command(argv, directory=self.data_dir, identity=self._identity)

    def is_ready(self) -> bool:
        """Its port is open before it answers for its indexes."""
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    @property
    def _config(self) -> Path:
        return self.data_dir / "config"

    def _properties(self) -> dict[str, str | int]:
        return {
            "cluster.name": "catalogue",
            "node.name": self._node,
            **self._discovery(),
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": self.transport_port,
            "path.data": str(self.data_dir / "data"),
            "path.logs": str(self.data_dir / "logs"),
            "bootstrap.memory_lock": "false",
            # A disk that is nearly full makes indexes read-only.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            # A mistyped name must fail, and make no index with fields of its own.
            "action.auto_create_index": "false",
        }

    def _discovery(self) -> dict[str, str]:
        if not self._cluster:
            return {"discovery.type": "single-node"}
        seeds = [f"{HOST}:{port}" for port in self._cluster.values()]
        return {
            "discovery.seed_hosts": json.dumps(seeds),
            "cluster.initial_cluster_manager_nodes": json.dumps(list(self._cluster)),
        }
