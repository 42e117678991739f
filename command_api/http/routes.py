"""The write endpoints: the request and the answer of each. `openapi/` describes the bodies."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid7

from command_api.domain import commands as c
from command_api.domain.errors import VariantNotFound
from command_api.executing.request import Answer, Render
from command_api.executing.request import Request as CommandRequest
from command_api.http import convert, schemas
from command_api.http.answers import (
    WriteApi,
    checked_sku,
    product_id_of,
    render_created,
    render_gone,
    render_ok,
    render_put,
)
from command_api.http.batch.route import run_batch
from command_api.http.body import parse, read_body, require_media_type
from command_api.http.headers import (
    caller_of,
    etag,
    idempotency_key,
    location,
    must_be_new,
    refuse_preconditions,
    token,
    versions_wanted,
)
from command_api.http.names import NAME_CHARACTERS_MAX
from command_api.http.openapi.endpoints import describes
from shared.access.scopes import Scope
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_text
from shared.ops.http.path import segment_bytes
from shared.ops.logs import add_log_fields

BATCH_PATH = "/v1/products:batch"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


def add_write_routes(app: FastAPI, api: WriteApi) -> None:
    """All endpoints of the command API."""
    by_version = ("If-Match",)
    write, publish = Scope.PRODUCTS_WRITE, Scope.PRODUCTS_PUBLISH
    one, variant = "/v1/products/{product_id}", "/v1/products/{product_id}/variants/{sku}"
    for method, path, scope, handler, preconditions in (
        ("POST", "/v1/products", write, create_product, ()),
        ("POST", BATCH_PATH, write, run_batch, ()),
        ("PATCH", one, write, change_details, by_version),
        ("DELETE", one, write, delete_product, by_version),
        ("PUT", variant, write, put_variant, ("If-Match", "If-None-Match")),
        ("DELETE", variant, write, remove_variant, by_version),
        ("PUT", f"{variant}/price", write, change_price, by_version),
        ("POST", f"{one}/publish", publish, publish_product, by_version),
        ("POST", f"{one}/archive", publish, archive_product, by_version),
        ("POST", f"{one}/restore", publish, restore_product, by_version),
    ):
        endpoint = _with(api, handler, preconditions)
        app.add_api_route(path, endpoint, methods=[method], **describes(handler.__name__, scope))


Handler = Callable[[WriteApi, Request], Awaitable[Response]]


def _with(
    api: WriteApi, handler: Handler, preconditions: Sequence[str]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        refuse_preconditions(request, preconditions)
        return await handler(api, request)

    endpoint.__name__ = handler.__name__
    endpoint.__doc__ = handler.__doc__
    return endpoint


async def create_product(api: WriteApi, request: Request) -> Response:
    """Create a product as a draft."""
    require_media_type(request, JSON)
    body = await read_body(request)
    given = parse(schemas.ProductIn, body)
    product_id = uuid7()
    command = c.CreateProduct(convert.product(given, product_id))
    answer = await api.execute.execute(
        CommandRequest(
            command,
            product_id,
            caller_of(request),
            render_created,
            key=idempotency_key(request, body),
            slug_is_generated=given.slug is None,
        )
    )
    return _respond(api, answer, {"location": location(api.read_url, answer.product_id)})


async def change_details(api: WriteApi, request: Request) -> Response:
    """Change details by JSON merge patch."""
    require_media_type(request, MERGE_PATCH, JSON)
    body = await read_body(request)
    return await _run(api, request, c.ChangeDetails(convert.changes(parse(schemas.PatchIn, body))), body)


async def put_variant(api: WriteApi, request: Request) -> Response:
    """Add a variant, or make it be like this."""
    require_media_type(request, JSON)
    body = await read_body(request)
    given = parse(schemas.VariantBody, body)
    variant = convert.variant(checked_sku(raw_sku_of(request)), given)
    command = c.PutVariant(variant, must_be_new(request))
    return await _run(api, request, command, body, render_put)


async def remove_variant(api: WriteApi, request: Request) -> Response:
    """Remove a variant and free its SKU."""
    return await _run(api, request, c.RemoveVariant(sku_of(request)), b"", render_gone)


async def change_price(api: WriteApi, request: Request) -> Response:
    """Set the price of a variant."""
    require_media_type(request, JSON)
    body = await read_body(request)
    price = convert.money(parse(schemas.MoneyIn, body))
    return await _run(api, request, c.ChangePrice(sku_of(request), price), body)


async def publish_product(api: WriteApi, request: Request) -> Response:
    """Make a draft active."""
    return await _run(api, request, c.PublishProduct(), b"")


async def archive_product(api: WriteApi, request: Request) -> Response:
    """Archive an active product."""
    return await _run(api, request, c.ArchiveProduct(), b"")


async def restore_product(api: WriteApi, request: Request) -> Response:
    """Make an archived product active again."""
    return await _run(api, request, c.RestoreProduct(), b"")


async def delete_product(api: WriteApi, request: Request) -> Response:
    """Delete a product; its slug and SKUs are free again."""
    return await _run(api, request, c.DeleteProduct(), b"", render_gone)


def raw_sku_of(request: Request) -> bytes:
    """The SKU of the path as bytes, decoded after the path was split."""
    return segment_bytes(request.path_params["sku"])


def sku_of(request: Request) -> str:
    """The SKU of an existing variant, in normal form. Raises `VariantNotFound`."""
    try:
        sku = raw_sku_of(request).decode()
    except UnicodeDecodeError as error:
        raise VariantNotFound("the SKU in the path is not UTF-8") from error
    if len(sku) > NFC_SHRINKS_TO_A_QUARTER * NAME_CHARACTERS_MAX:
        raise VariantNotFound("the SKU in the path is longer than any SKU")
    return normal_text(sku)


async def _run(
    api: WriteApi,
    request: Request,
    command: c.Command,
    body: bytes,
    render: Render = render_ok,
) -> Response:
    product_id = product_id_of(request.path_params["product_id"])
    answer = await api.execute.execute(
        CommandRequest(
            command,
            product_id,
            caller_of(request),
            render,
            versions_wanted=versions_wanted(request),
            key=idempotency_key(request, body),
        )
    )
    return _respond(api, answer)


def _respond(api: WriteApi, answer: Answer, more: dict[str, str] | None = None) -> Response:
    add_log_fields(product_id=str(answer.product_id))
    headers = {"etag": etag(answer.stream_version), "consistency-token": token(answer, api.partition_count)}
    return Response(
        answer.body, answer.status, {**headers, **(more or {})}, media_type=JSON if answer.body else None
    )
