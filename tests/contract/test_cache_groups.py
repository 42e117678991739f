"""The groups of a cluster's cache are an address: another division would lose every document."""

from uuid import UUID

import pytest
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from shared.contract.addresses import (
    CACHE_GROUP_TAGS,
    cache_generation_key,
    cache_group_of,
    cache_group_prefix,
    product_key,
)


def test_a_product_stays_in_its_group() -> None:
    product_id = UUID("018f4b6e-7c1a-7d3a-9b1e-0a1b2c3d4e5f")
    prefix = cache_group_prefix("catalogue", cache_group_of(product_id))
    assert cache_group_of(str(product_id)) == cache_group_of(product_id)
    assert product_key(prefix, product_id, 3) == f"catalogue:{{63}}:product.3:{product_id}"


@pytest.mark.parametrize("primaries", [1, 2, 3, 4, 6, 8, 12, 24])
def test_primaries_with_equal_ranges_of_slots_have_equally_many_groups(primaries: int) -> None:
    keys = [cache_generation_key(cache_group_prefix("p", group)) for group in range(len(CACHE_GROUP_TAGS))]
    owners = [key_slot(key.encode()) * primaries // REDIS_CLUSTER_HASH_SLOTS for key in keys]
    assert [owners.count(one) for one in range(primaries)] == [len(CACHE_GROUP_TAGS) // primaries] * primaries
