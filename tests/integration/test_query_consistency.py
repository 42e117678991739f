"""Read your writes: a read with its Consistency-Token sees that write, or is told that it cannot yet."""

import asyncio

import httpx
import pytest

from shared.contract.consistency_token import ConsistencyToken, encode_token
from tests.eventually import eventually
from tests.integration.query_world import World, product, shared_installation, token_for, world

__all__ = ["shared_installation", "world"]


async def _get(world: World, path: str, token: str, wait: int | None = 0) -> httpx.Response:
    headers = {"consistency-token": token}
    if wait is not None:
        headers["prefer"] = f"wait={wait}"
    return await world.served.get(f"/v1/products{path}", headers=headers)


async def _seen(world: World, path: str, token: str, status: int = 200) -> httpx.Response:
    """With wait=0, where the write is visible: one look at the checkpoints has a tenth of a second, which is
    not always enough on a busy machine.
    """

    async def answered() -> httpx.Response:
        answer = await _get(world, path, token)
        assert answer.status_code == status, answer.text
        return answer

    return await eventually(answered)


async def test_a_cached_document_of_that_version_is_proof_enough(world: World) -> None:
    document = product(version=3)
    await world.cache(document)
    answer = await _get(world, f"/{document.id}", token_for(document.id, 99, 3))
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert answer.headers["preference-applied"] == "wait=0"


async def test_a_row_of_that_version_is_proof_enough_although_the_cache_is_older(world: World) -> None:
    old = product(version=2)
    await world.cache(old)
    await world.store(product(id=old.id, version=3))
    answer = await _get(world, f"/{old.id}", token_for(old.id, 99, 3))
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


@pytest.mark.parametrize("where", ["cache", "table"])
async def test_a_read_after_a_delete_is_404_not_503(world: World, where: str) -> None:
    document = product(version=3)
    if where == "cache":
        await world.cache_tombstone(document.id, 4)
    else:
        await world.store(document)
        await world.delete(document)
    answer = await _get(world, f"/{document.id}", token_for(document.id, 99, 4))
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/{id}", "/by-sku/S", "/by-slug/s", "", "?ids={id}"])
async def test_a_write_that_is_not_projected_in_time_is_503_with_retry_after(world: World, path: str) -> None:
    document = product(version=2, sku="S", slug="s")
    await world.store(document)
    await world.pass_checkpoint(document.id, 4)
    answer = await _get(world, path.format(id=document.id), token_for(document.id, 5, 3))
    assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/{id}", "/by-sku/S", "/by-slug/s", "", "?ids={id}"])
@pytest.mark.parametrize("names_product", [True, False])
async def test_a_read_waits_until_its_write_is_projected(
    world: World, path: str, names_product: bool
) -> None:
    old = product(version=2, sku="S", slug="s", name="old")
    await world.store(old)
    await world.cache(old)
    path = path.format(id=old.id)
    await world.served.get(f"/v1/products{path}")
    token = token_for(old.id, 5, 3 if names_product else None)
    reader = asyncio.create_task(_get(world, path, token, wait=10))
    new = product(id=old.id, version=3, sku="S", slug="s", name="new")
    await world.store(new, log_position=5)
    await world.pass_checkpoint(old.id, 5)
    answer = await reader
    assert answer.status_code == 200
    assert '"name":"new"' in answer.text


async def test_a_token_passes_by_a_negative_entry(world: World) -> None:
    document = product(version=1)
    assert (await world.served.get(f"/v1/products/{document.id}")).status_code == 404
    await world.store(document)
    assert (await world.served.get(f"/v1/products/{document.id}")).status_code == 404
    answer = await _get(world, f"/{document.id}", token_for(document.id, 5, 1))
    assert answer.status_code == 200


async def test_a_token_of_another_product_waits_for_its_checkpoint_and_reads_the_table(world: World) -> None:
    document, other = product(version=2), product()
    await world.cache(product(id=document.id, version=1))
    await world.store(document)
    token = token_for(other.id, 5, 1)
    assert (await _get(world, f"/{document.id}", token)).status_code == 503
    await world.pass_checkpoint(other.id, 5)
    answer = await _seen(world, f"/{document.id}", token)
    assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("path", ["/{id}", "/by-sku/S", "/by-slug/s"])
