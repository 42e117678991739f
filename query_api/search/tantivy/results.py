"""Answers that were given since the last commit: the same search of the same index has the same answer.

So a first page that many ask for is searched once a commit, and never shows an older index.
"""

from query_api.search.query import Found, SearchQuery
from query_api.search.tantivy.index import Snapshot

ANSWERS_MAX = 500


class Results:
    """Of the newest snapshot that was asked about; another one begins anew."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._answers: dict[SearchQuery, Found] = {}

    def get(self, query: SearchQuery, snapshot: Snapshot) -> Found | None:
        """The answer to an equal query; None: it was not asked since the last commit."""
        return self._answers.get(query) if snapshot is self._snapshot else None

    def put(self, query: SearchQuery, found: Found, snapshot: Snapshot, newest: Snapshot) -> None:
        """Keep an answer, if its snapshot is still the newest. Of too many, the oldest are forgotten."""
        if snapshot is not newest:
            return
        if snapshot is not self._snapshot:
            self._snapshot, self._answers = snapshot, {}
        self._answers[query] = found
        if len(self._answers) > ANSWERS_MAX:
            del self._answers[next(iter(self._answers))]
