"""States of products with long streams are kept; decisions are the same as without."""

import random
from dataclasses import replace
from functools import reduce
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from command_api.domain.product import Product, evolve
from command_api.executing.known_products import KnownProducts
from command_api.executing.ports import NO_STREAM, Appended, EventStore
from shared.contract import events as e
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.execute.appends import change, creation


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore()


async def _product(store: EventStore, slug: str = "shirt", *, events: int = 1) -> UUID:
    append = creation(slug)
    await store.append(append)
    for number in range(1, events):
        stream = await store.load(append.product_id)
        await store.append(change(append.product_id, stream, e.ProductDetailsChanged(name=f"n{number}")))
    return append.product_id


async def _folded(store: EventStore, product_id: UUID) -> Product | None:
    return reduce(evolve, (await store.load(product_id)).events, None)


async def test_a_long_stream_is_read_whole_once_and_then_from_its_last_known_event(
    store: InMemoryEventStore,
) -> None:
    known = KnownProducts(products_max=10, events_min=3)
    product_id = await _product(store, events=3)
    first, product = await known.load(store, product_id)
    assert (first.after_version, product) == (0, await _folded(store, product_id))
    await store.append(change(product_id, first, e.ProductDetailsChanged(name="new")))
    second, product = await known.load(store, product_id)
    assert (second.after_version, len(second.events)) == (3, 1)
    assert product == await _folded(store, product_id)
    third, product = await known.load(store, product_id)
    assert (third.after_version, list(third.events)) == (4, [])
    assert product == await _folded(store, product_id)


async def test_short_streams_are_not_kept(store: InMemoryEventStore) -> None:
    known = KnownProducts(products_max=10, events_min=3)
    product_id = await _product(store, events=2)
    for _ in range(2):
        stream, _product_now = await known.load(store, product_id)
        assert stream.after_version == 0


async def test_a_product_that_does_not_exist_is_loaded_as_nothing(store: InMemoryEventStore) -> None:
    assert await KnownProducts(products_max=10, events_min=0).load(store, uuid7()) == (NO_STREAM, None)


async def test_only_the_last_used_products_are_kept(store: InMemoryEventStore) -> None:
    known = KnownProducts(products_max=2, events_min=1)
    one, two, three = [await _product(store, slug) for slug in ("one", "two", "three")]
    for product_id in (one, two, one, three):
        await known.load(store, product_id)
    begins = [(await known.load(store, product_id))[0].after_version for product_id in (one, three, two)]
    assert begins == [1, 1, 0]


async def test_without_room_nothing_is_kept(store: InMemoryEventStore) -> None:
    known = KnownProducts(products_max=0, events_min=1)
    product_id = await _product(store)
    for _ in range(2):
        stream, product = await known.load(store, product_id)
        assert (stream.after_version, product) == (0, await _folded(store, product_id))


async def test_after_the_log_went_another_way_the_state_is_that_of_the_new_log(
    store: InMemoryEventStore,
) -> None:
    """A backup was restored under a running process, and the product got other events at the same places."""
    known = KnownProducts(products_max=10, events_min=1)
    product_id = await _product(store, events=3)
    await known.load(store, product_id)
    restored = InMemoryEventStore()
    await restored.append(replace(creation("shirt"), product_id=product_id))
    for name in ("other", "another"):
        stream = await restored.load(product_id)
        await restored.append(change(product_id, stream, e.ProductDetailsChanged(name=name)))
    stream, product = await known.load(restored, product_id)
    assert (stream.stream_version, stream.after_version) == (3, 0)
    assert product == await _folded(restored, product_id)


@pytest.mark.parametrize("seed", range(5))
async def test_processes_with_states_of_different_ages_agree_with_the_log(
    seed: int, store: InMemoryEventStore
) -> None:
    dice = random.Random(seed)
    processes = [KnownProducts(products_max=2, events_min=2) for _ in range(3)]
    products = [await _product(store, f"p{number}") for number in range(4)]
    for turn in range(200):
        product_id = dice.choice(products)
        stream, product = await dice.choice(processes).load(store, product_id)
        assert product == await _folded(store, product_id)
        names = [e.ProductDetailsChanged(name=f"{turn}-{number}") for number in range(dice.randint(1, 3))]
        assert isinstance(await store.append(change(product_id, stream, *names)), Appended)
