"""The events as they come: nothing is lost by a pause, an end of the stream, or another filter."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from shared.contract.codec import STORED_TYPES
from tests.console.chromium import needs_chromium
from tests.console.sample import Sample
from tests.console.screen import Screen
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import System

pytestmark = [pytest.mark.servers, needs_chromium]


async def test_an_event_is_shown_as_it_comes(screen: Screen, catalogue: Catalogue) -> None:
    await screen.open("events")
    await screen.shows("live")
    name = unique("Live")
    await catalogue.create(name=name, variants=[variant(unique("L"))])
    await expect(screen.page.locator(".tail > li").first).to_contain_text(name)
    await screen.picture("console-events", height=760)


async def test_every_type_has_a_filter(screen: Screen) -> None:
    """An EventSource hears only the types that it was told by name."""
    await screen.open("events")
    buttons = screen.page.get_by_role("group", name="Types").get_by_role("button")
    await expect(buttons).to_have_count(len(STORED_TYPES))
    told = await screen.page.evaluate("import('./console/pages/event_types.js').then(module => module.TYPES)")
    assert sorted(told) == sorted(stored.event_type for stored in STORED_TYPES)


async def test_a_filter_is_kept_in_the_address(screen: Screen, catalogue: Catalogue) -> None:
    await screen.open("events")
    await screen.button("price changed").click()
    await expect(screen.page).to_have_url(re.compile("types=product-price-changed"))
    await expect(screen.page.locator(".tail > li").first).to_contain_text("OBS-M: 39.90 to 44.00 USD")
    await screen.page.reload()
    await expect(screen.button("price changed")).to_have_attribute("aria-pressed", "true")
    await screen.shows("live")
    created = await catalogue.create(name=unique("Silent"), variants=[variant("P-1")])
    price = {"amount": "49.00", "currency": "USD"}
    await catalogue.write("PUT", f"/v1/products/{created['id']}/variants/P-1/price", price)
    await expect(screen.page.locator(".tail > li").first).to_contain_text("P-1: 50.00 to 49.00 USD")
    await catalogue.write("DELETE", f"/v1/products/{created['id']}")


async def test_a_pause_loses_nothing(screen: Screen, catalogue: Catalogue) -> None:
    await screen.open("events")
    await screen.shows("live")
    await screen.button("Pause").click()
    await screen.shows("paused")
    names = [unique("Paused") for _ in range(3)]
    for name in names:
        await catalogue.create(name=name, variants=[variant(unique("P"))])
    await expect(screen.page.locator(".tail")).not_to_contain_text(names[0])
    await screen.button("Resume").click()
    for place, name in enumerate(reversed(names)):
        await expect(screen.page.locator(".tail > li").nth(place)).to_contain_text(name)


async def test_an_ended_stream_is_told_and_gone_on_with(
    screen: Screen, system: System, catalogue: Catalogue
) -> None:
    await screen.open("events")
    await screen.shows("live")
    await asyncio.to_thread(system.query_api.kill)
    await screen.shows("not connected for")
    name = unique("Meanwhile")
    await catalogue.create(name=name, variants=[variant(unique("M"))])
    await asyncio.to_thread(system.query_api.ensure_running)
    await screen.shows("live")
    await expect(screen.page.locator(".tail > li").first).to_contain_text(name)
    screen.faults = [one for one in screen.faults if "net::ERR_" not in one]


async def test_earlier_pages_go_back_to_the_beginning(screen: Screen, sample: Sample) -> None:
    await screen.open("events")
    shown = screen.page.locator(".tail > li")
    await expect(shown).to_have_count(50)
    await screen.button("Earlier events").click()
    await expect(shown).to_have_count(100)
    await screen.open("events", product_id=sample.product_id)
    await expect(shown).to_have_count(9)
    await screen.shows("That is the beginning of the log.")
