"""The requests of the workload, one for each kind of command."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.end_to_end.known import KnownProduct


@dataclass(frozen=True)
class Request:
    """One request to the command API."""

    method: str
    path: str
    body: Any = None
    if_match: str | None = None


def creation(command_id: str, sku: str, number: int) -> Request:
    """`number`: how many commands there were; names and prices are made from it."""
    body = {
        "name": f"Größe {command_id}", "brand": f"Brand {number % 5}",
        "category": f"load/{number % 3}", "tags": ["load", f"t{number % 7}"],
        "attributes": {"number": number, "nested": {"ok": True}},
        "variants": [{"sku": sku, "options": {"size": "M"}, "price": _price(number)}],
    }  # fmt: skip
    return Request("POST", "/v1/products", body)


def change(
    kind: str, product: KnownProduct, sku: str, command_id: str, number: int, if_match: str | None
) -> Request:
    """Of a product that exists, and where it is about a variant, of this one."""
    path = f"/v1/products/{product.product_id}"
    variant = f"{path}/variants/{quote(sku, safe='')}"
    match kind:
        case "details":
            body = {"description": f"By {command_id}", "tags": [f"t{number % 7}"]}
            return Request("PATCH", path, body, if_match)
        case "price":
            return Request("PUT", f"{variant}/price", _price(number), if_match)
        case "add-variant":
            return Request("PUT", variant, {"options": {"size": sku}, "price": _price(number)}, if_match)
        case "remove-variant":
            return Request("DELETE", variant)
        case "delete":
            return Request("DELETE", path)
        case _:
            return Request("POST", f"{path}/{kind}", None, if_match)


def _price(number: int) -> dict[str, str]:
    return {"amount": f"{number}.{number % 100:02d}", "currency": "EUR"}
