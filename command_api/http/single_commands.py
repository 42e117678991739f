"""The endpoints of single commands: which requests they take, and the command that each makes of one.

`routes.py` gives them to the framework, `light` answers them before it. Both get their commands here, so an
endpoint cannot mean one thing there and another here.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from uuid_utils.compat import uuid7

from command_api.domain import commands as c
from command_api.domain.errors import VariantNotFound
from command_api.executing.request import Answer, Render, Request
from command_api.http import convert, schemas
from command_api.http.answers import (
    WriteApi,
    checked_sku,
    render_created,
    render_gone,
    render_ok,
    render_put,
)
from command_api.http.body import parse
from command_api.http.given import Given
from command_api.http.headers import (
    caller_of,
    etag,
    idempotency_key,
    location,
    must_be_new,
    token,
    versions_wanted,
)
from command_api.http.names import NAME_CHARACTERS_MAX
from shared.access.scopes import Scope
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_text

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
Prepare = Callable[[Given], Request]
"""The command of a request. Raises what the request is refused with."""


class Endpoint(NamedTuple):
    """`media_types` of its body; none: it reads no body. `preconditions`: the headers that it supports."""

    method: str
    path: str
    needs: Scope
    prepare: Prepare
    media_types: Sequence[str] = ()
    preconditions: Sequence[str] = ("If-Match",)
    has_location: bool = False

    @property
    def name(self) -> str:
        """As the OpenAPI document calls it."""
        return self.prepare.__name__


def create_product(given: Given) -> Request:
    """Create a product as a draft."""
    body = parse(schemas.ProductIn, given.body)
    product_id = uuid7()
    return Request(
        c.CreateProduct(convert.product(body, product_id)),
        product_id,
        caller_of(given),
        render_created,
        key=idempotency_key(given, given.body),
        slug_is_generated=body.slug is None,
    )


def change_details(given: Given) -> Request:
    """Change details by JSON merge patch."""
    return _request(given, c.ChangeDetails(convert.changes(parse(schemas.PatchIn, given.body))))


def put_variant(given: Given) -> Request:
    """Add a variant, or make it be like this."""
    body = parse(schemas.VariantBody, given.body)
    variant = convert.variant(checked_sku(given.raw_sku), body)
    return _request(given, c.PutVariant(variant, must_be_new(given)), render_put)


def remove_variant(given: Given) -> Request:
    """Remove a variant and free its SKU."""
    return _request(given, c.RemoveVariant(_sku_of(given)), render_gone)


def change_price(given: Given) -> Request:
    """Set the price of a variant."""
    price = convert.money(parse(schemas.MoneyIn, given.body))
    return _request(given, c.ChangePrice(_sku_of(given), price))


def publish_product(given: Given) -> Request:
    """Make a draft active."""
    return _request(given, c.PublishProduct())


def archive_product(given: Given) -> Request:
    """Archive an active product."""
    return _request(given, c.ArchiveProduct())


def restore_product(given: Given) -> Request:
    """Make an archived product active again."""
    return _request(given, c.RestoreProduct())


def delete_product(given: Given) -> Request:
    """Delete a product; its slug and SKUs are free again."""
    return _request(given, c.DeleteProduct(), render_gone)


_WRITE, _PUBLISH = Scope.PRODUCTS_WRITE, Scope.PRODUCTS_PUBLISH
_ONE, _VARIANT = "/v1/products/{product_id}", "/v1/products/{product_id}/variants/{sku}"
ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("POST", "/v1/products", _WRITE, create_product, (JSON,), (), has_location=True),
    Endpoint("PATCH", _ONE, _WRITE, change_details, (MERGE_PATCH, JSON)),
    Endpoint("DELETE", _ONE, _WRITE, delete_product),
    Endpoint("PUT", _VARIANT, _WRITE, put_variant, (JSON,), ("If-Match", "If-None-Match")),
    Endpoint("DELETE", _VARIANT, _WRITE, remove_variant),
    Endpoint("PUT", f"{_VARIANT}/price", _WRITE, change_price, (JSON,)),
    Endpoint("POST", f"{_ONE}/publish", _PUBLISH, publish_product),
    Endpoint("POST", f"{_ONE}/archive", _PUBLISH, archive_product),
    Endpoint("POST", f"{_ONE}/restore", _PUBLISH, restore_product),
)


def answer_headers(api: WriteApi, endpoint: Endpoint, answer: Answer) -> dict[str, str]:
    """Those of a successful answer that depend on what was written."""
    headers = {"etag": etag(answer.stream_version), "consistency-token": token(answer, api.partition_count)}
    if endpoint.has_location:
        headers["location"] = location(api.read_url, answer.product_id)
    return headers


def _sku_of(given: Given) -> str:
    """The SKU of an existing variant, in normal form. Raises `VariantNotFound`."""
    try:
        sku = given.raw_sku.decode()
    except UnicodeDecodeError as error:
        raise VariantNotFound("the SKU in the path is not UTF-8") from error
    if len(sku) > NFC_SHRINKS_TO_A_QUARTER * NAME_CHARACTERS_MAX:
        raise VariantNotFound("the SKU in the path is longer than any SKU")
    return normal_text(sku)


def _request(given: Given, command: c.Command, render: Render = render_ok) -> Request:
    return Request(
        command,
        given.product_id,
        caller_of(given),
        render,
        versions_wanted=versions_wanted(given),
        key=idempotency_key(given, given.body),
    )
