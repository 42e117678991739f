"""Makes SKUs for variants without one, from the slug and the option values, the same ones at every run.

Equal SKUs are numbered in the order of their option values and not of the list: rows of a file in another
order must not swap SKUs. Stored data is not used here, so a batch knows in advance which SKUs an operation
may claim.
"""

import hashlib
from collections.abc import Sequence

from command_api.domain.commands import VariantUpsert
from shared.contract.text import cut_slug, slug_of

STEM_CHARACTERS_MAX = 220
_HASH_CHARACTERS = 12


def made_skus(slug: str, wanted: Sequence[VariantUpsert]) -> dict[int, str]:
    """Index -> made SKU, for each variant without one: `shirt`, `shirt-red`, or `shirt-red-2`."""
    taken = {one.sku for one in wanted if one.sku is not None}
    made: dict[int, str] = {}
    without = [index for index, one in enumerate(wanted) if one.sku is None]
    for index in sorted(without, key=lambda index: _option_values(wanted[index])):
        stem = _stem(slug, wanted[index])
        sku, number = stem, 1
        while sku in taken:
            number += 1
            sku = f"{stem}-{number}"
        taken.add(sku)
        made[index] = sku
    return made


def other_made_sku(made: str) -> str:
    """Replaces a made SKU that another variant of the product already has."""
    return f"{made}-{_hash(made)}"


def _option_values(variant: VariantUpsert) -> list[str]:
    return list((variant.changes.get("options") or {}).values())


def _stem(slug: str, variant: VariantUpsert) -> str:
    words = (slug_of(value) for value in _option_values(variant))
    stem = "-".join(word for word in (slug, *words) if word)
    if len(stem) <= STEM_CHARACTERS_MAX:
        return stem
    return f"{cut_slug(stem, STEM_CHARACTERS_MAX - _HASH_CHARACTERS - 1)}-{_hash(stem)}"


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=_HASH_CHARACTERS // 2).hexdigest()
