"""A stock service beside a whole catalogue: after every fault its table is what the query API answers."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.end_to_end.archiving import log_id_of
from tests.end_to_end.catalogue import Catalogue, segment, unique, variant
from tests.end_to_end.system import REPOSITORY, System, in_parallel
from tests.eventually import eventually
from tests.examples.conftest import MakeService
from tests.examples.services import StockService

pytestmark = [pytest.mark.servers, pytest.mark.prove]
ANOTHER_LOG = 3
PRODUCTS, CHANGES, KILLS = 12, 60, 4


class Shop:
    """Writes products and remembers which; `expected` reads them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.skus: dict[str, str] = {}  # product id -> its first SKU
        self._amount = 0

    async def create(self) -> str:
        sku = unique("A/B ä #1")
        created = await self.catalogue.create(
            name=unique("Shirt"), variants=[variant(sku), variant(unique("L"))]
        )
        self.skus[created["id"]] = sku
        return str(created["id"])

    async def change_price(self, product_id: str) -> None:
        self._amount += 1
        price = {"amount": f"{self._amount}.00", "currency": "EUR"}
        path = f"/v1/products/{product_id}/variants/{segment(self.skus[product_id])}/price"
        answer = await self.catalogue.write("PUT", path, price)
        assert answer.status_code == 200, answer.text

    async def write_all_kinds(self) -> None:
        """Each event that changes the table, and some that do not."""
        first, second, third, fourth = [await self.create() for _ in range(4)]
        await self.catalogue.write("PATCH", f"/v1/products/{first}", {"name": unique("Blouse")})
        await self.catalogue.write("PATCH", f"/v1/products/{first}", {"description": "without a new name"})
        path = f"/v1/products/{second}/variants"
        added, price = unique("XL"), {"amount": "1.00", "currency": "EUR"}
        await self.catalogue.write("PUT", f"{path}/{added}", {"price": price})
        await self.catalogue.write("PUT", f"{path}/{added}", {"price": {**price, "amount": "2.00"}})
        await self.catalogue.write("DELETE", f"{path}/{segment(self.skus[second])}")
        for move in ("publish", "archive", "restore"):
            await self.catalogue.write("POST", f"/v1/products/{third}/{move}")
        await self.change_price(third)
        answer = await self.catalogue.write("DELETE", f"/v1/products/{fourth}")
        assert answer.status_code == 204

    async def expected(self) -> Mapping[str, Any]:
        """What the query API answers, as the table of a stock service."""
        items = {}
        for product_id in self.skus:
            answer = await self.catalogue.read(f"/v1/products/{product_id}")
            if answer.status_code == 404:
                continue
            product = answer.json()
            for one in product["variants"]:
                items[one["sku"]] = {
                    "product_id": product_id,
                    "name": product["name"],
                    "price": one["price"],
                    "version": product["version"],
                }
        return items


@pytest.fixture
def shop(catalogue: Catalogue) -> Shop:
    return Shop(catalogue)


async def is_right(service: StockService, shop: Shop) -> None:
    """The table becomes what the query API answers; nothing waits."""
    expected = await shop.expected()

    def same() -> None:
        told = {
            sku: {name: value for name, value in item.items() if name not in ("sku", "position")}
            for sku, item in service.items().items()
        }
        assert told == expected
        assert service.waiting() == []

    await eventually(same)


async def command(system: System, *arguments: str) -> str:
    """An operator's command against the installation."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=REPOSITORY,
        env={**operators_environment(system)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


def operators_environment(system: System) -> dict[str, str]:
    import os

    return {
        **os.environ,
        **system.environment(),
        "EVENT_STORE_DSN": system.event_store.writer,
        "EVENT_STORE_MIGRATE_DSN": system.event_store.owner,
        "READ_MODEL_DSN": system.read_model.projector,
        "READ_MODEL_MIGRATE_DSN": system.read_model.owner,
    }


async def test_its_table_is_what_the_query_api_answers(
    system: System, shop: Shop, make_service: MakeService
) -> None:
    """From the states, then every kind of event, a replay, a rebuild, and a broker that was away."""
    await shop.write_all_kinds()
    service = make_service(system.prefix)
    service.start()
    await is_right(service, shop)
    await shop.write_all_kinds()
    await is_right(service, shop)

    before = service.items()
    events = f"{system.prefix}products-events"
    await command(system, "command_api", "replay", "--topic", events, "--from", "1", "--to", "20")
    await shop.change_price(next(iter(shop.skus)))
    await is_right(service, shop)
    await command(system, "projector", "rebuild", "products_state", "--reason", "a test")
    await shop.write_all_kinds()
    await is_right(service, shop)
    changed = {next(iter(shop.skus))}
    kept = {sku for sku, item in before.items() if item["product_id"] not in changed}
    assert {sku: service.items()[sku] for sku in kept} == {sku: before[sku] for sku in kept}

    system.servers.kafka.kill()
    await shop.change_price(next(iter(shop.skus)))
    await asyncio.to_thread(system.servers.kafka.start)
    await shop.write_all_kinds()
    await is_right(service, shop)
    assert service.pid is not None, "it ended because of the broker"


async def test_killed_in_the_middle_it_loses_nothing_and_repeats_nothing(
    system: System, shop: Shop, make_service: MakeService
) -> None:
    product_ids = [await shop.create() for _ in range(PRODUCTS)]
    service = make_service(system.prefix)
    service.start()
    for kill in range(KILLS):
        for number in range(CHANGES // KILLS):
            await shop.change_price(product_ids[(kill + number) % PRODUCTS])

        def some_have_come() -> None:
            assert service.count("applied") > 0

        await eventually(some_have_come)
        await shop.write_all_kinds()
        await asyncio.to_thread(service.kill)
        await shop.change_price(product_ids[kill])
        await asyncio.to_thread(service.start)
    await is_right(service, shop)


async def test_a_store_that_became_another_log_stops_it_and_is_followed_from_the_beginning(
    system: System, shop: Shop, make_service: MakeService
) -> None:
    await shop.write_all_kinds()
    service = make_service(system.prefix)
    service.start()
    await is_right(service, shop)
    old = await log_id_of(system)
    await asyncio.to_thread(in_parallel, system.processes, lambda process: process.stop())
    why = ("--reason", "a test")
    await command(system, "command_api", "renew-log-id", *why)
    await command(system, "command_api", "remake-topics", "--delete", *why)
    await command(system, "projector", "rebuild", "--all", "--without-comparison", *why)
    await asyncio.to_thread(in_parallel, system.processes, lambda process: process.start())
    await shop.write_all_kinds()

    def has_noticed() -> None:
        if service.pid is None and service.exit_code == 1:
            service.spawn()  # what a supervisor does after any other failure
        service.has_ended(ANOTHER_LOG)

    await eventually(has_noticed)
    log = service.log_file.read_text()
    assert old in log
    assert await log_id_of(system) in log
    service.options = ["--start-over"]
    service.start()
    await is_right(service, shop)
