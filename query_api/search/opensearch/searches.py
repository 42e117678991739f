"""Sends searches to OpenSearch, within bounds, and translates its errors once."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from query_api.errors import Overloaded, SearchEngineFailed, SearchUnavailable
from shared.ops.breaker import CircuitBreaker
from shared.ops.logs import get_logger
from shared.ops.metrics.requests import SEARCH_QUEUE
from shared.ops.overload.place import resting
from shared.search.opensearch.client import (
    OpenSearchClient,
    OpenSearchDenied,
    OpenSearchRefused,
    OpenSearchUnavailable,
)

_NO_INDEX = "index_not_found_exception"
_MISSING = "the search index is being built"
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder().decode
_log = get_logger(__name__)


class Searches:
    """Of one alias. At most `searches_max` have a turn at the same time, and `waiting_max` wait for one.

    While `breaker` is open requests are refused: searches must not wait for a dead server.
    """

    def __init__(
        self,
        client: OpenSearchClient,
        alias: str,
        *,
        searches_max: int,
        waiting_max: int,
        seconds_max: float,
        breaker: CircuitBreaker,
    ) -> None:
        self._client = client
        self._alias = alias
        self._turns = asyncio.Semaphore(searches_max)
        self._unfinished = 0
        self._unfinished_max = searches_max + waiting_max
        self._breaker = breaker
        self._trouble = ""
        self._parameters = {
            "allow_partial_search_results": "false",
            # Nobody waits longer, so the server need not go on.
            "cancel_after_time_interval": f"{int(seconds_max * 1000)}ms",
        }

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For the requests of one search. Raises `Overloaded`."""
        if self._unfinished >= self._unfinished_max:
            raise Overloaded(SEARCH_QUEUE, "too many searches are waiting")
        self._unfinished += 1
        try:
            with resting():
                await self._turns.acquire()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._unfinished -= 1

    async def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one search request. Raises `SearchUnavailable`."""
        # Not around the other call: its task is one for all readers that wait.
        with resting():
            return await self._call("_search", body, self._parameters)

    async def documents(self, keys: Sequence[str]) -> Sequence[dict[str, Any]]:
        """Documents by `_id`, as they are now, in this order. Raises `SearchUnavailable`."""
        found = (await self._call("_mget", {"ids": list(keys)}, {}))["docs"]
        for one in found:
            # Each document has an error of its own, also if there is no index.
            if "error" in one:
                kind = one["error"]["type"]
                if kind == _NO_INDEX:
                    raise SearchUnavailable(_MISSING)
                _log.warning("search failed", reason=kind)
                raise SearchEngineFailed(f"OpenSearch: {kind}")
        return [one["_source"] if one["found"] else {} for one in found]

    async def _call(
        self, kind: str, body: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not self._breaker.allows(time.monotonic()):
            # With the same text: one that changed with the breaker would be logged again and again.
            raise SearchEngineFailed(self._trouble)
        path = f"{self._alias}/{kind}"
        try:
            answer = await self._client.request("POST", path, _encode(body), parameters=parameters)
        except (OpenSearchUnavailable, OpenSearchDenied) as error:
            # After many wrong passwords a user may be locked out.
            self._breaker.record_failure(time.monotonic())
            self._trouble = f"OpenSearch: {error}"
            _log.warning("search failed", reason=str(error))
            raise SearchEngineFailed(self._trouble) from error
        except OpenSearchRefused as error:
            self._breaker.record_success()
            if error.kind == _NO_INDEX:
                raise SearchUnavailable(_MISSING) from error
            _log.error("search refused by OpenSearch", reason=str(error))
            raise SearchEngineFailed(f"OpenSearch: {error}") from error
        self._breaker.record_success()
        decoded: dict[str, Any] = _decode(answer)
        return decoded
