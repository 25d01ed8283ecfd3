"""A day at the desk: shifts that end with work in hand, colleagues, wrap-up against the clock, and focus that stays."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import ROOT, RouterProcess, Visitor, post_contact

pytestmark = [pytest.mark.browser]

PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


async def finish(desk: Page, answer: str = "Ja") -> None:
    await desk.get_by_test_id("finish").click()
    form = desk.get_by_test_id("wrap-up")
    await form.get_by_role("radio", name=answer, exact=True).check()
    await form.get_by_role("button", name="Contact afsluiten").click()


async def test_a_shift_ends_once_the_work_in_hand_is_done(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0001")
    await desk.get_by_test_id("accept").click()
    await expect(desk.get_by_test_id("contact")).to_have_count(1)
    await desk.get_by_role("button", name="Einde dienst").click()
    await desk.get_by_role("dialog").get_by_role("button", name="Einde dienst").click()
    await expect(desk.get_by_test_id("presence")).to_contain_text("Pauze: Einde dienst")
    await post_contact(router.base, "key-0002")
    await finish(desk)
    await expect(desk.get_by_test_id("presence")).to_contain_text("Afgemeld")
    await expect(desk.get_by_test_id("offer")).to_have_count(0)


async def test_escape_means_the_dialog_from_the_moment_that_it_is_there(pages: Pages) -> None:
    desk = await pages.desk("daan")
    await desk.evaluate("""() => {
        window.first = new Promise((seen) => new MutationObserver((changes, watcher) => {
            const dialog = document.querySelector('dialog')
            if (dialog) { watcher.disconnect(); seen(dialog.open && dialog.contains(document.activeElement)) }
        }).observe(document.body, { childList: true, subtree: true }))
    }""")
    opener = desk.get_by_role("button", name="Instellingen")
    await opener.click()
    assert await desk.evaluate("window.first")
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    await expect(opener).to_be_focused()
    await opener.click()
    await expect(desk.get_by_role("dialog")).to_be_visible()


async def test_a_supervisor_signs_a_busy_agent_off_when_done_and_the_agent_is_told(
    pages: Pages, router: RouterProcess
) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0001")
    await desk.get_by_test_id("accept").click()
    board = await pages.sign_in("/wallboard", "marieke")
    person = board.get_by_test_id("person").filter(has_text="Daan Visser")
    await expect(person).to_contain_text("1 balie")
    await person.get_by_role("button").click()
    dialog = board.get_by_role("dialog")
    await dialog.locator("button[type=submit]").click()
    await expect(desk.get_by_test_id("notice")).to_contain_text("gewijzigd door een ander")
    await person.get_by_role("button").click()
    await dialog.get_by_label("Afgemeld").check()
    await expect(dialog).to_contain_text("Heeft nog contacten")
    await dialog.locator("button[type=submit]").click()
    await expect(desk.get_by_test_id("presence")).to_contain_text("Einde dienst")
    await finish(desk)
    await expect(person).to_contain_text("Afgemeld")


async def test_handed_to_a_colleague_who_sees_what_was_noted(pages: Pages, router: RouterProcess) -> None:
    noor, fatima = await pages.desk("noor"), await pages.desk("fatima")
    async with Visitor(router.base) as visitor:
        await visitor.start("Mijn paspoort is kwijt", name="A. Jansen")
        await noor.get_by_test_id("accept").click()
        await expect(noor.get_by_test_id("reply-box")).to_be_focused()
        await noor.get_by_test_id("reply-box").fill("Nog niet klaar")
        await noor.keyboard.press("Alt+o")
        dialog = noor.get_by_test_id("hand-over-dialog")
        await expect(dialog).to_contain_text("Dat gaat niet mee")
        await dialog.get_by_label("Een collega").check()
        await expect(dialog.get_by_role("option")).to_have_count(2)
        await dialog.get_by_role("combobox").select_option(label="Fatima el Amrani (beschikbaar)")
        await dialog.get_by_label("Wat moet uw collega weten?").fill("Aangifte is gedaan")
        await check_accessible(noor)
        await dialog.locator("button[type=submit]").click()
        await expect(noor.get_by_test_id("contact")).to_have_count(0)
        await expect(noor.get_by_role("main")).to_be_focused()
        await expect(fatima.get_by_test_id("offer")).to_contain_text("Overgedragen door Noor de Vries")
        await fatima.get_by_test_id("accept").click()
        await expect(fatima.get_by_test_id("notes-before")).to_contain_text("Aangifte is gedaan")
        await expect(fatima.get_by_test_id("thread")).to_contain_text("Mijn paspoort is kwijt")
        await check_accessible(fatima)


async def test_declined_with_a_reason_and_offered_to_the_next(pages: Pages, router: RouterProcess) -> None:
    noor, fatima = await pages.desk("noor"), await pages.desk("fatima")
    async with Visitor(router.base) as visitor:
        await visitor.start("Mijn paspoort is kwijt")
        await noor.get_by_test_id("offer").get_by_text("Weigeren met reden").click()
        await check_accessible(noor)
        await noor.get_by_test_id("decline-known_to_me").click()
        await expect(fatima.get_by_test_id("offer")).to_be_visible()
        await expect(noor.get_by_test_id("offer")).to_have_count(0)
        await expect(noor.get_by_test_id("presence")).to_contain_text("Beschikbaar")


async def test_wrap_up_is_extended_and_keeps_what_was_typed_when_its_time_is_up(
    browser: Browser, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config" / "demo", config)
    topics = config / "topics.toml"
    topics.write_text(re.sub(r"wrap_up_seconds = \d+", "wrap_up_seconds = 5", topics.read_text()))
    with RouterProcess(tmp_path / "data", config) as router:
        pages = Pages(browser, router.base)
        desk = await pages.desk("daan")
        citizen = {"name": "K. de Wit", "phone": "0612345678"}
        await post_contact(router.base, "key-0001", citizen=citizen)
        await desk.get_by_test_id("accept").click()
        await desk.get_by_test_id("finish").click()
        await desk.get_by_test_id("extend").click()
        await expect(desk.get_by_test_id("wrap-up-left")).to_contain_text(re.compile("0:3[0-5]"))
        await check_accessible(desk)
        await desk.get_by_role("radio", name="Nee", exact=True).check()
        await desk.get_by_role("button", name="Contact afsluiten").click()
        await post_contact(router.base, "key-0002", citizen=citizen)
        await desk.get_by_test_id("accept").click()
        await desk.get_by_test_id("finish").click()
        await desk.get_by_label("Notitie bij het contact").fill("Container is vervangen")
        await expect(desk.get_by_test_id("contact")).to_have_count(0, timeout=15_000)
        await expect(desk.get_by_test_id("notice")).to_contain_text("vanzelf afgesloten")
        await post_contact(router.base, "key-0003", citizen=citizen)
        await desk.get_by_test_id("accept").click()
        await desk.get_by_test_id("earlier").get_by_role("button").first.click()
        await expect(desk.get_by_test_id("earlier-dialog")).to_contain_text("Container is vervangen")
        assert not pages.complaints


async def test_a_letter_is_shown(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("bram")
    letter = {"document": "a.pdf", "municipality": "waterland", "subject": "Bezwaar WOZ", "sender_name": "A. Jansen"}
    folder = router.data / "scans" / "waterland"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread((folder / "a.pdf").write_bytes, PDF)
    await asyncio.to_thread((folder / "a.json").write_text, json.dumps(letter))
    await expect(desk.get_by_test_id("offer")).to_contain_text("Bezwaar WOZ")
    await desk.get_by_test_id("accept").click()
    document = desk.get_by_test_id("document")
    await expect(document).to_have_attribute("src", re.compile("^blob:"))
    await check_accessible(desk)


async def test_the_widget_keeps_the_keyboard_and_says_what_came_in_while_it_was_away(
    pages: Pages, router: RouterProcess
) -> None:
    desk = await pages.desk("noor")
    visitor = await pages.open("/demo", width=320, height=640)
    await visitor.get_by_role("button", name="Chat met de gemeente").press("Enter")
    await visitor.get_by_label("Waar gaat uw vraag over?").select_option(index=1)
    await visitor.get_by_label("Uw vraag", exact=True).fill("Mijn BSN is 123456782")
    await visitor.get_by_role("button", name="Start de chat").press("Enter")
    await visitor.get_by_role("button", name="Nummer weghalen").press("Enter")
    await expect(visitor.get_by_label("Uw vraag", exact=True)).to_be_focused()
    await visitor.get_by_role("button", name="Start de chat").press("Enter")
    await expect(visitor.get_by_label("Uw bericht")).to_be_focused()
    await visitor.keyboard.press("Escape")
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("reply-box").fill("Goedendag")
    await desk.keyboard.press("Enter")
    await expect(visitor.get_by_test_id("chat-news")).to_have_text("1 nieuw bericht in de chat")
    await check_accessible(visitor)
    await visitor.get_by_role("button", name="Chat met de gemeente").press("Enter")
    await expect(visitor.get_by_test_id("chat-news")).to_have_text("")
    await visitor.get_by_role("button", name="Beëindigen").press("Enter")
    await visitor.get_by_role("button", name="Terug naar het gesprek").press("Enter")
    await expect(visitor.get_by_label("Uw bericht")).to_be_focused()
    await visitor.get_by_role("button", name="Beëindigen").press("Enter")
    await visitor.keyboard.press("Enter")
    await expect(visitor.get_by_test_id("answered-yes")).to_be_focused()
    assert await visitor.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
