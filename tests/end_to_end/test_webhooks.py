"""A subscriber without Kafka: registers a receiver, gets signed price changes, through kills and replays."""

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.process import Job
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import REPOSITORY, System
from tests.eventually import eventually
from tests.webhook_receiver import Answering, Receiver, webhook_receiver

pytestmark = pytest.mark.servers
ENDPOINTS = "/v1/webhook-endpoints"


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as made:
        yield made


@pytest_asyncio.fixture
async def endpoint(catalogue: Catalogue, receiver: Receiver) -> AsyncIterator[Any]:
    """For price changes; removed at the end."""
    body = {"url": receiver.url, "types": ["product-price-changed"]}
    answer = await catalogue.write("POST", ENDPOINTS, body)
    assert answer.status_code == 201, answer.text
    yield answer.json()
    assert (await catalogue.write("DELETE", f"{ENDPOINTS}/{answer.json()['id']}")).status_code == 204


async def price(catalogue: Catalogue, product: Any, amount: int) -> None:
    path = f"/v1/products/{product['id']}/variants/{product['slug']}/price"
    answer = await catalogue.write("PUT", path, {"amount": str(amount), "currency": "USD"})
    assert answer.status_code == 200, answer.text


async def created(catalogue: Catalogue) -> Any:
    sku = unique("hook")
    return await catalogue.create(name=sku, slug=sku, variants=[variant(sku)])


def prices(receiver: Receiver, product: Any) -> list[int]:
    """As they came, repeats of the same event left out."""
    its = [each for each in receiver.taken if each.event["subject"] == product["id"]]
    return [
        int(next(same).event["data"]["price"]["amount"][:-3])
        for _, same in groupby(its, lambda one: one.webhook_id)
    ]


async def test_a_price_change_is_received_signed_and_listed(
    catalogue: Catalogue, receiver: Receiver, endpoint: Any
) -> None:
    product = await created(catalogue)
    await price(catalogue, product, 7)

    async def is_delivered() -> Any:
        for read in (catalogue.write, _reading(catalogue)):
            answer = await read("GET", f"{ENDPOINTS}/{endpoint['id']}/deliveries")
            assert answer.status_code == 200, answer.text
            assert [each["state"] for each in answer.json()["items"]] == ["delivered"]
        return answer.json()["items"][0]

    delivery = await eventually(is_delivered)
    received = receiver.taken[0]
    message = received.verify(endpoint["secret"])
    assert message["type"] == "product.price_changed"
    assert message["data"]["data"]["price"] == {"amount": "7.00", "currency": "USD"}
    feed = (await catalogue.read_as_it_is(f"/v1/events?product_id={product['id']}")).json()["items"]
    assert message["data"] == feed[-1]
    assert (delivery["webhook_id"], delivery["attempts"][0]["status"]) == (received.webhook_id, 204)
    again = f"{ENDPOINTS}/{endpoint['id']}/deliveries/{delivery['id']}:redeliver"
    assert (await catalogue.write("POST", again)).status_code == 202
    await eventually(lambda: _came(receiver, 2))
    assert receiver.taken[1].webhook_id == received.webhook_id


def _reading(catalogue: Catalogue) -> Any:
    async def read(_: str, path: str) -> Any:
        return await catalogue.read_as_it_is(path)

    return read


def _came(receiver: Receiver, count: int) -> None:
    assert len(receiver.taken) >= count


async def test_a_test_message_and_a_new_secret(
    catalogue: Catalogue, receiver: Receiver, endpoint: Any
) -> None:
    path = f"{ENDPOINTS}/{endpoint['id']}"
    rotated = await catalogue.write("POST", f"{path}:rotate-secret")
    assert rotated.status_code == 200, rotated.text
    tested = await catalogue.write("POST", f"{path}:test")
    assert tested.status_code == 202
    await eventually(lambda: _came(receiver, 1))
    assert receiver.taken[0].webhook_id == tested.json()["webhook_id"]
    for secret in (endpoint["secret"], rotated.json()["secret"]):
        receiver.taken[0].verify(secret)


async def test_killed_projectors_lose_no_price_and_mix_up_none(
    system: System, catalogue: Catalogue, receiver: Receiver, endpoint: Any
) -> None:
    assert endpoint["status"] == "enabled"
    products = [await created(catalogue) for _ in range(4)]
    for amount in range(1, 9):
        for product in products:
            await price(catalogue, product, amount)
        if amount in (3, 6):
            await eventually(lambda: _came(receiver, 1))
            await asyncio.to_thread(system.projector.kill)
            await asyncio.to_thread(system.projector.start)

    def all_came() -> None:
        assert [prices(receiver, product) for product in products] == [list(range(1, 9))] * 4

    await eventually(all_came, 120)


async def test_replays_send_nothing(
    system: System, catalogue: Catalogue, receiver: Receiver, endpoint: Any, tmp_path: Path
) -> None:
    first, second = await created(catalogue), await created(catalogue)
    await price(catalogue, first, 3)
    await eventually(lambda: _came(receiver, 1))
    position = receiver.taken[0].event["position"]
    arguments = (
        "command_api",
        "replay",
        "--from",
        position,
        "--to",
        position,
        "--topic",
        f"{system.prefix}products-events",
    )
    job = Job("replay", arguments, system.environment(), REPOSITORY, tmp_path / "replay.log")
    await asyncio.to_thread(job.start)
    await price(catalogue, second, 4)
    await eventually(lambda: _came(receiver, 2))
    assert [each.event["subject"] for each in receiver.received] == [first["id"], second["id"]]


async def test_a_receiver_that_was_away_gets_everything(
    catalogue: Catalogue, receiver: Receiver, endpoint: Any
) -> None:
    receiver.answer = lambda _: Answering(503)
    product = await created(catalogue)
    for amount in (1, 2, 3):
        await price(catalogue, product, amount)
    await eventually(lambda: _asked(receiver))
    receiver.answer = lambda _: Answering()
    # Its owner does not want to wait for the next attempt.
    path = f"{ENDPOINTS}/{endpoint['id']}"
    for status in ("paused", "enabled"):
        answer = await catalogue.write("PATCH", path, {"status": status})
        assert (answer.status_code, answer.json()["status"]) == (200, status)

    def all_came() -> None:
        assert prices(receiver, product) == [1, 2, 3]

    await eventually(all_came)


def _asked(receiver: Receiver) -> None:
    assert receiver.received
