"""Every environment variable that `python -m command_api replay` reads; arguments say what to replay."""

from pydantic import Field

from shared.access.command import OperatorSettings
from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.kafka.settings import KafkaSettings
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.postgres.dsn import PostgresDsn


class ReplaySettings(KafkaSettings, OperatorSettings):
    """A replay only reads the log, so the reader role and a replica are enough."""

    event_store_read_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_log_reader:catalogue_log_reader@127.0.0.1:15432/event_store"
    )
    # The prefix of the live topics; it is not added to the name of the replay's topic.
    kafka_topic_prefix: str = ""
    # Must be the relay's value: a replay uses the same partitions as the live topics.
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1, le=1000)
    kafka_replication_factor: DevelopmentDefault[int] = Field(default=1, ge=1, le=10)

    # A chunk is read, published and confirmed as one; two are in memory at a time.
    replay_chunk_events_max: int = Field(default=2000, ge=1, le=50_000)
    replay_chunk_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    # How many log positions one statement searches for events of a rare type.
    replay_window_positions_max: int = Field(default=50_000, ge=1)
    replay_statement_seconds_max: float = Field(default=10.0, gt=0)
    replay_start_seconds_max: float = Field(default=10.0, gt=0)
    replay_send_seconds_max: float = Field(default=12.0, gt=0)
    replay_stop_seconds_max: float = Field(default=3.0, gt=0)
    # How often progress is logged if standard error is not a terminal.
    replay_report_interval_seconds: float = Field(default=10.0, gt=0)
