"""The service for comparison, which a user would build instead: FastAPI, SQLAlchemy's async ORM, one insert
per request.

Written like the examples in the libraries' documentation: a session per request by dependency, pydantic in
and out.
"""

import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine(os.environ["CRUD_DSN"], pool_size=20, max_overflow=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Table(DeclarativeBase):
    """The base of the comparison's tables."""


class Product(Table):
    """One row per product."""

    __tablename__ = "crud_product"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    brand: Mapped[str | None]
    category: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(JSON)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)
    variants: Mapped[list["Variant"]] = relationship()


class Variant(Table):
    """One row per variant."""

    __tablename__ = "crud_variant"
    sku: Mapped[str] = mapped_column(String(255), primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crud_product.id"))
    options: Mapped[dict[str, str]] = mapped_column(JSON)
    amount: Mapped[str]
    currency: Mapped[str]


class MoneyIn(BaseModel):
    """A price."""

    amount: str
    currency: str


class VariantIn(BaseModel):
    """A variant."""

    sku: str
    options: dict[str, str]
    price: MoneyIn


class ProductIn(BaseModel):
    """The request."""

    name: str
    slug: str
    description: str | None = None
    brand: str | None = None
    category: str | None = None
    tags: list[str] = []
    attributes: dict[str, str] = {}
    variants: list[VariantIn]


class ProductOut(BaseModel):
    """The answer."""

    id: uuid.UUID
    slug: str


async def session() -> AsyncIterator[AsyncSession]:
    """A session per request."""
    async with sessions() as opened:
        yield opened


app = FastAPI()


@app.post("/v1/products", status_code=201)
async def create(body: ProductIn, db: Annotated[AsyncSession, Depends(session)]) -> ProductOut:
    """Insert a product and its variants."""
    product = Product(
        slug=body.slug,
        name=body.name,
        description=body.description,
        brand=body.brand,
        category=body.category,
        tags=body.tags,
        attributes=body.attributes,
        variants=[
            Variant(
                sku=each.sku, options=each.options, amount=each.price.amount, currency=each.price.currency
            )
            for each in body.variants
        ],
    )
    db.add(product)
    await db.commit()
    return ProductOut(id=product.id, slug=product.slug)
