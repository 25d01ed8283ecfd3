"""Conversations that are recorded, on a real Asterisk: announced, begun, paused, stopped, kept, swept after a crash.

Everybody says a tone of their own: the citizen 440 Hz, agents 1000 Hz, the colleague 620 Hz. The demo's queue
`burgerzaken` of Waterland is recorded; `algemeen` is not.
"""

from __future__ import annotations

import asyncio
import cmath
import math
import sqlite3
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import WITH_MENU, Agent, CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.router import STEP_SECONDS_MAX, SUPERVISOR, sign_in
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing
from tests.parts.wire import Wire

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice recording"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
CITIZEN, COLLEAGUE, OWNER = 440, 620, 1000
SECOND = 8_000
CALLER = "+31612345678"
NEIGHBOUR = 'id = "waterland-oost"\n'
QUEUE = '[[queues]]\nid = "burgerzaken"\n'


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk() as running:
        yield running


def recorded(pbx: RealAsterisk) -> tuple[tuple[str, str, str], ...]:
    own = '[municipalities.recording]\nqueues = ["burgerzaken"]\nlisteners = ["julia"]\n\n'
    return (
        ("centre.toml", "[municipalities.greeting]", f"{own}[municipalities.greeting]"),
        ("server.toml", "[voice]", f'[voice]\nspool = "{pbx.folder / "spool/kcc"}"'),
    )


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    async with house(pbx, tmp_path, *recorded(pbx)) as running:
        yield running


def spool(centre: CallCentre) -> list[Path]:
    return sorted((centre.pbx.folder / "spool/kcc").iterdir())


async def calls(centre: CallCentre, key: str = "", choice: str = "1") -> Call:
    """A citizen who chooses a topic, and hears that it is recorded, or presses `key` instead."""
    citizen = await centre.call(WITH_MENU)
    await citizen.audio.tone(prompt_hertz("kcc/menu-waterland"))
    citizen.audio.digit(choice)
    if choice == "1":
        await citizen.audio.tone(prompt_hertz("kcc/recorded"))
        if key:
            citizen.audio.digit(key)
    return citizen


def running(centre: CallCentre) -> Path:
    """The recording that is being made."""
    (file,) = spool(centre)
    return file


def written(file: Path) -> int:
    return file.stat().st_size


async def goes_on(citizen: Call, file: Path, seconds: float) -> None:
    """So much more has been recorded."""
    size = written(file)
    await citizen.audio.until(lambda: written(file) > size + seconds * 2 * SECOND)


async def talks(centre: CallCentre) -> tuple[Call, Agent, str, Call]:
    """A conversation of which some seconds are recorded."""
    noor = await centre.agent("noor")
    citizen = await calls(centre)
    contact, phone = await noor.talks()
    await noor.desk.contact(contact, recording="on")
    await citizen.audio.tone(OWNER)
    await goes_on(citizen, running(centre), 2)
    return citizen, noor, contact, phone


async def recordings(centre: CallCentre, count: int = 1) -> list[dict[str, Any]]:
    """So many recordings, once they are kept; the spool is empty of them then. Looked at with every new board."""
    async with (
        aiohttp.ClientSession(centre.router.base, headers={"Cookie": centre.cookie}) as http,
        asyncio.timeout(3 * STEP_SECONDS_MAX),
    ):
        while True:
            seen = len(centre.wall.boards.all)
            async with http.get("/api/v1/recordings") as answer:
                listed: list[dict[str, Any]] = (await answer.json())["recordings"]
            if len(listed) >= count and not spool(centre):
                assert len(listed) == count
                return listed
            await centre.wall.boards.until(lambda _, seen=seen: len(centre.wall.boards.all) > seen)  # type: ignore[misc]


async def heard(centre: CallCentre, recording: dict[str, Any]) -> list[int]:
    """The samples, as a supervisor hears them."""
    async with aiohttp.ClientSession(centre.router.base, headers={"Cookie": centre.cookie}) as http:
        (part,) = recording["parts"]
        async with http.get(f"/api/v1/documents/{part}") as answer:
            answer.raise_for_status()
            content = await answer.read()
    assert content.startswith(b"RIFF")
    return list(struct.unpack(f"<{(len(content) - 44) // 2}h", content[44:]))


def height(samples: list[int], hertz: float) -> float:
    turn = -2j * math.pi * hertz / SECOND
    return 2 / max(1, len(samples)) * abs(sum(sample * cmath.exp(turn * n) for n, sample in enumerate(samples)))


def loud(samples: list[int], hertz: float) -> list[bool]:
    """Of each 0.2 s, whether this tone is in it."""
    step = SECOND // 5
    return [height(samples[at : at + step], hertz) > 1_000 for at in range(0, len(samples) - step, step)]


