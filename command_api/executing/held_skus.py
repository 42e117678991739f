"""Finds the holders of the SKUs of a refused command, so that its caller can move them in the right order."""

import asyncio
from functools import reduce
from uuid import UUID

from command_api.domain.errors import HeldSku
from command_api.domain.product import evolve, live
from command_api.executing.ports import Append, EventStore


async def held_skus(store: EventStore, append: Append) -> list[HeldSku]:
    """Every SKU of `append` that another product holds now, by SKU. Raises `StoreUnavailable`."""
    wanted = sorted(claim for claim in append.claims if claim[0] == "k")
    found = await asyncio.gather(*map(store.find_holder, wanted))
    holders = {sku: holder for (_, sku), holder in zip(wanted, found, strict=True)}
    others = {sku: holder for sku, holder in holders.items() if holder and holder != append.product_id}
    products = dict.fromkeys(others.values())
    slugs = dict(zip(products, await asyncio.gather(*(_slug(store, each) for each in products)), strict=True))
    return [HeldSku(sku, holder, slugs[holder]) for sku, holder in others.items()]


async def _slug(store: EventStore, product_id: UUID) -> str | None:
    stream = await store.load(product_id)
    product = live(reduce(evolve, stream.events, None))
    return None if product is None else product.slug
