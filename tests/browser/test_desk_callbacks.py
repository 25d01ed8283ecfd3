"""Calling citizens back, at the desk: promised in the follow-up's dialog, and dialled."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import RouterProcess, post_contact

pytestmark = [pytest.mark.browser]


async def test_a_callback_is_promised_from_a_contact_in_hand_and_another_is_dialled(
    pages: Pages, router: RouterProcess
) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0001", citizen={"phone": "0612345678"})
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("work").get_by_role("button", name="Vervolgactie").click()
    dialog = desk.get_by_test_id("follow-up-dialog")
    await dialog.locator("textarea").fill("Vertellen of de container vervangen wordt.")
    await dialog.get_by_label("De inwoner terugbellen").check()
    assert await dialog.get_by_label("Wanneer").locator("option").count() >= 2
    await expect(dialog.get_by_label("Op een ander nummer")).to_be_visible()
    await check_accessible(desk)
    await dialog.get_by_role("button", name="Opslaan").click()
    await expect(dialog).to_have_count(0)
    await desk.get_by_test_id("finish").click()
    form = desk.get_by_test_id("wrap-up")
    await form.get_by_role("radiogroup", name="In één keer goed?").get_by_role("radio", name="Ja", exact=True).check()
    await form.get_by_role("button", name="Contact afsluiten").click()
    await post_contact(router.base, "key-0002", channel="callback", citizen={"phone": "0201234567"})
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("dial").click()
    await expect(desk.get_by_test_id("dialling")).to_have_attribute("data-dialling", "dialling")
    await check_accessible(desk)


async def test_a_promise_is_kept_at_once_by_one_click(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0003", citizen={"phone": "0612345679"})
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("work").get_by_role("button", name="Vervolgactie").click()
    dialog = desk.get_by_test_id("follow-up-dialog")
    await dialog.locator("textarea").fill("Vertellen wanneer de container komt.")
    await dialog.get_by_label("De inwoner terugbellen").check()
    await dialog.get_by_role("button", name="Opslaan").click()
    await expect(dialog).to_have_count(0)
    await desk.get_by_test_id("finish").click()
    form = desk.get_by_test_id("wrap-up")
    await form.get_by_role("radiogroup", name="In één keer goed?").get_by_role("radio", name="Ja", exact=True).check()
    await form.get_by_role("button", name="Contact afsluiten").click()
    await desk.get_by_role("button", name="Vervolgacties").click()
    await desk.get_by_test_id("call-now").click()
    await expect(desk.get_by_test_id("dialling")).to_have_attribute("data-dialling", "dialling")
