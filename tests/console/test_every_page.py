"""What holds for each page: readable at 360 px and in both themes, without barriers, nothing refused."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.console import stand_ins
from tests.console.chromium import needs_chromium
from tests.console.sample import SKU, Sample
from tests.console.screen import NARROW, WIDE, Screen, Theme, screen_of
from tests.end_to_end.system import System

pytestmark = [pytest.mark.servers, needs_chromium]
PAGES: dict[str, tuple[dict[str, str], str]] = {
    "pipeline": ({}, "Projections"),
    "search": ({"q": "shirt", "currency": "USD"}, "words in name"),
    "product": ({"key": SKU, "version": "4", "from": "2", "to": "9"}, "Where it stands"),
    "events": ({"types": "product-price-changed"}, "live"),
    "dead-letters": ({}, "Nothing is parked."),
    "webhooks": ({"id": stand_ins.ENDPOINT}, "2 attempts"),
    "imports": ({"id": "spring"}, "LS-1"),
}
_BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"
_STAND_INS: dict[str, Any] = {
    "v1/webhook-endpoints": stand_ins.ENDPOINTS,
    f"v1/webhook-endpoints/{stand_ins.ENDPOINT}/deliveries": stand_ins.DELIVERIES,
    "v1/imports": stand_ins.IMPORTS,
    "v1/imports/spring": stand_ins.ONE_IMPORT,
}


async def _open(screen: Screen, page: str) -> None:
    for path, body in _STAND_INS.items():
        await screen.answers(path, body)
    parameters, text = PAGES[page]
    await screen.open(page, **parameters)
    await screen.shows(text)
    await expect(screen.page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_barriers_in_either_theme_and_at_any_width(
    browser: Browser, system: System, sample: Sample, page: str, theme: Theme
) -> None:
    for width in (WIDE, NARROW):
        async with screen_of(browser, system.query_url, theme=theme, width=width) as screen:
            await _open(screen, page)
            assert await screen.overflow() == 0, width
            assert await screen.barriers() == [], width
            if page == "pipeline" and theme == "dark":
                await screen.picture(f"console-pipeline-dark-{width}", height=1000)
            await screen.sound()


async def test_the_switch_of_the_theme_is_kept(browser: Browser, system: System, sample: Sample) -> None:
    async with screen_of(browser, system.query_url) as screen:
        await screen.open("search")
        light = await screen.page.evaluate(_BACKGROUND)
        await screen.button("Theme: system").click()
        await screen.button("Theme: light").click()
        await expect(screen.button("Theme: dark")).to_be_visible()
        dark = await screen.page.evaluate(_BACKGROUND)
        assert dark != light
        await screen.open("search")
        await expect(screen.button("Theme: dark")).to_be_visible()
        assert await screen.page.evaluate(_BACKGROUND) == dark
        await screen.sound()


async def test_a_page_that_does_not_exist_is_said(screen: Screen) -> None:
    await screen.open("no-such-page")
    await screen.shows("There is no page no-such-page.")
