"""`GET /v1/products/{id}/projections`: where one product is on its way through the system."""

from typing import Any
from uuid import UUID

import pytest

from shared.contract.addresses import partition_of
from tests.integration.history_world import PastWorld, past, past_world
from tests.integration.query_world import TOPIC, product
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns

__all__ = ["past"]

pytestmark = pytest.mark.servers
PARTITIONS = 12


async def reach(past: PastWorld, projection: str, product_id: UUID, log_position: int) -> None:
    """A projection reports this position in the product's partition."""
    await past.query.database.execute(
        "INSERT INTO views.projection_lag VALUES ($1, $2, $3, $4, 1, 0, 0, NULL)"
        " ON CONFLICT (projection, topic, partition) DO UPDATE SET log_position = EXCLUDED.log_position",
        projection, TOPIC, partition_of(product_id, PARTITIONS), log_position,
    )  # fmt: skip


async def told(past: PastWorld, product_id: UUID) -> dict[str, Any]:
    answer = await past.get(product_id, "/projections")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def of(body: dict[str, Any], projection: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in body["projections"] if one["projection"] == projection)
    return found


async def test_a_product_that_nobody_has_read_yet(past: PastWorld) -> None:
    events = past_events(created(), priced("8.00"))
    product_id = await past.append(events)
    body = await told(past, product_id)
    assert not any(one["has_applied"] for one in body.pop("projections"))
    assert body == {
        "product_id": str(product_id), "stream_version": 2, "log_position": events[-1].log_position,
        "cache": {"is_cached": False, "version": None},
        "published": {"is_published": False, "state_version": None},
    }  # fmt: skip


async def test_a_projection_without_a_version_has_applied_what_it_has_passed(past: PastWorld) -> None:
    events = past_events(created(), priced("8.00"))
    product_id = await past.append(events)
    await reach(past, "notifications", product_id, events[0].log_position)
    before = of(await told(past, product_id), "notifications")
    await reach(past, "notifications", product_id, events[-1].log_position)
    after = of(await told(past, product_id), "notifications")
    assert (before["has_applied"], before["version"]) == (False, None)
    assert (after["has_applied"], after["position"]) == (True, events[-1].log_position)


async def test_a_view_has_applied_what_its_row_has(past: PastWorld) -> None:
    product_id = await past.append(past_events(created(), priced("8.00")))
    await past.query.store(product(id=product_id, version=1))
    before = of(await told(past, product_id), "product_view")
    await past.query.store(product(id=product_id, version=2))
    after = of(await told(past, product_id), "product_view")
    assert (before["has_applied"], before["version"]) == (False, 1)
    assert (after["has_applied"], after["version"]) == (True, 2)


async def test_a_parked_product_is_not_applied(past: PastWorld) -> None:
    events = past_events(created())
    product_id = await past.append(events)
    await reach(past, "inventory", product_id, events[0].log_position)
    await past.query.database.execute(
        "INSERT INTO views.parked_product (projection, product_id, topic, partition, error_class, cause,"
        " events) VALUES ('inventory', $1, $2, 0, 'undecodable', 'x', 1)",
        product_id, TOPIC,
    )  # fmt: skip
    found = of(await told(past, product_id), "inventory")
    assert (found["is_parked"], found["has_applied"]) == (True, False)


async def test_the_cache_and_the_topics_are_told_with_their_versions(past: PastWorld) -> None:
    events = past_events(created(), priced("8.00"))
    product_id = await past.append(events)
    await past.query.cache(product(id=product_id, version=2))
    await reach(past, "product_cache", product_id, 0)
    await past.log.execute(
        "INSERT INTO catalogue.relay_cursor VALUES ('test', $1)"
        " ON CONFLICT (relay) DO UPDATE SET log_position = excluded.log_position",
        events[-1].log_position,
    )
    await past.query.database.execute(
        "INSERT INTO views.product_state VALUES ($1, 0, 2, $2, now(), NULL, 1)",
        product_id, events[-1].log_position,
    )  # fmt: skip
    body = await told(past, product_id)
    assert body["cache"] == {"is_cached": True, "version": 2}
    assert body["published"] == {"is_published": True, "state_version": 1}
    assert of(body, "product_cache")["version"] == 2
    assert of(body, "product_cache")["has_applied"]
    assert of(body, "products_state")["has_applied"]


async def test_without_redis_the_rest_is_told(
    read_model_of_module: DatabaseDsns, event_store_of_module: DatabaseDsns
) -> None:
    async with past_world(read_model_of_module, event_store_of_module, "redis://127.0.0.1:1") as past:
        product_id = await past.happened(created())
        assert (await told(past, product_id))["cache"] is None


@pytest.mark.parametrize("unknown", ["019a0000-0000-7000-8000-000000000000", "no-id"])
async def test_a_product_without_events_is_not_found(past: PastWorld, unknown: str) -> None:
    answer = await past.query.served.get(f"/v1/products/{unknown}/projections")
    assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")
