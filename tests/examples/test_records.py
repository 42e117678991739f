"""Records that are rare, late or wrong, and what a stock service makes of them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.eventually import eventually
from tests.examples.services import StockService
from tests.examples.written_topics import WrittenTopics, variant

pytestmark = [pytest.mark.servers, pytest.mark.prove]
ANOTHER_LOG = 3


def created(name: str, *skus: str) -> dict[str, Any]:
    return {"slug": "s", "name": name, "variants": [variant(sku, "5.00") for sku in skus]}


def price(sku: str, amount: str) -> dict[str, Any]:
    money = {"amount": amount, "currency": "EUR"}
    return {"sku": sku, "price": money, "previous_price": money}


async def has(service: StockService, sku: str, amount: str, stream_version: int) -> None:
    def so_far() -> None:
        item = service.item(sku)
        assert (item["price"]["amount"], item["version"]) == (amount, stream_version), item

    await eventually(so_far)


async def started(service: StockService, topics: WrittenTopics) -> UUID:
    """A service that follows both topics, and a product that it knows by its state: version 4, SKU `A`."""
    product_id = uuid4()
    await topics.state(product_id, 4, "Shirt", "A")
    service.start()
    await has(service, "A", "9.00", 4)
    return product_id


async def test_it_starts_from_the_states_and_goes_on_with_the_events(
    service: StockService, topics: WrittenTopics
) -> None:
    product_id = await started(service, topics)
    await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))
    await has(service, "A", "7.00", 5)
    await topics.event(product_id, 6, "product-variant-added", variant("B", "8.00"))
    await topics.event(product_id, 7, "product-details-changed", {"name": "Blouse"}, schema_version=2)
    await topics.event(product_id, 8, "product-variant-removed", {"sku": "A"})
    await has(service, "B", "8.00", 8)
    assert service.items().keys() == {"B"}
    assert service.item("B")["name"] == "Blouse"
    assert service.item("B")["product_id"] == str(product_id)
    await topics.event(product_id, 9, "product-deleted", {})

    def is_gone() -> None:
        assert service.items() == {}

    await eventually(is_gone)


async def test_what_it_knows_is_dropped_by_its_version(service: StockService, topics: WrittenTopics) -> None:
    product_id = await started(service, topics)
    five = await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))
    six = await topics.event(product_id, 6, "product-price-changed", price("A", "6.00"))
    await topics.send([five, six, five])
    await topics.send([five], is_replay=True)
    await topics.state(product_id, 4, "An older state", "A", "OLD")
    await topics.event(product_id, 7, "product-price-changed", price("A", "5.00"))
    await has(service, "A", "5.00", 7)

    def all_were_seen() -> None:
        assert service.count("known") == 5

    await eventually(all_were_seen)
    assert service.items().keys() == {"A"}


async def test_an_event_after_a_gap_waits_for_the_state(service: StockService, topics: WrittenTopics) -> None:
    product_id = await started(service, topics)
    await topics.event(product_id, 6, "product-price-changed", price("A", "6.00"))

    def waits() -> None:
        expected = {"product_id": str(product_id), "version": 4, "needs": 6, "reason": "version 5 is missing"}
        assert service.waiting() == [expected]

    await eventually(waits)
    await has(service, "A", "9.00", 4)
    await topics.state(product_id, 5, "Shirt", "A")
    await has(service, "A", "9.00", 5)
    await eventually(lambda: waits_for(service, 6))
    await topics.state(product_id, 6, "Shirt", "A", "B")
    await has(service, "B", "9.00", 6)
    assert service.waiting() == []


def waits_for(service: StockService, stream_version: int) -> None:
    assert [told["needs"] for told in service.waiting()] == [stream_version]


async def test_an_unknown_schema_version_waits_for_the_state_also_over_a_kill(
    service: StockService, topics: WrittenTopics
) -> None:
    product_id = await started(service, topics)
    await topics.event(product_id, 5, "product-price-changed", {"cents": 1}, schema_version=99)
    await topics.event(product_id, 6, "product-price-changed", price("A", "6.00"))
    await eventually(lambda: waits_for(service, 6))
    service.kill()
    service.start()
    (told,) = service.waiting()
    assert told["reason"] == "unknown schema version 99 of product-price-changed"
    await has(service, "A", "9.00", 4)
    await topics.state(product_id, 6, "Shirt", "A", "B")
    await has(service, "B", "9.00", 6)
    assert service.waiting() == []


async def test_an_unknown_type_is_counted_and_its_version_kept(
    service: StockService, topics: WrittenTopics
) -> None:
    product_id = await started(service, topics)
    await topics.event(product_id, 5, "product-photographed", {"by": "Ann"}, schema_version=7)
    await topics.event(product_id, 6, "product-price-changed", price("A", "6.00"))
    await has(service, "A", "6.00", 6)
    assert service.count("unknown type") == 1
    assert service.waiting() == []


async def test_a_deleted_product_stays_deleted(service: StockService, topics: WrittenTopics) -> None:
    product_id, other_id = await started(service, topics), uuid4()
    await topics.state(product_id, 7, None)
    await topics.state(other_id, 1, "Other", "B")

    def is_gone() -> None:
        assert service.items().keys() == {"B"}

    await eventually(is_gone)
    await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))
    await topics.state(product_id, 6, "Shirt", "A")
    await topics.event(product_id, 7, "product-deleted", {})
    await topics.event(other_id, 3, "product-deleted", {})  # a deletion needs nothing before it

    def nothing_is_left() -> None:
        assert service.count("known") == 3
        assert service.items() == {}
        assert service.waiting() == []

    await eventually(nothing_is_left)


async def test_a_state_of_the_same_version_corrects(service: StockService, topics: WrittenTopics) -> None:
    product_id = await started(service, topics)
    await topics.state(product_id, 4, "Corrected", "A", "C")
    await has(service, "C", "9.00", 4)
    assert service.item("A")["name"] == "Corrected"


async def test_a_sku_that_moves_belongs_to_the_later_product_in_any_order(
    service: StockService, topics: WrittenTopics
) -> None:
    """Two products may be in two partitions, so the addition may come before the removal."""
    other_id = uuid4()
    await topics.state(other_id, 1, "Other", "B")
    service.start()
    await has(service, "B", "9.00", 1)
    product_id = uuid4()
    await topics.state(product_id, 4, "Shirt", "A")
    await has(service, "A", "9.00", 4)
    await topics.event(other_id, 2, "product-variant-added", variant("A", "1.00"))
    await has(service, "A", "1.00", 2)
    await topics.event(product_id, 5, "product-variant-removed", {"sku": "A"})
    await topics.event(product_id, 6, "product-variant-added", variant("D", "1.00"))
    await has(service, "D", "1.00", 6)
    assert service.item("A")["product_id"] == str(other_id)
    assert len(service.get("/stock")) == 3


async def test_another_log_stops_it_until_a_person_starts_it_over(
    service: StockService, topics: WrittenTopics
) -> None:
    product_id = await started(service, topics)
    await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))
    await has(service, "A", "7.00", 5)
    before, topics.log_id = topics.log_id, uuid4()
    await topics.event(product_id, 6, "product-price-changed", price("A", "6.00"))
    await eventually(lambda: service.has_ended(ANOTHER_LOG))
    log = service.log_file.read_text()
    assert str(before) in log
    assert str(topics.log_id) in log
    assert "--start-over" in log
    service.spawn()
    await eventually(lambda: service.has_ended(ANOTHER_LOG))


@pytest.mark.parametrize("is_longer", [False, True])
async def test_topics_that_were_made_again_for_another_log(
    service: StockService, topics: WrittenTopics, is_longer: bool
) -> None:
    """Whatever offsets they have by now; nothing of the old log is left after --start-over."""
    product_id = await started(service, topics)
    await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))
    await has(service, "A", "7.00", 5)
    await topics.state(uuid4(), 1, "Never was in the new log", "LOST")
    await has(service, "LOST", "9.00", 1)
    service.stop()
    await made_again(topics)
    topics.log_id = uuid4()
    await topics.event(product_id, 1, "product-created", created("New", "A"), schema_version=2)
    if is_longer:
        for stream_version in range(2, 9):
            await topics.event(product_id, stream_version, "product-price-changed", price("A", "3.00"))
    service.spawn()
    await eventually(lambda: service.has_ended(ANOTHER_LOG))
    await topics.state(product_id, 20, "New", "N")
    service.options = ["--start-over"]
    service.start()
    await has(service, "N", "9.00", 20)
    assert service.items().keys() == {"N"}
    service.stop()
    service.options = []
    service.start()
    await topics.event(product_id, 21, "product-price-changed", price("N", "2.00"))
    await has(service, "N", "2.00", 21)


@pytest.mark.parametrize("is_longer", [False, True])
async def test_topics_that_were_made_again_for_the_same_log(
    service: StockService, topics: WrittenTopics, is_longer: bool
) -> None:
    """Kafka was lost: the offsets mean nothing, the versions do. What was new in between is not missed."""
    product_id = await started(service, topics)
    known = [await topics.event(product_id, 5, "product-price-changed", price("A", "7.00"))]
    known.append(await topics.event(product_id, 6, "product-price-changed", price("A", "6.00")))
    await has(service, "A", "6.00", 6)
    service.stop()
    await made_again(topics)
    other_id = uuid4()
    await topics.send(known[1:])  # without the first: as if it had been there twice before
    await topics.event(product_id, 7, "product-price-changed", price("A", "5.00"))
    await topics.event(other_id, 1, "product-created", created("Other", "B"))
    if is_longer:  # so that no offset of before is out of range
        await topics.state(product_id, 6, "Shirt", "A")
        await topics.event(product_id, 8, "product-price-changed", price("A", "4.00"))
        await topics.event(product_id, 9, "product-price-changed", price("A", "3.00"))
    service.start()
    await has(service, "B", "5.00", 1)
    await has(service, "A", "3.00" if is_longer else "5.00", 9 if is_longer else 7)
    assert service.waiting() == []


async def made_again(topics: WrittenTopics) -> None:
    await topics.delete()

    async def make() -> None:
        try:
            await topics.make()
        except AssertionError:
            raise
        except Exception as error:  # the broker has not deleted them yet
            raise AssertionError(repr(error)) from error

    await eventually(make)


async def test_a_record_that_is_not_of_the_catalogue_stops_it(
    service: StockService, topics: WrittenTopics
) -> None:
    await started(service, topics)
    await topics.stranger()
    await eventually(lambda: service.has_ended(ANOTHER_LOG))
    assert "ce_streamversion" in service.log_file.read_text()
