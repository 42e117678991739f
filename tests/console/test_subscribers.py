"""The pages of webhooks and imports, with endpoints, deliveries and an import of a real installation."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from deploy.local.process import Job
from tests.console.chromium import needs_chromium
from tests.console.screen import Screen
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import REPOSITORY, System
from tests.eventually import eventually
from tests.webhook_receiver import Answering, Receiver, webhook_receiver

pytestmark = [pytest.mark.servers, needs_chromium]
ENDPOINTS = "/v1/webhook-endpoints"
_SHOPIFY = """Handle,Title,Vendor,Type,Published,Variant SKU,Variant Price
{one},Linen shirt,Pelagic,Shirts,TRUE,{one},49.00
{two},Wool jumper,Kestrel,Knitwear,TRUE,{two},
"""


async def registered(catalogue: Catalogue, receiver: Receiver, **fields: object) -> str:
    answer = await catalogue.write("POST", ENDPOINTS, {"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    endpoint_id: str = answer.json()["id"]
    return endpoint_id


async def test_real_endpoints_and_their_deliveries(screen: Screen, catalogue: Catalogue) -> None:
    async with webhook_receiver() as takes, webhook_receiver() as fails:
        fails.answer = lambda _: Answering(500, b"no room <b>here</b>")
        prices = await registered(
            catalogue, takes, description="The shop's prices", types=["product-price-changed"]
        )
        everything = await registered(catalogue, fails, description="The warehouse")
        try:
            await _happen(catalogue, takes, prices)
            await eventually(lambda: _asked(fails))
            await screen.open("webhooks")
            shop = screen.page.locator("article", has_text="The shop's prices")
            await expect(shop).to_contain_text("product price changed")
            await expect(screen.page.locator("article", has_text="The warehouse")).to_contain_text("all")
            await shop.get_by_role("link", name="Show the deliveries").click()
            await expect(shop.locator("li", has_text="delivered").first).to_be_visible()
            await expect(shop).to_contain_text("webhook.test")
            await screen.picture("console-webhooks", height=760)
            await screen.open("webhooks", id=everything, state="waiting")
            warehouse = screen.page.locator("article", has_text="The warehouse")
            await warehouse.get_by_text(re.compile("attempt")).last.click()
            await expect(warehouse).to_contain_text("no room <b>here</b>")
            assert await screen.barriers() == []
        finally:
            for endpoint_id in (prices, everything):
                await catalogue.write("DELETE", f"{ENDPOINTS}/{endpoint_id}")


async def _happen(catalogue: Catalogue, takes: Receiver, endpoint_id: str) -> None:
    """A new price, and then a test message."""
    sku = unique("hooked")
    product = await catalogue.create(name=sku, slug=sku, variants=[variant(sku)])
    path = f"/v1/products/{product['id']}/variants/{sku}/price"
    await catalogue.write("PUT", path, {"amount": "7.00", "currency": "USD"})
    assert (await catalogue.write("POST", f"{ENDPOINTS}/{endpoint_id}:test")).status_code == 202
    await eventually(lambda: _taken(takes))


def _taken(receiver: Receiver) -> None:
    assert len(receiver.taken) == 2


def _asked(receiver: Receiver) -> None:
    assert receiver.received


async def test_a_real_import_and_what_it_rejected(screen: Screen, system: System, tmp_path: Path) -> None:
    one, two = unique("linen"), unique("wool")
    file = tmp_path / f"spring {one}.csv"
    file.write_text(_SHOPIFY.format(one=one, two=two))
    command = ("command_api", "import", str(file), "--url", system.command_url)
    job = Job("import", command, system.environment(), REPOSITORY, tmp_path / "import.log")
    # One product is rejected, and the exit code says so.
    with pytest.raises(Exception, match="import"):
        await asyncio.to_thread(job.start)
    await screen.open("imports")
    row = screen.page.locator("tr", has_text=file.name)
    await row.get_by_role("link").click()
    await screen.shows(two)
    await screen.shows("Variant Price is empty")
    await screen.picture("console-imports", height=560)
    assert await screen.barriers() == []