async def test_a_conversation_is_recorded_from_the_answer_to_the_end_and_kept_encrypted(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert (recording["contact"], recording["agents"], recording["pauses"]) == (contact, ["noor"], 0)
    assert (recording["municipality"], recording["queue"]) == ("waterland", "burgerzaken")
    samples = await heard(centre, recording)
    assert len(samples) > 2 * SECOND
    for tone in (CITIZEN, OWNER):
        found = loud(samples, tone)
        assert sum(found) > 0.8 * len(found), tone
    assert not any(loud(samples, prompt_hertz("kcc/recorded")))
    vault = b"".join(path.read_bytes() for path in (centre.router.data / "vault").iterdir())
    assert struct.pack("<64h", *samples[SECOND : SECOND + 64]) not in vault
    assert phone.over.is_set()
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_what_is_paused_is_silence_and_the_two_hear_each_other_all_the_time(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    file = running(centre)
    await noor.desk.do("pause_recording", contact=contact)
    await noor.desk.contact(contact, recording="paused")
    size = written(file)
    await citizen.audio.tone(OWNER)
    await phone.audio.tone(CITIZEN)
    await citizen.audio.until(lambda: written(file) > size + 64_000)
    await noor.desk.do("resume_recording", contact=contact)
    await noor.desk.contact(contact, recording="on")
    await goes_on(citizen, file, 4)
    phone.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert recording["pauses"] == 1
    samples = await heard(centre, recording)
    silent = [max(map(abs, samples[at : at + 1_600])) < 50 for at in range(0, len(samples) - 1_600, 1_600)]
    first, last = silent.index(True), len(silent) - silent[::-1].index(True)
    assert last - first >= 10, "two seconds and more of it"
    assert all(silent[first + 1 : last - 1])
    for tone in (CITIZEN, OWNER):
        found = loud(samples, tone)
        assert all(found[1 : first - 1])
        assert sum(found[last + 1 :]) >= 10


async def test_what_the_citizen_says_on_hold_is_silence(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    file = running(centre)
    phone.hold()
    await noor.shows(lambda state: state["contacts"][0]["held_since"])
    await goes_on(citizen, file, 5)
    phone.hold(False)
    await noor.shows(lambda state: not state["contacts"][0]["held_since"])
    await goes_on(citizen, file, 4)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    found = loud(await heard(centre, recording), CITIZEN)
    assert all(found[1:5])
    assert found.count(False) >= 10, "two seconds and more on hold"
    assert sum(found[-15:]) >= 8


async def test_when_the_citizen_asks_it_stops_and_nothing_of_it_is_left(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    await noor.desk.do("drop_recording", contact=contact)
    await noor.desk.contact(contact, recording="dropped")
    await citizen.audio.until(lambda: not spool(centre))
    refused = await noor.desk.ask("resume_recording", contact=contact)
    assert refused["error"]["code"] == "wrong_state"
    await noor.desk.do("hand_over", contact=contact, queue="burgerzaken", agent="", note="")
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    assert await fatima.talks()
    await citizen.audio.tone(COLLEAGUE)
    assert phone.over.is_set()
    assert not spool(centre)
    citizen.hangup()
    await fatima.wrap_up(contact)
    assert await recordings(centre, 0) == []


async def test_who_presses_the_key_or_chooses_something_else_is_not_recorded(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    for key, choice in (("1", "1"), ("", "5")):
        citizen = await calls(centre, key, choice)
        contact, phone = await noor.talks()
        await citizen.audio.tone(OWNER)
        await phone.audio.tone(CITIZEN)
        assert noor.desk.states.last["contacts"][0]["recording"] == ("dropped" if key else "")
        refused = await noor.desk.ask("pause_recording", contact=contact)
        assert refused["error"]["code"] == "wrong_state"
        assert not spool(centre)
        citizen.hangup()
        await noor.wrap_up(contact)
        await noor.free()
    assert await recordings(centre, 0) == []


async def test_an_answer_after_phones_that_refused_begins_one_recording(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    citizen = await calls(centre)
    offer, rings = await noor.rings()
    rings.refuse()
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    contact, phone = await fatima.talks()
    assert contact == offer["contact"]
    await citizen.audio.tone(COLLEAGUE)
    file = running(centre)
    await goes_on(citizen, file, 2)
    phone.hangup()
    await fatima.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert recording["agents"] == ["fatima"]
    assert sum(loud(await heard(centre, recording), COLLEAGUE)) >= 8


async def test_a_consult_is_not_in_it_and_the_colleague_who_takes_over_is(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    file = running(centre)
    await goes_on(citizen, file, 2)
    await noor.desk.do("consult", contact=contact, agent="fatima")
    rings = (await fatima.rings())[1]
    rings.answer()
    await rings.audio.tone(OWNER)
    await citizen.audio.sound()
    size = written(file)
    await phone.audio.tone(COLLEAGUE)
    await rings.audio.tone(OWNER)
    assert written(file) - size < 33_000, "what was still to be written, and no more"
    await noor.desk.do("transfer", contact=contact)
    await citizen.audio.tone(COLLEAGUE)
    await fatima.desk.contact(contact, role="owner", recording="on")
    await goes_on(citizen, file, 3)
    await fatima.desk.do("pause_recording", contact=contact)
    await fatima.desk.contact(contact, recording="paused")
    citizen.hangup()
    await fatima.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert recording["agents"] == ["noor", "fatima"]
    samples = await heard(centre, recording)
    owner, colleague = loud(samples, OWNER), loud(samples, COLLEAGUE)
    assert sum(owner) >= 5
    assert sum(colleague) >= 8
    assert sum(a and b for a, b in zip(owner, colleague, strict=True)) <= 2, "the two talked with each other on hold"


async def test_all_three_of_a_conference_are_in_it(centre: CallCentre) -> None:
    citizen, noor, contact, _ = await talks(centre)
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    await noor.desk.do("consult", contact=contact, agent="fatima")
    (await fatima.rings())[1].answer()
    await noor.desk.contact(contact, participants=[{"agent": "fatima", "role": "consulted"}])
    await noor.desk.do("conference", contact=contact)
    await citizen.audio.tone(COLLEAGUE)
    file = running(centre)
    await goes_on(citizen, file, 4)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    samples = await heard(centre, recording)
    together = zip(*(loud(samples, tone) for tone in (CITIZEN, OWNER, COLLEAGUE)), strict=True)
    assert sum(all(tones) for tones in together) >= 10


async def test_handed_over_to_a_queue_that_is_not_recorded_it_is_kept_at_once_and_goes_on_no_more(
    centre: CallCentre,
) -> None:
    citizen, noor, contact, _ = await talks(centre)
    fatima = await centre.agent("fatima", hertz=COLLEAGUE)
    await noor.desk.do("hand_over", contact=contact, queue="algemeen", agent="", note="")
    assert (await fatima.talks())[0] == contact
    await citizen.audio.tone(COLLEAGUE)
    await fatima.desk.contact(contact, recording="")
    (recording,) = await recordings(centre)
    assert not any(loud(await heard(centre, recording), COLLEAGUE))
    julia = await centre.agent("julia")
    await fatima.desk.do("hand_over", contact=contact, queue="burgerzaken", agent="", note="")
    assert (await julia.talks())[0] == contact
    await julia.desk.contact(contact, recording="on")
    await citizen.audio.tone(OWNER)
    await citizen.audio.until(lambda: sum(path.stat().st_size for path in spool(centre)) > 32_000)
    citizen.hangup()
    await julia.wrap_up(contact)
    second, first = await recordings(centre, 2)
    assert (first, second["number"], second["agents"]) == (recording, 2, ["julia"])


async def test_somebody_outside_who_was_asked_first_is_not_in_it(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    outside = await centre.board.outside(mode="ring", hertz=COLLEAGUE)
    file = running(centre)
    await goes_on(citizen, file, 2)
    await noor.desk.do("pass_outside", contact=contact, destination="rijk", consult=True)
    (await outside.next_call()).answer()
    await phone.audio.tone(COLLEAGUE)
    await noor.desk.contact(contact, outside_state="talking", recording="on")
    await noor.desk.do("transfer", contact=contact)
    await citizen.audio.tone(COLLEAGUE)
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    samples = await heard(centre, recording)
    assert sum(loud(samples, OWNER)) >= 5
    assert not any(loud(samples, COLLEAGUE))
    citizen.hangup()


async def test_a_pause_that_the_pbx_does_not_hear_throws_it_away(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with Wire(pbx.ami_port) as wire, house(pbx, tmp_path, *recorded(pbx), ami_port=wire.port) as centre:
        citizen, noor, contact, _ = await talks(centre)
        await wire.cut()
        await noor.desk.do("pause_recording", contact=contact)
        await noor.desk.contact(contact, recording="dropped")
        await citizen.audio.until(lambda: not spool(centre))
        await wire.mend()
        await centre.logged("voice.up", times=2)
        await citizen.audio.tone(OWNER)
        citizen.hangup()
        await noor.wrap_up(contact)
        assert await recordings(centre, 0) == []


async def test_put_through_outside_it_is_over(centre: CallCentre) -> None:
    citizen, noor, contact, _ = await talks(centre)
    outside = await centre.board.outside(mode="ring", hertz=COLLEAGUE)
    file = running(centre)
    await goes_on(citizen, file, 2)
    await noor.desk.do("pass_outside", contact=contact, destination="rijk")
    (await outside.next_call()).answer()
    await citizen.audio.tone(COLLEAGUE)
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert not any(loud(await heard(centre, recording), COLLEAGUE))
    citizen.hangup()


async def test_what_the_router_left_when_it_was_killed_is_kept_after_its_start(centre: CallCentre) -> None:
    citizen, noor, contact, phone = await talks(centre)
    file = running(centre)
    await noor.desk.do("pause_recording", contact=contact)
    await noor.desk.contact(contact, recording="paused")
    size = written(file)
    await centre.kill()
    await citizen.audio.until(lambda: written(file) > size + 64_000)
    citizen.hangup()
    await phone.wait(phone.over)
    await centre.restart()
    (recording,) = await recordings(centre)
    samples = await heard(centre, recording)
    assert sum(loud(samples, OWNER)) >= 5
    assert not any(loud(samples[-2 * SECOND :], OWNER)), "it was paused, whoever was not there"


async def test_after_a_restart_in_mid_call_it_goes_on_and_can_be_paused(centre: CallCentre) -> None:
    citizen, noor, contact, _ = await talks(centre)
    file = running(centre)
    await centre.kill()
    await centre.restart()
    noor = Agent(await centre.desk("noor"), noor.phone)
    await noor.desk.contact(contact, state="active", recording="on")
    await goes_on(citizen, file, 2)
    await noor.desk.do("pause_recording", contact=contact)
    await noor.desk.contact(contact, recording="paused")
    await goes_on(citizen, file, 4)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    samples = await heard(centre, recording)
    assert sum(loud(samples, OWNER)) >= 5
    assert not any(loud(samples[-SECOND:], OWNER))


async def test_erasure_takes_it_along(centre: CallCentre) -> None:
    citizen, noor, contact, _ = await talks(centre)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    assert await heard(centre, recording)
    erase = ("erase", "--municipality", "waterland", "--phone", CALLER)
    done = await asyncio.to_thread(centre.router.run, *erase)
    assert done.returncode == 0, done.stderr
    async with (
        aiohttp.ClientSession(centre.router.base, headers={"Cookie": centre.cookie}) as http,
        http.get(f"/api/v1/documents/{recording['parts'][0]}") as answer,
    ):
        assert answer.status == 410
    assert not list((centre.router.data / "vault").iterdir())


async def test_only_who_may_listens_and_each_look_is_on_record(centre: CallCentre) -> None:
    citizen, noor, contact, _ = await talks(centre)
    citizen.hangup()
    await noor.wrap_up(contact)
    (recording,) = await recordings(centre)
    statuses = {}
    for user in ("noor", "julia", SUPERVISOR):
        cookie = await sign_in(centre.router.base, user)
        async with aiohttp.ClientSession(centre.router.base, headers={"Cookie": cookie}) as http:
            async with http.get("/api/v1/recordings") as answer:
                listed = len((await answer.json())["recordings"])
            async with http.get(f"/api/v1/documents/{recording['parts'][0]}") as answer:
                statuses[user] = listed, answer.status
    assert statuses == {"noor": (0, 404), "julia": (1, 200), SUPERVISOR: (1, 200)}
    with sqlite3.connect(centre.router.data / "vault.sqlite") as vault:
        looks = vault.execute("SELECT who FROM audit WHERE purpose = 'recording' ORDER BY number").fetchall()
    assert looks == [("julia",), (SUPERVISOR,)]


async def test_it_was_to_begin_with_an_agent_and_does_not_with_a_neighbour(pbx: RealAsterisk, tmp_path: Path) -> None:
    to_the_neighbour = (
        ("centre.toml", NEIGHBOUR, f'{NEIGHBOUR}number = "0201234567"\n'),
        ("topics.toml", QUEUE, f'{QUEUE}overflow = [{{ nobody = true, neighbour = "waterland-oost" }}]\n'),
    )
    async with house(pbx, tmp_path, *recorded(pbx), *to_the_neighbour) as centre:
        noor = await centre.agent("noor")
        neighbour = await centre.board.outside(mode="ring", hertz=COLLEAGUE)
        citizen = await calls(centre)
        _, rings = await noor.rings()
        await noor.desk.do("presence", presence="signed_off")
        theirs = await neighbour.next_call()
        assert rings.over.is_set()
        theirs.answer()
        await citizen.audio.tone(COLLEAGUE)
        await theirs.audio.tone(CITIZEN)
        heard = citizen.audio.packets
        await citizen.audio.until(
            lambda: citizen.audio.packets > heard + 200
        )  # four seconds, longer than it is buffered
        assert [path.stat().st_size for path in spool(centre)] == [44], "a header, and nothing that was said"
        citizen.hangup()
        await theirs.wait(theirs.over)
        await centre.phone(ended=1)
