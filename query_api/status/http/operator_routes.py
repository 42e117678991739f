"""`GET /v1/dead-letters`, and where one product is: `GET /v1/products/{id}/projections`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.product_ids import product_id_of
from query_api.http.route_parts import add_route, json_answer, next_page, refuse_parameters, refuse_repeats
from query_api.status.dead_letters import DeadLetterQuery, ListDeadLetters, cause, commands
from query_api.status.http.operator_schemas import (
    DeadLetterPageModel,
    DeadLetterParameters,
    ProductProjectionsModel,
)
from query_api.status.places import ProductWay, TellPlaces
from query_api.status.ports import DeadLetter
from shared.access.scopes import Scope

_ProductId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
_encode = msgspec.json.Encoder().encode
_NO_STORE = {"cache-control": "no-store"}


def operator_routes(dead_letters: ListDeadLetters, places: TellPlaces) -> AddRoutes:
    """The routes."""

    async def list_dead_letters(
        request: Request, parameters: Annotated[DeadLetterParameters, Query()]
    ) -> Response:
        """What projections have parked, the oldest first, with the commands for each."""
        refuse_repeats(request)
        query = DeadLetterQuery(parameters.projection)
        page = await dead_letters.page(query, parameters.cursor, parameters.limit)
        body = {"items": [_letter(one) for one in page.items], "next_cursor": page.next_cursor}
        return json_answer(request, _encode(body), {**_NO_STORE, **next_page(request, page.next_cursor)})

    async def product_projections(request: Request, product_id: _ProductId) -> Response:
        """Where a product is on its way: which projections have its newest event, the cache, and the
        topics. It may be a draft, or deleted.
        """
        refuse_parameters(request)
        of_product = product_id_of(product_id)
        way = await places.of(of_product)
        body = {"product_id": of_product, **_way(way)}
        return json_answer(request, _encode(body), _NO_STORE)

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/dead-letters", list_dead_letters, DeadLetterPageModel, openapi.LOOKING,
            openapi.IDENTITY, scope=Scope.OPS_READ,
        )  # fmt: skip
        add_route(
            app, "/v1/products/{product_id}/projections", product_projections, ProductProjectionsModel,
            openapi.LOOKING_AT_ONE, openapi.IDENTITY, scope=Scope.OPS_READ,
        )  # fmt: skip

    return add


def _letter(letter: DeadLetter) -> Mapping[str, Any]:
    return {
        "projection": letter.projection,
        "product_id": letter.product_id,
        "dead_letter_id": letter.dead_letter_id,
        "log_position": letter.log_position,
        "event_type": letter.event_type,
        "error_class": letter.error_class,
        "cause": cause(letter),
        "parked_at": letter.parked_at,
        "followers": letter.followers,
        "attempts": letter.attempts,
        "commands": commands(letter),
    }


def _way(way: ProductWay) -> Mapping[str, Any]:
    cache = way.cache
    return {
        "stream_version": way.stream.stream_version,
        "log_position": way.stream.log_position,
        "projections": [one._asdict() for one in way.projections],
        "cache": cache and {"is_cached": cache.version is not None, "version": cache.version},
        "published": {"is_published": way.is_published, "state_version": way.state_version},
    }
