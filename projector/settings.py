"""Every environment variable that the projector reads, with its unit in its name and its limit beside it."""

from pydantic import Field

from projector.notification_settings import NotificationSettings
from projector.webhook_settings import WebhookDeliverySettings
from shared.access.command import OperatorSettings
from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.kafka.settings import KafkaSettings
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.postgres.dsn import PostgresDsn
from shared.postgres.migrate_settings import PatientMigrateSettings
from shared.redis.guarded_documents import SETTLING_SECONDS
from shared.redis.settings import RedisSettings
from shared.search.opensearch.settings import SearchServerSettings

_READ_MODEL = "127.0.0.1:15432/read_model"


class MigrateSettings(PatientMigrateSettings):
    """Settings of `python -m projector migrate`, which connects as the owner of the database."""

    read_model_migrate_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        f"postgresql://catalogue_migrate:catalogue_migrate@{_READ_MODEL}"
    )


class ProjectorSettings(
    NotificationSettings,
    WebhookDeliverySettings,
    KafkaSettings,
    RedisSettings,
    SearchServerSettings,
    OperatorSettings,
):
    """Defaults are those of the local stack; in production every address is set."""

    read_model_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        f"postgresql://catalogue_projector:catalogue_projector@{_READ_MODEL}"
    )
    # Read-only: missing versions are read from the log. It may be a replica.
    event_store_read_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_log_reader:catalogue_log_reader@127.0.0.1:15432/event_store"
    )
    redis_key_prefix: str = "catalogue"
    # Before topics and consumer groups alike, so that several installations share a broker.
    kafka_topic_prefix: str = ""
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1, le=1000)
    kafka_replication_factor: DevelopmentDefault[int] = Field(default=1, ge=1, le=10)
    projector_ops_port: int = Field(default=9102, ge=0, le=65535)

    # One transaction: more events save little and make every retry and every lock longer.
    batch_events_max: int = Field(default=1000, ge=1, le=10_000)
    # How long a poll waits for records; the first record ends the wait.
    poll_wait_milliseconds: int = Field(default=1000, ge=1, le=1000)
    # How long the broker holds an answer back without records; the first record ends the wait. A partition
    # that is resumed beside others waits for that answer.
    fetch_wait_milliseconds_max: int = Field(default=1000, ge=0, le=5000)
    # After a small batch, how long from its beginning to the next one of the same projection: a batch costs
    # about the same with one event or many. The first event after a pause does not wait.
    batch_interval_seconds_min: float = Field(default=0.04, ge=0, le=5)
    # The newest records that a process with several projections keeps in memory for all of them; a projection
    # that is slower reads by itself. After a failure the shared reader rests.
    shared_records_max: int = Field(default=5_000, ge=1)
    shared_bytes_max: int = Field(default=16 * 1024 * 1024, ge=1)
    shared_reader_rest_seconds: float = Field(default=5.0, gt=0)
    # The batch wait, in time and in bytes, of projections that no reader waits for. The first event after a
    # pause does not wait.
    gather_milliseconds_max: int = Field(default=400, ge=0, le=5000)
    gather_bytes_min: int = Field(default=65_536, ge=1)

    # Retries at once, with jitter; then the partitions pause, and are tried again after each pause.
    retry_wait_seconds_initial: float = Field(default=0.05, gt=0)
    retry_wait_seconds_max: float = Field(default=5.0, gt=0)
    retry_budget_seconds: float = Field(default=20.0, gt=0, le=120)
    # How long an unknown error is retried before the event is parked.
    unknown_error_budget_seconds: float = Field(default=5.0, gt=0, le=60)
    pause_seconds: float = Field(default=5.0, gt=0)
    # How often a partition that stopped at a hole in the log checks whether the hole is filled.
    stopped_seconds: float = Field(default=15.0, gt=0)
    # Far above the retry budget: a projection that waits for PostgreSQL is not stuck.
    max_poll_interval_seconds: float = Field(default=300.0, ge=10)
    # How long Kafka keeps a killed process's partitions for it; also how long the event loop may be blocked.
    session_timeout_seconds: float = Field(default=10.0, ge=1)
    # The name of this process in its consumer groups, the same after a restart and no other process's: if it
    # was killed, it gets its partitions back at once. Empty: it waits for SESSION_TIMEOUT_SECONDS.
    group_member_name: str = Field(default="", max_length=249, pattern="^[a-zA-Z0-9._-]*$")
    silence_seconds_max: float = Field(default=180.0, gt=0)
    # Longer than any answer that Kafka does not hold back on purpose; then a new connection is made.
    kafka_answer_seconds_max: float = Field(default=15.0, gt=0)
    # To connect a producer of retries or of dead letters.
    producer_start_seconds_max: float = Field(default=10.0, gt=0)
    # To ask for the first and last offsets of partitions, before a projection reads them.
    topic_bounds_seconds_max: float = Field(default=10.0, gt=0)

    # The changes of a partition within this time are one transaction of the topic products-state. It doubles
    # up to the second while changes do not end; a reader of searches with a token waits for it.
    state_publish_pause_seconds: float = Field(default=0.25, ge=0)
    state_publish_pause_seconds_max: float = Field(default=1.0, ge=0)

    # How much may be parked before it counts as an outage or a bad release, and before memory and disk grow.
    parked_products_per_minute_max: int = Field(default=100, ge=1)
    parked_products_max: int = Field(default=10_000, ge=1)
    parked_events_per_product_max: int = Field(default=10_000, ge=1)

    # Of a rebuild: how many products a worker holds in memory (about 2.5 KB each), and how far the live view
    # may fall behind before the rebuild waits for it.
    rebuild_products_in_memory_max: int = Field(default=250_000, ge=1)
    rebuild_live_lag_events_max: int = Field(default=20_000, ge=1)
    rebuild_live_wait_seconds_max: float = Field(default=120.0, gt=0)

    statement_timeout_seconds: float = Field(default=30.0, gt=0)
    # A locked table is an outage, and what ends at the statement's own limit would count as a bad event.
    lock_timeout_seconds: float = Field(default=5.0, ge=0.001)
    connect_timeout_seconds: float = Field(default=5.0, gt=0)
    redis_timeout_seconds: float = Field(default=2.0, gt=0)
    # Lists expire soon by themselves: marking them stale is worth one short wait, no more.
    list_generation_timeout_seconds: float = Field(default=0.1, gt=0)

    # Of one request to OpenSearch: at most 4 MB of documents, or the refresh of all of them.
    search_write_timeout_seconds: float = Field(default=30.0, gt=0)
    # Of a new index; one that is there keeps its own.
    search_index_shards: int = Field(default=1, ge=1, le=100)
    search_index_replicas: int = Field(default=1, ge=0, le=10)

    cache_ttl_seconds: float = Field(default=86_400.0, ge=1)
    # Longer than any reader takes to fill the cache; else a deleted product could come back.
    cache_tombstone_ttl_seconds: float = Field(default=900.0, ge=1)
    # As in the query API: entries written in the settling time after a cache loss live no longer than this.
    cache_settling_seconds: float = Field(default=SETTLING_SECONDS, ge=1)
