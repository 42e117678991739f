"""Upserts: create a product, or change it to the given state. An absent field is kept, null clears it.

A variant is found by its SKU. If it has no SKU, or one that the product lacks, it is the variant with the
same options, among those whose SKU the list does not name. If both sides have a single variant, options may
be absent, too. So a file without SKUs keeps the stored ones, and a SKU can change without losing its variant.
"""

from typing import Any

from msgspec.structs import replace

from command_api.domain.commands import UpsertProduct, VariantUpsert
from command_api.domain.differences import added, changed_details, changes_of
from command_api.domain.errors import NewProductIncomplete, VariantAmbiguous, VariantNeedsPrice
from command_api.domain.made_skus import made_skus, other_made_sku
from command_api.domain.product import EMPTY, Product
from shared.contract import events as e
from shared.contract.events import ProductCreated, ProductEvent, Variant

SHOWN_MAX = 3
_EMPTY_OF_VARIANT: dict[str, Any] = {"options": {}}


def new_product(upsert: UpsertProduct) -> ProductCreated:
    """The product that the upsert creates. Raises `NewProductIncomplete`, `VariantNeedsPrice`."""
    given: dict[str, Any] = {
        field: EMPTY.get(field) if value is None else value for field, value in upsert.changes.items()
    }
    if "name" not in given or upsert.variants is None:
        lacking = [*([] if "name" in given else ["name"]), *([] if upsert.variants else ["variants"])]
        message = f"no product has the slug {upsert.slug!r}, and a new one needs {' and '.join(lacking)}"
        raise NewProductIncomplete(message, *(f"/{field}" for field in lacking))
    given |= {"slug": upsert.slug, "variants": _variants(upsert.slug, upsert.variants, {})}
    return ProductCreated(**given)


def claimable_skus(upsert: UpsertProduct) -> frozenset[str]:
    """Every SKU that the product may get from this upsert, whatever its present state."""
    wanted = upsert.variants or ()
    made = made_skus(upsert.slug, wanted).values()
    stated = (one.sku for one in wanted if one.sku is not None)
    return frozenset([*stated, *made, *map(other_made_sku, made)])


def decide_upsert(upsert: UpsertProduct, product: Product) -> list[ProductEvent]:
    """The differences. Raises `VariantNeedsPrice`, `VariantAmbiguous`."""
    changed = changed_details(upsert.changes, product)
    decided: list[ProductEvent] = [e.ProductDetailsChanged(**changed)] if changed else []
    if upsert.variants is None:
        return decided
    present = product.variants
    wanted = {variant.sku: variant for variant in _variants(upsert.slug, upsert.variants, present)}
    # Removals come before additions: in between a product may have no variants, but never too many.
    decided += [e.VariantRemoved(sku) for sku in present if sku not in wanted]
    for sku, variant in wanted.items():
        current = present.get(sku)
        decided += [added(variant)] if current is None else changes_of(current, variant)
    order_without = [sku for sku in present if sku in wanted] + [sku for sku in wanted if sku not in present]
    if order_without != list(wanted):
        decided.append(e.ProductDetailsChanged(variant_order=tuple(wanted)))
    return decided


def _variants(
    slug: str, wanted: tuple[VariantUpsert, ...], present: dict[str, Variant]
) -> tuple[Variant, ...]:
    bases = _bases(wanted, present)
    made = made_skus(slug, wanted)
    kept_skus = {base.sku for one, base in zip(wanted, bases, strict=True) if one.sku is None and base}
    variants = []
    for index, (one, base) in enumerate(zip(wanted, bases, strict=True)):
        sku = one.sku or (base.sku if base else made[index])
        if one.sku is None and base is None and sku in kept_skus:
            sku = other_made_sku(sku)
        variants.append(_variant(index, sku, one, base))
    return tuple(variants)


def _bases(wanted: tuple[VariantUpsert, ...], present: dict[str, Variant]) -> list[Variant | None]:
    """For each wanted variant the present one that it changes; each present one is used at most once."""
    bases: list[Variant | None] = [present.get(one.sku) if one.sku is not None else None for one in wanted]
    stated = {one.sku for one in wanted}
    free = [variant for sku, variant in present.items() if sku not in stated]
    left = [index for index, base in enumerate(bases) if base is None]
    is_only_one = len(wanted) == 1 == len(present)
    for place, index in enumerate(left):
        one = wanted[index]
        alike = [each for each in free if _is_it(one, each, is_only_one=is_only_one)]
        rivals = sum(_options(wanted[other]) == _options(one) for other in left[place:])
        if alike and len(alike) <= rivals:
            bases[index] = alike[0]
            free.remove(alike[0])
        elif one.sku is None and (alike or ("options" not in one.changes and free)):
            skus = ", ".join(repr(each.sku) for each in (alike or free)[:SHOWN_MAX])
            message = f"a variant without SKU may be any of {len(alike or free)}: {skus}"
            raise VariantAmbiguous(message, f"/variants/{index}")
    return bases


def _is_it(wanted: VariantUpsert, present: Variant, *, is_only_one: bool) -> bool:
    return present.options == _options(wanted) or (is_only_one and "options" not in wanted.changes)


def _options(wanted: VariantUpsert) -> dict[str, str]:
    return wanted.changes.get("options") or {}


def _variant(index: int, sku: str, wanted: VariantUpsert, base: Variant | None) -> Variant:
    changes: dict[str, Any] = {
        field: _EMPTY_OF_VARIANT.get(field) if value is None else value
        for field, value in wanted.changes.items()
    }
    if base is not None:
        return replace(base, sku=sku, **changes)
    if "price" not in changes:
        raise VariantNeedsPrice(f"the variant {sku!r} is new and has no price", f"/variants/{index}/price")
    new: dict[str, Any] = {"options": {}, **changes, "sku": sku}
    return Variant(**new)
