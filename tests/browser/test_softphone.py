"""The telephone in the desk: real Chromium, real Asterisk, sound that arrives. Each browser says a tone of its own."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.browser.conftest import FLAGS, Pages, check_accessible
from tests.parts.asterisk import BROWSERS, RealAsterisk
from tests.parts.callcentre import CallCentre, house, softphones
from tests.parts.where import asterisk_command, chromium_path, missing
from tests.parts.wire import Wire

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asterisk,
    pytest.mark.xdist_group("softphone"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
    pytest.mark.skipif(chromium_path() is None, reason=missing("chromium")),
]
CITIZEN, NOOR, FATIMA = 440, 1000, 620
MICROPHONE = ["--use-fake-device-for-media-stream", "--allow-loopback-in-peer-connection"]
HEARS = """async ([hertz, seconds]) => {
  const stream = document.querySelector('[data-testid=phone-sound]')?.srcObject
  if (!stream) return 0
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 4096
  context.createMediaStreamSource(stream).connect(analyser)
  const bins = new Float32Array(analyser.frequencyBinCount)
  let most = -200
  for (let n = 0; n < seconds * 10; n++) {
    await new Promise((next) => setTimeout(next, 100))
    analyser.getFloatFrequencyData(bins)
    most = Math.max(most, bins[Math.round(hertz * analyser.fftSize / context.sampleRate)])
  }
  await context.close()
  return most
}"""
"""The height of a tone, in decibel, in what the page plays."""
LOUD, SILENT = -60, -80

Open = Callable[..., Awaitable[Pages]]


def tone(path: Path, hertz: float) -> Path:
    """Ten seconds of a tone, as Chromium takes it for a microphone."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(
            b"".join(
                struct.pack("<h", int(12_000 * math.sin(2 * math.pi * hertz * n / 48_000))) for n in range(480_000)
            )
        )
    return path


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk(local=BROWSERS) as running:
        yield running


@pytest.fixture
async def wire(pbx: RealAsterisk) -> AsyncIterator[Wire]:
    """Between the browsers and the PBX."""
    async with Wire(pbx.web_port) as joined:
        yield joined


@pytest.fixture
async def centre(pbx: RealAsterisk, wire: Wire, tmp_path: Path) -> AsyncIterator[CallCentre]:
    changes = (
        ("agents.toml", 'endpoint = "a1"', 'endpoint = "w1"'),
        ("agents.toml", 'endpoint = "a4"', 'endpoint = "w2"'),
    )
    async with house(pbx, tmp_path, *changes, environ=softphones(pbx, wire.port, "w1", "w2")) as running:
        yield running


