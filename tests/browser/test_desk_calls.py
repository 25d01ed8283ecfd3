"""A call at the desk, in Chromium, with a real Asterisk behind it: asking a colleague, and leaving the call to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import PHONES, CallCentre, house
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asterisk,
    pytest.mark.xdist_group("desk calls"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path) as running:
        yield running


async def test_consult_talk_together_and_transfer_by_keyboard(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    call = await centre.call()
    await phone.next_call()
    work = noor.get_by_test_id("work")
    await expect(work).to_have_attribute("data-state", "active")
    colleague = await centre.board.agent(PHONES["fatima"], "ring", hertz=620)
    fatima = await pages.desk("fatima", width=1100)
    await noor.keyboard.press("Alt+b")
    dialog = noor.get_by_test_id("consult-dialog")
    await dialog.get_by_label("Collega").select_option("fatima")
    await check_accessible(noor)
    await dialog.get_by_role("button", name="Collega bellen").press("Enter")
    bar = noor.get_by_test_id("together")
    await expect(bar).to_have_attribute("data-situation", "rings")
    await expect(fatima.get_by_test_id("offer")).to_contain_text("Noor de Vries vraagt u om raad")
    rings = await colleague.next_call()
    rings.answer()
    await expect(bar).to_have_attribute("data-situation", "consulted")
    await expect(fatima.get_by_test_id("together")).to_contain_text("het contact is van Noor de Vries")
    await check_accessible(noor)
    await check_accessible(fatima)
    await noor.get_by_test_id("conference").click()
    await expect(bar).to_have_attribute("data-situation", "conferenced")
    await call.audio.tone(620)
    await noor.get_by_test_id("transfer").click()
    await expect(noor.get_by_test_id("after-work")).to_be_visible()
    await expect(fatima.get_by_test_id("together")).to_have_count(0)
    await check_accessible(noor)
    await noor.get_by_role("button", name="Klaar, weer beschikbaar").click()
    await expect(noor.get_by_test_id("after-work")).to_have_count(0)
    await fatima.get_by_test_id("finish").click()
    await call.wait(call.over)
    await asyncio.gather(noor.context.close(), fatima.context.close())
    assert not pages.complaints


async def test_a_telephone_in_another_call_or_gone_is_told_at_the_desk_and_on_the_wallboard(
    browser: Browser, centre: CallCentre
) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "ring")
    await centre.board.agent(PHONES["sanne"], "answer")
    noor = await pages.desk("noor")
    wall = await pages.sign_in("/wallboard", "marieke")
    person = wall.get_by_test_id("person").and_(wall.locator("[data-agent=noor]"))
    private = await phone.call("1002")
    await expect(noor.get_by_test_id("telephone-elsewhere")).to_contain_text("in een ander gesprek")
    await expect(person).to_contain_text("in een ander gesprek")
    await check_accessible(noor)
    private.hangup()
    await expect(noor.get_by_test_id("telephone-elsewhere")).to_have_count(0)
    await phone.register(0)
    await expect(noor.get_by_test_id("telephone-unregistered")).to_contain_text("niet aangemeld")
    await expect(person).to_contain_text("telefoon niet aangemeld")
    await check_accessible(noor)
    await check_accessible(wall)
    await phone.register()
    await expect(noor.get_by_test_id("telephone-unregistered")).to_have_count(0)
    await asyncio.gather(noor.context.close(), wall.context.close())
    assert not pages.complaints
