"""A document meets filters exactly if an engine that knew it would find it."""

import asyncio

from hypothesis import given, settings
from msgspec import structs

from query_api.products.changed_hits import meets
from query_api.search.query import SearchQuery
from shared.contract.views import ProductDocument, encode_document
from tests.any_search import documents, queries
from tests.searching import InMemoryCatalogue


@given(document=documents(), query=queries())
@settings(deadline=None, max_examples=100)
def test_a_document_meets_what_an_engine_would_find(document: ProductDocument, query: SearchQuery) -> None:
    filters = structs.replace(query.filters, text=None, sort="id")
    for narrowed in (filters, structs.replace(filters, product_ids=(document.id,))):
        catalogue = InMemoryCatalogue()
        catalogue.put(document)
        found = asyncio.run(catalogue.engine.search(query._replace(filters=narrowed, facets=())))
        assert meets(encode_document(document), narrowed) == bool(found.hits)
