"""Redis, as a cache whose content survives a restart: a fault test can tell a restart from a flush."""

import socket
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.redis_program import find_redis_server
from deploy.local.server import Command, Progress, Server, silent


class RedisServer(Server):
    """One server with 16 databases; `url(n)` says how to reach one."""

    def __init__(self, data_dir: Path, port: int, log_file: Path, progress: Progress = silent) -> None:
        super().__init__("redis", log_file, progress)
        self.data_dir = data_dir
        self.port = port
        self._program = Path()

    def url(self, database: int = 0) -> str:
        """The address of one numbered database."""
        return f"redis://{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Find the program and make the data folder."""
        self._program = find_redis_server(self.progress)
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """Bounded memory with eviction: a cache that refuses writes when full would be an outage."""
        settings = {
            "bind": HOST, "port": self.port, "dir": self.data_dir.absolute(), "daemonize": "no",
            "save": "",
            "appendonly": "yes", "appendfsync": "everysec",
            "maxmemory": "512mb", "maxmemory-policy": "allkeys-lfu",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        return Command([str(self._program), *options], directory=self.data_dir)

    def is_ready(self) -> bool:
        """It answers PING."""
        return redis_answers(self.port)


def redis_answers(port: int) -> bool:
    """True where a Redis on 127.0.0.1 answers PING; while its file loads, the answer is -LOADING."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
