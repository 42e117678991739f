"""The ports of reading products; their adapters are in `postgres/` and `redis/`.

Tables raise `ReadModelUnavailable` or `Overloaded`, caches raise `CacheUnavailable` (errors.py). With
`applied` a table raises `ReadModelBehind` if the server that answers has not applied it.
"""

from asyncio import Future
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from query_api.applied import Applied
from query_api.search.query import ProductFilters

Sort = Literal["name", "-name", "price", "-price", "updated_at", "-updated_at"]
PointerKind = Literal["sku", "slug"]
CacheResult = Literal["hit", "miss", "bypass"]
"""How the cache answered; miss: it had no document, or too old a one; bypass: it was not asked, or failed."""


class ProductRow(NamedTuple):
    """A product in the table; `body` is the bytes of its document, None if the product is deleted. A row that
    `may_be_old` is a replica's.
    """

    product_id: UUID
    stream_version: int
    body: bytes | None
    may_be_old: bool = False


class ListFilters(ProductFilters, frozen=True, kw_only=True, omit_defaults=True):
    """Filters and order of a list."""

    sort: Sort = "-updated_at"


class PagePosition(NamedTuple):
    """The end of a page: the last item's sort value as text, and its id to break ties."""

    sort_value: str
    product_id: UUID


class ListRow(NamedTuple):
    """An item of a page; `body` is None from the first item that does not fit into the page's bytes."""

    position: PagePosition
    body: bytes | None


class ProductTable(Protocol):
    """Single products; a deleted one is a row without a body."""

    async def by_id(self, product_id: UUID, applied: Applied | None = None) -> ProductRow | None: ...

    async def by_ids(
        self, product_ids: Sequence[UUID], applied: Applied | None = None
    ) -> Sequence[ProductRow]:
        """Those of the products that exist or were deleted, in no order."""
        ...

    async def by_sku(self, sku: str, applied: Applied | None = None) -> ProductRow | None:
        """The product with this SKU that is not deleted; of several, the one that changed last."""
        ...

    async def by_slug(self, slug: str, applied: Applied | None = None) -> ProductRow | None:
        """The product with this slug that is not deleted; of several, the one that changed last."""
        ...


class LatestProducts(Protocol):
    """Products as the event log has them, before a projection has applied their events."""

    async def at_least(
        self, product_id: UUID, stream_version: int, held: ProductRow | None
    ) -> ProductRow | None:
        """The product at this version or a newer one; `held` is what the cache has of it. None: the log
        cannot tell, or not quickly. Raises nothing.
        """
        ...


class ProductLists(Protocol):
    """Pages of products."""

    async def page(
        self,
        filters: ListFilters,
        after: PagePosition | None,
        items_max: int,
        applied: Applied | None = None,
    ) -> Sequence[ListRow]: ...


class ProductCache(Protocol):
    """Documents by id, and the id that a SKU or slug had a moment ago."""

    def read(self, product_id: str) -> "Future[bytes | None]":
        """The packed document (shared.contract.cached_document) of a canonical id in text form."""
        ...

    def glance(self, product_id: str) -> "Future[bytes | None]":
        """The same, for a reader that looks again: not counted as a hit or miss."""
        ...

    async def fill(self, row: ProductRow) -> bool:
        """Store a row's document or tombstone, unless the cache has one that is as new; if it may be old, not
        for long. Whether it was stored.
        """
        ...

    async def fill_absent(self, product_id: UUID) -> None:
        """Remember for a few seconds that the product does not exist, unless the cache has an entry."""
        ...

    async def pointer(self, kind: PointerKind, value: str) -> UUID | None:
        """The product id that a SKU or slug had; compare it with the document before use."""
        ...

    async def point(self, kind: PointerKind, value: str, product_id: UUID) -> None: ...


class ListGeneration(NamedTuple):
    """A state of all lists of a top-level category (None: of all products)."""

    category: str | None
    number: bytes


class ListCache(Protocol):
    """Whole pages, kept for seconds under a generation that the projector increases."""

    def number(self, category: str | None) -> "Future[bytes | None]":
        """The number of the present generation for this category path, or of all products. None: Redis
        has lost it.
        """
        ...

    async def generation(self, category: str | None) -> ListGeneration:
        """The present generation for lists of this category path, or of all products."""
        ...

    async def read(self, generation: ListGeneration, digest: str) -> bytes | None: ...

    async def write(self, generation: ListGeneration, digest: str, page: bytes) -> None: ...
