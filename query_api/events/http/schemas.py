"""Parameters and answers of the feed, as OpenAPI describes them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from query_api.errors import BadParameter
from query_api.events.http.tickets import TICKET_CHARACTERS_MAX
from query_api.events.ports import EventFilter
from query_api.http.parameters import LIMIT_DEFAULT, LIMIT_MAX, Id, Time, WholeNumber, in_utc
from shared.contract.codec import STORED_TYPES

POSITION_MAX = 10**18 - 1
WAIT_SECONDS_MAX = 30
EVENT_TYPES = tuple(stored.event_type for stored in STORED_TYPES)
# Described as what `next_cursor` and `position` are, so that typed clients can send them back.
Position = Annotated[
    WholeNumber,
    Field(ge=0, le=POSITION_MAX),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"}),
]


class SubscriberParameters(BaseModel):
    """What pages and streams have in common; undeclared parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    after: Position | None = Field(None, description="A cursor: only what comes after it in the log.")
    types: str | None = Field(
        None, min_length=1, max_length=1024, description="Only these types of events, separated by commas.",
        examples=["product-created,product-price-changed"],
    )  # fmt: skip
    product_id: Id | None = Field(None, description="Only the events of this product.")
    log_id: Id | None = Field(
        None, description="`logid` of the events until now: 409 `another-log` if this is another log."
    )

    def known_types(self) -> frozenset[str] | None:
        """As a set. Raises `BadParameter`."""
        if self.types is None:
            return None
        given = frozenset(self.types.split(","))
        for name in sorted(given.difference(EVENT_TYPES)):
            raise BadParameter("types", f"{name!r} is none of {', '.join(EVENT_TYPES)}", "unknown-type")
        return given


class EventParameters(SubscriberParameters):
    """The query string of `GET /v1/events`."""

    since: Time | None = Field(None, description="Only what was recorded at this RFC 3339 time or later.")
    until: Time | None = Field(None, description="Only what was recorded before this RFC 3339 time.")
    limit: WholeNumber = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Items on a page.")
    wait: WholeNumber = Field(
        0, ge=0, le=WAIT_SECONDS_MAX, description="Where nothing is new: how many seconds to wait for it."
    )

    def wanted(self) -> EventFilter:
        """As a filter. Raises `BadParameter`."""
        return EventFilter(
            self.known_types(), self.product_id, in_utc("since", self.since), in_utc("until", self.until)
        )


class StreamParameters(SubscriberParameters):
    """The query string of `GET /v1/events/stream`."""

    ticket: str | None = Field(
        None,
        min_length=1,
        max_length=TICKET_CHARACTERS_MAX,
        description="Instead of a token, for pages of browsers: from `GET /v1/events/stream-ticket`.",
    )

    def wanted(self) -> EventFilter:
        """As a filter. Raises `BadParameter`."""
        return EventFilter(self.known_types(), self.product_id)


class TicketModel(BaseModel):
    """A ticket for one stream."""

    model_config = ConfigDict(title="StreamTicket")

    ticket: str = Field(description="`ticket` of `GET /v1/events/stream`.")
    expires_at: datetime = Field(description="The stream must have begun by then.")


class CloudEventModel(BaseModel):
    """An event as CloudEvents JSON (1.0): the attributes of the Kafka headers, and the data as stored."""

    model_config = ConfigDict(title="CloudEvent")

    specversion: Literal["1.0"]
    id: UUID = Field(description="The same in Kafka, and in every repetition.")
    source: str
    type: str = Field(description="The stored type, such as `product-price-changed`.")
    subject: UUID = Field(description="The product.")
    time: datetime = Field(description="When it was recorded.")
    datacontenttype: Literal["application/json"]
    position: str = Field(description="Its place in the log, in digits: a cursor.")
    streamversion: int = Field(ge=1, description="The product's version.")
    schemaversion: int = Field(ge=1, description="Of the data: docs/schemas has a schema for each.")
    correlationid: str
    logid: UUID
    causationid: str = Field("", description="Absent where there is none.")
    traceparent: str = Field("", description="Absent where there is none.")
    importid: str = Field("", description="Absent but in events of an import.")
    data: dict[str, Any]


class EventPageModel(BaseModel):
    """Events in the order of the log. A page may have fewer than `limit`, or none, though there are more."""

    model_config = ConfigDict(title="EventPage")

    items: list[CloudEventModel]
    next_cursor: str = Field(description="`after` of the next page; always given.")
