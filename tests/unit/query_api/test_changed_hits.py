"""A document meets filters exactly if an engine that knew it would find it."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from query_api.products.changed_hits import meets
from query_api.search.query import AttributeFilter, ProductFilters, SearchFilters, SearchQuery
from shared.contract.views import ProductDocument, encode_document
from tests.any_search import IDS, documents, queries
from tests.integration.query_world import product
from tests.searching import InMemoryCatalogue

ALL = ("active", "archived", "draft")


def _each_alone(filters: SearchFilters) -> Iterator[SearchFilters]:
    """All filters together hardly ever differ in one alone."""
    for name in (*ProductFilters.__struct_fields__, "attributes"):
        needed = {"statuses": ALL, "currency": filters.currency if name.startswith("price") else None}
        yield SearchFilters(**needed | {name: getattr(filters, name)}, sort="id")
    yield structs.replace(filters, text=None, sort="id")


@given(document=documents(), query=queries(), ids=st.lists(IDS, min_size=1, max_size=4).map(tuple))
@settings(deadline=None, max_examples=100)
def test_a_document_meets_what_an_engine_would_find(
    document: ProductDocument, query: SearchQuery, ids: tuple[UUID, ...]
) -> None:
    catalogue = InMemoryCatalogue()
    catalogue.put(document)

    async def compare() -> None:
        for filters in _each_alone(structs.replace(query.filters, product_ids=ids)):
            found = await catalogue.engine.search(SearchQuery(filters, None, 1))
            assert meets(encode_document(document), filters) == bool(found.hits), filters

    asyncio.run(compare())


@pytest.mark.parametrize(
    ("wanted", "is_met"),
    [
        (AttributeFilter("size", lowest=5.0), True), (AttributeFilter("size", lowest=5.5), False),
        (AttributeFilter("size", highest=5.0), True), (AttributeFilter("size", highest=4.9), False),
        (AttributeFilter("size", value="5.0"), True), (AttributeFilter("width", lowest=0.0), False),
        (AttributeFilter("colour", value="red"), True), (AttributeFilter("colour", value="re"), False),
        (AttributeFilter("colour", lowest=0.0), False),
    ],
)  # fmt: skip
def test_an_attribute_is_a_value_or_in_a_range(wanted: AttributeFilter, is_met: bool) -> None:
    document = product(attributes={"size": 5, "colour": ["red", "blue"]})
    assert meets(encode_document(document), SearchFilters(attributes=(wanted,))) == is_met
