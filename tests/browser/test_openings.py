"""A supervisor closes channels and announces a calamity on the wallboard; desk and chat widget show it at once."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import BOARD

pytestmark = [pytest.mark.browser]


async def test_closed_announced_and_opened_again(pages: Pages) -> None:
    desk = await pages.desk("noor")
    board = await pages.sign_in("/wallboard", "marieke")
    await board.get_by_test_id("open-openings").click()
    waterland = board.get_by_test_id("opening").filter(has_text="Waterland")
    await expect(waterland.get_by_test_id("opening-channel")).to_have_text(["Telefoonopen", "Chatopen", "Balieopen"])

    await waterland.get_by_role("button", name="Sluiten …").click()
    await waterland.get_by_label("Balie").uncheck()
    await waterland.get_by_label("Reden").select_option(label="te weinig bezetting")
    await waterland.get_by_label("Hoe lang?").select_option(label="2 uur")
    await check_accessible(board)
    await waterland.get_by_role("button", name="Nu sluiten").click()
    phone = waterland.get_by_test_id("opening-channel").first
    await expect(phone).to_contain_text("gesloten: te weinig bezetting, tot")
    await expect(phone).to_contain_text("door marieke")

    await waterland.get_by_role("button", name="Calamiteit melden …").click()
    await expect(waterland.get_by_text("ook aan de telefoon")).to_be_visible()
    await check_accessible(board)
    await waterland.get_by_label("Een eigen tekst").check()
    await waterland.get_by_label("Nederlands").fill("Brand in het stadhuis. Kom niet naar de balie.")
    await waterland.get_by_role("button", name="Melding aanzetten").click()
    await expect(waterland).to_contain_text("Brand in het stadhuis")
    await board.keyboard.press("Escape")

    for page in (board, desk):
        closed = page.get_by_test_id("closed-now")
        await expect(closed).to_contain_text("telefoon en chat gesloten: te weinig bezetting")
        await expect(page.get_by_test_id("calamity-on")).to_contain_text("Brand in het stadhuis")
        await check_accessible(page)

    tv = await pages.open("/wallboard?tv=1", width=1280, height=720)
    await tv.get_by_role("textbox").fill(BOARD)
    await tv.keyboard.press("Enter")
    await expect(tv.get_by_test_id("calamity-on")).to_contain_text("Brand in het stadhuis")
    assert not await tv.evaluate("() => document.documentElement.scrollHeight > window.innerHeight")

    visitor = await pages.open("/demo")
    await visitor.get_by_role("button", name="Chat").first.click()
    await expect(visitor.get_by_test_id("calamity")).to_contain_text("Brand in het stadhuis")
    await expect(visitor.get_by_test_id("closed")).to_contain_text("De chat is nu gesloten.")

    await board.get_by_test_id("open-openings").click()
    await waterland.get_by_role("button", name="Weer openen").click()
    await waterland.get_by_role("button", name="Melding uitzetten").click()
    await board.keyboard.press("Escape")
    for page in (board, desk):
        await expect(page.get_by_test_id("closed-now")).to_have_count(0)
        await expect(page.get_by_test_id("calamity-on")).to_have_count(0)
