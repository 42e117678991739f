"""What makes the servers of `tests/redis_servers.py` speak TLS, among each other, too, and nothing else.

The Redis of the wheel was built without TLS; where no other is known, the tests are skipped
(docs/testing.md).
"""

import os
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.ports import HOST
from tests.secured.certificates import Certificates


def redis_with_tls() -> Path:
    """`.ci/redis-tls` sets REDIS_TLS. Skips the test where the program is missing."""
    program = os.environ.get("REDIS_TLS")
    if not program:
        pytest.skip('REDIS_TLS is not set: eval "$(.ci/redis-tls)"')
    return Path(program)


class RedisTls:
    """`name`: how servers name themselves to clients, and what their certificate is for."""

    def __init__(self, certificates: Certificates, name: str = HOST) -> None:
        self.program = redis_with_tls()
        self.name = name
        self._certificates = certificates
        self._certificate = certificates.of(HOST, name)

    def settings(self, port: int) -> list[tuple[str, str]]:
        """Of a server or a sentinel, which asks its clients for certificates, too."""
        return [
            ("port", "0"),
            ("tls-port", str(port)),
            ("tls-cert-file", str(self._certificate)),
            ("tls-key-file", str(self._certificate)),
            ("tls-ca-cert-file", str(self._certificates.ca)),
            ("tls-replication", "yes"),
        ]

    def client(self, port: int) -> Redis:
        """A new client of this server alone."""
        return Redis(
            HOST,
            port,
            socket_timeout=5,
            ssl=True,
            ssl_ca_certs=str(self._certificates.ca),
            ssl_certfile=str(self._certificate),
            ssl_keyfile=str(self._certificate),
        )

    def answers(self, port: int) -> bool:
        """Whether a server on 127.0.0.1 answers PING."""
        try:
            with self.client(port) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False
