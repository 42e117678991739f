"""Search engines for tests: each takes documents and answers searches."""

from collections.abc import Iterable
from itertools import count
from math import inf
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import httpx
import msgspec

from deploy.local.opensearch import OpenSearchServer
from query_api.search.opensearch.engine import OpenSearchEngine
from query_api.search.opensearch.searches import Searches
from query_api.search.ports import IndexCheckpoint, IndexedState, SearchEngine
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.index import TantivyIndex
from shared.contract.views import ProductDocument, encode_document
from shared.ops.breaker import CircuitBreaker
from shared.ops.secret import Secret
from shared.search.entry import entry_of
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from shared.search.opensearch.documents import product_key, product_source, tombstone_source
from shared.search.opensearch.mapping import index_body
from tests.in_memory.search import InMemorySearchEngine

_SECONDS_MAX = 60.0
_IN_THREADS = {"search.concurrent_segment_search.mode": "all", "search.concurrent.max_slice_count": 4}
_numbers = count(1)


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


class OpenSearchCatalogue:
    """An index of its own on a real server. Each shard is searched in several threads, if it has segments for
    them, as it is on a machine with many processors.
    """

    def __init__(self, server: OpenSearchServer, *, shards: int = 1) -> None:
        self.index = f"test-{next(_numbers)}"
        self.client = OpenSearchClient(
            SearchAddress(Secret(server.url)),
            connections_max=4,
            seconds_max=_SECONDS_MAX,
            connect_seconds_max=_SECONDS_MAX,
        )
        searches = Searches(
            self.client,
            self.index,
            searches_max=4,
            waiting_max=8,
            seconds_max=_SECONDS_MAX,
            breaker=CircuitBreaker(failures_max=5, open_seconds=1.0),
        )
        self.engine = OpenSearchEngine(searches)
        self._stored: set[UUID] = set()
        self._http = httpx.Client(base_url=server.url, timeout=_SECONDS_MAX)
        body = dict(index_body(shards=shards, replicas=0))
        body["settings"] |= _IN_THREADS
        self._send("PUT", f"/{self.index}", msgspec.json.encode(body))

    def put(self, *documents: ProductDocument) -> None:
        self._write(
            (document.id, product_source(entry_of(document), encode_document(document), 1, 0))
            for document in documents
        )
        self._stored.update(document.id for document in documents)

    def delete(self, *product_ids: UUID) -> None:
        self._write((product_id, tombstone_source(product_id, 2, 2, 0)) for product_id in product_ids)
        self._stored.difference_update(product_ids)

    def replace(self, *documents: ProductDocument) -> None:
        """These products and no others."""
        self.delete(*self._stored)
        self.put(*documents)

    def close(self) -> None:
        self._send("DELETE", f"/{self.index}")
        self._http.close()

    def _write(self, sources: Iterable[tuple[UUID, object]]) -> None:
        lines = [
            msgspec.json.encode(one) + b"\n"
            for product_id, source in sources
            for one in ({"index": {"_id": product_key(product_id)}}, source)
        ]
        if lines:
            answer = self._send("POST", f"/{self.index}/_bulk?refresh=true", b"".join(lines))
            assert not answer["errors"], answer

    def _send(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"content-type": "application/json"}
        return self._http.request(method, path, content=body, headers=headers).raise_for_status().json()
