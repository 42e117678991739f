"""Prometheus with our rules, for those who have the program."""

from pathlib import Path

from deploy.local.http_answer import answers_ok
from deploy.local.ports import HOST
from deploy.local.prometheus_program import find_prometheus
from deploy.local.server import Command, Progress, Server, silent

_BYTES_MAX = "512MB"


class PrometheusServer(Server):
    """Scrapes and evaluates what its configuration says, and keeps the newest 512 MB."""

    def __init__(
        self, folder: Path, port: int, configuration: str, log_file: Path, progress: Progress = silent
    ) -> None:
        super().__init__("prometheus", log_file, progress)
        self.url = f"http://{HOST}:{port}"
        self._folder = folder
        self._port = port
        self._configuration = configuration

    def prepare(self) -> None:
        """Writes its configuration."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "prometheus.yml").write_text(self._configuration)

    def command(self) -> Command:
        """Bounded by size as well as by time."""
        options = {
            "config.file": self._folder / "prometheus.yml",
            "storage.tsdb.path": self._folder / "data",
            "storage.tsdb.retention.size": _BYTES_MAX,
            "web.listen-address": f"{HOST}:{self._port}",
        }
        program = find_prometheus() or "prometheus"
        return Command([program, *(f"--{name}={value}" for name, value in options.items())])

    def is_ready(self) -> bool:
        """True when it answers queries."""
        return answers_ok(self._port, "/-/ready")
