"""A real Chromium on the real server: one browser a test, pages that complain when a page does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.conftest import FAILED
from tests.parts.router import PASSWORD, RouterProcess
from tests.parts.where import chromium_path, missing

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A page on an invented name may load the widget from loopback, as a page of a real site would from the server.
    "--disable-features=LocalNetworkAccessChecks",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = next(Path(axe_playwright_python.__file__).parent.glob("**/axe.min.js"))
PATIENCE_MS = 15_000
"""For what a page does and for what it comes to show; a test that goes well waits for neither."""
expect.set_options(timeout=PATIENCE_MS)
EXPECTED = ("401 (Unauthorized)", "WebSocket connection to", "net::ERR_CONNECTION_REFUSED")
"""What Chromium itself writes to the console when nobody is signed in yet, or the server is away."""


@pytest.fixture
def router(tmp_path: Path) -> Iterator[RouterProcess]:
    with RouterProcess(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip(missing("chromium"))
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield running
        await running.close()


class Pages:
    """Opens pages, each in a context of its own, and keeps what their consoles said."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base
        self.complaints: list[str] = []
        self._opened: list[Page] = []

    async def open(self, path: str, width: int = 1440, height: int = 900, **options: object) -> Page:
        settings = {"locale": "nl-NL", "timezone_id": "Europe/Amsterdam", "reduced_motion": "reduce", **options}
        viewport = {"width": width, "height": height}
        context = await self._browser.new_context(viewport=viewport, **settings)  # type: ignore[arg-type]
        page = await context.new_page()
        self._opened.append(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: self._heard(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._heard(str(error)))
        await page.goto(self._base + path)
        return page

    def _heard(self, text: str) -> None:
        if not any(known in text for known in EXPECTED):
            self.complaints.append(text)

    async def tell(self) -> None:
        """What each page shows, in words: for the report of a test that failed."""
        for page in (page for page in self._opened if not page.is_closed()):
            print(f"--- {page.url.removeprefix(self._base)}")
            print(await page.locator("body").aria_snapshot())

    async def sign_in(self, path: str, user: str, **options: int) -> Page:
        page = await self.open(path, **options)
        await page.get_by_label("Gebruikersnaam").fill(user)
        await page.get_by_label("Wachtwoord").fill(PASSWORD)
        await page.get_by_role("button", name="Aanmelden").click()
        return page

    async def desk(self, user: str, **options: int) -> Page:
        """An agent, signed in and ready."""
        page = await self.sign_in("/desk", user, **options)
        await page.get_by_role("button", name="Start dienst").first.click()
        await page.get_by_test_id("presence").get_by_text("Beschikbaar").wait_for()
        return page


@pytest.fixture
async def pages(request: pytest.FixtureRequest, browser: Browser, router: RouterProcess) -> AsyncIterator[Pages]:
    opened = Pages(browser, router.base)
    yield opened
    if request.node.stash[FAILED]:
        await opened.tell()
        print("--- the server\n" + router.log.read_text()[-3000:])
    assert not opened.complaints, "the console of a page complains"


async def check_accessible(page: Page) -> None:
    """axe finds nothing, with the tags that matter named (its default leaves some out)."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    violations = [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]]
    assert not violations
    assert found["passes"], "axe looked at nothing"
