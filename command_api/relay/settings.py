"""Every environment variable that the relay process reads; limits carry their units in their names."""

from pydantic import Field

from shared.access.settings import AccessSettings
from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.kafka.settings import KafkaSettings
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.postgres.dsn import PostgresDsn


class RelaySettings(KafkaSettings, AccessSettings):
    """The DSN must lead to PostgreSQL itself, not to a transaction pooler: the relay holds a session lock."""

    event_store_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_writer:catalogue_writer@127.0.0.1:15432/event_store"
    )
    kafka_topic_prefix: str = ""
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1, le=1000)
    kafka_replication_factor: DevelopmentDefault[int] = Field(default=1, ge=1, le=10)
    relay_ops_port: int = Field(default=9103, ge=0, le=65535)

    # A chunk is read, published and confirmed as one; two are in memory at a time.
    relay_chunk_events_max: int = Field(default=2000, ge=1, le=50_000)
    relay_chunk_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    # After a chunk of a few events, how long from its beginning to the next one: a chunk costs about the same
    # with one event or many. The first event after a pause does not wait.
    relay_chunk_interval_seconds_min: float = Field(default=0.1, ge=0, le=1)
    # After activity the log is polled at the shorter interval, which doubles up to the longer one while idle.
    relay_poll_seconds_min: float = Field(default=0.003, gt=0)
    relay_poll_seconds_max: float = Field(default=0.05, gt=0)
    # The same while it hears of new events by a hint. At most so late is an event whose hint was lost.
    relay_hinted_poll_seconds_max: float = Field(default=0.25, gt=0)
    # A standby asks for the lock about this often.
    relay_lock_wait_seconds: float = Field(default=1.0, gt=0)
    # send + stop must fit into shutdown_seconds_max (20 s).
    relay_start_seconds_max: float = Field(default=10.0, gt=0)
    relay_send_seconds_max: float = Field(default=12.0, gt=0)
    relay_stop_seconds_max: float = Field(default=3.0, gt=0)
    relay_statement_seconds_max: float = Field(default=10.0, gt=0)
    # Back-off after failures: full jitter up to a bound that doubles from the first value to the second.
    relay_retry_seconds_initial: float = Field(default=0.1, gt=0)
    relay_retry_seconds_max: float = Field(default=5.0, gt=0)
    # How often to check whether an operator has repaired the cause that stopped the relay.
    relay_operator_wait_seconds: float = Field(default=15.0, gt=0)
    # As in the command API.
    log_partitions_ahead: int = Field(default=2, ge=2, le=1000)
    # How often an idle relay checks that the topics still have what it has published.
    relay_check_seconds: float = Field(default=15.0, gt=0)
    relay_partitions_interval_seconds: float = Field(default=30.0, gt=0)
    relay_report_interval_seconds: float = Field(default=1.0, gt=0)
    # How often the broker is asked about consumer groups, how long the whole answer may take, and how many
    # groups are exported.
    consumer_groups_interval_seconds: float = Field(default=15.0, gt=0)
    consumer_groups_seconds_max: float = Field(default=30.0, gt=0)
    consumer_groups_max: int = Field(default=50, ge=1, le=500)
