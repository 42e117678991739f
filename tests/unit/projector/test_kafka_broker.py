"""FastStream's consumers reach Kafka with the same arguments as every other client."""

from pathlib import Path
from typing import Any

import pytest
from faststream.kafka.security import parse_security

from projector.kafka.batches import broker_security
from shared.kafka.servers import KafkaServers
from shared.ops.secret import Secret
from shared.ops.tls import ClientTls, TlsFiles

TLS = TlsFiles(Path("ca.pem"), Path("own.pem"))


@pytest.mark.parametrize(
    "servers",
    [
        KafkaServers("h:1"),
        KafkaServers("h:1", "SSL", TLS),
        KafkaServers("h:1", "SASL_SSL", TLS, "SCRAM-SHA-512", "ann", Secret("pw")),
        KafkaServers("h:1", "SASL_SSL", TLS, "SCRAM-SHA-256", "ann", Secret("pw")),
    ],
)
def test_the_consumers_have_the_arguments_of_all_clients(servers: KafkaServers) -> None:
    wanted = servers.arguments()
    given: dict[str, Any] = {"security_protocol": "PLAINTEXT", **parse_security(broker_security(servers))}
    assert isinstance(given.get("ssl_context"), ClientTls) == (servers.protocol != "PLAINTEXT")
    for arguments in (wanted, given):
        arguments.pop("ssl_context", None)
    del wanted["bootstrap_servers"]
    assert given == wanted
