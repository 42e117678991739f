"""What `verify` finds is stored, and a running projector exports it until a later one says otherwise."""

import math
import signal
from typing import Any

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import free_port
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.projector_commands import command, run, start
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, all_cached, some_products, verify, writer

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEWS = ("product_view", "product_cache")
TAMPERED = "UPDATE views.product_view SET name = 'Tampered' WHERE slug = 'shirt-3'"
REPAIRED = "UPDATE views.product_view SET name = 'Shirt 3' WHERE slug = 'shirt-3'"
STORED = (
    "SELECT projection, is_sample, log_position, products, differences FROM views.verification ORDER BY 1"
)


async def exported(world: World, metric: str) -> dict[str, float]:
    """By projection, as Prometheus gets it."""
    text = (await world.ops("/metrics")).text
    return {
        sample.labels["projection"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric
    }


async def stored(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await world.views.fetch(STORED)]


async def test_a_difference_is_exported_until_it_is_repaired_and_verified_again(
    world: World, writer: Writer
) -> None:
    async def differences(*wanted: float) -> None:
        found = await exported(world, "view_verification_differences")
        assert tuple(found.get(name, -1.0) for name in VIEWS) == wanted

    async def never_verified() -> None:
        found = await exported(world, "view_verification_differences")
        assert [math.isnan(found.get(name, 0.0)) for name in VIEWS] == [True, True]

    async with world.projecting(*VIEWS):
        await some_products(writer)
        await eventually(writer.all_shown)
        await eventually(lambda: all_cached(world, writer))
        await eventually(never_verified)
        installed = (await exported(world, "view_unverified_since_timestamp_seconds"))["product_view"]

        assert await world.views.execute(TAMPERED) == "UPDATE 1"
        key = product_key(world.settings.redis_key_prefix, writer.streams[0][0].product_id)
        document = await world.redis.get(key)
        await world.redis.set(key, pack(3, b'{"name": "Tampered"}'))
        await verify(world, *VIEWS, code=4)
        await eventually(lambda: differences(1, 1))
        assert (await exported(world, "view_unverified_since_timestamp_seconds"))["product_view"] > installed
        assert await stored(world) == [
            ("product_cache", False, writer.position, 31, 1),
            ("product_view", False, writer.position, 31, 1),
        ]

        assert await world.views.execute(REPAIRED) == "UPDATE 1"
        await world.redis.set(key, document)
        await verify(world, "product_view")
        await eventually(lambda: differences(0, 1))
        await verify(world, "product_cache")
        await eventually(lambda: differences(0, 0))


async def test_a_sample_is_stored_as_a_sample(world: World, writer: Writer) -> None:
    async with world.projecting("product_view"):
        await some_products(writer)
        await eventually(writer.all_shown)
    await verify(world, "product_view", "--sample", "7")
    assert await stored(world) == [("product_view", True, writer.position, 7, 0)]


@pytest.mark.parametrize(
    ("number", "line"), [(signal.SIGINT, b"interrupted\n"), (signal.SIGTERM, b"stopped by SIGTERM\n")]
)
async def test_a_verify_that_is_cut_off_stores_nothing(
    world: World, writer: Writer, number: signal.Signals, line: bytes
) -> None:
    async with world.projecting("product_view"):
        await some_products(writer)
        await eventually(writer.all_shown)
    # A role sees what its own sessions wait for.
    watching = await asyncpg.connect(world.settings.read_model_dsn.read())
    async with world.views.transaction():
        await world.views.execute("LOCK TABLE views.product_view IN ACCESS EXCLUSIVE MODE")
        verifying = await start(world, "verify", "product_view")
        await eventually(lambda: lock_waits(watching, 1))
        verifying.send_signal(number)
        _, errors = await verifying.communicate()
    await watching.close()
    assert verifying.returncode == 128 + number
    assert errors.endswith(line)
    assert b"Traceback" not in errors
    assert await stored(world) == []


async def test_a_view_that_cannot_be_verified_stores_nothing_and_keeps_no_other_from_it(
    world: World, writer: Writer
) -> None:
    async with world.projecting(*VIEWS):
        await some_products(writer)
        await eventually(writer.all_shown)
        await eventually(lambda: all_cached(world, writer))
        nowhere = f"redis://127.0.0.1:{free_port()}/0"
        ended = await run(world, "verify", "product_cache", "product_view", code=1, REDIS_URL=nowhere)
    assert "product_cache is not verified, and no result is stored: Redis: " in ended.errors
    assert "product_view: as the log says; 31 products" in ended.output
    assert await stored(world) == [("product_view", False, writer.position, 31, 0)]


async def test_a_result_that_cannot_be_stored_is_shown_and_is_a_failure(world: World, writer: Writer) -> None:
    async with world.projecting("product_view"):
        await some_products(writer)
        await eventually(writer.all_shown)
    await world.views.execute("ALTER TABLE views.verification ADD CHECK (products < 31)")
    said = await command(world, "verify", "product_view", code=1)
    assert "product_view: as the log says; 31 products" in said
    assert "product_view is verified, but its result could not be stored: read model: " in said


async def test_a_view_that_is_ahead_of_the_log_differs_though_no_product_can_be_compared(
    world: World, writer: Writer
) -> None:
    async with world.projecting("product_view"):
        await some_products(writer)
        await eventually(writer.all_shown)
    await world.store.execute("TRUNCATE catalogue.events, catalogue.streams")
    found = (await verify(world, "product_view", code=4))["product_view"]
    assert found["products"] == 0
    assert found["differences"] == [f"the view has applied position {writer.position}, the log ends at 0"]
