"""The index of products in OpenSearch: its names, its settings and its fields.

Words arrive folded and separated (`shared/search/words.py`), so the analyser separates at blanks and does
nothing else: it finds what the embedded engine finds. All other fields are texts whose order is the one that
is meant (`shared/search/entry.py`). What is in no field here is refused: a forgotten field shows at once.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from iso4217 import Currency

from shared.search.entry import SCHEME

TEXT_FIELDS = ("name", "brand_words", "tag_words", "description")
"""In the order of their tiers; before them is the SKU."""
CATEGORY_WORDS = "category_words"
SKU, EXACT_SKU = "sku", "exact_sku"
PRODUCT, VERSION, STATUS, BRAND, TAG, CATEGORY = "product", "version", "status", "brand", "tag", "category"
ATTRIBUTE, NUMBER, CURRENCY, PRICE = "attribute", "number", "currency", "price"
ATTRIBUTE_VALUE, PRICE_RANGE, UPDATED_AT = "attribute_value", "price_range", "updated_at"
BY_RANK, BY_NAME, BY_TIME = "by_rank", "by_name", "by_time"
DOCUMENT, LOG_POSITION, LOG_ID, PARTITION = "document", "log_position", "log_id", "partition"
NEXT_OFFSET = "next_offset"
PREFIX_CHARACTERS_MAX = 19
"""Beginnings of words up to this length, the longest that OpenSearch allows, are terms of their own: one
look-up instead of one for each such word. In a
phrase OpenSearch would take only some of them.
"""
_WORDS = {
    "type": "text",
    "analyzer": "whitespace",
    "norms": False,
    # Words of two list items are never one after the other.
    "position_increment_gap": 100,
    "index_prefixes": {"min_chars": 1, "max_chars": PREFIX_CHARACTERS_MAX},
}
_VALUE = {"type": "keyword"}
_KEPT = {"index": False, "doc_values": False}


def by_price(currency: str) -> str:
    """The field with the cheapest price in this currency."""
    return f"by_price_{currency.lower()}"


def index_body(*, shards: int = 1, replicas: int = 1) -> Mapping[str, Any]:
    """The body of the request that makes an index."""
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            # The writer refreshes before it saves a checkpoint, so a timer would only cost.
            "refresh_interval": "-1",
            # A cluster's default may be SEGMENT: then a replica shows a write later than its refresh ends.
            "replication.type": "DOCUMENT",
        },
        "mappings": {"dynamic": "strict", "properties": _fields()},
    }


def alias_of(prefix: str) -> str:
    """The name that searches and writers use. A release with another mapping has another one, so that both
    releases can run at the same time.
    """
    return f"{prefix}-{SCHEME}-{_hash()}"


def index_name(prefix: str, number: int) -> str:
    """The index `number` behind the alias; a rebuild makes the next one."""
    return f"{alias_of(prefix)}-{number}"


def _fields() -> dict[str, Any]:
    values = (
        SKU, EXACT_SKU, PRODUCT, STATUS, BRAND, TAG, CATEGORY, NUMBER, CURRENCY, PRICE,
        PRICE_RANGE, UPDATED_AT, BY_RANK, BY_NAME, BY_TIME,
    )  # fmt: skip
    return {
        **dict.fromkeys((*TEXT_FIELDS, CATEGORY_WORDS), _WORDS),
        **dict.fromkeys(values, _VALUE),
        **dict.fromkeys((by_price(each.code) for each in Currency), _VALUE),
        # Searched by the one, counted by the other.
        ATTRIBUTE: {**_VALUE, "doc_values": False},
        ATTRIBUTE_VALUE: {**_VALUE, "index": False},
        VERSION: {"type": "long", "index": False},
        LOG_POSITION: {"type": "long", **_KEPT},
        PARTITION: {"type": "integer", **_KEPT},
        LOG_ID: {"type": "keyword", **_KEPT},
        NEXT_OFFSET: {"type": "long", **_KEPT},
        DOCUMENT: {"type": "object", "enabled": False},
    }


def _hash() -> str:
    return hashlib.sha256(msgspec.json.encode(index_body(), order="sorted")).hexdigest()[:8]
