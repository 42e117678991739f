"""Parses one operation of a batch, with the slugs and SKUs that it may claim and release."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, assert_never
from uuid import UUID

from pydantic import TypeAdapter
from uuid_utils.compat import uuid7

from command_api.domain import commands as c
from command_api.domain.product import Reservation
from command_api.domain.upsert import claimable_skus
from command_api.executing.batch import Operation
from command_api.executing.caller import Caller
from command_api.executing.request import IdempotencyKey, Render, Request
from command_api.http import convert
from command_api.http import schemas as product_schemas
from command_api.http.answers import render_created, render_gone, render_ok
from command_api.http.batch import schemas
from command_api.http.batch.convert import upsert as convert_upsert
from command_api.http.body import parse
from command_api.http.given import product_id_of
from command_api.http.problems import HttpProblem
from shared.access.http.bearer import scope_refusal
from shared.access.scopes import Scope

_operation: TypeAdapter[Any] = TypeAdapter(schemas.Operation)
_STATUS_COMMANDS: dict[str, c.Command] = {
    "publish": c.PublishProduct(),
    "archive": c.ArchiveProduct(),
    "restore": c.RestoreProduct(),
    "delete": c.DeleteProduct(),
}


def parse_operation(
    item: bytes, caller: Caller, key: IdempotencyKey | None, *, may_publish: bool
) -> Operation:
    """The operation in one element. Raises 400, 403 or 422 problems, or `ProductNotFound` if its id is not an
    id.
    """
    given = parse(_operation, item)
    wanted = None if given.if_version is None else frozenset([given.if_version])

    def request(command: c.Command, product_id: UUID, render: Render = render_ok) -> Request:
        return Request(command, product_id, caller, render, versions_wanted=wanted, key=key)

    match given:
        case schemas.CreateOperation():
            return _create(request, given.product)
        case schemas.UpsertOperation():
            return _upsert(request, given.product)
        case schemas.UpdateOperation():
            product_id = product_id_of(given.id)
            changes = convert.changes(given.patch)
            claims = _claims(changes["slug"], ()) if "slug" in changes else frozenset()
            return Operation(request(c.ChangeDetails(changes), product_id), claims, may_release=bool(claims))
        case schemas.PriceOperation():
            product_id = product_id_of(given.id)
            price = c.ChangePrice(given.sku, convert.money(given.price))
            return Operation(request(price, product_id))
        case schemas.StatusOperation():
            is_delete = given.op == "delete"
            if not (is_delete or may_publish):
                raise HttpProblem(scope_refusal(Scope.PRODUCTS_PUBLISH).problem)
            product_id = product_id_of(given.id)
            render = render_gone if is_delete else render_ok
            status = request(_STATUS_COMMANDS[given.op], product_id, render)
            return Operation(status, may_release=is_delete)
        case _ as never:
            assert_never(never)


RequestFor = Callable[..., Request]


def _create(request: RequestFor, product: product_schemas.ProductIn) -> Operation:
    product_id = uuid7()
    created = convert.product(product, product_id)
    create = request(c.CreateProduct(created), product_id, render_created)
    if product.slug is None:
        create = replace(create, slug_is_generated=True)
    return Operation(create, _claims(created.slug, (variant.sku for variant in created.variants)))


def _upsert(request: RequestFor, product: schemas.UpsertProductIn) -> Operation:
    """The execution of an upsert; its new id is used if it creates a product."""
    upsert = convert_upsert(product)
    claims = _claims(upsert.slug, claimable_skus(upsert))
    return Operation(request(upsert, uuid7()), claims, may_release=True, created=render_created)


def _claims(slug: str, skus: Iterable[str]) -> frozenset[Reservation]:
    return frozenset([("s", slug), *(("k", sku) for sku in skus)])
