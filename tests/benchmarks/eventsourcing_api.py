"""The write process of the peer `eventsourcing`: FastAPI before its application.

The library is synchronous, so routes are functions, which FastAPI runs in threads. Its settings come from the
environment.
"""

from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel

from tests.benchmarks.eventsourcing_products import Products

app = FastAPI()
products = Products()


class Price(BaseModel):
    """A price."""

    amount: str
    currency: str


class VariantIn(BaseModel):
    """A variant."""

    sku: str
    price: Price


class ProductIn(BaseModel):
    """A new product."""

    name: str
    description: str
    variants: list[VariantIn]


class Written(BaseModel):
    """What a command did."""

    id: UUID
    version: int


@app.get("/readyz")
def ready() -> str:
    """The tables are there."""
    return "ready"


@app.post("/v1/products", status_code=201)
def create(body: ProductIn) -> Written:
    """A new product."""
    variant = body.variants[0]
    return _written(products.create(body.name, body.description, variant.sku, variant.price.amount))


@app.put("/v1/products/{product_id}/variants/{sku}/price")
def change_price(product_id: UUID, sku: str, body: Price) -> Written:
    """A new price."""
    return _written(products.change_price(product_id, body.amount))


def _written(result: tuple[UUID, int]) -> Written:
    product_id, version = result
    return Written(id=product_id, version=version)
