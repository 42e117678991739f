"""A projector that keeps the search index in a real OpenSearch: what is written, lost, rebuilt and rolled
back.
"""

import asyncio
import signal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from projector.applying.ports import Checkpoint
from projector.kafka.group_offsets import topic_ends
from projector.views.search_index.opensearch.checkpoints import IndexCheckpoints
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.indexes import SearchIndexes
from shared.contract import events as e
from shared.search.opensearch.client import OpenSearchClient
from shared.search.opensearch.mapping import index_body
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json, dead_letters
from tests.integration.projector_world import PARTITIONS, World
from tests.integration.rebuild_process import rebuild_process
from tests.integration.rebuild_world import Writer, some_products, verify, writer
from tests.integration.search_index_world import (
    all_indexed,
    indexes,
    opensearch,
    plain_world,
    search_prefix,
    search_url,
    world,
)
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["indexes", "opensearch", "plain_world", "search_prefix", "search_url", "world", "writer"]
pytestmark = [pytest.mark.servers, pytest.mark.prove]
INDEX = "search_index"


async def are_found(opensearch: OpenSearchClient, indexes: SearchIndexes, count: int) -> None:
    """By searches, which see what was refreshed."""
    body = msgspec.json.encode({"query": {"exists": {"field": "status"}}})
    answer = await opensearch.request("POST", f"{indexes.alias}/_count", body)
    assert msgspec.json.decode(answer)["count"] == count


async def test_what_happens_is_indexed_verified_rebuilt_and_rolled_back(
    world: World, writer: Writer, indexes: SearchIndexes, opensearch: OpenSearchClient
) -> None:
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        await eventually(lambda: are_found(opensearch, indexes, 30))
        verified = (await verify(world, INDEX))[INDEX]
        assert (verified["different"], verified["products"]) == (0, 31)
        result = await command_json(world, "rebuild", INDEX, "--workers", "2")
        assert (result["equal"], result["switched"], result["rows"]) == (True, True, 31)
        assert await indexes.numbers() == ([1, 2], 2)
        await all_indexed(indexes, writer)
        await are_found(opensearch, indexes, 30)
        await writer.happen(created(slug="more"), priced("5.00"), e.ProductPublished())
        await eventually(lambda: all_indexed(indexes, writer))
        await eventually(lambda: are_found(opensearch, indexes, 31))
        await command(world, "rebuild", INDEX, "--rollback")
        assert await indexes.numbers() == ([1], 1)
        await eventually(lambda: all_indexed(indexes, writer))
        await command(world, "rebuild", INDEX)
        await command(world, "rebuild", INDEX, "--finish")
        assert await indexes.numbers() == ([2], 2)
        assert (await verify(world, INDEX))[INDEX]["different"] == 0


async def test_while_it_is_rebuilt_writes_go_on_and_none_is_lost(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        done = asyncio.Event()

        async def write() -> None:
            while not done.is_set():
                await writer.happen(created(slug=f"s-{writer.position}"), priced("3.00"), e.ProductDeleted())

        writing = asyncio.create_task(write())
        for number in (2, 3):
            assert (await command_json(world, "rebuild", INDEX, "--workers", "1"))["equal"] is True
            assert await indexes.live() == number
        done.set()
        await writing
        await eventually(lambda: all_indexed(indexes, writer))
    assert (await verify(world, INDEX))[INDEX]["different"] == 0


async def test_an_index_that_is_missing_is_made_from_the_log(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    await some_products(writer)
    async with world.projecting(INDEX):
        await eventually(lambda: all_indexed(indexes, writer))
        # Nothing happens meanwhile: only the watch can notice.
        await indexes.drop(1)
        await eventually(lambda: all_indexed(indexes, writer))
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_indexed(indexes, writer))
        await eventually(world.ready)
    assert (await verify(world, INDEX))[INDEX]["different"] == 0


@pytest.mark.parametrize("is_unfinished", [False, True])
async def test_a_release_with_another_alias_makes_its_own_index_and_the_one_before_stays(
    world: World, writer: Writer, indexes: SearchIndexes, opensearch: OpenSearchClient, is_unfinished: bool
) -> None:
    """A release with other fields; here another prefix. Also if one before left a rebuild unfinished."""
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        await command(world, "rebuild", INDEX, *(["--no-switch"] if is_unfinished else []))
    before = await indexes.numbers()
    await world.views.execute("UPDATE views.rebuild SET made_by = 'the release before'")
    prefix = f"{world.settings.search_index_prefix}-other"
    others = SearchIndexes(opensearch, prefix, shards=1, replicas=0)
    async with world.projecting(INDEX, search_index_prefix=prefix, wait=False):
        await eventually(lambda: all_indexed(others, writer), 60)
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_indexed(others, writer))
    assert await indexes.numbers() == before
    # The release before comes back, and goes on where its index is.
    async with world.projecting(INDEX):
        await eventually(lambda: all_indexed(indexes, writer))
    for number in (await others.numbers())[0]:
        await others.drop(number)


async def test_an_operator_makes_the_first_index_before_any_projector_runs(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    """A large log is faster so, and a projector has nothing to wait for."""
    await some_products(writer)
    result = await command_json(world, "rebuild", INDEX, "--workers", "2")
    assert (result["equal"], result["switched"], result["rows"]) == (True, True, 0)
    await all_indexed(indexes, writer)
    ends = (await topic_ends(world.settings.kafka_servers, world.topic, [])).end_offsets
    await have_reached(IndexCheckpoints(indexes), ends)
    async with world.projecting(INDEX):
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_indexed(indexes, writer))
    assert await indexes.numbers() == ([1], 1)


