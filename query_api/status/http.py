"""`GET /v1/status`: the state of the projections. Only operators see the reason of a stop."""

from datetime import datetime

import msgspec
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.route_parts import add_route, json_answer, refuse_parameters
from query_api.search.reporting import Engine, IndexCondition, IndexState, SearchReport
from query_api.status.status import Condition, ProjectionStatus, TellStatus
from shared.access.scopes import Scope

_encode = msgspec.json.Encoder().encode


class ProjectionStatusModel(BaseModel):
    """How one projection is. Lags are null where its consumers have not reported all partitions for 5 s."""

    projection: str
    state: Condition = Field(
        description="waiting: goes on by itself. stopped: an operator has to act. unknown: nobody tells."
    )
    position: int = Field(description="The furthest log position applied.")
    updated_at: datetime | None = Field(description="When a checkpoint moved last; null without one.")
    lag_events: int | None
    lag_seconds: float | None = Field(description="Age of the oldest event that waits; 0 if none waits.")
    measured_at: datetime | None = Field(description="When the lag was measured: the oldest partition's.")
    partitions: int = Field(description="Of how many the lag was measured just now.")
    partitions_in_trouble: int
    parked_products: int
    parked_events: int


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
    """All projections that have ever said anything, and the search index; null if search is off."""

    projections: list[ProjectionStatusModel]
    search: SearchStatusModel | None


def status_route(tell: TellStatus, search: SearchReport | None) -> AddRoutes:
    """`GET /v1/status`."""

    async def get_status(request: Request) -> Response:
        """Per projection how far it is, how far behind, whether it goes on, and what of it is parked; and the
        search index that answers.
        """
        refuse_parameters(request)
        projections = [_shown(one) for one in await tell.projections()]
        body = {
            "projections": projections,
            "search": None if search is None else _shown_search(await search.now()),
        }
        return json_answer(request, _encode(body), {"cache-control": "no-store"})

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/status", get_status, Status, openapi.STATUS, openapi.IDENTITY, scope=Scope.OPS_READ
        )

    return add


def _shown(status: ProjectionStatus) -> dict[str, object]:
    state = status.state
    return {
        "projection": state.projection,
        "state": status.condition,
        "position": state.log_position,
        "updated_at": state.updated_at,
        "lag_events": status.lag_events,
        "lag_seconds": status.lag_seconds,
        "measured_at": state.measured_at,
        "partitions": state.partitions_measured,
        "partitions_in_trouble": state.partitions_in_trouble,
        "parked_products": state.parked_products,
        "parked_events": state.parked_events,
    }


def _shown_search(state: IndexState) -> dict[str, object]:
    return {
        "engine": state.engine,
        "state": state.condition,
        "positions": state.positions,
        "lag_states": state.lag_states,
        "behind_seconds": state.behind_seconds,
        "is_rebuilding": state.is_rebuilding,
    }
