"""What callers meet besides agents, end to end: a neighbour that takes over, and questions after the conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from router.channels.voice.events import Held
from tests.parts.asterisk import RealAsterisk
from tests.parts.callcentre import PLAIN, WITH_MENU, Agent, CallCentre, house
from tests.parts.prompts import prompt_hertz
from tests.parts.sip import Call
from tests.parts.where import asterisk_command, missing

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.xdist_group("voice"),
    pytest.mark.skipif(asterisk_command() is None, reason=missing("asterisk")),
]
NEIGHBOUR = 'id = "waterland-oost"\n'
TO_THE_NEIGHBOUR = (
    ("centre.toml", NEIGHBOUR, f'{NEIGHBOUR}number = "0201234567"\n'),
    (
        "topics.toml",
        '[[queues]]\nid = "algemeen"',
        '[[queues]]\nid = "algemeen"\noverflow = [{ nobody = true, neighbour = "waterland-oost" }]',
    ),
)


@pytest.fixture(scope="module")
def pbx() -> Iterator[RealAsterisk]:
    with RealAsterisk(local={"KCC_NEIGHBOUR_RING": "4"}) as running:
        yield running


@pytest.fixture
async def centre(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    spool = ("server.toml", "[voice]\n", f'[voice]\nspool = "{pbx.folder}/spool/kcc"\n')
    async with house(pbx, tmp_path, *TO_THE_NEIGHBOUR, spool) as running:
        yield running


# -- a neighbour takes over -----------------------------------------------------------------------------------


async def test_a_neighbour_answers_where_nobody_is_there_and_the_call_is_theirs(centre: CallCentre) -> None:
    neighbour = await centre.board.outside(mode="ring", hertz=1000)
    citizen = await centre.call(PLAIN)
    theirs = await neighbour.next_call()
    assert "0201234567" in theirs.invite.start
    await centre.phone(waiting=1)
    theirs.answer()
    await centre.phone(ended=1)
    await citizen.audio.tone(1000)
    await theirs.audio.tone(440)
    assert (await centre.books())["ended"] == {"passed_on": 1}
    await centre.kill()
    await centre.restart()  # the census leaves it to them
    await citizen.audio.tone(1000)
    citizen.hangup()
    await theirs.wait(theirs.over)
    assert (await centre.books())["ended"] == {"passed_on": 1}


@pytest.mark.parametrize("mode", ["busy", "ring"])
async def test_who_is_not_answered_by_the_neighbour_goes_on_waiting(centre: CallCentre, mode: str) -> None:
    await centre.board.outside(mode=mode)
    citizen = await centre.call(PLAIN)
    await centre.board.event(Held)
    noor = await centre.agent("noor")
    contact, rings = await noor.talks()
    await citizen.audio.tone(1000)
    rings.hangup()
    await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_an_agent_who_comes_goes_before_the_neighbour_who_rings(centre: CallCentre) -> None:
    neighbour = await centre.board.outside(mode="ring")
    citizen = await centre.call(PLAIN)
    theirs = await neighbour.next_call()
    noor = await centre.agent("noor")
    contact, _ = await noor.talks()
    await theirs.wait(theirs.over)
    await citizen.audio.tone(1000)
    assert (await centre.contact(contact))["state"] == "active"


async def test_who_hangs_up_while_the_neighbour_rings_has_left(centre: CallCentre) -> None:
    neighbour = await centre.board.outside(mode="ring")
    citizen = await centre.call(PLAIN)
    theirs = await neighbour.next_call()
    citizen.hangup()
    await theirs.wait(theirs.over)
    await centre.phone(ended=1)
    assert (await centre.books())["ended"] == {"abandoned": 1}


async def test_a_neighbour_who_answered_while_the_server_was_away_has_the_call(centre: CallCentre) -> None:
    neighbour = await centre.board.outside(mode="ring", hertz=1000)
    citizen = await centre.call(PLAIN)
    theirs = await neighbour.next_call()
    await centre.kill()
    theirs.answer()
    await citizen.audio.tone(1000)
    await centre.restart()
    await centre.phone(ended=1)
    assert (await centre.books())["ended"] == {"passed_on": 1}
    await citizen.audio.tone(1000)


# -- how long it takes ----------------------------------------------------------------------------------------


async def waiting(centre: CallCentre) -> Call:
    """Somebody who waits for Waterland, as far as the end of the menu."""
    citizen = await centre.call(WITH_MENU)
    await citizen.audio.tone(prompt_hertz("kcc/menu-waterland"))
    citizen.audio.digit("1")
    return citizen


async def test_the_place_is_told_once_and_again_when_the_caller_asks(centre: CallCentre) -> None:
    first = await waiting(centre)
    await first.audio.tone(prompt_hertz("kcc/position"))
    await first.audio.tone(prompt_hertz("digits/1"))
    await first.audio.tone(prompt_hertz("kcc/wait-unknown"))
    await centre.board.event(Held)
    second = await waiting(centre)
    await second.audio.tone(prompt_hertz("digits/2"))
    await second.audio.tone(prompt_hertz("kcc/wait-unknown"))
    await centre.board.until(lambda: sum(isinstance(e, Held) for e in centre.board.seen) == 2)
    first.hangup()
    await centre.phone(ended=1)
    second.audio.digit("2")
    await second.audio.tone(prompt_hertz("kcc/position"))
    await second.audio.tone(prompt_hertz("digits/1"))
    await centre.board.until(lambda: sum(isinstance(e, Held) for e in centre.board.seen) == 3)


async def test_who_is_helped_at_once_is_told_nothing_and_a_ring_goes_before_the_telling(centre: CallCentre) -> None:
    noor = await centre.agent("noor", ready=False)
    citizen = await waiting(centre)
    await citizen.audio.tone(prompt_hertz("kcc/position"))
    await noor.desk.ready()
    contact, rings = await noor.talks()
    await citizen.audio.tone(1000)
    rings.hangup()
    await noor.wrap_up(contact)
    await noor.free()
    citizen.hangup()
    citizen = await waiting(centre)
    await noor.rings()
    assert citizen.audio.height(prompt_hertz("kcc/position")) < 200


# -- a message instead of waiting -----------------------------------------------------------------------------


def spoken(centre: CallCentre) -> int:
    """Bytes in the spool."""
    return sum(path.stat().st_size for path in (centre.pbx.folder / "spool/kcc").iterdir())


async def left(centre: CallCentre) -> bytes:
    """The one message that was left, as a supervisor hears it."""
    async with aiohttp.ClientSession(centre.router.base, headers={"Cookie": centre.cookie}) as http:
        async with http.get("/api/v1/follow-ups") as answer:
            (promise,) = (await answer.json())["follow_ups"]
        assert (promise["reason"], promise["text"], promise["owner_queue"]) == ("voicemail", "", "burgerzaken")
        async with http.get(f"/api/v1/documents/{promise['recording']}") as answer:
            answer.raise_for_status()
            return await answer.read()


@pytest.mark.parametrize("how", ["hash", "hang up"])
async def test_a_message_that_is_left_becomes_a_promise_of_the_queue(centre: CallCentre, how: str) -> None:
    citizen = await waiting(centre)
    await centre.board.event(Held)
    citizen.audio.digit("3")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail"))
    await citizen.audio.until(lambda: spoken(centre) > 40_000)
    if how == "hash":
        citizen.audio.digit("#")
        await citizen.audio.tone(prompt_hertz("kcc/voicemail-kept"))
        await citizen.wait(citizen.over)
    else:
        citizen.hangup()
    await centre.phone(ended=1)
    recording = await left(centre)
    assert recording.startswith(b"RIFF")
    assert len(recording) > 40_000
    assert spoken(centre) == 0  # nothing of it is left in the spool
    assert (await centre.books())["ended"] == {"voicemail": 1}


async def test_an_agent_who_becomes_free_goes_before_the_message(centre: CallCentre) -> None:
    noor = await centre.agent("noor", ready=False)
    citizen = await waiting(centre)
    await centre.board.event(Held)
    citizen.audio.digit("3")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail"))
    await citizen.audio.until(lambda: spoken(centre) > 20_000)
    await noor.desk.ready()
    contact, _ = await noor.talks()
    await citizen.audio.tone(1000)
    assert (await centre.contact(contact))["state"] == "active"
    assert spoken(centre) == 0


async def test_a_message_left_while_the_server_died_is_kept_after_its_start(centre: CallCentre) -> None:
    citizen = await waiting(centre)
    await centre.board.event(Held)
    citizen.audio.digit("3")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail"))
    await citizen.audio.until(lambda: spoken(centre) > 40_000)
    await centre.kill()
    citizen.hangup()
    await citizen.wait(citizen.over)
    await centre.restart()
    await centre.phone(ended=1)
    assert (await left(centre)).startswith(b"RIFF")
    assert (await centre.books())["ended"] == {"voicemail": 1}


# -- a wait has its limit -------------------------------------------------------------------------------------


def limited(way: str, queue: str = "burgerzaken", seconds: int = 1) -> tuple[str, str, str]:
    """Who has waited so long goes this way."""
    head = f'[[queues]]\nid = "{queue}"'
    return ("topics.toml", head, f"{head}\noverflow = [{{ after_seconds = {seconds}, {way} }}]")


@pytest.fixture
async def impatient(pbx: RealAsterisk, tmp_path: Path) -> AsyncIterator[CallCentre]:
    spool = ("server.toml", "[voice]\n", f'[voice]\nspool = "{pbx.folder}/spool/kcc"\n')
    later = limited("voicemail = true", "algemeen", 3)
    async with house(pbx, tmp_path, limited("voicemail = true"), later, spool) as running:
        yield running


async def test_at_the_limit_of_the_wait_a_message_is_asked_for(impatient: CallCentre) -> None:
    citizen = await waiting(impatient)
    for prompt in ("kcc/voicemail-choice", "kcc/voicemail"):
        await citizen.audio.tone(prompt_hertz(prompt))
    await citizen.audio.until(lambda: spoken(impatient) > 40_000)
    citizen.audio.digit("#")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail-kept"))
    await citizen.wait(citizen.over)
    assert (await left(impatient)).startswith(b"RIFF")
    assert (await impatient.books())["ended"] == {"voicemail": 1}


async def test_who_would_rather_wait_keeps_the_place_and_is_not_asked_again(impatient: CallCentre) -> None:
    citizen = await waiting(impatient)
    await citizen.audio.tone(prompt_hertz("kcc/voicemail-choice"))
    citizen.audio.digit("0")
    await impatient.board.until(lambda: sum(isinstance(e, Held) for e in impatient.board.seen) >= 2)
    noor = await impatient.agent("noor")
    await noor.talks()
    await citizen.audio.tone(1000)
    assert spoken(impatient) == 0


async def test_the_limit_waits_for_who_is_choosing_a_callback(impatient: CallCentre) -> None:
    citizen, _ = await impatient.held(PLAIN)
    citizen.audio.digit("1")
    await citizen.audio.tone(prompt_hertz("kcc/callback-number"))
    await impatient.logged("voice.said_later")
    for _ in range(2):
        citizen.audio.digit("9")
        await citizen.audio.tone(prompt_hertz("kcc/menu-wrong"))
    citizen.audio.digit("9")
    await citizen.audio.tone(prompt_hertz("kcc/voicemail-choice"))


async def test_at_the_limit_a_callback_is_offered_and_key_1_takes_it_while_that_is_said(
    pbx: RealAsterisk, tmp_path: Path
) -> None:
    async with house(pbx, tmp_path, limited("callback = true")) as centre:
        citizen = await waiting(centre)
        await citizen.audio.tone(prompt_hertz("kcc/hold-callback"))
        citizen.audio.digit("1")
        await citizen.audio.tone(prompt_hertz("kcc/callback-number"))


async def test_at_the_limit_the_neighbour_is_called_and_that_is_said_first(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with house(pbx, tmp_path, TO_THE_NEIGHBOUR[0], limited('neighbour = "waterland-oost"')) as centre:
        neighbour = await centre.board.outside(mode="ring", hertz=1000)
        citizen = await waiting(centre)
        await citizen.audio.tone(prompt_hertz("kcc/neighbour"))
        (await neighbour.next_call()).answer()
        await citizen.audio.tone(1000)
        await centre.phone(ended=1)


# -- after the conversation -----------------------------------------------------------------------------------


async def talked(centre: CallCentre) -> tuple[Agent, str, Call]:
    """A conversation with Waterland that the agent has ended."""
    noor = await centre.agent("noor")
    citizen = await centre.call(WITH_MENU)
    await citizen.audio.tone(prompt_hertz("kcc/menu-waterland"))
    citizen.audio.digit("5")
    contact, rings = await noor.talks()
    rings.hangup()
    return noor, contact, citizen


async def test_the_citizen_is_asked_when_the_agent_hangs_up(centre: CallCentre) -> None:
    noor, contact, citizen = await talked(centre)
    await citizen.audio.tone(prompt_hertz("kcc/survey-answered"))
    citizen.audio.digit("1")
    await citizen.audio.tone(prompt_hertz("kcc/survey-mark-10"))
    citizen.audio.digit("8")
    await citizen.audio.tone(prompt_hertz("kcc/survey-thanks"))
    await citizen.wait(citizen.over)
    await centre.until(contact, citizen_answered=True)
    await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_what_was_answered_stands_when_the_citizen_leaves_and_the_agent_is_done_before(
    centre: CallCentre,
) -> None:
    noor, contact, citizen = await talked(centre)
    await noor.wrap_up(contact)
    await noor.free()
    await citizen.audio.tone(prompt_hertz("kcc/survey-answered"))
    citizen.audio.digit("7")  # no answer: it is asked again
    await citizen.audio.tone(prompt_hertz("kcc/survey-answered"))
    citizen.audio.digit("2")
    await citizen.audio.tone(prompt_hertz("kcc/survey-mark-10"))
    citizen.hangup()
    await centre.until(contact, citizen_answered=False)
    assert (await centre.books())["ended"] == {"handled": 1}


async def test_who_hangs_up_first_or_calls_another_municipality_is_not_asked(centre: CallCentre) -> None:
    noor = await centre.agent("noor")
    citizen = await centre.call(PLAIN)
    contact, rings = await noor.talks()
    rings.hangup()
    await citizen.wait(citizen.over)
    await noor.wrap_up(contact)
    citizen = await centre.call(WITH_MENU)
    await citizen.audio.tone(prompt_hertz("kcc/menu-waterland"))
    citizen.audio.digit("5")
    contact, _ = await noor.talks()
    citizen.hangup()
    await noor.wrap_up(contact)
    await noor.free()
    assert (await centre.contact(contact))["citizen_answered"] is None


async def test_a_survey_ends_with_the_server_and_is_no_call_of_ours_to_the_census(centre: CallCentre) -> None:
    noor, contact, citizen = await talked(centre)
    await citizen.audio.tone(prompt_hertz("kcc/survey-answered"))
    await centre.kill()
    await citizen.wait(citizen.over)
    await centre.restart()
    noor.desk = await centre.desk("noor")
    await noor.wrap_up(contact)
    assert (await centre.books())["ended"] == {"handled": 1}
