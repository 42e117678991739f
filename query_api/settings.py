"""Every environment variable that the query API reads. Limits carry their unit in the name."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.kafka.settings import KafkaSettings
from shared.ops.development import DevelopmentDefault, DevelopmentSecret
from shared.ops.secret import Secret
from shared.ops.settings import ApiSettings
from shared.ops.tls import ReadableFile
from shared.postgres.dsn import PostgresDsn
from shared.postgres.pooler_settings import PoolerSettings
from shared.rate_limits.budget import Budget
from shared.rate_limits.limits import KindOfRequests
from shared.rate_limits.settings import Burst, PerSecond, RateLimitSettings
from shared.redis.guarded_documents import SETTLING_SECONDS
from shared.search.opensearch.settings import SearchServerSettings


class QuerySettings(ApiSettings, KafkaSettings, RateLimitSettings, PoolerSettings, SearchServerSettings):
    """The defaults suit the local stack; production sets the addresses and the signing key."""

    read_model_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_reader:catalogue_reader@127.0.0.1:15432/read_model"
    )
    event_store_read_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_log_reader:catalogue_log_reader@127.0.0.1:15432/event_store"
    )
    """For the past of products; a replica is enough."""
    query_port: int = Field(default=8001, ge=0, le=65535)
    query_ops_port: int = Field(default=9101, ge=0, le=65535)

    console_enabled: bool = True
    """Whether `/console` exists. Its files are for everybody; what it shows needs the scopes of the API."""

    kafka_topic_prefix: str = ""
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1)
    cursor_signing_key: DevelopmentSecret[Secret] = Secret("development-only-cursor-key")
    """Must be the same in all pods: otherwise one pod refuses the cursors of another."""

    # Rates of one caller, and of one address. Not set: the default of access control; 0: no limit.
    reads_per_second_max: PerSecond = None
    reads_burst_max: Burst = None
    reads_per_address_per_second_max: PerSecond = None
    reads_per_address_burst_max: Burst = None

    search: Literal["embedded", "off"] = "embedded"
    """Embedded: from an index of this process, or from OpenSearch if SEARCH_URL is set. Off: searches are
    answered 503. Only an index of this process needs Kafka.
    """
    search_index_folder: Path | None = None
    """Not set: a temporary folder, so that each start reads all of `products-state`. One for each process."""
    search_commit_seconds: float = Field(default=0.25, gt=0)
    """How long changes are gathered before searches show them. A commit takes about 20 ms."""
    search_commit_seconds_max: float = Field(default=1.0, gt=0)
    """The same while changes do not end. A reader that waits for its write does not wait for this."""
    search_index_age_seconds_max: float = Field(default=302_400.0, gt=0)
    """An index with an older last commit is built anew: at most half of the topic's `delete.retention.ms`."""
    search_start_seconds_max: float = Field(default=10.0, gt=0)
    """How long a new process that cannot reach Kafka waits before it is ready without an index."""
    search_synonyms_file: ReadableFile = None
    """Synonyms for searches, in the form that Solr made common (docs/search.md)."""
    searches_max: int | None = Field(default=None, ge=1)
    """How many searches run at the same time. Not set: 2, each in a thread; with OpenSearch 16."""
    searches_waiting_max: int = Field(default=128, ge=0)
    search_seconds_max: float = Field(default=2.0, gt=0)
    """How long OpenSearch may take for one request."""
    search_connect_seconds_max: float = Field(default=1.0, gt=0)
    search_failures_max: int = Field(default=5, ge=1)
    """After so many failures in a row OpenSearch is not asked for `search_open_seconds`."""
    search_open_seconds: float = Field(default=1.0, gt=0)

    requests_in_progress_max: int = Field(default=1000, ge=1)
    table_reads_max: int = Field(default=8, ge=1)
    """How many statements run at the same time, for each kind: single products, and lists."""
    report_reads_max: int = Field(default=4, ge=1)
    """The same for categories, brands, stock items and analytics: reports must not crowd out products."""
    history_reads_max: int = Field(default=2, ge=1)
    """The same for the past of products, which is read from the event log."""
    history_events_max: int = Field(default=5000, ge=1000)
    """How many events one request folds; with snapshots, streams of any length need fewer."""
    table_reads_waiting_max: int = Field(default=256, ge=0)
    table_wait_seconds_max: float = Field(default=2.0, gt=0)
    table_seconds_max: float = Field(default=3.0, gt=0)
    table_connect_seconds_max: float = Field(default=2.0, gt=0)

    event_poll_seconds: float = Field(default=0.1, gt=0)
    """How often the log is asked for new events while a subscriber waits; without one it is not asked."""
    event_window_events_max: int = Field(default=10_000, ge=1)
    """The newest events in memory, at most `event_window_bytes_max`: who is inside costs no read."""
    event_window_bytes_max: int = Field(default=16 * 1024 * 1024, ge=1)
    event_stream_clients_max: int = Field(default=4000, ge=1)
    """Clients that follow the events in a stream, of this process."""
    event_stream_bytes_max: int = Field(default=1024 * 1024, ge=1)
    """Written to one client and not read by it; then it gets no more until it has read."""
    event_stream_heartbeat_seconds: float = Field(default=15.0, gt=0)
    event_stream_seconds_max: float = Field(default=3600.0, gt=0)
    """A stream ends after 0.8 to 1 times as long, and its client comes back: its token is checked again."""

    exports_max: int = Field(default=2, ge=1)
    """How many run at the same time in this process; each holds a connection and a snapshot."""
    export_seconds_max: float = Field(default=900.0, gt=0)
    """A slower export is cut off: as long as it lasts, PostgreSQL keeps every old version of a row."""

    redis_seconds_max: float = Field(default=0.1, gt=0)
    redis_connections_max: int = Field(default=16, ge=1)
    redis_failures_max: int = Field(default=5, ge=1)
    redis_open_seconds: float = Field(default=1.0, gt=0)

    document_ttl_seconds: float = Field(default=86_400.0, gt=0)
    # As in the projector: the lifetime of entries that are written soon after Redis lost its data.
    cache_settling_seconds: float = Field(default=SETTLING_SECONDS, ge=1)
    absent_ttl_seconds: float = Field(default=5.0, gt=0)
    local_cache_bytes_max: int = Field(default=64 * 1024 * 1024, ge=0)
    """Documents in the memory of this process, in front of Redis. 0: none."""
    local_cache_entries_max: int = Field(default=50_000, ge=1)
    local_cache_seconds_max: float = Field(default=2.0, gt=0)
    """A document is used no longer, although Redis tells of changes: the bound if it ever does not."""
    local_cache_silence_seconds_max: float = Field(default=1.0, gt=0)
    """How long it is used without a sign of life of the connection over which Redis tells of changes."""
    local_list_cache_bytes_max: int = Field(default=32 * 1024 * 1024, ge=0)
    """Pages of lists and searches in the memory of this process. 0: none."""
    pointer_ttl_seconds: float = Field(default=60.0, gt=0)
    list_ttl_seconds: int = Field(default=10, ge=1)
    """The greatest age of a list; clients see it in Cache-Control and Age."""
    list_page_bytes_max: int = Field(default=4 * 1024 * 1024, ge=1)

    wait_seconds_default: float = Field(default=2.0, ge=0)
    wait_seconds_max: float = Field(default=10.0, ge=0)
    waiters_max: int = Field(default=1000, ge=1)
    latest_events_max: int = Field(default=100, ge=0)
    """How many events after the cached document a reader with a token gets from the log; 0: the log is not
    asked, and the reader waits for the projector.
    """
    latest_seconds_max: float = Field(default=0.25, gt=0)
    """How long it waits for the log; then the log is not asked for `latest_rest_seconds`."""
    latest_rest_seconds: float = Field(default=1.0, gt=0)
    latest_rows_max: int = Field(default=10_000, ge=1)
    """Products made from the log that are kept in memory, to be continued there; at most
    `latest_rows_bytes_max` of documents.
    """
    latest_rows_bytes_max: int = Field(default=16 * 1024 * 1024, ge=1)
    # How long a reader looks for its write in the cache before it waits for the view; 0: not at all.
    cache_watch_seconds_max: float = Field(default=0.05, ge=0)
    # Between two looks.
    cache_watch_pause_seconds: float = Field(default=0.005, gt=0)
    # How long no reader looks after a look without result: the cache's projection may be stopped.
    cache_watch_rest_seconds: float = Field(default=1.0, ge=0)

    measurement_seconds_max: float = Field(default=3.0, gt=0)
    """Older lag reports do not count; projectors report once a second, half a second sooner or later."""
    status_age_seconds_max: float = Field(default=1.0, ge=0)
    """All who ask for the status within this time get the same one."""
    status_log_seconds_max: float = Field(default=1.0, gt=0)
    """How long the status waits for the event store; then it is told without the log."""
    status_sample_seconds: float = Field(default=5.0, ge=1)
    """Between two samples of the status in memory, which has the last 15 minutes."""

    slow_request_seconds: float = Field(default=1.0, gt=0)

    @property
    def reads(self) -> KindOfRequests:
        """The limits of reads. One process serves some thousand reads per second."""
        return self.kind_of_requests(
            Budget("reads", 1000.0, 2000),
            (self.reads_per_second_max, self.reads_per_address_per_second_max),
            (self.reads_burst_max, self.reads_per_address_burst_max),
        )

    @property
    def has_own_index(self) -> bool:
        """Whether this process keeps a search index."""
        return self.search == "embedded" and self.search_address is None

    @property
    def unused_fields(self) -> frozenset[str]:
        """Without an index of its own the process does not use Kafka."""
        mine = frozenset() if self.has_own_index else frozenset({"kafka_bootstrap_servers"})
        return super().unused_fields | mine