@pytest.fixture
async def browser_of(centre: CallCentre, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a browser of its own with a microphone that says a tone; without a tone the microphone is refused."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())

        async def opened(hertz: float = 0) -> Pages:
            sound = str(tone(tmp_path / f"{hertz}.wav", hertz)) if hertz else ""
            flags = [f"--use-file-for-fake-audio-capture={sound}", "--use-fake-ui-for-media-stream"] if hertz else []
            browser = await playwright.chromium.launch(
                executable_path=chromium_path(), args=[*FLAGS, *MICROPHONE, *(flags or ["--deny-permission-prompts"])]
            )
            stack.push_async_callback(browser.close)
            return Pages(browser, centre.router.base)

        yield opened


async def desk(pages: Pages, user: str, *, auto: bool = True, **options: int) -> Page:
    """An agent at work with the telephone in the desk; echo and noise are left alone: a tone is noise to a browser."""
    page = await pages.sign_in("/desk", user, **options)
    await registered(page)
    for name, value in (("auto-answer", auto), ("clean-sound", False)):
        await page.evaluate("([name, value]) => localStorage.setItem(`kcc.desk.${name}`, value)", [name, value])
    await page.reload()
    await registered(page)
    await page.get_by_role("button", name="Start dienst").first.click()
    await page.get_by_test_id("presence").get_by_text("Beschikbaar").wait_for()
    return page


async def registered(page: Page) -> None:
    await expect(page.get_by_test_id("phone-status")).to_have_attribute("data-line", "registered", timeout=15_000)


async def hears(page: Page, hertz: float) -> None:
    height = await page.evaluate(HEARS, [hertz, 2.0])
    assert height > LOUD, f"{hertz} Hz at {height} dB"


def bar(page: Page) -> Locator:
    return page.get_by_test_id("phone-bar")


async def talks(page: Page) -> None:
    await expect(bar(page)).to_have_attribute("data-state", "talking")
    await expect(page.get_by_test_id("work")).to_have_attribute("data-state", "active")


async def test_a_citizen_and_a_browser_hear_each_other_and_the_agent_hangs_up(
    centre: CallCentre, browser_of: Open
) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    call = await centre.call()
    await talks(noor)
    await call.audio.tone(NOOR)
    await hears(noor, CITIZEN)
    await check_accessible(noor)
    await noor.get_by_test_id("phone-hang-up").click()
    await call.wait(call.over)
    await expect(bar(noor)).to_have_count(0)
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    assert not pages.complaints


async def test_answered_by_a_key_and_the_citizen_hangs_up(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor", auto=False)
    call = await centre.call()
    await expect(bar(noor)).to_have_attribute("data-state", "rings")
    await expect(noor.get_by_test_id("offer").get_by_test_id("answer")).to_be_visible()
    await check_accessible(noor)
    await noor.keyboard.press("Alt+a")
    await talks(noor)
    await hears(noor, CITIZEN)
    call.hangup()
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    await expect(bar(noor)).to_have_count(0)
    assert not pages.complaints


async def test_declined_at_the_desk_the_phone_stops(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor", auto=False)
    call = await centre.call()
    await expect(bar(noor)).to_have_attribute("data-state", "rings")
    await noor.get_by_test_id("decline").click()
    await expect(bar(noor)).to_have_count(0)
    await call.audio.sound()
    assert not call.over.is_set()


async def test_mute_hold_and_keys(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    call = await centre.call()
    await talks(noor)
    await call.audio.tone(NOOR)
    await noor.keyboard.press("Alt+m")
    await expect(bar(noor)).to_have_attribute("data-muted", "true")
    await call.audio.until(lambda: call.audio.level() < 50)
    await noor.get_by_test_id("phone-mute").click()
    await call.audio.tone(NOOR)
    await noor.keyboard.press("Alt+h")
    await expect(bar(noor)).to_have_attribute("data-held", "true")
    await expect(bar(noor)).to_contain_text("hoort muziek")
    await expect(noor.get_by_test_id("held")).to_contain_text("In de wacht")
    call.audio.heard = []
    await call.audio.until(lambda: len(call.audio.heard) > 4000 and 0 < call.audio.height(NOOR) < 1000)
    await check_accessible(noor)
    await noor.get_by_test_id("phone-hold").click()
    await expect(bar(noor)).to_have_attribute("data-held", "false")
    await expect(noor.get_by_test_id("held")).to_have_count(0)
    await call.audio.tone(NOOR)
    await noor.get_by_text("Toetsen", exact=True).click()
    await noor.get_by_role("button", name="hekje").click()
    await noor.keyboard.press("7")
    await expect(noor.get_by_test_id("phone-keypad")).to_contain_text("Verstuurd: #7")
    await check_accessible(noor)
    await call.audio.until(lambda: [*call.audio.digits.values()] == ["#", "7"])
    assert not pages.complaints


async def test_two_browsers_talk_about_a_citizen_and_then_with_them(centre: CallCentre, browser_of: Open) -> None:
    ours, theirs = await browser_of(NOOR), await browser_of(FATIMA)
    noor = await desk(ours, "noor")
    call = await centre.call()
    await talks(noor)
    fatima = await desk(theirs, "fatima")
    await noor.get_by_test_id("consult").click()
    dialog = noor.get_by_test_id("consult-dialog")
    await dialog.get_by_label("Collega").select_option("fatima")
    await dialog.get_by_role("button", name="Collega bellen").click()
    await talks(fatima)
    await hears(noor, FATIMA)
    await hears(fatima, NOOR)
    await noor.get_by_test_id("transfer").click()
    await expect(bar(noor)).to_have_count(0)
    await call.audio.tone(FATIMA)
    await hears(fatima, CITIZEN)
    await fatima.get_by_test_id("finish").click()
    await call.wait(call.over)
    assert not ours.complaints + theirs.complaints


async def test_a_reload_in_a_call_takes_it_up_again(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor", auto=False)
    call = await centre.call()
    await noor.get_by_test_id("answer").click()
    await talks(noor)
    await call.audio.tone(NOOR)
    await noor.reload()
    await talks(noor)
    await call.audio.tone(NOOR)
    await hears(noor, CITIZEN)
    assert not call.over.is_set()
    await noor.get_by_test_id("finish").click()
    await call.wait(call.over)
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    assert not pages.complaints


async def test_a_reload_in_a_conference_comes_in_again(centre: CallCentre, browser_of: Open) -> None:
    ours, theirs = await browser_of(NOOR), await browser_of(FATIMA)
    noor = await desk(ours, "noor")
    call = await centre.call()
    await talks(noor)
    fatima = await desk(theirs, "fatima")
    await noor.get_by_test_id("consult").click()
    dialog = noor.get_by_test_id("consult-dialog")
    await dialog.get_by_label("Collega").select_option("fatima")
    await dialog.get_by_role("button", name="Collega bellen").click()
    await talks(fatima)
    await noor.get_by_test_id("conference").click()
    for page, hertz in ((noor, NOOR), (fatima, FATIMA)):
        await call.audio.tone(hertz)
        await page.reload()
        await talks(page)
        await call.audio.tone(NOOR)
        await call.audio.tone(FATIMA)
    await hears(noor, CITIZEN)
    assert not call.over.is_set()


async def test_a_browser_that_dies_in_a_call_gives_the_citizen_back(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    call = await centre.call()
    await talks(noor)
    contact = await noor.get_by_test_id("work").get_attribute("data-contact")
    assert contact
    await noor.goto("about:blank")
    await centre.until(contact, state="waiting")
    await call.audio.sound()
    assert not call.over.is_set()
    again = await desk(await browser_of(FATIMA), "fatima")
    await talks(again)
    await call.audio.tone(FATIMA)


async def test_a_refused_microphone_is_said_pauses_and_is_one_click_away_from_ready(
    centre: CallCentre, browser_of: Open
) -> None:
    pages = await browser_of()
    noor = await pages.sign_in("/desk", "noor")
    await registered(noor)
    await noor.get_by_role("button", name="Start dienst").first.click()
    check = noor.get_by_test_id("phone-check")
    await expect(check.get_by_test_id("phone-trouble")).to_contain_text("De microfoon is geblokkeerd")
    await check_accessible(noor)
    await check.get_by_role("button", name="Sluiten").click()
    await expect(noor.get_by_test_id("phone-banner")).to_contain_text("adresbalk")
    assert not pages.complaints


async def test_the_microphone_is_tried_before_the_shift(centre: CallCentre, browser_of: Open) -> None:
    pages = await browser_of(NOOR)
    noor = await pages.sign_in("/desk", "noor")
    await registered(noor)
    await noor.get_by_test_id("phone-status").click()
    check = noor.get_by_test_id("phone-check")
    await expect(check.get_by_test_id("phone-heard")).to_have_attribute("data-heard", "true")
    await expect(check.get_by_label("Microfoon", exact=True).locator("option")).not_to_have_count(1)
    await check_accessible(noor)
    assert not pages.complaints


async def test_a_line_that_is_lost_pauses_with_one_click_back(centre: CallCentre, browser_of: Open, wire: Wire) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    await wire.cut()
    away = noor.get_by_test_id("phone-unreachable")
    await expect(away).to_contain_text("niet aangemeld", timeout=10_000)
    await expect(noor.get_by_test_id("presence")).to_contain_text("Telefoon onbereikbaar")
    await check_accessible(noor)
    await wire.mend()
    await registered(noor)
    await away.get_by_role("button").click()
    await noor.get_by_test_id("presence").get_by_text("Beschikbaar").wait_for()
    await centre.call()
    await talks(noor)
    assert not pages.complaints


async def test_a_line_that_is_lost_in_a_call_leaves_the_call_alone(
    centre: CallCentre, browser_of: Open, wire: Wire
) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    call = await centre.call()
    await talks(noor)
    await wire.cut()
    await expect(noor.get_by_test_id("phone-status")).to_have_attribute("data-line", "unconnected")
    await hears(noor, CITIZEN)
    await wire.mend()
    await registered(noor)
    await call.audio.tone(NOOR)
    await noor.get_by_test_id("phone-hang-up").click()
    await call.wait(call.over)


async def test_a_call_that_ends_while_the_line_is_lost_ends_at_the_desk_too(
    centre: CallCentre, browser_of: Open, wire: Wire
) -> None:
    pages = await browser_of(NOOR)
    noor = await desk(pages, "noor")
    call = await centre.call()
    await talks(noor)
    await wire.cut()
    call.hangup()
    await expect(noor.get_by_test_id("work")).to_have_attribute("data-state", "wrap_up")
    await expect(bar(noor)).to_have_count(0, timeout=10_000)
