"""A page of the console in the browser, and everything that it may not do."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, Route, expect

Theme = Literal["light", "dark"]
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
NARROW, WIDE = 360, 1280
# On a busy machine everything takes longer.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_VIOLATIONS = """
globalThis.violations = [];
document.addEventListener("securitypolicyviolation", event =>
    globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


class Screen:
    """One tab. `url` is that of the query API; `refusals` are the statuses that a test expects."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.refusals: set[int] = set()
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        refused = _REFUSED.match(message.text)
        if message.type in ("error", "warning") and not (refused and int(refused[1]) in self.refusals):
            self.faults.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    async def open(self, name: str = "", **parameters: Any) -> None:
        """A page of the console, as a link or bookmark opens it."""
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.url}/console{f'#/{name}{query}' if name else ''}")

    async def shows(self, text: str | re.Pattern[str]) -> None:
        """The text is somewhere on the page."""
        await expect(self.page.get_by_role("main")).to_contain_text(text)

    async def answers(self, path: str, body: Any) -> None:
        """What the API is said to answer at exactly this path, with any parameters."""

        async def answer(route: Route) -> None:
            await route.fulfill(json=body)

        await self.page.route(re.compile(rf"{re.escape(self.url)}/{path}(\?.*)?$"), answer)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    async def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return int(wide)

    async def barriers(self) -> list[str]:
        """What axe finds. Its script comes by the debugger, because the page's policy would refuse it."""
        await self.page.evaluate(AXE_SCRIPT)
        found = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    async def sound(self) -> None:
        """Nothing was refused by the policy, nothing failed, and nothing was asked of another host."""
        assert await self.page.evaluate("globalThis.violations") == []
        assert self.faults == []
        assert [url for url in self.requests if not url.startswith((self.url, "about:", "data:"))] == []

    async def picture(self, name: str, *, height: int | None = None) -> None:
        """For README and docs, with WRITE_PICTURES=1: what tests have seen is what readers see."""
        if not os.environ.get("WRITE_PICTURES"):
            return
        PICTURES.mkdir(exist_ok=True)
        size = self.page.viewport_size
        assert size is not None
        if height is not None:
            await self.page.set_viewport_size({"width": size["width"], "height": height})
            await self.page.evaluate(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
        file = PICTURES / f"{name}.png"
        await self.page.evaluate("scrollTo(0, 0)")
        await self.page.screenshot(path=file, animations="disabled")
        await _smaller(file)


async def _smaller(file: Path) -> None:
    """With a palette, where the program for it is installed."""
    try:
        process = await asyncio.create_subprocess_exec(
            "pngquant", "--force", "--skip-if-larger", "--output", file, "128", file
        )
    except FileNotFoundError:
        return
    await process.wait()


@asynccontextmanager
async def screen_of(
    browser: Browser, url: str, *, theme: Theme = "light", width: int = WIDE, height: int = 900
) -> AsyncIterator[Screen]:
    """A tab with a storage of its own."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(_VIOLATIONS)
    try:
        yield Screen(await context.new_page(), url)
    finally:
        await context.close()
