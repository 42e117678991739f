"""The accepted parameters of lists, searches and suggestions, as OpenAPI describes them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import structs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from query_api.errors import BadParameter
from query_api.http.parameters import (
    STATUSES_PATTERN,
    CategoryPath,
    Paging,
    StreamVersion,
    Text,
    Time,
    WholeNumber,
    in_utc,
    known_currency,
)
from query_api.products.ports import ListFilters, Sort
from query_api.search.query import AttributeFilter, SearchFilters, SearchSort, TextQuery
from shared.contract.money import MoneyError, normal_amount
from shared.ops.plain_values import UUID_PATTERN

IDS_MAX = 200


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
    updated_after: Time | None = Field(None, description="Changed after this RFC 3339 time.")
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
    fields: str | None = Field(
        None,
        min_length=1,
        max_length=512,
        description="Only these fields of each item, and `id`; separated by commas.",
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
            updated_after=in_utc("updated_after", self.updated_after),
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


class OneParameters(BaseModel):
    """The query string of `GET /v1/products/{id}`: nothing, or which past is meant."""

    model_config = ConfigDict(extra="forbid")

    version: StreamVersion | None = Field(None, description="The product in this version.")
    as_of: Time | None = Field(None, description="The product at this RFC 3339 time; not with `version`.")

    def moment(self) -> int | datetime | None:
        """A version or a time; None: now. Raises `BadParameter`."""
        if self.version is not None and self.as_of is not None:
            raise BadParameter("as_of", "is not used together with version", "conflict")
        return self.version if self.version is not None else in_utc("as_of", self.as_of)
