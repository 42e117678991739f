"""Any catalogue and any search, for Hypothesis: few words and values, so that searches find something."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from query_api.search.query import AttributeFilter, SearchFilters, SearchQuery
from query_api.search.text_query import parse_text
from shared.contract.events import Money, Variant
from shared.contract.views import ProductDocument

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = st.integers(1, 8).map(lambda number: UUID(int=number))
WORDS = st.sampled_from(
    [
        "blue",
        "blu",
        "blues",
        "red",
        "rde",
        "größe",
        "shirt",
        "t-shirt",
        "青い",
        "x1",
        "x2",
        "a",
        "headphones",
        "headphones-1",
        "haedphone",
        "eadphones",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
SKUS = st.sampled_from(["BLUE-1", "blue", "x1", "é/1", "x.*", "headphones-1", "headphones-12"])
BRANDS = st.sampled_from(["Blue", "Red & Co", "größe"])
CATEGORIES = st.sampled_from(["a", "a/b", "a/b/c", "ab", "red/blue"])
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY"])
AMOUNTS = st.sampled_from(["0", "1", "9", "10", "11", "19", "20", "999999999999"])
VALUES = st.one_of(
    st.booleans(),
    st.sampled_from(["red", "true", "1", "1.0", ""]),
    st.sampled_from([-1, 0, -0.0, 1, 1.5, 1e300]),
)
STATUSES = st.sampled_from(["active", "draft", "archived"])
FACETS = st.lists(
    st.sampled_from(["brand", "category", "tag", "status", "price", "attr.c", "attr.n"]), unique=True
).map(tuple)


@st.composite
def documents(draw: Any) -> ProductDocument:
    product_id = draw(IDS)
    skus = draw(st.lists(SKUS, min_size=1, max_size=3, unique=True))
    return ProductDocument(
        id=product_id, version=draw(st.integers(1, 5)), status=draw(STATUSES), slug=f"s-{product_id}",
        name=draw(TEXTS), description=draw(st.none() | TEXTS), brand=draw(st.none() | BRANDS),
        product_type=None, category=draw(st.none() | CATEGORIES),
        tags=tuple(draw(st.lists(TEXTS, max_size=2, unique=True))),
        attributes=draw(st.dictionaries(st.sampled_from(["c", "n"]), VALUES | st.lists(VALUES, max_size=2))),
        images=(), created_at=START + timedelta(seconds=draw(st.integers(0, 2))),
        updated_at=START + timedelta(seconds=draw(st.integers(0, 2))), published_at=None,
        variants=tuple(
            Variant(sku=sku, options={}, price=Money(draw(AMOUNTS), draw(CURRENCIES))) for sku in skus
        ),
    )  # fmt: skip


@st.composite
def texts(draw: Any) -> str:
    part = st.one_of(
        WORDS, TEXTS.map(lambda text: f'"{text}"'), WORDS.map(lambda word: f"-{word}"),
        st.sampled_from(["blu", "shi", "BLUE-", "x.*", "bleu", "&"]),
    )  # fmt: skip
    return " ".join(draw(st.lists(part, min_size=1, max_size=3)))


@st.composite
def queries(draw: Any) -> SearchQuery:
    text = parse_text(draw(texts())) if draw(st.booleans()) else None
    currency = draw(st.none() | CURRENCIES)
    sorts = ["name", "-name", "updated_at", "-updated_at", "id"]
    sorts += ["relevance"] if text is not None else []
    sorts += ["price", "-price"] if currency is not None else []
    bound = st.none() | AMOUNTS.map(Decimal) if currency is not None else st.none()
    filters = SearchFilters(
        statuses=tuple(draw(st.lists(STATUSES, min_size=1, unique=True))), text=text, currency=currency,
        category=draw(st.none() | CATEGORIES), brand=draw(st.none() | BRANDS), tag=draw(st.none() | WORDS),
        sku=draw(st.none() | st.sampled_from(["blue", "é/1"])), price_min=draw(bound), price_max=draw(bound),
        updated_after=draw(st.none() | st.just(START)), sort=draw(st.sampled_from(sorts)),
        attributes=tuple(draw(st.lists(st.one_of(
            st.builds(AttributeFilter, st.sampled_from("cn"), st.sampled_from(["red", "1", "true", "0"])),
            st.builds(
                lambda name, low, high: AttributeFilter(name, lowest=low, highest=high),
                st.sampled_from(["c", "n"]), st.none() | st.just(0.0), st.just(1.0) | st.just(2.0),
            ),
        ), max_size=1))),
    )  # fmt: skip
    facets = tuple(name for name in draw(FACETS) if name != "price" or currency is not None)
    return SearchQuery(filters, None, draw(st.integers(1, 10)), facets, True, ("active",))
