"""The checkpoints of the projection that writes the index: they are documents of it."""

from collections.abc import Mapping

from query_api.applied import Applied
from query_api.consistency.visibility import Consistency, Visibility
from query_api.search.opensearch.searches import Searches
from shared.contract.consistency_token import ConsistencyToken
from shared.search.opensearch.documents import checkpoint_key
from shared.search.opensearch.mapping import LOG_POSITION

_PROJECTION = "search_index"


class OpenSearchCheckpoints:
    """Adapter of `Checkpoints`. A checkpoint is saved after searches show what it stands for, and is read as
    it is now, so whoever sees it searches what it promises.
    """

    def __init__(self, searches: Searches, topic: str, *, partition_count: int) -> None:
        self._searches = searches
        self._topic = topic
        self._keys = {partition: checkpoint_key(partition) for partition in range(partition_count)}

    async def positions(self) -> Mapping[int, int]:
        """Raises `SearchUnavailable`."""
        found = await self._searches.documents(list(self._keys.values()))
        return {
            partition: source[LOG_POSITION]
            for partition, source in zip(self._keys, found, strict=True)
            if LOG_POSITION in source
        }

    def applied(self, positions: Mapping[int, int]) -> Applied:
        return Applied(_PROJECTION, self._topic, positions)


class OpenSearchProgress:
    """Implements `SearchProgress`: all readers that wait share one poller."""

    def __init__(self, visibility: Visibility) -> None:
        self._visibility = visibility

    @property
    def waiting(self) -> int:
        """The number of waiting readers."""
        return self._visibility.waiting

    async def reach(self, token: ConsistencyToken, wait_seconds: float) -> None:
        """Raises `SearchUnavailable`, too."""
        await self._visibility.wait(Consistency(token, wait_seconds))
