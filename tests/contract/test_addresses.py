"""Topics, keys, and the partition that Kafka's own clients give a product."""

import warnings
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.addresses import (
    list_generation_key,
    partition_of,
    product_key,
    top_category,
    topics,
)
from shared.contract.codec import STORED_TYPES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # kafka-python reads its own files the old way
    from kafka.partitioner.default import murmur2  # type: ignore[import-untyped]


@given(st.uuids(), st.integers(1, 1000))
def test_a_product_goes_where_kafka_pythons_partitioner_sends_its_key(product_id: UUID, count: int) -> None:
    assert partition_of(product_id, count) == (murmur2(str(product_id).encode()) & 0x7FFFFFFF) % count


def test_every_stored_type_belongs_to_one_topic_by_kind() -> None:
    names = topics("t-")
    kinds = {stored.event_type: names.by_kind(stored.event_type) for stored in STORED_TYPES}
    assert kinds.pop("product-created") == "t-products-created"
    assert kinds.pop("product-deleted") == "t-products-deleted"
    assert set(kinds.values()) == {"t-products-updated"}
    assert names.events == "t-products-events"


@pytest.mark.parametrize(
    ("category", "top"), [("apparel/shirts", "apparel"), ("apparel", "apparel"), (None, None), ("", None)]
)
def test_the_top_category_is_the_first_segment(category: str | None, top: str | None) -> None:
    assert top_category(category) == top


def test_redis_keys_are_apart_per_prefix() -> None:
    assert product_key("v1", UUID(int=7)) == "v1:product:00000000-0000-0000-0000-000000000007"
    assert list_generation_key("v1", None) == "v1:lists:generation:*"
    assert list_generation_key("v1", "apparel") == "v1:lists:generation:apparel"
