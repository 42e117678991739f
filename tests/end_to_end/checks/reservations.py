"""Slugs and SKUs are reserved for the live products that have them, and for no others."""

from collections.abc import Iterator, Mapping

from tests.end_to_end.checks.history import History


def problems(history: History, reservations: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """`reservations`: ("s" slug or "k" SKU, value) -> product id."""
    wanted: dict[tuple[str, str], str] = {}
    for product_id, document in history.live.items():
        for name in (("s", document["slug"]), *(("k", each["sku"]) for each in document["variants"])):
            if name in wanted:
                yield f"{name} belongs to {wanted[name]} and to {product_id}"
            wanted[name] = product_id
    if wanted != reservations:
        different = {*wanted.items()} ^ {*reservations.items()}
        yield f"reservations are not those of the live products: {sorted(different)[:5]}"
