"""`GET /v1/imports` and `GET /v1/imports/{import_id}`."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.parameters import Paging
from query_api.http.route_parts import add_route, json_answer, next_page, refuse_parameters, refuse_repeats
from query_api.imports.http.schemas import ImportPageModel, ImportWithRejectsModel
from query_api.imports.import_pages import ReadImports
from query_api.imports.ports import ImportRow
from shared.access.caller import may
from shared.access.scopes import Scope

_encode = msgspec.json.Encoder().encode
_REVALIDATE = {"cache-control": "no-cache"}


def import_routes(imports: ReadImports) -> AddRoutes:
    """The routes of imports."""

    async def list_imports(request: Request, parameters: Annotated[Paging, Query()]) -> Response:
        """Imports that have ended, the newest first."""
        refuse_repeats(request)
        page = await imports.page(parameters.cursor, parameters.limit)
        items = [_import(request, row) for row in page.items]
        body = _encode({"items": items, "next_cursor": page.next_cursor})
        return json_answer(request, body, {**_REVALIDATE, **next_page(request, page.next_cursor)})

    async def show_import(request: Request, import_id: str) -> Response:
        """One import, with the products that it rejected, and why."""
        refuse_parameters(request)
        row, rejected = await imports.one(unquote(import_id))
        rejects = {"rejects": rejected.rejects, "rejects_left_out": rejected.left_out}
        return json_answer(request, _encode({**_import(request, row), **rejects}), _REVALIDATE)

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/imports", list_imports, ImportPageModel, openapi.LOOKING, openapi.IDENTITY,
            scope=Scope.PRODUCTS_READ_DRAFTS,
        )  # fmt: skip
        add_route(
            app, "/v1/imports/{import_id}", show_import, ImportWithRejectsModel, openapi.LOOKING_AT_ONE,
            openapi.IDENTITY, scope=Scope.PRODUCTS_READ_DRAFTS,
        )  # fmt: skip

    return add


def _import(request: Request, row: ImportRow) -> Mapping[str, Any]:
    shown = row._asdict()
    return shown if may(request.scope, Scope.PRODUCTS_AUDIT) else {**shown, "caller": None}