async def test_an_index_that_came_back_older_is_brought_up_to_date(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    """As after a snapshot was restored. Nothing happens meanwhile: only the watch can notice."""
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        checkpoints, partitions = IndexCheckpoints(indexes), range(PARTITIONS)
        oldest = dict.fromkeys(partitions, Checkpoint(0, 0, world.log_id))
        # The same index, whose checkpoints went back.
        ends = (await topic_ends(world.settings.kafka_servers, world.topic, [])).end_offsets
        await eventually(lambda: have_reached(checkpoints, ends))
        await checkpoints.place(indexes.name(1), oldest)
        await eventually(lambda: have_reached(checkpoints, ends))
        # Another one, which has nothing.
        await indexes.make(2)
        await checkpoints.place(indexes.name(2), oldest)
        await indexes.make_live(2)
        await eventually(lambda: all_indexed(indexes, writer))
        await eventually(lambda: have_reached(checkpoints, ends))
    assert (await verify(world, INDEX))[INDEX]["different"] == 0


async def have_reached(checkpoints: IndexCheckpoints, ends: dict[int, int]) -> None:
    """A partition without an event needs no checkpoint."""
    found = await checkpoints.read(ends)
    assert {one: found[one].point.next_offset if one in found else 0 for one in ends} == ends


async def test_a_document_that_the_index_refuses_is_parked_and_the_others_go_on(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    body = index_body(replicas=0)
    body["mappings"]["properties"]["brand"] = {"type": "integer"}
    name = indexes.name(1)
    await indexes._ask("PUT", name, {**body, "aliases": {indexes.alias: {}, f"{name}-writes": {}}})
    bad = await writer.happen(with_brand("bad", "Acme"), priced("2.00"))
    async with world.projecting(INDEX):
        await writer.happen(with_brand("fine", "7"), priced("2.00"))
        await writer.happen(created(slug="fine-too"))
        good = writer.streams[1:]

        async def others_are_indexed() -> None:
            stored = await IndexedProducts(indexes, name, PARTITIONS).held(
                [one[0].product_id for one in good]
            )
            assert {key: one.stream_version for key, one in stored.items()} == {
                one[0].product_id: len(one) for one in good
            }

        await eventually(others_are_indexed)
        (letter,) = await eventually(lambda: some_dead_letters(world, 1))
        assert (letter["product_id"], letter["error_class"]) == (str(bad[0].product_id), "refused-by-store")
        assert letter["events"] == 2, letter
        assert (await verify(world, INDEX))[INDEX]["parked"] == 1
        # The next index takes it, so the rebuild releases it.
        await command(world, "rebuild", INDEX, "--without-comparison")
        await eventually(lambda: all_indexed(indexes, writer))
        assert await dead_letters(world) == []


async def test_a_rebuild_that_is_killed_is_resumed_or_cancelled(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
        for fault, numbers in (
            ("kill-before-search-switch:1", ([1, 2], 1)),
            ("kill-before-cache-record:1", ([1, 2], 2)),
        ):
            with rebuild_process(world.settings, INDEX, "--workers", "1", fault=fault) as process:
                code, printed = await process.has_ended()
                assert code == -signal.SIGKILL, printed
            assert await indexes.numbers() == numbers
            if numbers[1] == 1:
                await command(world, "rebuild", INDEX, "--cancel")
                assert await indexes.numbers() == ([1], 1)
            else:
                assert "--resume" in await command(world, "rebuild", INDEX, "--cancel", code=1)
                await command(world, "rebuild", INDEX, "--resume")
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_indexed(indexes, writer))
        await command(world, "rebuild", INDEX, "--finish")
        assert await indexes.numbers() == ([2], 2)


async def test_a_projection_whose_topic_is_lost_is_placed_at_the_ends(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
    stream = history(new_product_id(), created(slug="lost"), first_position=writer.position + 1)
    writer.position += 1
    writer.streams.append(stream)
    await writer.keep(stream)
    await writer.published()
    await world.remake_topic()
    async with world.projecting(INDEX, wait=False):
        assert f"reposition {INDEX}" in await eventually(lambda: world.stopped(INDEX))
        assert "1 events applied" in await command(world, "reposition", INDEX, "--reason", "Kafka is lost")
        await eventually(world.ready)
        await all_indexed(indexes, writer)
        await writer.happen(created(slug="later"))
        await eventually(lambda: all_indexed(indexes, writer))


async def test_an_index_of_another_log_stops_the_projection_until_it_is_rebuilt(
    world: World, writer: Writer, indexes: SearchIndexes
) -> None:
    async with world.projecting(INDEX):
        await some_products(writer)
        await eventually(lambda: all_indexed(indexes, writer))
    await world.store.execute("UPDATE catalogue.event_log SET log_id = gen_random_uuid()")
    world.log_id = UUID(int=(await world.store.fetchval("SELECT log_id FROM catalogue.event_log")).int)
    await world.remake_topic()
    async with world.projecting(INDEX, wait=False):
        await eventually(lambda: world.stopped(INDEX))
        await command(world, "rebuild", INDEX, "--without-comparison")
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_indexed(indexes, writer))
        await eventually(world.ready)


async def test_without_its_address_its_commands_say_so(plain_world: World) -> None:
    for command_name in ("run", "rebuild", "verify"):
        assert "set SEARCH_URL" in await command(plain_world, command_name, INDEX, code=2)
    assert INDEX not in await verify(plain_world)


def with_brand(slug: str, brand: str) -> e.ProductCreated:
    return msgspec.structs.replace(created(slug=slug), brand=brand)


async def some_dead_letters(world: World, count: int) -> list[dict[str, Any]]:
    letters = await dead_letters(world)
    assert len(letters) == count
    return letters
