"""The parts of search, wired by constructors: the live index, the engine that reads it, and their users."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from query_api.consistency.visibility import Visibility
from query_api.cursors import Cursors
from query_api.products.documents import HitDocuments
from query_api.products.http.list_routes import SearchReads
from query_api.products.ports import ProductCache, ProductTable
from query_api.products.searches import SearchProducts
from query_api.products.suggestions import SuggestProducts
from query_api.search.live import LiveIndex
from query_api.search.progress import IndexProgress
from query_api.search.query import HitPosition
from query_api.search.synonyms import NO_SYNONYMS, read_synonyms
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.index import TantivyIndex
from query_api.settings import QuerySettings


@dataclass(frozen=True, slots=True)
class Search:
    """`live` and `progress` are what a feed moves on."""

    live: LiveIndex[TantivyIndex]
    progress: IndexProgress
    reads: SearchReads


def search_parts(
    settings: QuerySettings,
    table: ProductTable,
    cache: ProductCache,
    visibility: Visibility,
    stack: AsyncExitStack,
) -> Search:
    """Raises `MalformedSynonyms` or `OSError` for a file of synonyms that cannot be read."""
    live: LiveIndex[TantivyIndex] = LiveIndex()
    progress = IndexProgress(waiters_max=settings.waiters_max)
    engine = TantivyEngine(
        lambda: live.current,
        searches_max=settings.searches_max,
        waiting_max=settings.searches_waiting_max,
    )
    stack.callback(engine.close)
    documents = HitDocuments(table, cache, visibility)
    cursors = Cursors(settings.cursor_signing_key.read().encode(), HitPosition)
    path = settings.search_synonyms_file
    return Search(
        live,
        progress,
        SearchReads(
            SearchProducts(engine, progress, documents, cursors, page_bytes_max=settings.list_page_bytes_max),
            SuggestProducts(engine, progress, documents),
            NO_SYNONYMS if path is None else read_synonyms(path),
        ),
    )
