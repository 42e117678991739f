"""Dead letters from a real one; webhooks and imports in the shapes of the contract; an API without them."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.chromium import needs_chromium
from tests.console.parked import parked_product
from tests.console.screen import Screen
from tests.console.stand_ins import DELIVERIES, ENDPOINT, ENDPOINTS, IMPORTS, ONE_IMPORT
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.system import System

pytestmark = [pytest.mark.servers, needs_chromium]


async def test_a_dead_letter_has_its_cause_its_event_and_the_command_that_retries_it(
    screen: Screen, system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with parked_product(system, catalogue, tmp_path) as product_id:
        await catalogue.write("PATCH", f"/v1/products/{product_id}", {"brand": "behind"})
        await screen.open("dead-letters", projection="product_view")
        await screen.shows("product view: product created")
        await screen.shows(f"dead-letters retry --projection product_view --product {product_id}")
        await expect(screen.page.get_by_role("link", name=product_id)).to_be_visible()
        await screen.picture("console-dead-letters", height=620)
        await screen.page.get_by_text("The event", exact=True).click()
        await expect(screen.page.locator("pre").first).to_contain_text('"type": "product-created"')
        await screen.page.get_by_text("Other commands").click()
        await screen.shows("dead-letters discard")


async def test_without_dead_letters_the_page_says_so(screen: Screen) -> None:
    await screen.open("dead-letters", projection="inventory")
    await screen.shows("Nothing is parked.")
    await screen.page.get_by_role("link", name=re.compile("projection: inventory")).click()
    await expect(screen.page).to_have_url(re.compile("#/dead-letters$"))


async def test_an_endpoint_shows_its_deliveries_and_their_attempts(screen: Screen) -> None:
    await screen.answers("v1/webhook-endpoints", ENDPOINTS)
    await screen.answers(f"v1/webhook-endpoints/{ENDPOINT}/deliveries", DELIVERIES)
    await screen.open("webhooks")
    await screen.shows("410 Gone")
    await screen.page.get_by_role("link", name="Show the deliveries").first.click()
    await screen.page.get_by_text("2 attempts").click()
    await screen.shows("<b>no</b>")
    await screen.shows("deliveries/d-2:redeliver")
    await screen.page.get_by_role("link", name="failed").click()
    await expect(screen.page).to_have_url(re.compile(f"id={ENDPOINT}&state=failed"))
    await screen.shows("2 attempts")


async def test_an_import_shows_what_it_rejected(screen: Screen) -> None:
    await screen.answers("v1/imports", IMPORTS)
    await screen.answers("v1/imports/spring", ONE_IMPORT)
    await screen.open("imports")
    row = screen.page.locator("tr", has_text="spring <2026>.csv")
    await expect(row).to_contain_text("1 min 5 s")
    await row.get_by_role("link").click()
    await screen.shows("the SKU LS-1 is taken")
    await screen.shows("1 further row not listed.")


@pytest.mark.parametrize("page", ["dead-letters", "webhooks", "imports"])
async def test_an_api_without_these_routes_is_no_error(screen: Screen, page: str) -> None:
    """The console may be newer than the API behind a gateway."""
    problem = {"code": "not-found", "status": 404, "title": "There is nothing at this address"}
    await screen.page.route(
        re.compile(r"/v1/(dead-letters|webhook-endpoints|imports)(\?.*)?$"),
        lambda route: route.fulfill(status=404, json=problem),
    )
    screen.refusals = {404}
    await screen.open(page)
    await screen.shows("This API does not answer /v1/")
