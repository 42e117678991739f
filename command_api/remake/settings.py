"""Every environment variable that `python -m command_api remake-topics` reads."""

from pydantic import Field

from shared.access.command import OperatorSettings
from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.kafka.settings import KafkaSettings
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.postgres.dsn import PostgresDsn


class RemakeSettings(KafkaSettings, OperatorSettings):
    """The DSN must lead to PostgreSQL itself, not to a transaction pooler: the command holds the relay's
    lock.
    """

    event_store_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_writer:catalogue_writer@127.0.0.1:15432/event_store"
    )
    kafka_topic_prefix: str = ""
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1, le=1000)
    kafka_replication_factor: DevelopmentDefault[int] = Field(default=1, ge=1, le=10)
    remake_statement_seconds_max: float = Field(default=10.0, gt=0)
    # How long to wait until the running relay has ended, and until Kafka has deleted or made the topics.
    remake_lock_seconds_max: float = Field(default=60.0, gt=0)
    remake_topics_seconds_max: float = Field(default=60.0, gt=0)
