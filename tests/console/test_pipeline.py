"""The first page: what runs, what stands still, what is parked; and old figures are never shown as fresh."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.console.chromium import needs_chromium
from tests.console.parked import parked_product
from tests.console.sample import Sample, write_many
from tests.console.screen import Screen, screen_of
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import System

pytestmark = [pytest.mark.servers, needs_chromium]
FIRST_PAGE_BYTES_MAX = 100_000
PROJECTIONS = ("analytics", "category view", "inventory", "product cache", "product view", "products state")


async def test_the_first_page_shows_every_part_of_the_way_of_an_event(
    screen: Screen, catalogue: Catalogue
) -> None:
    await screen.open()
    await write_many(catalogue, 60, first=1000)
    await screen.shows("Everything runs")
    picture = screen.page.locator("svg.flow")
    for part in ("Writers", "Log", "Relay", "Topic", "Readers", *PROJECTIONS):
        await expect(picture).to_contain_text(part)
    for figure in ("Log position", "Oldest waiting event", "Parked products", "Cache hits", "Search index"):
        await screen.shows(figure)
    await expect(screen.page.locator("canvas")).to_have_count(3)
    await expect(screen.page.locator("table.rows tr", has_text="product view")).to_contain_text("running")
    await screen.picture("console-pipeline", height=1000)


async def test_an_event_moves_the_position_without_a_reload(screen: Screen, catalogue: Catalogue) -> None:
    await screen.open()
    shown = screen.page.locator(".figure", has_text="Log position").locator("dd").first
    await expect(shown).to_have_text(re.compile(r"^[\d,]+$"))
    before = await shown.inner_text()
    await catalogue.create(name=unique("News"), variants=[variant(unique("N"))])
    await expect(shown).not_to_have_text(before)


async def test_the_first_page_with_all_its_data_is_small(
    browser: Browser, system: System, sample: Sample
) -> None:
    async with screen_of(browser, system.query_url) as screen:
        received: list[int] = []
        debugger = await screen.page.context.new_cdp_session(screen.page)
        await debugger.send("Network.enable")
        debugger.on("Network.loadingFinished", lambda one: received.append(one["encodedDataLength"]))
        await screen.open()
        await screen.shows("Everything runs")
        await expect(screen.page.locator("canvas")).to_have_count(3)
        await screen.sound()
    assert len(received) > 10
    assert 30_000 < sum(received) < FIRST_PAGE_BYTES_MAX


async def test_the_status_is_asked_for_before_the_modules_of_the_page(screen: Screen) -> None:
    """And once: the page takes the answer to the early question."""
    asked = asyncio.Event()
    released = asyncio.Event()

    async def held(route: object) -> None:
        await released.wait()
        await route.continue_()  # type: ignore[attr-defined]

    screen.page.on("request", lambda one: asked.set() if one.url.endswith("/v1/status") else None)
    await screen.page.route("**/console/app.js", held)
    opening = asyncio.create_task(screen.open())
    await asyncio.wait_for(asked.wait(), 60)
    released.set()
    await opening
    await screen.shows("Everything runs")


async def test_a_stopped_projector_is_said_plainly(screen: Screen, system: System) -> None:
    await screen.open()
    await screen.shows("Everything runs")
    await asyncio.to_thread(system.projector.kill)
    await screen.shows("The projector is stopped or cut off: no projection has reported for")
    await expect(screen.page.locator("table.rows tr", has_text="product view")).to_contain_text("silent")
    await expect(screen.page.locator(".figure", has_text="Oldest waiting event")).not_to_contain_text(
        "nothing waits"
    )
    await screen.picture("console-projector-stopped", height=760)
    await asyncio.to_thread(system.projector.ensure_running)
    await screen.shows("Everything runs")


async def test_figures_that_cannot_be_refreshed_are_old_figures(screen: Screen, system: System) -> None:
    await screen.open()
    await screen.shows("Everything runs")
    await asyncio.to_thread(system.query_api.kill)
    await screen.shows("These figures are old: they are of")
    await expect(screen.page.locator(".stale .dims")).to_have_count(1)
    await expect(screen.page.get_by_role("main")).not_to_contain_text("Everything runs")
    await asyncio.to_thread(system.query_api.ensure_running)
    await screen.shows("Everything runs")
    await expect(screen.page.locator(".stale")).to_have_count(0)
    screen.faults = [one for one in screen.faults if "ERR_CONNECTION_REFUSED" not in one]


async def test_a_status_that_stands_still_is_old_although_it_is_answered(screen: Screen) -> None:
    """As from a proxy that keeps what it must not keep."""
    kept: list[bytes] = []

    async def answer(route: object) -> None:
        if not kept:
            kept.append(await (await route.fetch()).body())  # type: ignore[attr-defined]
        await route.fulfill(status=200, content_type="application/json", body=kept[0])  # type: ignore[attr-defined]

    await screen.page.route("**/v1/status", answer)
    await screen.open()
    await screen.shows("The status does not change.")
    await screen.shows("These figures are old: they are of")


async def test_nothing_is_asked_while_nobody_looks(screen: Screen) -> None:
    await screen.page.clock.install()
    await screen.open()
    await screen.shows("Everything runs")
    await screen.page.evaluate("""
        Object.defineProperty(document, "hidden", {value: true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));""")
    asked = screen.requests.count(f"{screen.url}/v1/status")
    await screen.page.clock.run_for(10_000)
    assert screen.requests.count(f"{screen.url}/v1/status") == asked
    await screen.page.evaluate(
        "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await screen.shows("As of")


async def test_what_is_parked_is_on_the_first_page_and_leads_to_its_dead_letter(
    screen: Screen, system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with parked_product(system, catalogue, tmp_path):
        await screen.open()
        await screen.shows("1 event of 1 product is parked in product view")
        await expect(screen.page.locator(".figure", has_text="Parked products")).to_contain_text("1")
        links = screen.page.get_by_role("link", name="1 product, 1 event")
        await expect(links).to_have_attribute("href", "#/dead-letters?projection=product_view")
    await screen.shows("Everything runs")
