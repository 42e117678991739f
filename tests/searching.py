"""Search engines for tests: each takes documents and answers searches."""

from collections.abc import Iterable
from math import inf
from pathlib import Path
from typing import Protocol
from uuid import UUID

from query_api.search.ports import IndexCheckpoint, IndexedState, SearchEngine
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.index import TantivyIndex
from shared.contract.views import ProductDocument, encode_document
from tests.in_memory.search import InMemorySearchEngine


class Catalogue(Protocol):
    """An engine, and the hands to change what it searches."""

    @property
    def engine(self) -> SearchEngine: ...

    def put(self, *documents: ProductDocument) -> None:
        """Add or replace products."""

    def delete(self, *product_ids: UUID) -> None: ...

    def close(self) -> None: ...


class InMemoryCatalogue:
    """Looks at each product."""

    def __init__(self) -> None:
        self.engine = InMemorySearchEngine()

    def put(self, *documents: ProductDocument) -> None:
        for document in documents:
            self.engine.put(document)

    def delete(self, *product_ids: UUID) -> None:
        for product_id in product_ids:
            self.engine.delete(product_id)

    def close(self) -> None:
        """Nothing to close."""


class TantivyCatalogue:
    """The embedded index in a folder."""

    def __init__(self, folder: Path) -> None:
        self.index = TantivyIndex(folder)
        self.engine = TantivyEngine(lambda: self.index, lexicon_share=inf)
        self._applied = 0

    def put(self, *documents: ProductDocument) -> None:
        self._apply(
            IndexedState(document.id, document.version, 1, 0, encode_document(document))
            for document in documents
        )

    def delete(self, *product_ids: UUID) -> None:
        self._apply(IndexedState(product_id, 1, 1, 0, None) for product_id in product_ids)

    def close(self) -> None:
        self.engine.close()
        self.index.close()

    def _apply(self, states: Iterable[IndexedState]) -> None:
        self._applied += 1
        self.index.apply(list(states), IndexCheckpoint({0: self._applied}, {0: self._applied}, None, 0.0))
