"""A Redis that knows one user with a password, and nobody else."""

import secrets
from pathlib import Path

from redis import Redis

from deploy.local.ports import HOST, free_port
from deploy.local.redis import RedisServer, redis_says
from deploy.local.server import Command


class SecuredRedis(RedisServer):
    """Its user may use the keys of the catalogue, and only the commands that the services need."""

    def __init__(self, folder: Path, log_file: Path, user: str, password: str) -> None:
        super().__init__(folder, free_port(), log_file)
        self.user = user
        self._password = password
        self._root = secrets.token_hex(16)

    def command(self) -> Command:
        usual = super().command()
        # As deploy/kustomize/components/README.md has them; the keys are those of the installation's prefix.
        rights = ["on", f">{self._password}", "~sec*", "+@all", "-@admin", "-@dangerous", "+info"]
        root = ["--user", "root", "on", f">{self._root}", "~*", "+@all"]
        users = ["--user", self.user, *rights, *root, "--user", "default", "off"]
        return Command([*usual.argv, *users], directory=usual.directory)

    def change_password(self, password: str) -> None:
        """As an operator would rotate it: at the server and, for its next start, in its configuration."""
        with Redis(HOST, self.port, username="root", password=self._root) as client:
            client.acl_setuser(self.user, enabled=True, reset_passwords=True, passwords=[f"+{password}"])
        self._password = password

    def has_key(self, pattern: str) -> bool:
        """Whether any key looks like this."""
        with Redis(HOST, self.port, username="root", password=self._root) as client:
            return next(client.scan_iter(pattern), None) is not None

    def is_ready(self) -> bool:
        """True if it asks who we are."""
        return redis_says(self.port, b"-NOAUTH")
