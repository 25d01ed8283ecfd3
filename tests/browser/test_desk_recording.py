"""Recordings on screen, on a real Asterisk: paused and stopped at the desk, heard by a supervisor; the voicemail."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from router.channels.voice.events import Held
from tests.browser.conftest import Pages, check_accessible
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import PHONES, WITH_MENU, CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.router import SUPERVISOR
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asterisk,
    pytest.mark.xdist_group("desk recording"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
RECORDED = '[municipalities.recording]\nqueues = ["burgerzaken"]\nlisteners = ["noor"]\n\n[municipalities.greeting]'


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    changes = (
        ("centre.toml", "[municipalities.greeting]", RECORDED),
        ("server.toml", "[voice]", f'[voice]\nspool = "{pbx.folder / "spool/kcc"}"'),
    )
    async with house(pbx, tmp_path, *changes) as running:
        yield running


async def calls(centre: CallCentre) -> Call:
    citizen = await centre.call(WITH_MENU)
    await citizen.audio.tone(prompt_hertz("kcc/menu-waterland"))
    citizen.audio.digit("1")
    await citizen.audio.tone(prompt_hertz("kcc/recorded"))
    return citizen


async def plays(player: Locator) -> float:
    """The length in seconds of what is playing, once it has been heard for a moment."""
    audio = player.locator("audio")
    await expect(audio).to_have_js_property("paused", False)
    await audio.evaluate(
        "one => one.currentTime > 0.2 || new Promise(done => one.addEventListener('timeupdate', "
        "() => one.currentTime > 0.2 && done()))"
    )
    length: float = await audio.evaluate("one => one.duration")
    return length


async def test_paused_and_resumed_at_the_desk_and_heard_by_a_supervisor(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    citizen = await calls(centre)
    await phone.next_call()
    bar = noor.get_by_test_id("recording-bar")
    await expect(bar).to_have_attribute("data-recording", "on")
    await expect(bar.get_by_role("status")).to_have_text("Dit gesprek wordt opgenomen.")
    await check_accessible(noor)
    await noor.get_by_test_id("pause-recording").click()
    await expect(bar.get_by_role("status")).to_have_text("Opname gepauzeerd. Er wordt nu niets opgenomen.")
    await check_accessible(noor)
    await noor.get_by_test_id("resume-recording").click()
    await expect(bar).to_have_attribute("data-recording", "on")
    (file,) = (centre.pbx.folder / "spool/kcc").iterdir()
    size = file.stat().st_size
    await citizen.audio.until(lambda: file.stat().st_size > size + 32_000)
    citizen.hangup()
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    await expect(bar).to_have_count(0)
    await citizen.wait(citizen.over)
    await centre.logged("voice.recording_stored")

    await noor.get_by_role("button", name="Opnamen").click()  # she may listen
    await expect(noor.get_by_test_id("recording")).to_contain_text("Noor de Vries")
    await check_accessible(noor)

    wall = await pages.sign_in("/wallboard", SUPERVISOR)
    await wall.get_by_test_id("open-recordings").click()
    row = wall.get_by_test_id("recording")
    await expect(row).to_contain_text("Noor de Vries")
    await expect(row).to_contain_text("een keer gepauzeerd")
    await check_accessible(wall)
    await row.get_by_test_id("listen-to").click()
    assert await plays(wall.get_by_test_id("player")) > 1
    await check_accessible(wall)
    with sqlite3.connect(centre.router.data / "vault.sqlite") as vault:
        looks = vault.execute("SELECT who FROM audit WHERE purpose = 'recording'").fetchall()
    assert looks == [(SUPERVISOR,)]
    assert not pages.complaints


async def test_at_the_citizens_word_it_stops_and_nothing_is_left_to_hear(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    phone = await centre.board.agent(PHONES["noor"], "answer", hertz=1000)
    noor = await pages.desk("noor")
    citizen = await calls(centre)
    await phone.next_call()
    await noor.get_by_test_id("drop-recording").click()
    dialog = noor.get_by_test_id("drop-recording-dialog")
    await expect(dialog).to_contain_text("weggegooid")
    await check_accessible(noor)
    await dialog.get_by_role("button", name="Stoppen en weggooien").click()
    bar = noor.get_by_test_id("recording-bar")
    await expect(bar.get_by_role("status")).to_have_text("Dit gesprek wordt niet opgenomen.")
    await expect(bar.get_by_role("button")).to_have_count(0)
    await check_accessible(noor)
    citizen.hangup()
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    wall = await pages.sign_in("/wallboard", SUPERVISOR)
    await wall.get_by_test_id("open-recordings").click()
    await expect(wall.get_by_test_id("recordings-dialog")).to_contain_text("Er zijn geen opnamen.")
    assert not pages.complaints


async def test_a_message_on_the_voicemail_is_heard_at_the_desk(browser: Browser, centre: CallCentre) -> None:
    pages = Pages(browser, centre.router.base)
    citizen = await calls(centre)
    await centre.board.event(Held)
    citizen.audio.digit("3")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail"))
    spool = centre.pbx.folder / "spool/kcc"
    await citizen.audio.until(lambda: sum(path.stat().st_size for path in spool.iterdir()) > 40_000)
    citizen.hangup()
    await centre.phone(ended=1)
    noor = await pages.desk("noor")
    await noor.get_by_role("button", name="Vervolgacties").click()
    promise = noor.get_by_test_id("follow-up")
    await expect(promise).to_contain_text("Een ingesproken bericht.")
    await promise.get_by_test_id("listen-to").click()
    assert await plays(promise.get_by_test_id("player")) > 1
    await check_accessible(noor)
    assert not pages.complaints
