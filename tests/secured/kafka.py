"""A broker that requires what production requires: TLS, SCRAM or client certificates, and rights.

| listener  | who gets in                                                                        |
|-----------|------------------------------------------------------------------------------------|
| `scram`   | users with SCRAM, over TLS                                                         |
| `mutual`  | clients with a certificate; the user is its common name                            |
| `expired` | nobody who looks: its certificate has expired                                      |
| plain     | the tests themselves, as super user, for users and rights                          |
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

from deploy.kafka_rights import Right
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
        ScramMechanism,
        UserScramCredentialUpsertion,
    )

LISTENERS = ("scram", "mutual", "expired")


def _acls(right: Right) -> list[ACL]:
    """As a broker takes them."""
    pattern = ResourcePattern(
        ResourceType[right.resource],
        right.pattern,
        ACLResourcePatternType.PREFIXED if right.is_prefix else ACLResourcePatternType.LITERAL,
    )
    return [
        ACL(f"User:{right.user}", "*", ACLOperation[operation], ACLPermissionType.ALLOW, pattern)
        for operation in right.operations
    ]


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
        change = UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            assert admin.alter_user_scram_credentials([change]) == {user: None}
        finally:
            admin.close()

    def allow(self, *rights: Right) -> None:
        """Give users rights; nobody else has any."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            admin.create_acls([acl for right in rights for acl in _acls(right)])
        finally:
            admin.close()

    def allow_everything(self, user: str) -> None:
        """For tests of log-ins, which are not about rights."""
        self.allow(*(Right(user, ("ALL",), resource, "*", "a test") for resource in ("TOPIC", "GROUP")))

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
