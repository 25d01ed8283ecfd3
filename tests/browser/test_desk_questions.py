"""Several questions in one contact, by keyboard; and written work that lies still beside a visit."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import RouterProcess, post_contact

pytestmark = [pytest.mark.browser]


async def test_a_second_question_is_added_and_answered_by_keyboard(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0001")
    await desk.get_by_test_id("accept").click()
    await expect(desk.get_by_test_id("work")).to_have_attribute("data-state", "active")  # keys are about what is shown
    await desk.keyboard.press("Alt+q")
    await desk.keyboard.type("Parkeren")
    await desk.keyboard.press("Tab")
    await desk.keyboard.press("Enter")
    questions = desk.get_by_test_id("questions")
    await expect(questions.get_by_role("listitem")).to_have_text(["Afval en containers", "Parkeren"])
    await expect(desk.get_by_test_id("ask-also")).to_be_focused()
    await check_accessible(desk)
    await desk.get_by_test_id("finish").click()
    form = desk.get_by_test_id("wrap-up")
    await form.get_by_role("radiogroup", name="In één keer goed?").get_by_role("radio", name="Ja", exact=True).check()
    close = form.get_by_role("button", name="Contact afsluiten")
    await close.click()
    further = form.get_by_role("radiogroup", name="En de vraag over Parkeren?")
    await expect(further).to_contain_text("Kies ja of nee")
    await check_accessible(desk)
    await further.get_by_role("radio", name="Nee").check()
    await close.click()
    await expect(desk.get_by_test_id("contact")).to_have_count(0)


async def test_a_letter_lies_still_while_somebody_is_at_the_counter(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0001", channel="email", citizen={"email": "a.jansen@example.nl"})
    await desk.get_by_test_id("accept").click()
    await post_contact(router.base, "key-0002")
    await desk.get_by_test_id("accept").click()
    mail = desk.locator("[data-testid=contact][data-channel=email]")
    await expect(mail).to_contain_text("Geparkeerd")
    await mail.click()
    await expect(desk.get_by_test_id("parked")).to_be_visible()
    await check_accessible(desk)
