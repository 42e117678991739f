"""Parameters and answers of what operators look at, as OpenAPI describes them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from query_api.http.parameters import Paging

PROJECTION_CHARACTERS_MAX = 64


class DeadLetterParameters(Paging):
    """The query string of `GET /v1/dead-letters`."""

    projection: str | None = Field(
        None,
        pattern="^[a-z_]+$",
        max_length=PROJECTION_CHARACTERS_MAX,
        description="Only what this one has parked.",
    )


class DeadLetterCommands(BaseModel):
    """Command lines for an operator (docs/operations.md). To discard needs the words of a reason after it."""

    show: str
    retry: str
    discard: str


class DeadLetterModel(BaseModel):
    """A parked product, by its first event; or a record, without a product, that is parked alone."""

    model_config = ConfigDict(title="DeadLetter")

    projection: str
    product_id: UUID | None
    dead_letter_id: int | None = Field(description="`--id` of the commands.")
    log_position: int | None = Field(description="null: the record does not say.")
    event_type: str | None
    error_class: str
    cause: str = Field(description="In words; without recipients of mails.")
    parked_at: datetime
    followers: int = Field(description="Events of the product that wait behind the first.")
    attempts: int
    commands: DeadLetterCommands


class DeadLetterPageModel(BaseModel):
    """Dead letters, the oldest first."""

    model_config = ConfigDict(title="DeadLetterPage")

    items: list[DeadLetterModel]
    next_cursor: str | None


class ProductProjectionModel(BaseModel):
    """One projection, of one product."""

    model_config = ConfigDict(title="ProductProjection")

    projection: str
    has_applied: bool = Field(description="Whether it has the newest event; no while the product is parked.")
    position: int = Field(description="Of the projection in the product's partition; up to a second old.")
    is_parked: bool
    version: int | None = Field(description="The version that it has; null where it keeps none.")


class ProductCacheModel(BaseModel):
    """The cache in Redis."""

    model_config = ConfigDict(title="ProductCache")

    is_cached: bool
    version: int | None


class ProductPublishedModel(BaseModel):
    """The topics in Kafka."""

    model_config = ConfigDict(title="ProductPublished")

    is_published: bool = Field(description="Whether the relay has passed its newest event.")
    state_version: int | None = Field(description="In `products-state`; null: nothing was published there.")


class ProductProjectionsModel(BaseModel):
    """Where one product is on its way."""

    model_config = ConfigDict(title="ProductProjections")

    product_id: UUID
    stream_version: int
    log_position: int = Field(description="Of its newest event.")
    projections: list[ProductProjectionModel]
    cache: ProductCacheModel | None = Field(description="null: Redis does not answer.")
    published: ProductPublishedModel
