"""Executes a batch; each answer is the same as if the operations were sent one after the other.

Independent operations run at the same time, so that they share group commits. An operation waits for each
earlier one that may concern the same product, slug or SKU: one that it names, one that its product may hold
at that time, or one that a product may have given up before. Nothing is tried twice.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from command_api.domain.commands import CreateProduct, UpsertProduct
from command_api.domain.errors import ProductNotFound, SlugTaken, UpsertIncomplete
from command_api.domain.product import Reservation
from command_api.domain.upsert import new_product
from command_api.executing.execute import ExecuteCommand
from command_api.executing.request import Answer, Render, Request

IN_FLIGHT_MAX = 256
UPSERT_TRIES_MAX = 3
TOUCHED_NAMES_MAX = 500_000
Outcome = Answer | Exception
# The id of a product, the slug of a product that an upsert creates, or a slug or SKU.
_Subject = UUID | Reservation


@dataclass(frozen=True, slots=True)
class Operation:
    """A command to execute, and the slugs and SKUs that it may change.

    `claims`: slugs and SKUs that the product may get. `may_release`: it may also give some up. `created`: set
    for an upsert, whose product is looked up when it runs; renders the answer if it creates the product.
    """

    request: Request
    claims: frozenset[Reservation] = frozenset()
    may_release: bool = False
    created: Render | None = None

    @property
    def slug(self) -> Reservation | None:
        """The slug by which the product of an upsert is looked up."""
        command = self.request.command
        return ("s", command.slug) if isinstance(command, UpsertProduct) else None


async def run_in_order(execute: ExecuteCommand, operations: Sequence[Operation | Exception]) -> list[Outcome]:
    """One outcome per operation, in order; an operation that is already an error is its own outcome."""
    try:
        holders = await _holders(execute, [each for each in operations if isinstance(each, Operation)])
    except Exception as error:
        return [each if isinstance(each, Exception) else error for each in operations]
    in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def run(operation: Operation, after: Collection["asyncio.Task[Outcome]"]) -> Outcome:
        if after:
            await asyncio.wait(after)
        async with in_flight:
            try:
                return await _run(execute, operation)
            except Exception as error:
                return error

    tasks: dict[int, asyncio.Task[Outcome]] = {}
    for index, waits_for in enumerate(waits(operations, holders)):
        operation = operations[index]
        if isinstance(operation, Operation):
            tasks[index] = asyncio.create_task(run(operation, [tasks[each] for each in waits_for]))
    return [
        each if isinstance(each, Exception) else await tasks[index] for index, each in enumerate(operations)
    ]


def waits(
    operations: Sequence[Operation | Exception],
    holders: Mapping[Reservation, UUID],
    touched_names_max: int = TOUCHED_NAMES_MAX,
) -> list[frozenset[int]]:
    """For each operation the earlier ones that must have ended before it begins.

    `holders`: the holders of slugs and SKUs before the batch. If the operations concern more than
    `touched_names_max` names in all, the rest runs one after the other: this is always right, and the work is
    bounded.
    """
    may_hold = _MayHold(holders)
    last: dict[_Subject, int] = {}
    before: list[int] = []
    waiting: list[frozenset[int]] = []
    for index, operation in enumerate(operations):
        if isinstance(operation, Exception):
            waiting.append(frozenset())
            continue
        if may_hold.touched > touched_names_max:
            waiting.append(frozenset(before))
            before = [index]
            continue
        touches = may_hold.touched_by(operation)
        waiting.append(frozenset(last[each] for each in touches if each in last))
        last |= dict.fromkeys(touches, index)
        before.append(index)
    return waiting


class _MayHold:
    """The products that may hold slugs and SKUs at a point of the batch, whichever operations were refused
    before.

    A product that an upsert creates has no id yet: its slug is used. `touched` counts the work done.
    """

    def __init__(self, holders: Mapping[Reservation, UUID]) -> None:
        self.touched = 0
        self._products: dict[Reservation, set[_Subject]] = {}
        self._names: dict[_Subject, set[Reservation]] = {}
        for name, product_id in holders.items():
            self._add(product_id, [name])

    def touched_by(self, operation: Operation) -> set[_Subject]:
        """The products that an operation may concern, and the slugs and SKUs that it may claim or release for
        them.
        """
        products: set[_Subject] = {operation.request.product_id}
        if operation.slug is not None:
            products = {operation.slug, *self._products.get(operation.slug, ())}
        touches: set[_Subject] = {*products, *operation.claims}
        for product in products:
            if operation.may_release:
                touches |= self._names.get(product, set())
            self._add(product, operation.claims)
        self.touched += len(touches)
        return touches

    def _add(self, product: _Subject, names: Collection[Reservation]) -> None:
        self.touched += len(names)
        self._names.setdefault(product, set()).update(names)
        for name in names:
            self._products.setdefault(name, set()).add(product)


async def _holders(execute: ExecuteCommand, operations: Sequence[Operation]) -> dict[Reservation, UUID]:
    """The holders of the slugs and SKUs in the batch; of SKUs only if some operation may release one."""
    slugs = {each.slug for each in operations if each.slug is not None}
    found = await _find(execute, slugs)
    if not found and not any(each.may_release and each.slug is None for each in operations):
        return found
    claims = {claim for each in operations for claim in each.claims}
    return found | await _find(execute, claims - slugs)


async def _find(execute: ExecuteCommand, names: Iterable[Reservation]) -> dict[Reservation, UUID]:
    asked = list(names)
    holders = await asyncio.gather(*map(execute.find_holder, asked))
    return {name: holder for name, holder in zip(asked, holders, strict=True) if holder is not None}


async def _run(execute: ExecuteCommand, operation: Operation) -> Answer:
    if operation.slug is None:
        return await execute.execute(operation.request)
    for _ in range(UPSERT_TRIES_MAX):
        holder = await execute.find_holder(operation.slug)
        try:
            return await execute.execute(_for_holder(operation, holder))
        except UpsertIncomplete:
            # The key is looked up first: the first attempt may have succeeded when the product existed.
            repeated = await execute.repeat(operation.request)
            if repeated is None:
                raise
            return repeated
        except (SlugTaken, ProductNotFound) as moved:
            # The slug was taken, or its product deleted, between look-up and append: look it up again.
            last = moved
    raise last


def _for_holder(operation: Operation, holder: UUID | None) -> Request:
    request = operation.request
    if holder is not None:
        return replace(request, product_id=holder)
    assert isinstance(request.command, UpsertProduct)
    assert operation.created is not None
    return replace(request, command=CreateProduct(new_product(request.command)), render=operation.created)
