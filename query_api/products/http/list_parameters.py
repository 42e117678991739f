"""The accepted parameters of lists, searches and suggestions, as OpenAPI describes them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import structs
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from query_api.errors import BadParameter
from query_api.http.parameters import (
    STATUSES_PATTERN,
    CategoryPath,
    Paging,
    Text,
    WholeNumber,
    known_currency,
)
from query_api.products.ports import ListFilters, Sort
from query_api.search.query import AttributeFilter, SearchFilters, SearchSort, TextQuery
from shared.contract.money import MoneyError, normal_amount
from shared.ops.plain_values import UUID_PATTERN

IDS_MAX = 200
_rfc3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def _rfc3339_only(value: Any) -> Any:
    """RFC 3339 only: pydantic alone would also accept Unix times, and dates without a zone."""
    if not isinstance(value, str) or _rfc3339.fullmatch(value) is None:
        raise ValueError("is not an RFC 3339 time such as 2025-01-31T12:00:00Z")
    return value


def _true_or_false(value: Any) -> Any:
    """These two words only: pydantic alone would also accept `1`, `on` and `yes`."""
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$", examples=["19.90"])]


class ListParameters(Paging):
    """The query string of `GET /v1/products`. `attr.<name>` are further ones; whatever else is not here is
    refused.
    """

    model_config = ConfigDict(extra="allow")

    category: CategoryPath | None = Field(None, description="A category path: it and all below it.")
    brand: Text | None = Field(None, description="Exactly this brand.")
    tag: Text | None = Field(None, description="Has this tag.")
    status: str = Field(
        "active",
        pattern=STATUSES_PATTERN,
        description="One or more of draft, active, archived, separated by commas.",
    )
    price_min: Amount | None = Field(None, description="One variant costs at least this; needs `currency`.")
    price_max: Amount | None = Field(None, description="One variant costs at most this; needs `currency`.")
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="Has a variant with a price in this ISO 4217 currency."
    )
    ids: str | None = Field(
        None,
        pattern=f"^{UUID_PATTERN}(,{UUID_PATTERN}){{0,{IDS_MAX - 1}}}$",
        description=f"These products: up to {IDS_MAX} ids, separated by commas.",
    )
    sku: Text | None = Field(None, description="Has a variant of this SKU.")
    updated_after: Annotated[AwareDatetime, BeforeValidator(_rfc3339_only)] | None = Field(
        None, description="Changed after this RFC 3339 time."
    )
    sort: SearchSort | None = Field(
        None,
        description="Price sorts by the cheapest variant in `currency`. Without it: `relevance` with `q`, "
        "else `-updated_at`.",
    )
    q: Text | None = Field(
        None,
        description='Words, "phrases" and -without in SKU, name, brand, tags and description; the last word '
        "may go on.",
    )
    facets: str | None = Field(
        None,
        min_length=1,
        max_length=2048,
        description="Counts by brand, category, tag, status, price (needs `currency`), attr.<name>, "
        "separated by commas. Each ignores its own filter.",
    )
    with_total: Flag = Field(False, description="Also the exact number of products that match.")

    def filters(self) -> ListFilters:
        """The filters in normal form. Raises `BadParameter` if parameters do not fit together."""
        return ListFilters(
            statuses=tuple(sorted(set(self.status.split(",")))),
            category=self.category,
            brand=self.brand,
            tag=self.tag,
            product_ids=None if self.ids is None else tuple(sorted(set(map(UUID, self.ids.split(","))))),
            sku=self.sku,
            updated_after=_in_utc(self.updated_after),
            currency=known_currency(self.currency),
            price_min=_amount("price_min", self.price_min, self.currency),
            price_max=_amount("price_max", self.price_max, self.currency),
            sort=_list_sort(self.sort),
        )

    def search(
        self, filters: ListFilters, text: TextQuery | None, attributes: tuple[AttributeFilter, ...]
    ) -> SearchFilters:
        """The same filters for a search."""
        sort = self.sort or ("-updated_at" if text is None else "relevance")
        more = {"text": text, "attributes": attributes, "sort": sort}
        return SearchFilters(**structs.asdict(filters) | more)

    @property
    def is_search(self) -> bool:
        """Whether the table cannot answer it. Filters by attribute make it one, too."""
        is_ordered_so = self.sort in ("relevance", "id")
        return self.q is not None or self.facets is not None or self.with_total or is_ordered_so


def _list_sort(sort: SearchSort | None) -> Sort:
    return "-updated_at" if sort is None or sort == "relevance" or sort == "id" else sort


def _in_utc(time: datetime | None) -> datetime | None:
    try:
        return None if time is None else time.astimezone(UTC)
    except OverflowError as error:
        raise BadParameter("updated_after", "is out of range") from error


def _amount(parameter: str, amount: str | None, currency: str | None) -> Decimal | None:
    if amount is None:
        return None
    if currency is None:
        raise BadParameter(parameter, "needs currency", "needs-currency")
    try:
        return Decimal(normal_amount(amount, currency))
    except MoneyError as error:
        raise BadParameter(parameter, str(error)) from error


class SuggestParameters(BaseModel):
    """The query string of `GET /v1/products/suggest`."""

    model_config = ConfigDict(extra="forbid")

    q: Text = Field(description="What somebody has typed so far.")
    limit: WholeNumber = Field(5, ge=1, le=20, description="Suggestions of each kind.")
