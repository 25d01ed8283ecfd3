"""The wallboard: live, with the age of its data; a supervisor acts on it; a TV shows no names."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Pages, check_accessible
from tests.parts.router import BOARD, Desk, RouterProcess, post_contact

pytestmark = [pytest.mark.browser]


async def test_it_is_live_and_opens_what_waits(pages: Pages, router: RouterProcess) -> None:
    board = await pages.sign_in("/wallboard", "marieke")
    queue = board.get_by_role("row").filter(has_text="Leefomgeving")
    await expect(queue).to_contain_text("Rustig")
    await post_contact(router.base, "key-0001")
    await expect(queue).to_contain_text("Onbemand")
    await check_accessible(board)
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        offer = await daan.offer(channel="counter")
        await daan.do("accept", offer=offer["offer"])
        await expect(queue).not_to_contain_text("Onbemand")
        await daan.do("finish", contact=offer["contact"])
        await daan.do("wrap_up", contact=offer["contact"], resolved=True, note="", topic="")
    await expect(queue).to_contain_text("100%")


async def test_a_supervisor_moves_and_closes_with_a_reason(pages: Pages, router: RouterProcess) -> None:
    board = await pages.sign_in("/wallboard", "marieke")
    _, posted = await post_contact(router.base, "key-0001")
    await board.get_by_role("button", name="Leefomgeving").click()
    waiting = board.get_by_test_id("waiting-contact")
    await expect(waiting).to_have_count(1)
    await check_accessible(board)
    await waiting.get_by_role("button", name="Verplaatsen").click()
    dialog = board.get_by_role("dialog").last
    await dialog.get_by_role("combobox").select_option(label="Algemeen")
    await dialog.get_by_role("textbox").fill("Verkeerde wachtrij")
    await dialog.locator("button[type=submit]").click()
    await expect(board.get_by_role("row").filter(has_text="Algemeen")).to_contain_text("Onbemand")
    report = await asyncio.to_thread(router.verify)
    assert report["channels"]["counter"]["waiting"] == 1
    assert posted["queue"] == "leefomgeving"


async def test_a_television_shows_all_queues_without_scrolling_or_names(pages: Pages, router: RouterProcess) -> None:
    async with Desk(router.base, "noor") as noor:
        await noor.ready()
        board = await pages.open("/wallboard?tv=1", width=1280, height=720)
        await board.get_by_role("textbox").fill(BOARD)
        await board.keyboard.press("Enter")
        await expect(board.get_by_test_id("board")).to_be_visible()
        await expect(board.get_by_test_id("queue")).to_have_count(6)
        await check_accessible(board)
        overflow = "() => document.documentElement.scrollHeight > window.innerHeight"
        assert not await board.evaluate(overflow)
        assert "Noor" not in await board.locator("body").inner_text()
        await board.reload()
        await expect(board.get_by_test_id("board")).to_be_visible()


async def test_a_television_has_room_for_a_hundred_percent(pages: Pages, router: RouterProcess) -> None:
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        _, posted = await post_contact(router.base, "key-0001")
        offer = await daan.offer(contact=posted["id"])
        await daan.do("accept", offer=offer["offer"])
        await daan.do("finish", contact=posted["id"])
        await daan.contact(posted["id"], state="wrap_up")
        await daan.do("wrap_up", contact=posted["id"], resolved=True, note="", topic="")
        board = await pages.open("/wallboard?tv=1", width=1280, height=720)
        await board.get_by_role("textbox").fill(BOARD)
        await board.keyboard.press("Enter")
        await expect(board.get_by_test_id("measure-agent")).to_contain_text("100%")
        over = """() => [...document.querySelectorAll('.measure')].filter((one) =>
            [...one.querySelectorAll('.tile-value, svg')].some((part) =>
                part.getBoundingClientRect().right > one.getBoundingClientRect().right))
            .map((one) => one.textContent)"""
        assert await board.evaluate(over) == []


async def test_it_says_how_old_it_is_when_the_server_is_gone(pages: Pages, router: RouterProcess) -> None:
    board = await pages.sign_in("/wallboard", "marieke")
    await expect(board.get_by_test_id("updated")).to_contain_text("Bijgewerkt")
    await asyncio.to_thread(router.kill)
    await expect(board.get_by_test_id("board")).to_have_attribute("data-stale", "true", timeout=20_000)
    await asyncio.to_thread(router.start)
    await expect(board.get_by_test_id("board")).to_have_attribute("data-stale", "false", timeout=30_000)


async def test_narrow_wide_and_dark_stay_accessible(pages: Pages, router: RouterProcess) -> None:
    await post_contact(router.base, "key-0001")
    for width, scheme in ((360, "light"), (1920, "dark")):
        board = await pages.open("/wallboard", width=width, color_scheme=scheme)
        await board.get_by_label("Gebruikersnaam").fill("johan")
        await board.get_by_label("Wachtwoord").fill("demo-1234")
        await board.keyboard.press("Enter")
        await expect(board.get_by_test_id("board")).to_be_visible()
        await check_accessible(board)
        assert await board.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


async def test_outcomes_and_estimates_by_keyboard_and_switched_off_with_a_reason(
    pages: Pages, router: RouterProcess
) -> None:
    async with Desk(router.base, "daan") as daan:
        await daan.ready()
        await post_contact(router.base, "key-0001")
        offer = await daan.offer(channel="counter")
        await daan.do("accept", offer=offer["offer"])
        await daan.do("finish", contact=offer["contact"])
        await daan.do("wrap_up", contact=offer["contact"], resolved=True, note="", topic="")
    board = await pages.sign_in("/wallboard", "marieke", width=1440, height=1000)
    measure = board.get_by_test_id("measure-agent")
    await expect(measure).to_contain_text("100%")
    await expect(measure).to_contain_text("n\u00a0=\u00a01")
    definition = measure.get_by_role("note", include_hidden=True)
    await expect(definition).to_be_hidden()
    await measure.get_by_role("button").focus()
    await expect(definition).to_be_visible()
    await board.keyboard.press("Escape")
    await expect(definition).to_be_hidden()

    await board.get_by_test_id("open-outcomes").press("Enter")
    await expect(board.get_by_test_id("outcomes-table")).to_contain_text("Afval en containers")
    await check_accessible(board)
    await board.keyboard.press("Escape")
    await board.get_by_test_id("open-estimates").press("Enter")
    waste = board.locator('[data-testid="estimate-topic"][data-topic="afval"]')
    await expect(waste).to_contain_text("Niveau")
    await check_accessible(board)
    await waste.get_by_role("button", name="Afval en containers uitzetten").press("Enter")
    await board.keyboard.type("Een proef")
    await board.keyboard.press("Enter")
    await expect(board.get_by_test_id("switched-off")).to_contain_text("Een proef")
    await expect(waste.get_by_role("button", name="Afval en containers aanzetten")).to_be_visible()
    await check_accessible(board)
