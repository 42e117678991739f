"""The commands that clients send: the request of each, and the expected state of its product."""

import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.end_to_end.known import KnownProduct

WEIGHTS = {
    "create": 20, "details": 18, "price": 26, "publish": 9, "archive": 5, "restore": 3,
    "add-variant": 5, "change-variant": 5, "remove-variant": 4, "delete": 6,
}  # fmt: skip
IN_BATCHES = {"create": 5, "upsert": 4, "details": 4, "price": 6, "publish": 2, "archive": 1, "delete": 1}
SPOILED = 0.04
CAREFUL_OF_VERSIONS = 0.25
NO_SUCH_VERSION = 999_999
STATUS = {"publish": "active", "archive": "archived", "restore": "active", "delete": "deleted"}


@dataclass(frozen=True)
class Request:
    """One HTTP request, or one operation of a batch."""

    kind: str
    method: str
    path: str
    body: Any
    operation: dict[str, Any] | None
    """The same in a batch, where there is such an operation."""
    about: str
    wanted: dict[str, Any] = field(default_factory=dict)
    if_version: int | None = None
    sku: str = ""
    slug: str = ""


def price(chance: random.Random) -> dict[str, str]:
    return {"amount": f"{chance.randint(1, 10**7)}.{chance.randint(0, 99):02d}", "currency": "EUR"}


def creation(name: str, chance: random.Random, taken_sku: str | None = None) -> Request:
    """A new product; with another product's SKU it must be refused."""
    sku = taken_sku or f"{name}/ä #1"
    asked = price(chance)
    body: dict[str, Any] = {
        "name": f"Größe {name}", "brand": f"Brand {chance.randint(1, 5)}",
        "category": f"chaos/{chance.randint(1, 3)}", "tags": ["chaos", f"t{chance.randint(1, 7)}"],
        "attributes": {"number": chance.randint(1, 1000), "nested": {"ok": True}},
        "variants": [{"sku": sku, "options": {"size": "M"}, "price": asked}],
    }  # fmt: skip
    wanted = {name: body[name] for name in ("name", "brand", "category", "tags", "attributes")}
    wanted |= {"status": "draft", "skus": [sku], "prices": {sku: asked}}
    operation = {"op": "create", "product": body}
    return Request("create", "POST", "/v1/products", body, operation, f"sku {sku}", wanted, sku=sku)


def upsert(slug: str, name: str, chance: random.Random) -> Request:
    """Replaces all of the product with this slug, which takes several events: all of them or none."""
    skus = [f"{slug}-{letter}" for letter in chance.sample("abcd", chance.randint(0, 2))]
    skus.insert(chance.randint(0, len(skus)), f"{slug}-m")
    prices = {sku: price(chance) for sku in skus}
    body: dict[str, Any] = {
        "slug": slug, "name": f"Upserted {name}", "description": f"By {name}",
        "tags": [f"t{chance.randint(1, 7)}"],
        "variants": [{"sku": sku, "options": {"size": sku[-1]}, "price": prices[sku]} for sku in skus],
    }  # fmt: skip
    wanted = {key: body[key] for key in ("slug", "name", "description", "tags")}
    wanted |= {"brand": None, "skus": skus, "prices": prices}
    operation = {"op": "upsert", "product": body}
    return Request("upsert", "", "", body, operation, f"slug {slug}", wanted, sku=f"{slug}-m", slug=slug)


def change(kind: str, product: KnownProduct, name: str, chance: random.Random) -> Request:
    """A change of a product that exists as far as the client knows."""
    if kind == "remove-variant" and not product.more_skus:
        kind = "price"
    path = f"/v1/products/{product.product_id}"
    sku = _sku(kind, product, name, chance)
    variant = f"{path}/variants/{quote(sku, safe='')}"
    asked = price(chance)
    wanted: dict[str, Any] = {}
    body: Any = None
    operation: dict[str, Any] | None = None
    match kind:
        case "details":
            method = "PATCH"
            body = {"description": f"By {name}", "tags": [f"t{chance.randint(1, 7)}"]}
            wanted, operation = dict(body), {"op": "update", "patch": body}
        case "price":
            method, path, body = "PUT", f"{variant}/price", asked
            wanted, operation = {"prices": {sku: asked}}, {"op": "price", "sku": sku, "price": asked}
        case "add-variant" | "change-variant":
            weight = chance.randint(1, 10**6)
            method, path = "PUT", variant
            body = {"options": {"size": sku}, "price": asked, "weight_grams": weight}
            wanted = {"prices": {sku: asked}, "weights": {sku: weight}}
        case "remove-variant":
            method, path = "DELETE", variant
        case "delete":
            method, wanted, operation = "DELETE", {"status": "deleted"}, {"op": "delete"}
        case _:
            method, path, wanted = "POST", f"{path}/{kind}", {"status": STATUS[kind]}
            operation = {"op": kind}
    if_version = _if_version(kind, product, chance)
    if operation is not None:
        operation["id"] = product.product_id
        if if_version is not None:
            operation["if_version"] = if_version
    return Request(kind, method, path, body, operation, product.product_id, wanted, if_version, sku)


def _sku(kind: str, product: KnownProduct, name: str, chance: random.Random) -> str:
    if kind == "add-variant":
        return f"{name}/ä #2"
    if kind == "remove-variant":
        return product.more_skus.pop()
    if kind == "change-variant" and product.more_skus:
        return chance.choice(product.more_skus)
    return product.sku


def _if_version(kind: str, product: KnownProduct, chance: random.Random) -> int | None:
    """Mostly no version, sometimes the version that the client knows, now and then a wrong one."""
    if kind in ("delete", "remove-variant"):
        return None
    throw = chance.random()
    if throw < SPOILED:
        return NO_SUCH_VERSION
    return product.version if throw < SPOILED + CAREFUL_OF_VERSIONS else None
