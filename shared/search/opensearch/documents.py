"""Documents of the index: a product, what is left of a deleted one, and how far a partition has been read.

A deletion that OpenSearch had forgotten (`index.gc_deletes`) could be undone by an old version that comes
late, so a tombstone is a document, without a status: no search finds it. Checkpoints are in the same index,
so switching the alias switches both.
"""

from typing import Any
from uuid import UUID

import msgspec

from shared.search.entry import Entry, counted_values
from shared.search.opensearch import mapping as m
from shared.search.words import phrase


def product_key(product_id: UUID) -> str:
    """The `_id` of a product's document."""
    return product_id.hex


def checkpoint_key(partition: int) -> str:
    """The `_id` of a partition's checkpoint."""
    return f"checkpoint-{partition}"


def product_source(entry: Entry, document: bytes, log_position: int, partition: int) -> dict[str, Any]:
    """A product. `document` is the JSON of its view, which the projector goes on from; kept as it is."""
    keys = entry.sort_keys
    fields: dict[str, Any] = {
        m.STATUS: entry.status,
        m.BRAND: entry.brand,
        m.UPDATED_AT: entry.updated_at,
        "name": phrase(entry.name),
        "brand_words": phrase(entry.brand_words),
        "tag_words": [phrase(words) for words in entry.tag_words],
        "description": phrase(entry.description),
        m.CATEGORY_WORDS: [phrase(words) for words in entry.category_words],
        m.SKU: entry.skus,
        m.EXACT_SKU: entry.variant_skus,
        m.TAG: entry.tags,
        m.CATEGORY: entry.categories,
        m.ATTRIBUTE: entry.attributes,
        m.ATTRIBUTE_VALUE: counted_values(entry.attributes),
        m.NUMBER: entry.numbers,
        m.CURRENCY: entry.currencies,
        m.PRICE: entry.prices,
        m.PRICE_RANGE: entry.price_ranges,
        m.BY_RANK: keys.rank,
        m.BY_NAME: keys.name,
        m.BY_TIME: keys.updated_at,
        **{m.by_price(currency): key for currency, key in keys.cheapest.items()},
    }
    return {
        **{name: value for name, value in fields.items() if value},
        m.DOCUMENT: msgspec.Raw(document),
        **_place(UUID(hex=keys.product_id), entry.stream_version, log_position, partition),
    }


def tombstone_source(
    product_id: UUID, stream_version: int, log_position: int, partition: int
) -> dict[str, Any]:
    """A deleted product."""
    return _place(product_id, stream_version, log_position, partition)


def checkpoint_source(
    partition: int, log_position: int, log_id: UUID | None, next_offset: int = 0
) -> dict[str, Any]:
    """Up to which log position of a partition the index shows all. Its writer goes on at `next_offset`."""
    return {
        m.PARTITION: partition,
        m.LOG_POSITION: log_position,
        m.LOG_ID: None if log_id is None else str(log_id),
        m.NEXT_OFFSET: next_offset,
    }


def _place(product_id: UUID, stream_version: int, log_position: int, partition: int) -> dict[str, Any]:
    return {
        m.PRODUCT: product_id.hex,
        m.VERSION: stream_version,
        m.LOG_POSITION: log_position,
        m.PARTITION: partition,
    }
