"""What a hot read may answer of what a cache has: a live document that its caller may see."""

import asyncio

from query_api.products.http.hot_head import HotHead
from query_api.products.visible_rows import is_active
from shared.access.scopes import Scope
from shared.contract.cached_document import CachedDocument, unpack


def is_hidden(head: HotHead, document: CachedDocument) -> bool:
    """Whether this caller gets the answer of a product that does not exist."""
    return document.is_deleted or not (sees_all(head) or is_active(document.body))


def sees_all(head: HotHead) -> bool:
    """Whether this caller sees products that are not active; everybody does while access control is off."""
    return head.caller is None or head.caller.may(Scope.PRODUCTS_READ_DRAFTS)


def has_failed(reading: "asyncio.Future[bytes | None]") -> bool:
    """Whether the cache has not answered, and will not."""
    return reading.done() and (reading.cancelled() or reading.exception() is not None)


def live_document(reading: "asyncio.Future[bytes | None] | None") -> CachedDocument | None:
    """None if the application has to answer."""
    if reading is None or has_failed(reading):
        return None
    packed = reading.result()
    if packed is None:
        return None
    try:
        document = unpack(packed)
    except ValueError:
        return None
    return None if document.is_deleted else document
