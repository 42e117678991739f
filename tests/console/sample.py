"""What the installation has for the tests: one product with a life, and a small catalogue around it."""

import json
from typing import Any, NamedTuple

from tests.end_to_end.catalogue import Catalogue, variant
from tests.eventually import eventually

NAME, SKU, BRAND = "Ocean Blue Shirt", "OBS-M", "Pelagic"
MARKUP = '<img src=x onerror="globalThis.hacked=1">'
PRICES = ("52.00", "49.00", "45.50", "39.90", "44.00")
PRODUCTS = 120
_BRANDS = ("Pelagic", "Kestrel", "Norrland", "Söhne & Töchter")
_THINGS = (
    ("Linen Shirt", "apparel/shirts"),
    ("Wool Jumper", "apparel/knitwear"),
    ("Desk Lamp", "home/lighting"),
    ("Walking Boots", "shoes/boots"),
)


class Sample(NamedTuple):
    """Ids: the product with a life, and the one whose texts are markup."""

    product_id: str
    markup_id: str


async def sample_of(catalogue: Catalogue) -> Sample:
    """Writes it, and waits until searches find it."""
    created = await catalogue.create(
        name=NAME, brand=BRAND, category="apparel/shirts", tags=["men", "summer"],
        description="A shirt of organic cotton.", attributes={"colour": "blue", "fit": "regular"},
        images=[{"url": "https://images.example.com/obs.jpg", "alt": "The shirt, from the front"}],
        variants=[variant("OBS-S", "48.00", options={"size": "S"}), variant(SKU, options={"size": "M"})],
    )  # fmt: skip
    product = f"/v1/products/{created['id']}"
    await catalogue.write("POST", f"{product}/publish")
    for amount in PRICES:
        await catalogue.write("PUT", f"{product}/variants/{SKU}/price", {"amount": amount, "currency": "USD"})
    changed = {"description": "A shirt of organic cotton, washed soft.", "tags": ["men", "summer", "sale"]}
    await catalogue.write("PATCH", product, changed)
    added = {"options": {"size": "L"}, "price": {"amount": "51.00", "currency": "USD"}}
    await catalogue.write("PUT", f"{product}/variants/OBS-L", added)
    markup = await catalogue.create(
        name=MARKUP, brand=MARKUP, category="a<b/c&d", tags=[MARKUP], description=MARKUP,
        attributes={MARKUP: MARKUP}, images=[{"url": "https://images.example.com/x.jpg", "alt": MARKUP}],
        variants=[variant(MARKUP, options={MARKUP: MARKUP})],
    )  # fmt: skip
    await catalogue.write("POST", f"/v1/products/{markup['id']}/publish")
    await write_many(catalogue, PRODUCTS)

    async def are_found() -> None:
        answer = await catalogue.read("/v1/products?with_total=true&limit=1")
        assert answer.json()["total"] >= PRODUCTS + 2

    await eventually(are_found)
    return Sample(created["id"], markup["id"])


async def write_many(catalogue: Catalogue, number: int, first: int = 0) -> None:
    """Products in batches, as an import sends them; all are published."""
    for start in range(first, first + number, 500):
        numbers = range(start, min(start + 500, first + number))
        lines = [json.dumps({"op": "create", "product": _product(each)}) for each in numbers]
        created = (await _batch(catalogue, lines))["results"]
        assert all(one["status"] == 201 for one in created), created[:2]
        await _batch(catalogue, [json.dumps({"op": "publish", "id": one["id"]}) for one in created])


async def _batch(catalogue: Catalogue, lines: list[str]) -> Any:
    answer = await catalogue.write("POST", "/v1/products:batch", [json.loads(line) for line in lines])
    assert answer.status_code == 207, answer.text
    return answer.json()


def _product(number: int) -> dict[str, Any]:
    name, category = _THINGS[number % len(_THINGS)]
    return {
        "name": f"{name} {number}",
        "brand": _BRANDS[number % 3 if number % 7 else 3],
        "category": category,
        "tags": ["sale"] if number % 5 == 0 else ["new"],
        "variants": [variant(f"SAMPLE-{number}", f"{10 + number % 90}.00")],
    }
