"""The search index while its server or its projector is killed, hangs, or was replaced."""

import asyncio
import signal

import pytest

from deploy.local.opensearch import OpenSearchServer
from deploy.local.ports import free_port
from projector.views.search_index.opensearch.indexes import SearchIndexes
from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.projector_process import projector_process
from tests.integration.projector_world import World, product_id_in
from tests.integration.rebuild_world import Writer, verify, writer
from tests.integration.search_index_world import (
    all_indexed,
    indexes,
    opensearch,
    plain_world,
    search_prefix,
    search_url,
    world,
)
from tests.unit.projector.histories import created, history, priced

__all__ = ["indexes", "opensearch", "plain_world", "search_prefix", "search_url", "world", "writer"]
pytestmark = [pytest.mark.servers, pytest.mark.prove]
INDEX = "search_index"
SHORT = {"session_timeout_seconds": 2.0}


async def some_products(writer: Writer) -> None:
    for _ in range(5):
        await writer.happen(created(slug=f"s-{writer.position}"), priced("2.00"), e.ProductPublished())
    await writer.happen(created(slug=f"s-{writer.position}"), e.ProductDeleted())


async def nothing_is_wrong(world: World, writer: Writer) -> None:
    found = (await verify(world, INDEX))[INDEX]
    assert (found["different"], found["products"]) == (0, len(writer.streams))


@pytest.mark.parametrize(
    "place", ["before-search-save", "before-refresh", "before-checkpoint", "before-offsets"]
)
async def test_a_killed_projector_loses_nothing(
    world: World, writer: Writer, indexes: SearchIndexes, place: str
) -> None:
    settings = world.settings.model_copy(update=SHORT)
    async with projector_process(settings, INDEX, fault=f"kill-{place}:1") as killed:
        await eventually(lambda: is_live(indexes))
        await some_products(writer)
        assert await killed.has_ended() == -signal.SIGKILL
    async with world.projecting(INDEX, **SHORT):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
    await nothing_is_wrong(world, writer)


async def is_live(indexes: SearchIndexes) -> None:
    assert await indexes.live() is not None


async def test_a_replaced_projector_that_wakes_up_changes_nothing(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    settings = world.settings.model_copy(update=SHORT)
    product_id = product_id_in(0)
    stream = history(product_id, created(), priced("2.00"), priced("3.00"), priced("4.00"))
    async with projector_process(settings, INDEX, fault="pause-before-checkpoint:1") as paused:
        await eventually(lambda: is_live(indexes))
        writer.streams.append(stream)
        await world.append(stream)
        await world.publish(stream[:2])
        await paused.is_paused()
        async with world.projecting(INDEX, **SHORT, wait=False, projector_ops_port=free_port()):
            await world.publish(stream[2:])
            await eventually(lambda: all_indexed(indexes, writer))
            paused.signal(signal.SIGCONT)
            later = history(product_id_in(0), created(slug="later"), first_position=5)
            writer.streams.append(later)
            await world.happen(later)
            await eventually(lambda: all_indexed(indexes, writer))


@pytest.mark.parametrize("fault", ["killed", "hangs"])
async def test_a_server_that_is_away_under_writes_loses_nothing_and_the_others_go_on(
    world: World, writer: Writer, indexes: SearchIndexes, opensearch_server: OpenSearchServer, fault: str
) -> None:
    async with world.projecting(INDEX, "product_view", search_write_timeout_seconds=1.0):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        done = asyncio.Event()

        async def write() -> None:
            while not done.is_set():
                await some_products(writer)

        writing, before = asyncio.create_task(write()), len(writer.streams)

        async def others_go_on() -> None:
            assert len(writer.streams) > before + 12
            assert await world.row(writer.streams[before + 12][0].product_id) is not None

        try:
            if fault == "killed":
                opensearch_server.kill()
            else:
                opensearch_server.pause()
            await eventually(others_go_on, 60)
        finally:
            opensearch_server.ensure_running()
            done.set()
            await writing
        await eventually(lambda: all_indexed(indexes, writer), 60)
        await eventually(world.ready)
    await nothing_is_wrong(world, writer)


@pytest.mark.parametrize("fault", ["killed", "hangs"])
async def test_a_server_that_is_away_is_told_also_while_nothing_happens(
    world: World, indexes: SearchIndexes, opensearch_server: OpenSearchServer, fault: str
) -> None:
    async def degraded(*expected: str) -> None:
        answer = await world.ops("/readyz")
        assert (answer.status_code, answer.json()["degraded"]) == (200, list(expected))

    async with world.projecting(INDEX, "product_view"):
        await eventually(lambda: is_live(indexes))
        await eventually(degraded)
        try:
            if fault == "killed":
                opensearch_server.kill()
            else:
                opensearch_server.pause()
            await eventually(lambda: degraded("OpenSearch"))
        finally:
            opensearch_server.ensure_running()
        await eventually(degraded)
