"""Converts the validated body of an upsert to the domain's values: only the fields in the body."""

from command_api.domain.commands import UpsertProduct, VariantUpsert
from command_api.http.batch.schemas import UpsertProductIn, UpsertVariantIn
from command_api.http.convert import changes, money


def upsert(body: UpsertProductIn) -> UpsertProduct:
    """The upsert, with the given fields of the product and of each variant."""
    named = changes(body)
    del named["slug"]
    variants = named.pop("variants", None)
    wanted = None if variants is None else tuple(map(_variant_upsert, variants))
    return UpsertProduct(body.slug, named, wanted)


def _variant_upsert(body: UpsertVariantIn) -> VariantUpsert:
    named = {field: getattr(body, field) for field in body.model_fields_set - {"sku"}}
    for field in ("price", "compare_at_price"):
        if named.get(field) is not None:
            named[field] = money(named[field])
    return VariantUpsert(body.sku or None, named)
