"""`GET /v1/dead-letters`: what is parked, in pages, without what readers may not see."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from projector.operators.command_line.commands import projector_parser
from tests.integration.query_world import TOPIC, World, shared_installation, world
from tests.servers import DatabaseDsns

__all__ = ["shared_installation", "world"]

pytestmark = pytest.mark.servers
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


async def park_event(
    world: World, projection: str, product_id: UUID | None, version: int, *, seconds: int = 0, **changed: Any
) -> int:
    """One record; returns its id."""
    cause = changed.get("cause", "unknown field")
    error_class = changed.get("error_class", "undecodable")
    dead_letter_id: int = await world.database.fetchval(
        "INSERT INTO views.parked_event (projection, product_id, topic, partition, record_offset,"
        " record_timestamp, header_names, header_values, log_position, stream_version, event_type,"
        " error_class, cause, parked_at)"
        " VALUES ($1, $2, $3, 0, (SELECT count(*) FROM views.parked_event), 0, '{}', '{}', $4::int, $4,"
        " 'product-price-changed', $5, $6, $7) RETURNING parked_event_id",
        projection, product_id, TOPIC, version, error_class, cause, BEGAN + timedelta(seconds=seconds),
    )  # fmt: skip
    return dead_letter_id


async def park_product(world: World, projection: str, versions: int, *, seconds: int = 0) -> UUID:
    """A product with this many parked events."""
    product_id = uuid4()
    for version in range(1, versions + 1):
        await park_event(world, projection, product_id, version, seconds=seconds)
    await world.database.execute(
        "INSERT INTO views.parked_product (projection, product_id, topic, partition, error_class, cause,"
        " events, attempts, parked_at) VALUES ($1, $2, $3, 0, 'undecodable', 'unknown field', $4, 2, $5)",
        projection, product_id, TOPIC, versions, BEGAN + timedelta(seconds=seconds),
    )  # fmt: skip
    return product_id


async def listed(world: World, **parameters: Any) -> tuple[list[dict[str, Any]], str | None]:
    answer = await world.served.get("/v1/dead-letters", params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    return body["items"], body["next_cursor"]


async def test_a_parked_product_is_told_by_its_first_event_with_the_commands_for_it(world: World) -> None:
    product_id = await park_product(world, "inventory", 3)
    (item,), cursor = await listed(world)
    assert cursor is None
    chosen = f"--projection inventory --product {product_id}"
    assert item.pop("dead_letter_id") > 0
    assert item == {
        "projection": "inventory", "product_id": str(product_id), "log_position": 1,
        "event_type": "product-price-changed", "error_class": "undecodable", "cause": "unknown field",
        "parked_at": "2026-01-01T00:00:00Z", "followers": 2, "attempts": 2,
        "commands": {
            "show": f"python -m projector dead-letters show {chosen}",
            "retry": f"python -m projector dead-letters retry {chosen}",
            "discard": f"python -m projector dead-letters discard {chosen} --reason",
        },
    }  # fmt: skip


async def test_a_record_without_a_product_is_told_with_its_own_id(world: World) -> None:
    dead_letter_id = await park_event(world, "analytics", None, 7, cause="MalformedRecord: no subject")
    (item,), _ = await listed(world)
    assert (item["product_id"], item["cause"], item["followers"]) == (None, "MalformedRecord: no subject", 0)
    command = f"python -m projector dead-letters retry --projection analytics --id {dead_letter_id}"
    assert item["commands"]["retry"] == command


async def test_the_recipient_of_a_mail_is_not_told(world: World, read_model_of_module: DatabaseDsns) -> None:
    cause = "ann@example.com: 550 no such mailbox"
    await park_event(world, "notifications", None, 7, cause=cause, error_class="mail-refused")
    (item,), _ = await listed(world)
    assert "ann@example.com" not in str(item)
    assert item["cause"].startswith("mail-refused")
    reader = await asyncpg.connect(read_model_of_module.reader)
    for statement in ("SELECT cause FROM views.parked_event", "SELECT value FROM views.parked_event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(statement)
    assert await reader.fetchval("SELECT cause FROM views.parked_alone") is None
    await reader.close()


async def test_pages_have_each_dead_letter_once_and_the_oldest_first(world: World) -> None:
    wanted: list[str] = []
    for number in range(7):
        seconds = number // 3  # some are parked at the same time
        if number % 2:
            wanted.append(str(await park_event(world, "analytics", None, 1, seconds=seconds)))
        else:
            wanted.append(str(await park_product(world, "inventory", 1, seconds=seconds)))
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        items, cursor = await listed(world, limit=2, **({} if cursor is None else {"cursor": cursor}))
        seen += items
        if cursor is None:
            break
    assert sorted(one["product_id"] or str(one["dead_letter_id"]) for one in seen) == sorted(wanted)
    times = [one["parked_at"] for one in seen]
    assert times == sorted(times)


async def test_a_list_of_one_projection_has_no_other(world: World) -> None:
    await park_product(world, "inventory", 1)
    await park_event(world, "analytics", None, 1)
    items, _ = await listed(world, projection="analytics")
    assert [one["projection"] for one in items] == ["analytics"]
    await park_event(world, "analytics", None, 2)
    _, cursor = await listed(world, projection="analytics", limit=1)
    other = await world.served.get(
        "/v1/dead-letters", params={"projection": "inventory", "cursor": cursor or ""}
    )
    assert (other.status_code, other.json()["errors"][0]["code"]) == (400, "foreign")


async def test_the_commands_are_those_of_the_command_line(world: World) -> None:
    await park_product(world, "inventory", 1)
    await park_event(world, "analytics", None, 1)
    items, _ = await listed(world)
    for item in items:
        for action, command in item["commands"].items():
            words = command.removeprefix("python -m projector ").split()
            given = projector_parser().parse_args([*words, "why"] if action == "discard" else words)
            assert (given.action, given.projection) == (action, item["projection"])
