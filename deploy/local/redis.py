"""Redis as a cache that survives a restart, so that fault tests can distinguish restart and flush."""

import socket
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.redis_program import find_redis_server
from deploy.local.server import Command, Progress, Server, silent


class RedisServer(Server):
    """One server with 16 databases; the address of one is `url(n)`."""

    def __init__(self, data_dir: Path, port: int, log_file: Path, progress: Progress = silent) -> None:
        super().__init__("redis", log_file, progress)
        self.data_dir = data_dir
        self.port = port
        self._program = Path()

    def url(self, database: int = 0) -> str:
        """The address of one numbered database."""
        return f"redis://{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Find the program and create the data folder."""
        self._program = find_redis_server(self.progress)
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """Bounded memory with eviction: a full cache that refuses writes would be an outage."""
        settings = {
            "bind": HOST, "port": self.port, "dir": self.data_dir.absolute(), "daemonize": "no",
            "save": "",
            "appendonly": "yes", "appendfsync": "everysec",
            "maxmemory": "512mb", "maxmemory-policy": "allkeys-lfu",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        return Command([str(self._program), *options], directory=self.data_dir)

    def is_ready(self) -> bool:
        """True if it answers PING."""
        return redis_answers(self.port)


def redis_answers(port: int) -> bool:
    """True if a Redis on 127.0.0.1 answers PING; while it loads its file, it answers -LOADING."""
    return redis_says(port, b"+PONG")


def redis_says(port: int, answer: bytes) -> bool:
    """True if it answers a PING in this way."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(answer)
    except OSError:
        return False
