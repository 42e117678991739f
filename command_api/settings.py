"""Every environment variable that the command API reads. The relay's are in `relay/settings.py`."""

from typing import Self

from pydantic import Field, model_validator

from shared.contract.addresses import DEFAULT_PARTITION_COUNT
from shared.ops.addresses import PublicHttpAddress
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ApiSettings
from shared.postgres.dsn import OptionalPostgresDsn, PostgresDsn
from shared.postgres.migrate_settings import PatientMigrateSettings
from shared.postgres.pooler_settings import PoolerSettings
from shared.rate_limits.budget import Budget
from shared.rate_limits.limits import KindOfRequests
from shared.rate_limits.settings import Burst, PerSecond, RateLimitSettings
from shared.webhooks.settings import WebhookSettings

_LOCAL = "127.0.0.1:15432/event_store"


class MigrateSettings(PatientMigrateSettings):
    """Settings of `python -m command_api migrate`, which connects as the owner of the database."""

    event_store_migrate_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        f"postgresql://catalogue_migrate:catalogue_migrate@{_LOCAL}"
    )


class CommandSettings(ApiSettings, RateLimitSettings, PoolerSettings, WebhookSettings):
    """Settings of `python -m command_api serve`."""

    event_store_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        f"postgresql://catalogue_writer:catalogue_writer@{_LOCAL}"
    )
    # Behind a pooler: PostgreSQL itself, for the connection that appends and the one that hints.
    event_store_direct_dsn: OptionalPostgresDsn = NO_SECRET
    # For what is known of deliveries to webhook endpoints; products are never read there.
    read_model_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_reader:catalogue_reader@127.0.0.1:15432/read_model"
    )
    command_port: int = Field(default=8000, ge=0, le=65535)
    command_ops_port: int = Field(default=9100, ge=0, le=65535)
    # Where clients read products: the address in Location.
    read_url: PublicHttpAddress = ""
    query_port: int = 8001
    partition_count: int = Field(default=DEFAULT_PARTITION_COUNT, ge=1)

    read_connections_max: int = Field(default=4, ge=1)
    connect_timeout_seconds: float = Field(default=2.0, gt=0)
    read_timeout_seconds: float = Field(default=5.0, gt=0)
    append_timeout_seconds: float = Field(default=10.0, gt=0)
    recovery_seconds_max: float = Field(default=5.0, gt=0)
    batch_commands_max: int = Field(default=256, ge=1)
    batch_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1)
    queue_commands_max: int = Field(default=10_000, ge=1)
    queue_bytes_max: int = Field(default=256 * 1024 * 1024, ge=1)
    # How long a command waits in all, after its place: for its key, its product and its append call.
    queue_seconds_max: float = Field(default=2.0, gt=0)
    # How long it waits for earlier commands for its product: in a burst, and while their queue does not end.
    product_queue_seconds_max: float = Field(default=0.5, gt=0)
    product_queue_standing_seconds_max: float = Field(default=0.2, gt=0)
    conflict_retries_max: int = Field(default=3, ge=0)
    # Products whose states are kept in memory, and their size as JSON, of which they take three to five times
    # as much; 0: none.
    known_products_max: int = Field(default=8_192, ge=0)
    known_products_bytes_max: int = Field(default=16 * 1024 * 1024, ge=0)
    requests_in_flight_max: int = Field(default=2_000, ge=1)
    # How many batches are worked on at one time; others wait as REQUEST_QUEUE_SECONDS_MAX says.
    batches_in_work_max: int = Field(default=8, ge=1)
    # Rates of one caller, and of one address. Not set: the default of access control; 0: no limit.
    writes_per_second_max: PerSecond = None
    writes_burst_max: Burst = None
    writes_per_address_per_second_max: PerSecond = None
    writes_per_address_burst_max: Burst = None
    # Batches, each with up to 1,000 operations, count as one.
    imports_per_second_max: PerSecond = None
    imports_burst_max: Burst = None
    imports_per_address_per_second_max: PerSecond = None
    imports_per_address_burst_max: Burst = None
    # How many empty partitions of the log are kept ready; docs/sizing.md says how long one lasts.
    log_partitions_ahead: int = Field(default=2, ge=2, le=1000)
    maintenance_seconds: float = Field(default=60.0, gt=0)
    expired_keys_per_turn_max: int = Field(default=10_000, ge=1)
    # How many webhook endpoints there may be in all.
    webhook_endpoints_max: int = Field(default=100, ge=1, le=10_000)
    # How often a change of an endpoint is tried again after another one came between; how long the name in
    # its URL may take to be resolved.
    webhook_conflict_retries_max: int = Field(default=5, ge=0)
    webhook_resolve_seconds_max: float = Field(default=3.0, gt=0, le=60)

    @model_validator(mode="after")
    def _has_direct_address(self) -> Self:
        if self.postgres_pooler != "none" and not self.event_store_direct_dsn:
            raise ValueError(
                "POSTGRES_POOLER=transaction needs EVENT_STORE_DIRECT_DSN, the address of PostgreSQL itself"
            )
        return self

    @property
    def unused_fields(self) -> frozenset[str]:
        """The read model is asked only about webhooks."""
        mine = frozenset() if self.webhook_secret_key else frozenset({"read_model_dsn"})
        return super().unused_fields | mine

    @property
    def direct_dsn(self) -> Secret:
        """Where a session is one session of the server, for as long as it lasts."""
        return self.event_store_direct_dsn or self.event_store_dsn

    @property
    def product_url(self) -> str:
        """The address where clients read products: READ_URL, or the query API on this machine."""
        return self.read_url.rstrip("/") or f"http://127.0.0.1:{self.query_port}"

    @property
    def writes(self) -> KindOfRequests:
        """The limits of single commands."""
        return self.kind_of_requests(
            Budget("writes", 100.0, 200),
            (self.writes_per_second_max, self.writes_per_address_per_second_max),
            (self.writes_burst_max, self.writes_per_address_burst_max),
        )

    @property
    def imports(self) -> KindOfRequests:
        """The limits of batches."""
        return self.kind_of_requests(
            Budget("imports", 10.0, 20),
            (self.imports_per_second_max, self.imports_per_address_per_second_max),
            (self.imports_burst_max, self.imports_per_address_burst_max),
        )
