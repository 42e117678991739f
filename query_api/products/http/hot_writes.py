"""Reads with a Consistency-Token of the product that they ask for, answered in the HTTP protocol like other
hot reads: mostly the cache has the write, or the event log has it.
"""

import asyncio

from query_api.consistency.http import WaitLimits, preferred_wait
from query_api.products.http.hot_head import HotHead
from query_api.products.written import WrittenProducts
from shared.contract.consistency_token import MalformedToken, decode_token


class HotWrites:
    """What has to wait for the view is left to the application."""

    def __init__(self, written: WrittenProducts, limits: WaitLimits) -> None:
        self._written = written
        self._limits = limits

    def read(self, product_id: str, head: HotHead) -> "asyncio.Future[bytes | None] | None":
        """The packed document, or None for the application; no future: the token is malformed, or not of this
        product.
        """
        assert head.token is not None
        try:
            token = decode_token(head.token.decode("ascii", "replace"))
        except MalformedToken:
            return None
        if token.product_id is None or str(token.product_id) != product_id:
            return None
        if any(partition >= self._limits.partition_count for partition in token.positions):
            return None
        if head.prefer is not None:
            wanted = preferred_wait([head.prefer.decode("latin-1")])
            if wanted is not None:
                head.extra = b"preference-applied: wait=%g\r\n" % min(wanted, self._limits.seconds_max)
        return asyncio.ensure_future(self._written.packed(token.product_id, token, head))
