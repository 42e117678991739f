"""The reads that a user would build instead: FastAPI, SQLAlchemy's async ORM, and redis-py as a cache aside.

Written like the examples in the libraries' documentation: pools, hiredis, a session a request by dependency,
pydantic for the answer. `/plain/…` answers the cached bytes without pydantic, as a careful author would.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from sqlalchemy import JSON, DateTime, ForeignKey, String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

TTL_SECONDS = 3600
engine = create_async_engine(os.environ["CACHE_ASIDE_DSN"], pool_size=20, max_overflow=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)
redis = Redis.from_url(os.environ["CACHE_ASIDE_REDIS_URL"], max_connections=64)


class Table(DeclarativeBase):
    """The base of the comparison's tables."""


class Product(Table):
    """One row per product."""

    __tablename__ = "aside_product"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    slug: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    brand: Mapped[str | None]
    product_type: Mapped[str | None]
    category: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(JSON)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)
    images: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    variants: Mapped[list["Variant"]] = relationship()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Variant(Table):
    """One row per variant."""

    __tablename__ = "aside_variant"
    sku: Mapped[str] = mapped_column(String(255), primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("aside_product.id"), index=True)
    options: Mapped[dict[str, str]] = mapped_column(JSON)
    price: Mapped[dict[str, str]] = mapped_column(JSON)
    compare_at_price: Mapped[dict[str, str] | None] = mapped_column(JSON)
    barcode: Mapped[str | None]
    weight_grams: Mapped[int | None]


class MoneyOut(BaseModel):
    """A price."""

    amount: str
    currency: str


class ImageOut(BaseModel):
    """An image."""

    url: str
    alt: str | None


class VariantOut(BaseModel):
    """A variant."""

    model_config = ConfigDict(from_attributes=True)
    sku: str
    options: dict[str, str]
    price: MoneyOut
    compare_at_price: MoneyOut | None
    barcode: str | None
    weight_grams: int | None


class ProductOut(BaseModel):
    """The answer."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    version: int
    status: str
    slug: str
    name: str
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: list[str]
    attributes: dict[str, Any]
    images: list[ImageOut]
    variants: list[VariantOut]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


async def session() -> AsyncIterator[AsyncSession]:
    """A session per request."""
    async with sessions() as opened:
        yield opened


@asynccontextmanager
async def _tables(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    yield
    await engine.dispose()
    await redis.aclose()


app = FastAPI(lifespan=_tables)
Session = Annotated[AsyncSession, Depends(session)]


@app.get("/v1/products/{product_id}")
async def product(product_id: uuid.UUID, db: Session) -> ProductOut:
    """From the cache, else from the tables."""
    cached = await redis.get(f"product:{product_id}")
    if cached is not None:
        return ProductOut.model_validate_json(cached)
    return await _loaded(product_id, db)


@app.get("/plain/v1/products/{product_id}")
async def plain_product(product_id: uuid.UUID, db: Session) -> Response:
    """The same; what the cache has is the answer."""
    cached = await redis.get(f"product:{product_id}")
    body = cached if cached is not None else (await _loaded(product_id, db)).model_dump_json()
    return Response(body, media_type="application/json")


async def _loaded(product_id: uuid.UUID, db: AsyncSession) -> ProductOut:
    row = await db.get(Product, product_id, options=[selectinload(Product.variants)])
    if row is None:
        raise HTTPException(404)
    found = ProductOut.model_validate(row)
    await redis.set(f"product:{product_id}", found.model_dump_json(), ex=TTL_SECONDS)
    return found
