"""Two browsers: what a citizen types in one is accepted, answered and wrapped up in the other."""

from __future__ import annotations

import asyncio
import re
import shutil
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import ROOT, RouterProcess, Visitor, post_contact

pytestmark = [pytest.mark.browser]


async def start_chat(page: Page, question: str) -> None:
    await page.get_by_role("button", name="Chat met de gemeente").click()
    await page.get_by_label("Waar gaat uw vraag over?").select_option(label="Paspoort, rijbewijs, verhuizen")
    await page.get_by_label("Uw naam (mag leeg)").fill("A. Jansen")
    await page.get_by_label("Uw e-mailadres (mag leeg)").fill("jansen@burger.example")
    await page.get_by_label("Uw vraag", exact=True).fill(question)
    await check_accessible(page)
    await page.get_by_role("button", name="Start de chat").click()


async def wrap_up(page: Page, answer: str = "Ja") -> None:
    form = page.get_by_test_id("wrap-up")
    await form.get_by_role("radio", name=answer, exact=True).check()
    await form.get_by_role("button", name="Contact afsluiten").click()


async def test_a_chat_from_widget_to_wrap_up(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("noor")
    visitor = await pages.open("/demo")
    await start_chat(visitor, "Mijn paspoort is kwijt. Wat nu?")
    offer = desk.get_by_test_id("offer")
    await expect(offer).to_contain_text("A. Jansen")
    await expect(offer).to_contain_text("Mijn paspoort is kwijt")
    await check_accessible(desk)
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("reply-box").fill("Goedendag, ik help u.")
    await desk.get_by_test_id("send").click()
    await expect(visitor.get_by_role("log")).to_contain_text("Goedendag, ik help u.")
    await expect(visitor.get_by_test_id("chat-status")).to_contain_text("Noor")
    await visitor.reload()
    await expect(visitor.get_by_role("log")).to_contain_text("Goedendag, ik help u.")
    await check_accessible(visitor)
    await desk.reload()
    await desk.get_by_test_id("contact").click()
    await expect(desk.get_by_test_id("thread")).to_contain_text("Goedendag, ik help u.")
    await desk.get_by_test_id("finish").click()
    await expect(visitor.get_by_test_id("chat-ended")).to_be_visible()
    await check_accessible(visitor)
    await visitor.get_by_test_id("answered-yes").press("Enter")
    await expect(visitor.get_by_test_id("answered")).to_contain_text("Dank u wel.")
    await visitor.get_by_test_id("mark").select_option("8")
    await expect(visitor.get_by_test_id("mark")).to_have_count(0)
    await check_accessible(visitor)
    form = desk.get_by_test_id("wrap-up")
    await check_accessible(desk)
    await form.get_by_role("button", name="Contact afsluiten").click()
    await expect(form.get_by_text("Kies ja of nee.")).to_be_visible()
    await wrap_up(desk)
    await expect(desk.get_by_test_id("contact")).to_have_count(0)
    report = await asyncio.to_thread(router.verify)
    assert (report["exit"], report["channels"]["chat"]["ended"]) == (0, {"handled": 1})


async def test_the_whole_of_it_by_keyboard_alone(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.open("/desk")
    await desk.get_by_label("Gebruikersnaam").focus()
    await desk.keyboard.type("noor")
    await desk.keyboard.press("Tab")
    await desk.keyboard.type("demo-1234")
    await desk.keyboard.press("Enter")
    start = desk.get_by_role("button", name="Start dienst").first
    await start.focus()
    await desk.keyboard.press("Enter")
    async with Visitor(router.base) as visitor:
        await visitor.start("Waar haal ik mijn rijbewijs op?")
        await expect(desk.get_by_test_id("offer")).to_be_visible()
        await desk.keyboard.press("Alt+a")
        await expect(desk.get_by_test_id("work-title")).to_be_visible()
        await desk.keyboard.press("Alt+r")
        await expect(desk.get_by_test_id("reply-box")).to_be_focused()
        await desk.keyboard.type("Aan de balie, op afspraak.")
        await desk.keyboard.press("Enter")
        answer = await visitor.messages.until(lambda m: m["author"] == "agent")
        assert answer["text"] == "Aan de balie, op afspraak."
        await desk.keyboard.press("Alt+k")
        await expect(desk.get_by_test_id("wrap-up")).to_be_visible()
        await desk.get_by_test_id("wrap-up").get_by_role("radio", name="Ja", exact=True).focus()
        await desk.keyboard.press("Space")
        await desk.get_by_role("button", name="Contact afsluiten").focus()
        await desk.keyboard.press("Enter")
        await expect(desk.get_by_test_id("contact")).to_have_count(0)


async def test_a_missed_offer_says_so_and_has_one_click_back(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("noor")
    async with Visitor(router.base) as visitor:
        started = await visitor.start("Is daar iemand?")
        await expect(desk.get_by_test_id("offer")).to_be_visible()
        await expect(desk.get_by_test_id("not-responding")).to_be_visible(timeout=30_000)
        await desk.get_by_test_id("not-responding").get_by_role("button").click()
        await expect(desk.get_by_test_id("presence")).to_contain_text("Beschikbaar")
        assert started["ok"]


async def test_the_desk_survives_a_killed_server(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    _, posted = await post_contact(router.base, "key-0001", subject="Container kapot")
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("note-box").fill("Halve gedachte")
    await asyncio.to_thread(router.kill)
    await expect(desk.get_by_test_id("reconnecting")).to_be_visible()
    await expect(desk.get_by_test_id("note-box")).to_have_value("Halve gedachte")
    await asyncio.to_thread(router.start)
    await expect(desk.get_by_test_id("reconnecting")).to_have_count(0, timeout=30_000)
    await expect(desk.get_by_test_id("note-box")).to_have_value("Halve gedachte")
    await expect(desk.get_by_test_id("contact")).to_have_count(1)
    assert posted["id"]


async def test_why_me_is_answered_in_words(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0002")
    await desk.get_by_test_id("accept").click()
    await desk.get_by_role("button", name="Leg uit waarom dit contact bij mij kwam").click()
    await expect(desk.get_by_test_id("why-answer")).to_contain_text(re.compile("niveau"))


async def test_a_follow_up_is_made_listed_and_kept(pages: Pages, router: RouterProcess) -> None:
    desk = await pages.desk("daan")
    await post_contact(router.base, "key-0003", citizen={"name": "K. de Wit", "phone": "0612345678"})
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("work").get_by_role("button", name="Vervolgactie").click()
    dialog = desk.get_by_role("dialog")
    await dialog.get_by_label("Wat is er beloofd?").fill("Terugbellen over de container")
    await check_accessible(desk)
    await dialog.locator("button[type=submit]").click()
    await desk.get_by_role("button", name="Vervolgacties").first.click()
    row = desk.get_by_test_id("follow-ups")
    await expect(row).to_contain_text("Terugbellen over de container")
    await check_accessible(desk)
    await desk.get_by_role("button", name="Klaar").first.click()
    await desk.get_by_role("dialog").get_by_label("Hoe is het afgelopen?").fill("Gebeld")
    await desk.get_by_role("dialog").locator("button[type=submit]").click()
    await expect(row).not_to_contain_text("Terugbellen over de container")


async def test_the_widget_works_on_a_page_of_another_site(browser: Browser, tmp_path: Path) -> None:
    """Its code may be loaded by any page; only those that the configuration lists may chat."""
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config" / "demo", config)
    server = config / "server.toml"
    server.write_text('widget_origins = ["http://gemeente.test"]\n' + server.read_text())
    with RouterProcess(tmp_path / "data", config) as router:
        await _visit_from_elsewhere(Pages(browser, router.base), router)


async def _visit_from_elsewhere(pages: Pages, router: RouterProcess) -> None:
    page = await pages.open("/demo")
    html = f"""<!doctype html><html lang="nl"><title>Gemeente</title><main><h1>Gemeente</h1></main>
      <script type="module" src="{router.base}/static/widget.js"></script>
      <kcc-chat municipality="waterland" lang="nl" server="{router.base}"></kcc-chat></html>"""
    await page.route("http://gemeente.test/**", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto("http://gemeente.test/")
    await page.get_by_role("button", name="Chat met de gemeente").click()
    await expect(page.get_by_label("Uw vraag", exact=True)).to_be_visible()
    assert not pages.complaints


async def test_a_hostile_mail_is_shown_without_running_or_fetching_anything(
    pages: Pages, router: RouterProcess
) -> None:
    desk = await pages.desk("noor")
    asked: list[str] = []
    desk.context.on("request", lambda request: asked.append(request.url))
    mail = EmailMessage()
    mail["From"], mail["To"] = "boos@burger.example", "info@waterland.example"
    mail["Subject"], mail["Message-ID"] = "Paspoort <script>alert(1)</script>", "<evil@burger.example>"
    mail.set_content("platte tekst")
    evil = '<p>Beste gemeente</p><img src="http://tracker.test/a.png"><script>top.location="http://evil.test"</script>'
    mail.add_alternative(evil + '<a href="javascript:alert(1)" onclick="alert(1)">klik</a>', subtype="html")
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=router.mail_port, start_tls=False)
    await desk.get_by_test_id("accept").click()
    await expect(desk.frame_locator("iframe").locator("body")).to_contain_text("Beste gemeente")
    await check_accessible(desk)
    await desk.get_by_test_id("work").get_by_role("button", name="Platte tekst").click()
    await expect(desk.get_by_test_id("work")).to_contain_text("platte tekst")
    assert desk.url.startswith(router.base)
    assert not [url for url in asked if ".test" in url]
