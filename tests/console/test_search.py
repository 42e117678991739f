"""Search as one types, by mouse and by keyboard alone; the address keeps what is chosen."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.console.chromium import needs_chromium
from tests.console.sample import MARKUP, NAME, SKU, Sample
from tests.console.screen import Screen, screen_of
from tests.end_to_end.system import System

pytestmark = [pytest.mark.servers, needs_chromium]


async def test_a_search_answers_while_one_types_and_says_why_a_product_is_found(screen: Screen) -> None:
    await screen.open("search")
    await screen.page.get_by_label("Text").press_sequentially("ocaen shi")
    hit = screen.page.locator(".hit", has_text=NAME)
    await expect(hit).to_contain_text("words in name")
    await screen.shows("found with: ocean shi")
    await expect(screen.page).to_have_url(re.compile(r"#/search\?q=ocaen\+shi$"))


async def test_a_sku_names_its_variant(screen: Screen) -> None:
    await screen.open("search", q=SKU)
    hit = screen.page.locator(".hit", has_text=NAME)
    await expect(hit).to_contain_text("words in SKU")
    await expect(hit.locator(".badge").last).to_have_text(SKU)


async def test_facets_narrow_the_search_and_chips_take_them_back(screen: Screen) -> None:
    await screen.open("search", currency="USD")
    await screen.page.locator(".facet", has_text="Brand").get_by_role("button", name="Kestrel").click()
    await expect(screen.page.locator(".hit").first).to_contain_text("Kestrel")
    await screen.page.locator(".facet", has_text="Price").get_by_role("button", name="20.00 to 49.99").click()
    await expect(screen.page).to_have_url(re.compile("brand=Kestrel.*price_min=20.00"))
    await screen.picture("console-search", height=820)
    await screen.button("Remove the filter brand Kestrel").click()
    await expect(screen.page).not_to_have_url(re.compile("Kestrel"))
    await screen.page.go_back()
    await expect(screen.page.locator(".hit").first).to_contain_text("Kestrel")
    await screen.page.reload()
    await expect(screen.button("Remove the filter brand Kestrel")).to_be_visible()


async def test_pages_follow_each_other_and_the_back_button_goes_back(screen: Screen) -> None:
    await screen.open("search", sort="name")
    first = screen.page.locator(".hit a").first
    await expect(first).to_be_visible()
    before = await first.inner_text()
    await screen.page.get_by_role("link", name="Next page").click()
    await screen.shows("a later page")
    await expect(first).not_to_have_text(before)
    await screen.page.go_back()
    await expect(first).to_have_text(before)


async def test_the_request_can_be_copied_and_is_the_one_that_was_sent(screen: Screen) -> None:
    await screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await screen.open("search", q="lamp")
    await screen.shows("products")
    await screen.button("Copy the request").click()
    copied = await screen.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl 'http://127.0.0.1:")
    assert copied.removeprefix("curl '").removesuffix("'") in screen.requests


async def test_a_product_is_found_and_opened_by_keyboard_alone(screen: Screen) -> None:
    """From the first Tab on: the link to the content, pages, the field, a hit, and its page."""
    await screen.open()
    await screen.shows("Everything runs")
    await _tab_to(screen, "Search")
    await screen.page.keyboard.press("Enter")
    await expect(screen.page.get_by_label("Text")).to_be_visible()
    await expect(screen.page.get_by_role("main")).to_be_focused()
    await screen.page.keyboard.press("Tab")
    await expect(screen.page.get_by_label("Text")).to_be_focused()
    await screen.page.keyboard.type("ocean blue")
    await expect(screen.page.locator(".hit")).to_have_count(1)
    await _tab_to(screen, NAME)
    await screen.page.keyboard.press("Enter")
    await expect(screen.page.get_by_role("heading", level=1)).to_have_text(NAME)


async def _tab_to(screen: Screen, text: str) -> None:
    for _ in range(80):
        await screen.page.keyboard.press("Tab")
        if await screen.page.evaluate("document.activeElement.textContent.trim()") == text:
            return
    raise AssertionError(f"no Tab leads to {text}")


async def test_names_that_are_markup_are_texts(browser: Browser, system: System, sample: Sample) -> None:
    async with screen_of(browser, system.query_url) as screen:
        await screen.open("search", q="hacked", currency="USD")
        await expect(screen.page.locator(".hit a").first).to_have_text(MARKUP)
        await expect(screen.page.locator(".facet", has_text="Brand")).to_contain_text(MARKUP)
        await screen.open("search", brand=MARKUP)
        await expect(screen.page.locator(".hit a").first).to_have_text(MARKUP)
        await screen.open("product", key=sample.markup_id)
        await expect(screen.page.get_by_role("heading", level=1)).to_have_text(MARKUP)
        await expect(screen.page.locator(".timeline")).to_contain_text(MARKUP)
        await screen.open("events", product_id=sample.markup_id)
        await expect(screen.page.locator(".tail li").last).to_contain_text(MARKUP)
        assert await screen.page.evaluate("globalThis.hacked") is None
        assert await screen.page.locator("main img").count() == 0
        screen.refusals = {404}
        await screen.sound()


@pytest.mark.parametrize("wrong", [{"price_min": "1"}, {"currency": "ZZZ"}, {"q": "-"}, {"cursor": "AAAA"}])
async def test_what_the_api_refuses_is_said(screen: Screen, wrong: dict[str, str]) -> None:
    screen.refusals = {400}
    await screen.open("search", **wrong)
    await expect(screen.page.locator(".notice.bad").first).to_contain_text(
        "A parameter is not acceptable (400"
    )
