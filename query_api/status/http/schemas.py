"""The answers of the status, as OpenAPI describes them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from query_api.search.reporting import Engine, IndexCondition
from query_api.status.status import Condition, RelayCondition


class ProjectionStatusModel(BaseModel):
    """How one projection is. Lags are null where its consumers have not reported all partitions lately
    (`MEASUREMENT_SECONDS_MAX`).
    """

    projection: str
    state: Condition = Field(
        description="waiting: goes on by itself. stopped: an operator has to act. unknown: nobody tells."
    )
    position: int = Field(description="The furthest log position applied.")
    updated_at: datetime | None = Field(description="When a checkpoint moved last; null without one.")
    lag_events: int | None
    lag_seconds: float | None = Field(description="Age of the oldest event that waits; 0 if none waits.")
    measured_at: datetime | None = Field(description="When the lag was measured: the oldest partition's.")
    reported_seconds_ago: float | None = Field(
        description="How long ago that was. Projectors report once a second."
    )
    events_per_second: float | None = Field(
        description="Records passed in the last 10 s, of all partitions; null: not known yet."
    )
    partitions: int = Field(description="Of how many the lag was measured just now.")
    partitions_in_trouble: int
    parked_products: int
    parked_events: int


class LogStatusModel(BaseModel):
    """The event log."""

    log_id: UUID
    position: int = Field(description="Of the newest event; 0: there is none.")
    events_per_second: float | None = Field(description="Appended in the last 10 s; null: not known yet.")


class RelayStatusModel(BaseModel):
    """What brings the log into Kafka. All but the state is null while the log cannot be asked."""

    state: RelayCondition = Field(
        description="waiting: a relay runs, but events wait for more than 5 s. stopped: no relay runs. "
        "unknown: the log cannot be asked, or a replica is asked, which does not know."
    )
    position: int | None = Field(description="All up to here is published.")
    lag_events: int | None
    lag_seconds: float | None = Field(
        description="Age of the oldest event that is not published; 0 if none waits."
    )


class CacheStatusModel(BaseModel):
    """Reads of product documents by the process that answers."""

    hit_ratio: float | None = Field(description="In the last minute, 0 to 1; null without reads.")
    reads_per_second: float | None = Field(description="In the last 10 s; null: not known yet.")


class RebuildStatusModel(BaseModel):
    """A rebuild of a view. It stays after the switch until the rebuild is finished by an operator."""

    projection: str
    state: str = Field(
        description="loading: the first pass. catching-up: events since then. proved: compared with the live "
        "view. switched: it is the live view."
    )
    done_events: int = Field(description="Of the first pass.")
    total_events: int
    started_at: datetime
    changed_at: datetime = Field(description="When it made progress last: long ago, it may have ended.")
    seconds_left: float | None = Field(
        description="Of the first pass, at its pace until now; null: not known."
    )


class SearchStatusModel(BaseModel):
    """How the search index is that answers: that of this process, or the one in OpenSearch, of which the
    projection `search_index` tells what is null here.
    """

    engine: Engine
    state: IndexCondition = Field(
        description="missing: searches are answered 503. behind: they are answered from what the index has."
    )
    positions: dict[int, int] = Field(description="By partition, the log position up to which all is shown.")
    lag_states: int | None = Field(description="States that the index lacks, about; null without Kafka.")
    behind_seconds: float | None = Field(description="How long ago the index had everything.")
    is_rebuilding: bool | None


class Status(BaseModel):
    """The system as this process sees it, at most a second old (`STATUS_AGE_SECONDS_MAX`). `projections` are
    all that have ever said anything; `search` is null if search is off.
    """

    measured_at: datetime
    log: LogStatusModel | None = Field(description="null: the event store cannot be asked.")
    relay: RelayStatusModel
    projections: list[ProjectionStatusModel]
    search: SearchStatusModel | None
    cache: CacheStatusModel
    rebuilds: list[RebuildStatusModel]


class ProjectionSampleModel(BaseModel):
    """How one projection was."""

    model_config = ConfigDict(title="ProjectionSample")

    position: int
    lag_events: int | None
    lag_seconds: float | None


class StatusSampleModel(BaseModel):
    """How it was at a time; null, and no projections, where a server could not be asked."""

    model_config = ConfigDict(title="StatusSample")

    at: datetime
    log_position: int | None
    relay_position: int | None
    cache_hit_ratio: float | None
    projections: dict[str, ProjectionSampleModel]


class StatusHistoryModel(BaseModel):
    """The last 15 minutes of the process that answers, the oldest sample first."""

    model_config = ConfigDict(title="StatusHistory")

    interval_seconds: float
    samples: list[StatusSampleModel]
