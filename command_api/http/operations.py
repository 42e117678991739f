"""One operation of a batch: parsed, with what it touches, and run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, assert_never
from uuid import UUID

from pydantic import TypeAdapter
from uuid_utils.compat import uuid7

from command_api.domain import commands as c
from command_api.domain.errors import ProductNotFound, SlugTaken
from command_api.execute import Answer, Caller, Done, ExecuteCommand, IdempotencyKey, Request
from command_api.http import convert, schemas
from command_api.http.answers import product_id_of, render_created, render_gone, render_ok
from command_api.http.body import parse

UPSERT_TRIES_MAX = 3
_operation: TypeAdapter[Any] = TypeAdapter(schemas.Operation)
_STATUS_COMMANDS: dict[str, c.Command] = {
    "publish": c.PublishProduct(),
    "archive": c.ArchiveProduct(),
    "restore": c.RestoreProduct(),
    "delete": c.DeleteProduct(),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What to execute. `slug` is set for an upsert: the product is looked up when it runs.

    `touches` names the product, slug and SKUs that the operation speaks of.
    """

    request: Request
    touches: frozenset[str | UUID]
    slug: str | None = None
    is_barrier: bool = field(default=False)

    def touching(self, product_id: UUID) -> "Operation":
        """The same, known to be about this product."""
        return replace(self, touches=self.touches | {product_id})


def parse_operation(item: bytes, caller: Caller, key: IdempotencyKey | None) -> Operation:
    """The operation in one element. Raises 400 or 422 problems, or `ProductNotFound` for what is no id."""
    given = parse(_operation, item)
    wanted = None if given.if_version is None else frozenset([given.if_version])

    def request(
        command: c.Command, product_id: UUID, render: Callable[[Done], tuple[int, bytes]] = render_ok
    ) -> Request:
        return Request(command, product_id, caller, render, versions_wanted=wanted, key=key)

    match given:
        case schemas.CreateOperation():
            return _create(request, given.product)
        case schemas.UpsertOperation():
            return _upsert(request, given.product)
        case schemas.UpdateOperation():
            product_id = product_id_of(given.id)
            changes = convert.changes(given.patch)
            touches: set[str | UUID] = {product_id}
            if "slug" in changes:
                touches.add(f"slug {changes['slug']}")
            update = request(c.ChangeDetails(changes), product_id)
            return Operation(update, frozenset(touches), is_barrier="slug" in changes)
        case schemas.PriceOperation():
            product_id = product_id_of(given.id)
            price = c.ChangePrice(given.sku, convert.money(given.price))
            return Operation(request(price, product_id), frozenset([product_id]))
        case schemas.StatusOperation():
            product_id = product_id_of(given.id)
            is_delete = given.op == "delete"
            render = render_gone if is_delete else render_ok
            status = request(_STATUS_COMMANDS[given.op], product_id, render)
            return Operation(status, frozenset([product_id]), is_barrier=is_delete)
        case _ as never:
            assert_never(never)


async def run_operation(execute: ExecuteCommand, operation: Operation) -> Answer:
    """Execute it. Raises a `Refused` or a `StoreError`."""
    if operation.slug is None:
        return await execute.execute(operation.request)
    for _ in range(UPSERT_TRIES_MAX):
        holder = await execute.find_slug(operation.slug)
        try:
            return await execute.execute(_for_holder(operation.request, holder))
        except (SlugTaken, ProductNotFound) as moved:
            # Between the look-up and the append the slug was taken or its product deleted: look again.
            last = moved
    raise last


def _for_holder(request: Request, holder: UUID | None) -> Request:
    if holder is None:
        return replace(request, product_id=uuid7(), render=render_created)
    assert isinstance(request.command, c.CreateProduct)
    return replace(
        request, product_id=holder, command=c.ReplaceProduct(request.command.product), render=render_ok
    )


RequestFor = Callable[..., Request]


def _create(request: RequestFor, product: schemas.ProductIn) -> Operation:
    product_id = uuid7()
    created = convert.product(product, product_id)
    create = request(c.CreateProduct(created), product_id, render_created)
    if product.slug is None:
        create = replace(create, slug_is_generated=True)
    return Operation(create, _names(created.slug, product))


def _upsert(request: RequestFor, product: schemas.UpsertProductIn) -> Operation:
    product_id = uuid7()
    upsert = request(c.CreateProduct(convert.product(product, product_id)), product_id)
    return Operation(upsert, _names(product.slug, product), slug=product.slug)


def _names(slug: str, product: schemas.ProductIn) -> frozenset[str | UUID]:
    return frozenset([f"slug {slug}", *(f"sku {variant.sku}" for variant in product.variants)])
