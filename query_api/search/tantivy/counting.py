"""Counts by value as tantivy's aggregations: all values, so that the counts are exact."""

from collections.abc import Mapping, Sequence
from typing import Any

# More values than any field of a catalogue has.
BUCKETS_MAX = 65_000


def counts(field: str, values: Sequence[str] | None = None) -> Mapping[str, Any]:
    """In how many documents each value of the field is; `values`: only these."""
    terms = {"field": field, "size": BUCKETS_MAX, "segment_size": BUCKETS_MAX}
    return {"terms": terms if values is None else {**terms, "include": values}}
