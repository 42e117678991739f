"""The console over 100,000 products: what lists and searches show must not depend on how many there are."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from deploy.local.process import Job
from tests.console.chromium import needs_chromium
from tests.console.screen import Screen, screen_of
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.system import REPOSITORY, System
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove, needs_chromium]
PRODUCTS = 100_000
_LOADED_SECONDS_MAX = 900.0


@pytest_asyncio.fixture
async def large(
    browser: Browser, system: System, catalogue: Catalogue, tmp_path: Path
) -> AsyncIterator[Screen]:
    """A tab while nothing waits any more."""
    command = ("command_api", "seed", "--count", str(PRODUCTS), "--url", system.command_url)
    job = Job("seed", command, system.environment(), REPOSITORY, tmp_path / "seed.log")
    job.ready_seconds_max = _LOADED_SECONDS_MAX
    await asyncio.to_thread(job.start)

    async def nothing_waits() -> None:
        status = (await catalogue.read_as_it_is("/v1/status")).json()
        assert {each["lag_events"] for each in status["projections"]} == {0}
        assert status["search"]["lag_states"] == 0

    await eventually(nothing_waits, _LOADED_SECONDS_MAX)
    async with screen_of(browser, system.query_url) as made:
        yield made
        await made.sound()


async def test_every_page_shows_a_large_catalogue(large: Screen, catalogue: Catalogue) -> None:
    await large.open()
    await large.shows("Everything runs, nothing waits")
    await large.open("search", q="shirt")
    await large.shows(re.compile(r"[\d,]+ products"))
    await expect(large.page.locator(".hit").first).to_be_visible()
    await expect(large.page.locator(".facet", has_text="Brand").get_by_role("button").first).to_be_visible()
    await large.page.locator(".hit a").first.click()
    await large.shows("Where it stands")
    await large.open("search", sort="name")
    total = (await catalogue.read_as_it_is("/v1/products?limit=1&with_total=true")).json()["total"]
    assert total >= PRODUCTS / 2
    await large.shows(f"{total:,} products")
    await large.page.get_by_role("link", name="Next page").click()
    await large.shows("a later page")
    await large.open("events")
    await large.shows("product")
    assert await large.barriers() == []
