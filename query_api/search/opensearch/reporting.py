"""How the index in OpenSearch is, as far as a reader can tell: whether it answers, and its checkpoints."""

from query_api.errors import SearchUnavailable
from query_api.search.opensearch.checkpoints import OpenSearchCheckpoints
from query_api.search.reporting import IndexState


class OpenSearchReport:
    """Implements `SearchReport`. How late the index is, and whether it is rebuilt, its projection tells."""

    def __init__(self, checkpoints: OpenSearchCheckpoints) -> None:
        self._checkpoints = checkpoints

    async def now(self) -> IndexState:
        """Asks OpenSearch."""
        try:
            positions = await self._checkpoints.positions()
        except SearchUnavailable as error:
            return IndexState("opensearch", "missing", {}, None, None, None, str(error))
        return IndexState("opensearch", "following", positions, None, None, None, None)

    async def check(self) -> None:
        """Raises `SearchUnavailable` while searches are refused."""
        await self._checkpoints.positions()
