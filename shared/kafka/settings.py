"""The settings of every process that uses Kafka."""

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from shared.kafka.servers import KafkaMechanism, KafkaProtocol, KafkaServers
from shared.ops.addresses import check_server
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ProcessSettings
from shared.ops.tls import SYSTEM_AUTHORITIES, ReadableFile, TlsFiles
from shared.ops.unverified_servers import ServerAddress, host_of


def _checked(servers: str) -> str:
    for server in servers.split(","):
        check_server(server.strip())
    return servers


def _unverified(servers: str, settings: "KafkaSettings") -> list[str]:
    if settings.kafka_security_protocol != "PLAINTEXT":
        return []
    return [host_of(server) for server in servers.split(",")]


class KafkaSettings(ProcessSettings):
    """The files are for SSL and SASL_SSL, user and password for SASL_SSL."""

    kafka_bootstrap_servers: DevelopmentDefault[
        Annotated[str, AfterValidator(_checked), ServerAddress(_unverified)]
    ] = "127.0.0.1:19092"
    kafka_security_protocol: KafkaProtocol = "PLAINTEXT"
    kafka_sasl_mechanism: KafkaMechanism = "SCRAM-SHA-512"
    kafka_sasl_user: str = ""
    kafka_sasl_password: Secret = NO_SECRET
    kafka_ca_file: ReadableFile = None
    kafka_certificate_file: ReadableFile = None
    kafka_key_file: ReadableFile = None

    @model_validator(mode="after")
    def _kafka_log_in_is_whole(self) -> Self:
        """A setting that would have no effect is a mistake: without TLS nothing would say so."""
        has_log_in = bool(self.kafka_sasl_user and self.kafka_sasl_password)
        if self.kafka_security_protocol == "SASL_SSL" and not has_log_in:
            raise ValueError("KAFKA_SECURITY_PROTOCOL=SASL_SSL needs KAFKA_SASL_USER and KAFKA_SASL_PASSWORD")
        if self.kafka_security_protocol != "SASL_SSL" and (self.kafka_sasl_user or self.kafka_sasl_password):
            raise ValueError("KAFKA_SASL_USER and KAFKA_SASL_PASSWORD need KAFKA_SECURITY_PROTOCOL=SASL_SSL")
        files = _tls_files(self)
        if self.kafka_security_protocol == "PLAINTEXT" and files != SYSTEM_AUTHORITIES:
            raise ValueError("KAFKA_CA_FILE and the like need KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL")
        files.check()
        return self

    @property
    def kafka_servers(self) -> KafkaServers:
        """The brokers, and how to reach them."""
        return KafkaServers(
            self.kafka_bootstrap_servers,
            self.kafka_security_protocol,
            _tls_files(self),
            self.kafka_sasl_mechanism,
            self.kafka_sasl_user,
            self.kafka_sasl_password,
        )


def _tls_files(settings: KafkaSettings) -> TlsFiles:
    return TlsFiles(settings.kafka_ca_file, settings.kafka_certificate_file, settings.kafka_key_file)
