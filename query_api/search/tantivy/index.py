"""One index in one folder: the products of `products-state`, and how far that topic has been read.

The checkpoint is a document in the same commit as the products, because the binding gives a commit no
payload. So a process that is killed goes on exactly where its last commit was.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec
import tantivy

from query_api.search.ports import IndexCheckpoint, IndexedState
from query_api.search.query import SearchFilters
from query_api.search.tantivy.failures import translated
from query_api.search.tantivy.schema import (
    CHECKPOINT,
    LAYOUT,
    WORDS,
    checkpoint_document,
    checkpoint_query,
    delete_checkpoint,
    delete_product,
    document_of,
    schema,
    word_analyzer,
)
from query_api.search.tantivy.start_sample import StartSample
from shared.contract.views import decode_document
from shared.ops.logs import get_logger
from shared.search.entry import SCHEME, entry_of

# One thread: a process has one core. The memory is what a commit of a few thousand products needs.
_WRITER_BYTES = 64 * 1024 * 1024
_WRITER_THREADS = 1
_SAMPLES_COMMITS = 100
_KNOWN_MAX, _KNOWN_LENGTH_MAX = 1_000, 100
_encode = msgspec.json.Encoder().encode
_checkpoints = msgspec.json.Decoder(IndexCheckpoint)
_log = get_logger(__name__)


def scheme() -> str:
    """Of the content of an index: one of another scheme is never opened."""
    parts = (SCHEME, LAYOUT, version("tantivy"), version("iso4217"))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


class Snapshot(NamedTuple):
    """The index as one commit left it. It stays the same while it is used, also during later commits.

    `mark` stands for it where it may be remembered for long: a snapshot keeps the files of its index.
    `known_terms` are of this commit, `known_samples` and `known_ends` (`walk.py`) of one not long ago.
    """

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    reader: tantivy.Index
    generation: int
    mark: object
    known_terms: "dict[tuple[str, str, int | None], Sequence[str]]"
    known_samples: "dict[tuple[str, int], StartSample]"
    known_ends: "dict[tuple[SearchFilters, int], int | None]"

    def parsed(self, query: str, field: str) -> tantivy.Query:
        """A query in tantivy's language: the only way to a range of texts."""
        return self.reader.parse_query(query, [field])

    def terms(self, field: str, prefix: str, limit: int | None = None) -> Sequence[str]:
        """Those of the field that begin with `prefix`. Many searches between two commits ask for the same."""
        asked = field, prefix, limit
        terms = self.known_terms.get(asked)
        if terms is None:
            terms = [term for term, _ in self.searcher.terms_with_prefix(field, prefix, None, limit)]
            if len(terms) <= _KNOWN_LENGTH_MAX and len(self.known_terms) < _KNOWN_MAX:
                self.known_terms[asked] = terms
        return terms


class TantivyIndex:
    """Implements `ProductIndex`. A folder has one writer; another one raises `SearchUnavailable`."""

    def __init__(self, folder: Path) -> None:
        """Opens or creates the index. Raises `SearchUnavailable`."""
        self._schema = schema()
        with translated():
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder))
            self._index.register_tokenizer(WORDS, word_analyzer())
            # `apply` reloads itself, so that it returns when searches show its states.
            self._index.config_reader(reload_policy="manual")
            self._writer: tantivy.IndexWriter | None = self._index.writer(_WRITER_BYTES, _WRITER_THREADS)
            self._index.reload()
            self._snapshot = self._look(generation=0)
            self._checkpoint = self._read_checkpoint()

    @property
    def checkpoint(self) -> IndexCheckpoint | None:
        return self._checkpoint

    @property
    def snapshot(self) -> Snapshot:
        """What the last commit left."""
        return self._snapshot

    def apply(self, states: Sequence[IndexedState], checkpoint: IndexCheckpoint) -> None:
        """Of several states of a product the last one counts."""
        newest = {state.product_id: state for state in states}
        with translated():
            writer = self._open_writer()
            for state in newest.values():
                delete_product(writer, state.product_id.hex)
                document = self._document(state)
                if document is not None:
                    writer.add_document(document)
            delete_checkpoint(writer)
            writer.add_document(checkpoint_document(_encode(checkpoint).decode(), self._schema))
            writer.commit()
            self._index.reload()
            self._snapshot = self._look(self._snapshot.generation + 1)
        self._checkpoint = checkpoint

    def refresh(self) -> None:
        with translated():
            self._index.reload()
            searcher = self._index.searcher()
            # Only segments have become one: what a search finds is the same, so the mark stays.
            if searcher.num_segments != self._snapshot.searcher.num_segments:
                self._snapshot = self._snapshot._replace(searcher=searcher, known_terms={})

    def close(self) -> None:
        with translated():
            if self._writer is not None:
                writer, self._writer = self._writer, None
                writer.wait_merging_threads()

    def _look(self, generation: int) -> Snapshot:
        is_near = generation % _SAMPLES_COMMITS != 0
        samples = self._snapshot.known_samples if is_near else {}
        ends = self._snapshot.known_ends if is_near else {}
        searcher = self._index.searcher()
        return Snapshot(searcher, self._schema, self._index, generation, object(), {}, samples, ends)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            raise ValueError("the index is closed")
        return self._writer

    def _document(self, state: IndexedState) -> tantivy.Document | None:
        if state.document is None:
            return None
        try:
            return document_of(entry_of(decode_document(state.document)), self._schema)
        except (msgspec.MsgspecError, ValueError) as error:
            # One bad state must not stop the index; the next state of the product mends it.
            _log.warning(
                "state not indexed",
                product_id=str(state.product_id),
                reason=str(error),
            )
            return None

    def _read_checkpoint(self) -> IndexCheckpoint | None:
        searcher = self._snapshot.searcher
        hits = searcher.search(checkpoint_query(self._schema), 1).hits
        if not hits:
            return None
        stored = searcher.doc(hits[0][1]).get_first(CHECKPOINT)
        return None if stored is None else _checkpoints.decode(stored)