async def test_a_product_that_is_parked_is_503_and_not_as_it_was_before_the_write(
    world: World, path: str
) -> None:
    document = product(version=2, sku="S", slug="s")
    await world.store(document)
    # The checkpoint has passed the write; the event is parked, so the row has not moved.
    await world.pass_checkpoint(document.id, 5)
    path = path.format(id=document.id)
    answer = await _get(world, path, token_for(document.id, 5, 3))
    assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")
    assert (await _get(world, path, token_for(document.id, 5, 2))).status_code == 200


@pytest.mark.parametrize("path", ["/{id}", "/by-sku/S", "/by-slug/s"])
@pytest.mark.parametrize("has_another", [True, False])
async def test_a_product_whose_creation_is_parked_is_503_and_not_absent_or_another(
    world: World, path: str, has_another: bool
) -> None:
    document = product(sku="S", slug="s")
    if has_another:
        await world.store(product(sku="S", slug="s"))
    await world.pass_checkpoint(document.id, 5)
    answer = await _get(world, path.format(id=document.id), token_for(document.id, 5, 1))
    assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")


async def test_a_name_that_a_product_has_given_up_is_404_to_who_gave_it_up(world: World) -> None:
    document = product(version=2, sku="S-2")
    await world.store(document)
    await world.pass_checkpoint(document.id, 5)
    await _seen(world, "/by-sku/S-1", token_for(document.id, 5, 2), status=404)


async def test_a_list_with_a_token_is_not_taken_from_the_cache(world: World) -> None:
    document = product()
    assert (await world.served.get("/v1/products?limit=7")).json()["items"] == []
    await world.store(document)
    assert (await world.served.get("/v1/products?limit=7")).json()["items"] == []
    await world.pass_checkpoint(document.id, 1)
    answer = await _seen(world, "?limit=7", token_for(document.id, 1, 1))
    assert [item["id"] for item in answer.json()["items"]] == [str(document.id)]


async def test_every_partition_of_a_batch_token_is_waited_for(world: World) -> None:
    first, second = product(id=None), product()
    token = encode_token(ConsistencyToken({0: 5, 1: 6}))
    await world.store(first)
    await world.store(second)
    statement = (
        "INSERT INTO views.projection_checkpoint "
        "VALUES ('product_view', 'products-events', $1, 1, $2, gen_random_uuid())"
    )
    await world.database.execute(statement, 0, 5)
    assert (await _get(world, "", token)).status_code == 503
    await world.database.execute(statement, 1, 6)
    await _seen(world, "", token)


@pytest.mark.parametrize(
    "token", ["", "!", "e30", "x" * 2000, encode_token(ConsistencyToken({12: 1})), "bm90IGpzb24"]
)
async def test_a_malformed_token_is_400(world: World, token: str) -> None:
    for path in ("/0192a000-0000-7000-8000-000000000000", "/by-sku/S", ""):
        answer = await _get(world, path, token)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-header"), answer.text


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [("wait=3", "wait=3"), ("respond-async, wait=4", "wait=4"),
     ('WAIT = "2"', "wait=2"), ("wait=999", "wait=10"),
     ("wait=-1", None), ("wait", None), ("waiting=2", None)],
)  # fmt: skip
async def test_the_wait_that_was_applied_is_told(world: World, prefer: str, applied: str | None) -> None:
    document = product(version=3)
    await world.cache(document)
    headers = {"consistency-token": token_for(document.id, 1, 3), "prefer": prefer}
    answer = await world.served.get(f"/v1/products/{document.id}", headers=headers)
    assert answer.headers.get("preference-applied") == applied


async def test_a_token_without_positions_has_nothing_to_wait_for(world: World) -> None:
    assert (await _get(world, "", encode_token(ConsistencyToken({})))).status_code == 200
