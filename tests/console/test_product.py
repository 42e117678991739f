"""A product: as it is and was, its life, what differs, its prices, and where it stands."""

import re

import pytest
from playwright.async_api import expect

from tests.console.chromium import needs_chromium
from tests.console.sample import NAME, PRICES, SKU, Sample
from tests.console.screen import Screen

pytestmark = [pytest.mark.servers, needs_chromium]
VERSIONS = 2 + len(PRICES) + 2


@pytest.mark.parametrize("key", [SKU, "ocean-blue-shirt", "id"])
async def test_a_product_is_found_by_id_sku_and_slug(screen: Screen, sample: Sample, key: str) -> None:
    screen.refusals = {404}  # what is no SKU is asked for as a slug
    await screen.open("product", key=sample.product_id if key == "id" else key)
    await expect(screen.page.get_by_role("heading", level=1)).to_have_text(NAME)
    await screen.shows("A shirt of organic cotton, washed soft.")


async def test_what_does_not_exist_is_said(screen: Screen) -> None:
    screen.refusals = {404}
    await screen.open("product", key="no such/thing")
    await screen.shows("Product not found (404 product-not-found)")


async def test_the_life_of_a_product_tells_who_changed_what(screen: Screen, sample: Sample) -> None:
    await screen.open("product", key=sample.product_id)
    steps = screen.page.locator(".timeline > li")
    await expect(steps).to_have_count(VERSIONS)
    await expect(steps.first).to_contain_text("variant added version 9")
    await expect(steps.nth(2)).to_contain_text("by anonymous")
    await expect(steps.nth(2).locator("del")).to_have_text("39.90 USD")
    await expect(steps.nth(2).locator("ins")).to_have_text("44.00 USD")
    await screen.picture("console-product", height=1500)


async def test_a_slider_leads_through_time_and_the_address_keeps_the_place(
    screen: Screen, sample: Sample
) -> None:
    await screen.open("product", key=sample.product_id)
    slider = screen.page.get_by_role("slider")
    await expect(slider).to_have_value(str(VERSIONS))
    await slider.focus()
    await screen.page.keyboard.press("Home")
    await screen.shows("This is the past: version 1.")
    await expect(screen.page.locator(".facts").first).to_contain_text("draft")
    await screen.page.reload()
    await screen.shows("This is the past: version 1.")
    await screen.page.get_by_role("link", name="After").click()
    await screen.shows("This is the past: version 2.")
    await screen.page.get_by_role("link", name="Present").click()
    await expect(screen.page).to_have_url(re.compile(rf"key={sample.product_id}$"))


async def test_two_versions_are_compared(screen: Screen, sample: Sample) -> None:
    await screen.open("product", key=sample.product_id)
    await screen.page.get_by_label("From version").fill("3")
    await screen.page.get_by_label("to version", exact=True).fill("8")
    await screen.button("Compare").click()
    difference = screen.page.locator("section", has_text="Difference of two versions").last
    await expect(difference.locator("del").first).to_have_text("A shirt of organic cotton.")
    await expect(difference).to_contain_text("As JSON Patch")
    await expect(screen.page).to_have_url(re.compile("from=3&to=8"))


async def test_prices_are_drawn_and_told(screen: Screen, sample: Sample) -> None:
    await screen.open("product", key=sample.product_id)
    chart = screen.page.locator(".chart")
    await expect(chart.locator("canvas")).to_have_count(1)
    label = "Prices over time. At the end: OBS-S 48.00, OBS-M 44.00, OBS-L 51.00."
    await expect(chart).to_have_attribute("aria-label", label)


async def test_each_projection_says_whether_it_has_the_product(screen: Screen, sample: Sample) -> None:
    await screen.open("product", key=sample.product_id)
    standing = screen.page.locator("section", has_text="Where it stands").last
    await expect(standing).to_contain_text(f"The log has version {VERSIONS}")
    await expect(standing.locator("tr", has_text="product view")).to_contain_text("has applied it")
