"""A broker that requires what production requires: TLS, SCRAM or client certificates, and rights.

| listener  | who gets in                                                                        |
|-----------|------------------------------------------------------------------------------------|
| `scram`   | users with SCRAM, over TLS                                                         |
| `mutual`  | clients with a certificate; the user is its common name                            |
| `expired` | nobody who looks: its certificate has expired                                      |
| plain     | the tests themselves, as super user, for users and rights                          |
"""

import subprocess
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local.errors import StartFailed
from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST, free_port
from tests.secured.certificates import Certificates

with warnings.catch_warnings():
    # It reads its own files in a way that Python 3.11 advises against.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import (  # type: ignore[import-untyped,unused-ignore]
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        KafkaAdminClient,
        ResourcePattern,
        ResourceType,
    )

LISTENERS = ("scram", "mutual", "expired")


class Right(NamedTuple):
    """What a user may do with a resource; a name that ends with `*` stands for all that begin so."""

    user: str
    operation: str
    resource: str
    name: str

    def as_acl(self) -> ACL:
        """As a broker takes it."""
        is_prefix = self.name.endswith("*") and self.name != "*"
        pattern = ResourcePattern(
            ResourceType[self.resource],
            self.name.removesuffix("*") if is_prefix else self.name,
            ACLResourcePatternType.PREFIXED if is_prefix else ACLResourcePatternType.LITERAL,
        )
        principal, operation = f"User:{self.user}", ACLOperation[self.operation]
        return ACL(principal, "*", operation, ACLPermissionType.ALLOW, pattern)


class SecuredKafka(KafkaServer):
    """`users` are SCRAM users with their passwords, for both lengths of SCRAM."""

    def __init__(
        self, folder: Path, log_file: Path, certificates: Certificates, users: Mapping[str, str]
    ) -> None:
        super().__init__(folder, free_port(), free_port(), log_file)
        self.ports = {name: free_port() for name in LISTENERS}
        self._certificates = certificates
        self._users = users

    def address(self, listener: str, host: str = HOST) -> str:
        """Of one of the listeners that require something."""
        return f"{host}:{self.ports[listener]}"

    def change_password(self, user: str, password: str) -> None:
        """As an operator would rotate it."""
        change = f"SCRAM-SHA-512=[password={password}]"
        self._run(
            "kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap_servers, "--alter",
            "--entity-type", "users", "--entity-name", user, "--add-config", change,
        )  # fmt: skip

    def allow(self, *rights: Right) -> None:
        """Give users rights; nobody else has any."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            admin.create_acls([right.as_acl() for right in rights])
        finally:
            admin.close()

    def allow_everything(self, user: str) -> None:
        """For tests of log-ins, which are not about rights."""
        self.allow(
            Right(user, "ALL", "TOPIC", "*"),
            Right(user, "ALL", "GROUP", "*"),
            Right(user, "ALL", "CLUSTER", "kafka-cluster"),
        )

    def _properties(self) -> dict[str, str | int]:
        usual = super()._properties()
        own = ",".join(f"{name.upper()}://{HOST}:{port}" for name, port in self.ports.items())
        protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL,EXPIRED:SSL"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            **usual,
            "listeners": f"{usual['listeners']},{own}",
            "advertised.listeners": f"{usual['advertised.listeners']},{own}",
            "listener.security.protocol.map": protocols,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificates.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._certificates.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.expired.ssl.keystore.type": "PEM",
            "listener.name.expired.ssl.keystore.location": str(self._certificates.expired),
            "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/",
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.scram.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            # The broker itself, its controller, and the tests.
            "super.users": "User:ANONYMOUS",
        }

    def _format_options(self) -> list[str]:
        return [
            word
            for name, password in self._users.items()
            for length in (256, 512)
            for word in ("--add-scram", f"SCRAM-SHA-{length}=[name={name},password={password}]")
        ]

    def _run(self, *arguments: str) -> None:
        answer = subprocess.run(
            self._java(*arguments), capture_output=True, text=True, check=False, timeout=120
        )
        if answer.returncode != 0:
            raise StartFailed(f"{arguments[0]} failed: {answer.stdout}{answer.stderr}")
