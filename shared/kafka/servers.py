"""How every Kafka client of ours reaches the brokers: addresses, TLS, and log-in.

    PLAINTEXT    this machine only
    SSL          TLS; the client shows a certificate if the brokers require one (mTLS)
    SASL_SSL     TLS and a user with a password; SCRAM, so the password itself is never sent

A password in plain text (SASL_PLAINTEXT) is not offered.
"""

from dataclasses import dataclass
from typing import Any, Literal

from shared.kafka.connections import mend_connections
from shared.ops.secret import NO_SECRET, Secret
from shared.ops.tls import SYSTEM_AUTHORITIES, ClientTls, TlsFiles

KafkaProtocol = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
KafkaMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256"]


@dataclass(frozen=True, slots=True)
class KafkaServers:
    """`bootstrap` has the addresses, with commas between them."""

    bootstrap: str
    protocol: KafkaProtocol = "PLAINTEXT"
    tls: TlsFiles = SYSTEM_AUTHORITIES
    mechanism: KafkaMechanism = "SCRAM-SHA-512"
    user: str = ""
    password: Secret = NO_SECRET

    def arguments(self) -> dict[str, Any]:
        """For the constructor of any aiokafka client: its connections read password and certificates anew."""
        mend_connections()
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        if self.protocol != "PLAINTEXT":
            arguments["ssl_context"] = ClientTls(self.tls)
        if self.protocol == "SASL_SSL":
            arguments["sasl_mechanism"] = self.mechanism
            arguments["sasl_plain_username"] = self.user
            arguments["sasl_plain_password"] = self.password
        return arguments
