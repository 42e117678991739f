"""The console where every read needs a token: it asks for one, keeps it in its tab, and takes tickets."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from deploy.local.ports import HOST, free_port
from deploy.local.process import Process
from shared.access.scopes import Scope
from tests.console.chromium import needs_chromium
from tests.console.sample import NAME, SKU, Sample
from tests.console.screen import Screen, screen_of
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import REPOSITORY, System
from tests.tokens import ISSUER, public_document, token

pytestmark = [pytest.mark.servers, needs_chromium]


@pytest.fixture(scope="module")
def guarded(installation: System) -> Iterator[Process]:
    """A second query API of the same installation, with access control."""
    ports = {"QUERY_PORT": str(free_port()), "QUERY_OPS_PORT": str(free_port())}
    environment = {
        **installation.environment(),
        **ports,
        "READ_MODEL_DSN": installation.read_model.reader,
        "AUTH_ISSUER": ISSUER,
        "AUTH_PUBLIC_KEYS": public_document("first").decode(),
    }
    name, log = "query-api-guarded", installation.folder / "query-api-guarded.log"
    ops_port = int(ports["QUERY_OPS_PORT"])
    process = Process(name, ["query_api", "serve"], environment, REPOSITORY, log, ops_port)
    process.start()
    process.url = f"http://{HOST}:{ports['QUERY_PORT']}"  # type: ignore[attr-defined]
    yield process
    process.stop()


async def _use(screen: Screen, given: str) -> None:
    await screen.button("Token").click()
    await screen.page.get_by_label("Access token").fill(given)
    await screen.page.get_by_role("button", name="Use", exact=True).click()


async def test_without_a_token_a_page_asks_for_one_and_shows_all_with_it(
    browser: Browser, guarded: Process, system: System, sample: Sample
) -> None:
    async with screen_of(browser, guarded.url) as screen:  # type: ignore[attr-defined]
        screen.refusals = {401}
        await screen.open()
        await screen.shows("An access token is needed.")
        await _use(screen, f"Bearer {token(Scope)}")
        await screen.shows("Everything runs")
        await screen.open("product", key=SKU)
        await screen.shows(NAME)
        await screen.sound()


async def test_a_token_without_the_scope_is_told_which_one_is_missing(
    browser: Browser, guarded: Process, system: System, sample: Sample
) -> None:
    async with screen_of(browser, guarded.url) as screen:  # type: ignore[attr-defined]
        screen.refusals = {401, 403}
        await screen.open("search", q="shirt")
        await _use(screen, token([Scope.PRODUCTS_READ]))
        await screen.shows("words in name")
        await screen.page.get_by_role("link", name="Pipeline").click()
        await screen.shows("The token may not read this.")
        await screen.shows("ops:read")
        await screen.sound()


async def test_a_stream_begins_with_a_ticket_and_the_token_is_in_no_address(
    browser: Browser, guarded: Process, system: System, catalogue: Catalogue, sample: Sample
) -> None:
    async with screen_of(browser, guarded.url) as screen:  # type: ignore[attr-defined]
        screen.refusals = {401}
        given = token([Scope.EVENTS_READ])
        await screen.open("events")
        await screen.shows("An access token is needed.")
        await _use(screen, given)
        await screen.shows("live")
        name = unique("Ticket")
        await catalogue.create(name=name, variants=[variant(unique("T"))])
        await expect(screen.page.locator(".tail > li").first).to_contain_text(name)
        assert any("&ticket=" in url for url in screen.requests)
        assert not any(given in url for url in screen.requests)
        await screen.sound()


async def test_the_token_is_gone_with_its_tab(
    browser: Browser, guarded: Process, system: System, sample: Sample
) -> None:
    async with screen_of(browser, guarded.url) as screen:  # type: ignore[attr-defined]
        screen.refusals = {401}
        await screen.open("search", q="shirt")
        await _use(screen, token(Scope))
        await screen.shows("words in name")
        other = await screen.page.context.new_page()
        await other.goto(f"{screen.url}/console#/search?q=shirt")
        await expect(other.get_by_role("main")).to_contain_text("An access token is needed.")
