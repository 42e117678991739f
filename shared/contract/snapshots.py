"""Snapshots of long streams: at which versions they are made, and which code may read them.

A snapshot is a document that was folded before. Other code could fold it to something else: with another
field, or with an event type that the older code passed over. So it has the hash of both, and code that has
another hash makes its own.
"""

import hashlib

import msgspec

from shared.contract.codec import STORED_TYPES
from shared.contract.views import ProductDocument

SNAPSHOT_VERSIONS = 500
"""A snapshot is made at the first chance after so many versions."""
# Increase it when the fold changes in a way that neither the document's schema nor the event types show.
_FOLD_NUMBER = 1


def _fold_hash() -> str:
    known = [(stored.event_type, stored.schema_version) for stored in STORED_TYPES]
    folded = [_FOLD_NUMBER, sorted(known), msgspec.json.schema(ProductDocument)]
    return hashlib.sha256(msgspec.json.encode(folded, order="sorted")).hexdigest()[:16]


FOLD = _fold_hash()


def is_due(before: int, after: int) -> bool:
    """Whether a stream that goes from one version to another gets a snapshot."""
    return after // SNAPSHOT_VERSIONS > before // SNAPSHOT_VERSIONS
