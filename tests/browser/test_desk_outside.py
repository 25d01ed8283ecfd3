"""Putting a call through to somebody outside, at the desk, on a real Asterisk; the warning at a second transfer."""

from __future__ import annotations

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
    pytest.mark.xdist_group("desk outside"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
TYPED = ("centre.toml", "\nname =", '\noutside_prefixes = ["+31"]\nname =')


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path, TYPED) as running:
        yield running


async def test_put_through_taken_back_and_put_through_to_a_typed_number(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    outside = await centre.board.outside(mode="ring", hertz=620)
    call = await centre.call()
    await phone.next_call()
    work = noor.get_by_test_id("work")
    await expect(work).to_have_attribute("data-state", "active")
    await noor.get_by_test_id("put-through").click()
    dialog = noor.get_by_test_id("outside-dialog")
    await dialog.get_by_label("Direct doorverbinden").check()
    await dialog.get_by_role("combobox").select_option("rijk")
    await check_accessible(noor)
    await dialog.get_by_role("button", name="Doorverbinden").click()
    rings = await outside.next_call()
    bar = noor.get_by_test_id("outside")
    await expect(bar).to_contain_text("Rijksoverheid")
    await expect(noor.get_by_test_id("finish")).to_have_count(0)
    await check_accessible(noor)
    await noor.get_by_test_id("cancel-outside").click()
    await rings.wait(rings.over)
    await phone.next_call()
    await expect(bar).to_have_count(0)
    await call.audio.tone(1000)
    await noor.get_by_test_id("put-through").click()
    await dialog.get_by_label("Direct doorverbinden").check()
    await dialog.get_by_label("Een ander nummer").check()
    await dialog.get_by_label("Telefoonnummer").fill("0900 1234567")
    await dialog.get_by_role("button", name="Doorverbinden").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Telefoonnummer").fill("020 123 4567")
    await dialog.get_by_role("button", name="Doorverbinden").click()
    rings = await outside.next_call()
    assert "+31201234567@" in rings.invite.start
    rings.answer()
    await expect(work).to_have_attribute("data-state", "wrap_up")
    await call.audio.tone(620)
    assert not pages.complaints


async def test_asked_first_and_then_connected(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    outside = await centre.board.outside(mode="ring", hertz=620)
    call = await centre.call()
    await phone.next_call()
    work = noor.get_by_test_id("work")
    await expect(work).to_have_attribute("data-state", "active")
    await noor.get_by_test_id("put-through").click()
    dialog = noor.get_by_test_id("outside-dialog")
    await expect(dialog.get_by_label("Eerst overleggen")).to_be_checked()
    await dialog.get_by_role("combobox").select_option("rijk")
    await dialog.get_by_role("button", name="Bellen").click()
    bar = noor.get_by_test_id("outside")
    await expect(bar).to_have_attribute("data-state", "ringing")
    (await outside.next_call()).answer()
    await expect(bar).to_have_attribute("data-state", "talking")
    await check_accessible(noor)
    await noor.get_by_test_id("join-outside").click()
    await expect(work).to_have_attribute("data-state", "wrap_up")
    await call.audio.tone(620)
    assert not pages.complaints


async def test_at_the_second_transfer_the_agent_is_warned(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    await centre.call()
    await phone.next_call()
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "active")
    await noor.get_by_test_id("consult").click()
    await expect(noor.get_by_test_id("consult-dialog")).to_be_visible()
    await expect(noor.get_by_test_id("transfer-warning")).to_have_count(0)
    await noor.keyboard.press("Escape")
    await centre.board.agent(PHONES["fatima"], "answer", hertz=620)
    fatima = await pages.desk("fatima")
    await noor.get_by_role("button", name="Overdragen").click()
    dialog = noor.get_by_test_id("hand-over-dialog")
    await expect(dialog.get_by_test_id("transfer-warning")).to_have_count(0)
    await dialog.get_by_label("Een collega").check()
    await dialog.get_by_label("Collega", exact=True).select_option("fatima")
    await dialog.get_by_role("button", name="Overdragen").click()
    await expect(fatima.get_by_test_id("work")).to_have_attribute("data-state", "active")
    for button in ("consult", "put-through"):
        await fatima.get_by_test_id(button).click()
        await expect(fatima.get_by_test_id("transfer-warning")).to_contain_text("al een keer doorverbonden")
        await fatima.keyboard.press("Escape")
    assert not pages.complaints
