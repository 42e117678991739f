"""`GET /v1/products/export`: parameters, headers, answer."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.export.export import ExportCatalogue
from query_api.export.formats import FORMATS, FormatName
from query_api.export.http.answer import ExportAnswer
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.caller import require_statuses
from query_api.http.content_coding import chosen_coding, compressor
from query_api.http.parameters import STATUSES_PATTERN
from query_api.http.preconditions import require_match
from query_api.http.route_parts import add_route, refuse_repeats
from shared.access.scopes import Scope


class ExportParameters(BaseModel):
    """The query string; whatever is not here is refused."""

    model_config = ConfigDict(extra="forbid")

    format: FormatName = Field(
        "ndjson", description="One product document a line, or the columns of Shopify's product CSV."
    )
    status: str = Field(
        "active",
        pattern=STATUSES_PATTERN,
        description="One or more of draft, active, archived, separated by commas.",
    )


def export_routes(export: ExportCatalogue, limits: WaitLimits) -> AddRoutes:
    """The route of the export. It must be added before that of a product by id, which has any name there."""

    async def export_products(request: Request, parameters: Annotated[ExportParameters, Query()]) -> Response:
        """The whole catalogue from one snapshot, in the order of the ids."""
        refuse_repeats(request)
        require_match(request, None)
        consistency, applied = consistency_of(request, limits)
        statuses = tuple(sorted(set(parameters.status.split(","))))
        require_statuses(request, statuses)
        coding = chosen_coding(request.headers.getlist("accept-encoding"))
        wanted = FORMATS[parameters.format]
        async with AsyncExitStack() as stack:
            snapshot = await stack.enter_async_context(export.begin(statuses, consistency))
            headers = {
                **applied,
                "content-type": wanted.media_type,
                "content-disposition": f'attachment; filename="{wanted.file_name}"',
                "cache-control": "no-store",
                "vary": "Accept-Encoding, Consistency-Token",
                "log-position": str(snapshot.log_position),
                "product-count": str(snapshot.product_count),
            }
            if coding != "identity":
                headers["content-encoding"] = coding
            documents = partial(export.send, snapshot)
            return ExportAnswer(headers, stack.pop_all(), documents, wanted, compressor(coding))

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/products/export", export_products, None, openapi.EXPORT,
            scope=Scope.PRODUCTS_READ, response_class=Response,
        )  # fmt: skip

    return add
