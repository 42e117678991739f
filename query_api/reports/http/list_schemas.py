"""Parameters and answers of categories, brands and stock items, as OpenAPI describes them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from query_api.http.parameters import STATUSES_PATTERN, CategoryPath, Id, Paging, Text, WholeNumber
from query_api.reports.ports import BrandQuery, CategoryQuery, StockQuery, StockState

LEVELS_MAX = 256


class _WithStatus(Paging):
    status: str = Field(
        "active",
        pattern=STATUSES_PATTERN,
        description="Products of which status to count: draft, active, archived, separated by commas.",
    )

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses in normal form."""
        return tuple(sorted(set(self.status.split(","))))


class CategoryParameters(_WithStatus):
    """The query string of `GET /v1/categories`."""

    parent: CategoryPath | None = Field(None, description="Below this category; by default its children.")
    depth: WholeNumber | None = Field(
        None, ge=1, le=LEVELS_MAX, description="So many levels below `parent`, or from the top; else all."
    )

    def query(self) -> CategoryQuery:
        """As a value."""
        levels = 1 if self.parent is not None and self.depth is None else self.depth
        return CategoryQuery(statuses=self.statuses, parent=self.parent, levels=levels)


class BrandParameters(_WithStatus):
    """The query string of `GET /v1/brands`."""

    def query(self) -> BrandQuery:
        """As a value."""
        return BrandQuery(statuses=self.statuses)


class StockParameters(Paging):
    """The query string of `GET /v1/inventory`."""

    sku: Text | None = Field(None, description="The item of this SKU.")
    product_id: Id | None = Field(None, description="The items that this product opened last.")
    state: StockState | None = Field(None, description="Only open, or only closed ones.")

    def query(self) -> StockQuery:
        """As a value."""
        return StockQuery(sku=self.sku, product_id=self.product_id, state=self.state)


class StatusCounts(BaseModel):
    """Products by status; null: the caller may not see drafts and archived products."""

    draft: int | None
    active: int
    archived: int | None


class CategoryItem(BaseModel):
    """A category; `products` have one of the statuses asked for, `by_status` are all there are."""

    category: str = Field(description="Its path.")
    name: str = Field(description="The last part of the path.")
    parent: str | None
    depth: int = Field(ge=1, description="1 at the top.")
    products: int = Field(ge=0, description="In this very category.")
    products_in_subtree: int = Field(ge=1, description="In it and below it.")
    by_status: StatusCounts
    by_status_in_subtree: StatusCounts


class CategoryPage(BaseModel):
    """Categories in the order of their paths; one without such products in or below it is not listed."""

    items: list[CategoryItem]
    next_cursor: str | None


class BrandItem(BaseModel):
    """A brand; `products` have one of the statuses asked for, `by_status` are all there are."""

    brand: str
    products: int = Field(ge=1)
    by_status: StatusCounts


class BrandPage(BaseModel):
    """Brands in the order of their names; one without such products is not listed."""

    items: list[BrandItem]
    next_cursor: str | None


class StockItem(BaseModel):
    """A stock item: opened when its SKU appeared last. Quantities are counted by who keeps the stock."""

    sku: str
    product_id: UUID = Field(description="The product that opened it last.")
    state: StockState
    opened_at: datetime
    closed_at: datetime | None


class StockPage(BaseModel):
    """Stock items in the order of their SKUs."""

    items: list[StockItem]
    next_cursor: str | None
