"""`GET /v1/status` and `GET /v1/status/history`. Only operators see the reason of a stop."""

import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

from query_api.errors import NotAcceptable
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.content_coding import chosen_coding, compressor
from query_api.http.route_parts import add_route, json_answer, refuse_parameters
from query_api.search.reporting import IndexState, SearchReport
from query_api.status.http.schemas import Status, StatusHistoryModel
from query_api.status.status import ProjectionStatus, RebuildStatus, StatusNow, TellStatus
from query_api.status.status_history import StatusHistory
from shared.access.scopes import Scope
from shared.ops.concurrency.single_flight import SingleFlight

_encode = msgspec.json.Encoder().encode
_NO_STORE = {"cache-control": "no-store"}


def status_routes(tell: TellStatus, search: SearchReport | None, history: StatusHistory) -> AddRoutes:
    """The routes of the status."""
    documents = StatusDocuments(tell, search)

    async def get_status(request: Request) -> Response:
        """The log, its relay, the cache and rebuilds; per projection how far it is, how far behind, whether
        it goes on, and what of it is parked; and the search index that answers.
        """
        refuse_parameters(request)
        return json_answer(request, await documents.now(), _NO_STORE)

    async def get_status_history(request: Request) -> Response:
        """The same in samples of the last 15 minutes, from the memory of the process that answers."""
        refuse_parameters(request)
        body = {"interval_seconds": history.interval_seconds, "samples": history.samples()}
        return _compressed(request, _encode(body))

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/status", get_status, Status, openapi.STATUS, openapi.IDENTITY, scope=Scope.OPS_READ
        )
        add_route(
            app, "/v1/status/history", get_status_history, StatusHistoryModel, openapi.STATUS,
            openapi.IDENTITY, scope=Scope.OPS_READ,
        )  # fmt: skip

    return add


class StatusDocuments:
    """One document for all who ask while the same status is told."""

    def __init__(self, tell: TellStatus, search: SearchReport | None) -> None:
        self._tell = tell
        self._search = search
        self._flights: SingleFlight[int, bytes] = SingleFlight()
        self._made: tuple[StatusNow, bytes] | None = None

    async def now(self) -> bytes:
        """As JSON. Raises `Unavailable`."""
        status = await self._tell.now()
        if self._made is not None and self._made[0] is status:
            return self._made[1]
        return await self._flights.run(id(status), lambda: self._make(status))

    async def _make(self, status: StatusNow) -> bytes:
        search = None if self._search is None else _shown_search(await self._search.now())
        document = _encode(_shown_status(status, search))
        self._made = status, document
        return document


def _compressed(request: Request, body: bytes) -> Response:
    """Fifteen minutes of samples are 100 kB of names that repeat, and a page of a browser waits for them."""
    try:
        coding = chosen_coding(request.headers.getlist("accept-encoding"))
    except NotAcceptable:
        coding = "identity"  # a client that refuses everything gets what it can read
    if coding == "identity":
        return json_answer(request, body, {**_NO_STORE, "vary": "Accept-Encoding"})
    made = compressor(coding)
    content = made.compress(body) + made.finish()
    headers = {**_NO_STORE, "vary": "Accept-Encoding", "content-encoding": coding}
    return json_answer(request, content, headers)


def _shown_status(status: StatusNow, search: dict[str, object] | None) -> dict[str, object]:
    log = status.log
    return {
        "measured_at": status.measured_at,
        "log": log
        and {
            "log_id": log.log_id,
            "position": log.position,
            "events_per_second": status.log_events_per_second,
        },
        "relay": {
            "state": status.relay,
            "position": log and log.relay_position,
            "lag_events": log and log.relay_lag_events,
            "lag_seconds": log and log.relay_lag_seconds,
        },
        "projections": [_shown(one) for one in status.projections],
        "search": search,
        "cache": status.cache._asdict(),
        "rebuilds": [_shown_rebuild(one) for one in status.rebuilds],
    }


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
        "reported_seconds_ago": state.reported_seconds_ago,
        "events_per_second": status.events_per_second,
        "partitions": state.partitions_measured,
        "partitions_in_trouble": state.partitions_in_trouble,
        "parked_products": state.parked_products,
        "parked_events": state.parked_events,
    }


def _shown_rebuild(status: RebuildStatus) -> dict[str, object]:
    state = status.state
    return {
        "projection": state.projection,
        "state": state.phase,
        "done_events": status.done_events,
        "total_events": status.total_events,
        "started_at": state.started_at,
        "changed_at": state.changed_at,
        "seconds_left": status.seconds_left,
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
