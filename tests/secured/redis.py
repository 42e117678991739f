"""A Redis that knows one user with a password, and nobody else."""

from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.redis import RedisServer, redis_says
from deploy.local.server import Command


class SecuredRedis(RedisServer):
    """Its user may use the keys of the catalogue, and only the commands that the services need."""

    def __init__(self, folder: Path, log_file: Path, user: str, password: str) -> None:
        super().__init__(folder, free_port(), log_file)
        self.user = user
        self._password = password

    def command(self) -> Command:
        usual = super().command()
        rights = ["on", f">{self._password}", "~*", "+@all", "-@admin"]
        users = ["--user", self.user, *rights, "--user", "default", "off"]
        return Command([*usual.argv, *users], directory=usual.directory)

    def is_ready(self) -> bool:
        """True if it asks who we are."""
        return redis_says(self.port, b"-NOAUTH")
