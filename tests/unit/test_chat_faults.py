"""The web chat when things go wrong: lost answers, reloads, restarts, floods, hostile bodies, a vault that fails."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import uuid

import pytest
from structlog.testing import capture_logs

from router.engine import commands, facts
from router.engine.effects import Announce, HangUp
from router.errors import Unavailable
from router.journal.memory import MemoryRecord
from router.port import Order
from tests.unit.doubles import MemoryVault
from tests.unit.test_chat import TEXT, beginning, rig, word

# -- lost answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [commands.Receive, commands.AddMessage])
@pytest.mark.parametrize("recorded", [True, False], ids=["lost answer", "not recorded"])
async def test_a_start_that_was_not_acknowledged_is_sent_again(tmp_path, kind, recorded):
    async with rig(tmp_path) as r:
        page = await r.browser()
        first = beginning()

        def broken(command):
            return Unavailable("try again") if isinstance(command, kind) else None

        if recorded:
            r.scene.port.fails_after = broken
        else:
            r.scene.port.fails = broken
        assert await page.refused("start", first) == "unavailable"
        r.scene.port.fails = r.scene.port.fails_after = lambda command: None
        begun = await page.ok("start", first)
        again = await page.ok("start", first)
        assert {key: again[key] for key in ("contact", "token", "number")} == {
            key: begun[key] for key in ("contact", "token", "number")
        }
        await page.until(lambda b: len(b.messages) >= 1)
        assert len(await r.scene.received()) == 1
        stored = [item.contact for item in r.scene.vault.items.values() if item.content == TEXT.encode()]
        assert set(stored) == {begun["contact"]}


async def test_the_same_start_on_many_sockets_at_once_is_one_chat(tmp_path):
    async with rig(tmp_path) as r:
        pages = [await r.browser() for _ in range(4)]
        first = beginning()
        answers = await asyncio.gather(*(page.ok("start", first) for page in pages))
        assert len({(a["contact"], a["token"], a["number"]) for a in answers}) == 1
        assert len(await r.scene.received()) == 1
        for page in pages:
            await page.until(lambda b: b.texts() == [TEXT])


async def test_a_message_sent_two_to_five_times_is_one_message(tmp_path):
    async with rig(tmp_path) as r:
        page, tab = await r.browser(), await r.browser()
        begun = await page.ok("start", beginning())
        await tab.ok("resume", {"token": begun["token"]})
        sent = word("een keer")
        numbers = await asyncio.gather(*(b.ok("message", sent) for b in (page, tab, page, tab, page)))
        assert {answer["number"] for answer in numbers} == {2}
        await page.ok("message", word("daarna"))
        for browser in (page, tab):
            await browser.until(lambda b: [m["text"] for m in b.messages][-1:] == ["daarna"])
        assert page.texts() == [TEXT, "een keer", "daarna"]


async def test_a_page_has_one_chat_at_a_time(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        await page.ok("start", beginning())
        assert await page.refused("start", beginning()) == "wrong_state"


# -- reloads and breaks -------------------------------------------------------------------------------------------


async def test_a_reload_shows_what_was_missed_and_then_goes_on(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.scene.take_in_hand(begun["contact"])
        await page.until(lambda b: b.messages and b.statuses and b.statuses[-1]["state"] == "active")
        await r.leave(page)
        await r.scene.reply(begun["contact"], "twee", "a-2")
        await r.scene.reply(begun["contact"], "drie", "a-3")
        again = await r.browser()
        resumed = await again.ok("resume", {"token": begun["token"], "after": 1})
        assert resumed["status"] == {"state": "active", "position": None, "agent_name": "Ada"}
        assert [(m["number"], m["text"]) for m in resumed["messages"]] == [(2, "twee"), (3, "drie")]
        await r.scene.reply(begun["contact"], "vier", "a-4")
        await again.until(lambda b: b.messages)
        assert [(m["number"], m["text"]) for m in again.messages] == [(4, "vier")]
        r.forward(3600)
        await r.channel.end_the_gone()
        assert r.ends() == []


async def test_resume_takes_any_number(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        for after, expected in ((-5, [1]), (0, [1]), (1, []), (10**18, [])):
            resumed = await page.ok("resume", {"token": begun["token"], "after": after})
            assert [m["number"] for m in resumed["messages"]] == expected
        await page.ok("message", word("nog een"))
        await page.until(lambda b: "nog een" in b.texts())


async def test_breaks_at_random_show_everything_once_and_in_order(tmp_path):
    """Invariant 12, as the protocol has the client do it: resume after the last number shown."""
    async with rig(tmp_path) as r:
        chance = random.Random(20261123)
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active")
        screen: list[tuple[int, str]] = []
        total = 1
        for turn in range(60):
            what = chance.choice(("agent", "visitor", "break", "break"))
            if what == "agent":
                total += 1
                await r.scene.reply(begun["contact"], f"antwoord {turn}", f"a-{turn}")
            elif what == "visitor":
                total += 1
                r.forward(2)
                await page.ok("message", word(f"vraag {turn}"))
            else:
                await r.leave(page)
                screen += [(m["number"], m["text"]) for m in page.messages]
                page = await r.browser()
                resumed = await page.ok("resume", {"token": begun["token"], "after": screen[-1][0] if screen else 0})
                screen += [(m["number"], m["text"]) for m in resumed["messages"]]
        shown = len(screen)
        await page.until(lambda b: shown + len(b.messages) == total)
        screen += [(m["number"], m["text"]) for m in page.messages]
        assert [number for number, _ in screen] == list(range(1, total + 1))
        assert len(set(screen)) == total


async def test_a_long_chat_comes_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("router.channels.chat.visitors.RESUME_CHARACTERS", 1000)
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning(text="x" * 400))
        for _ in range(4):
            await page.ok("message", word("y" * 400))
        again = await r.browser()
        resumed = await again.ok("resume", {"token": begun["token"]})
        assert [m["number"] for m in resumed["messages"]] == [1, 2]
        await again.until(lambda b: len(b.messages) == 3)
        assert [m["number"] for m in again.messages] == [3, 4, 5]


async def test_a_chat_has_a_few_sockets_at_most(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        tabs = [await r.browser() for _ in range(5)]
        for tab in tabs:
            await tab.ok("resume", {"token": begun["token"]})
        async with asyncio.timeout(10):
            await page.gone.wait()
        await tabs[0].ok("message", word())
        assert r.ends() == []


# -- who has left -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_conversation", "reason"), [(False, "abandoned"), (True, "citizen_left")])
async def test_a_visitor_who_is_gone_for_a_minute_has_left(tmp_path, in_conversation, reason):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        if in_conversation:
            await r.scene.take_in_hand(begun["contact"])
            await page.until_status(state="active")
        await r.leave(page)
        r.forward(59)
        await r.channel.end_the_gone()
        assert r.ends() == []
        r.forward(2)
        await r.channel.end_the_gone()
        assert r.ends() == [(begun["contact"], reason)]
        again = await r.browser()
        resumed = await again.ok("resume", {"token": begun["token"]})
        assert resumed["status"]["state"] == "ended"
        assert [m["text"] for m in resumed["messages"]] == [TEXT]


async def test_a_reload_within_the_minute_starts_the_minute_anew(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.leave(page)
        r.forward(50)
        again = await r.browser()
        await again.ok("resume", {"token": begun["token"]})
        await r.leave(again)
        r.forward(50)
        await r.channel.end_the_gone()
        assert r.ends() == []


async def test_closing_one_tab_of_two_changes_nothing(tmp_path):
    async with rig(tmp_path) as r:
        page, tab, other = await r.browser(), await r.browser(), await r.browser()
        begun = await page.ok("start", beginning())
        await tab.ok("resume", {"token": begun["token"]})
        await other.ok("start", beginning())
        await page.close()
        await r.leave(other)  # the server has seen both go
        r.forward(61)
        await r.channel.end_the_gone()
        assert [contact for contact, _ in r.ends()] != [begun["contact"]]
        assert len(r.ends()) == 1


async def test_an_end_that_could_not_be_recorded_is_tried_again(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.leave(page)
        r.scene.port.fails = lambda c: Unavailable() if isinstance(c, commands.EndContact) else None
        r.forward(61)
        await r.channel.end_the_gone()
        assert r.ends() == []
        r.scene.port.fails = lambda c: None
        await r.channel.end_the_gone()
        assert r.ends() == []
        r.forward(1)
        await r.channel.end_the_gone()
        assert r.ends() == [(begun["contact"], "abandoned")]


async def test_a_start_whose_page_was_gone_before_its_answer_ends_by_itself(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        r.scene.port.fails_after = lambda c: Unavailable() if isinstance(c, commands.Receive) else None
        assert await page.refused("start", beginning()) == "unavailable"
        contact = (await r.scene.received())[0].contact
        r.forward(61)
        await r.channel.end_the_gone()
        assert r.ends() == [(contact, "abandoned")]


async def test_after_a_restart_visitors_get_their_minute_and_their_chat(tmp_path):
    record, vault = MemoryRecord("test"), MemoryVault()
    async with rig(tmp_path, record, vault) as r:
        staying, leaving = await r.browser(), await r.browser()
        begun = await staying.ok("start", beginning())
        lost = await leaving.ok("start", beginning())
        await staying.ok("message", word("nog iets"))
    async with rig(tmp_path, record, vault) as r:
        page = await r.browser()
        resumed = await page.ok("resume", {"token": begun["token"], "after": 1})
        assert [m["text"] for m in resumed["messages"]] == ["nog iets"]
        assert resumed["status"] == {"state": "waiting", "position": 1, "agent_name": ""}
        r.forward(59)
        await r.channel.end_the_gone()
        assert r.ends() == []
        r.forward(2)
        await r.channel.end_the_gone()
        assert r.ends() == [(lost["contact"], "abandoned")]
        assert (await page.ok("message", word("daar ben ik weer")))["number"] == 3


async def test_a_centre_that_waits_for_a_census_gets_one_that_changes_nothing(tmp_path):
    record, vault = MemoryRecord("test"), MemoryVault()
    async with rig(tmp_path, record, vault) as r:
        page, other = await r.browser(), await r.browser()
        talking = await page.ok("start", beginning())
        await r.scene.take_in_hand(talking["contact"])
        await page.until_status(state="active")
        await other.ok("start", beginning())
        await r.scene.port.centre.submit(commands.StartCentre(("chat",)))
        await r.channel.stop()
        await r.channel.start()
        census = r.scene.port.of(commands.ReportCensus)
        assert len(census) == 1
        assert census[0].answered == {talking["contact"]: "ada"}
        assert len(census[0].alive) == 2
        states = {chat.contact: chat.state for chat in r.channel._chats.open()}
        assert states[talking["contact"]] == "active"
        assert len(states) == 2


# -- hostile bodies and floods ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\t "}, "text"),
        ({"text": "\u0000\u0007\u202e"}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"text": 7}, "text"),
        ({"text": None}, "text"),
        ({"message": ""}, "message"),
        ({"message": "m-1"}, "message"),
        ({"message": "a" * 20}, "message"),
        ({"message": "0123456789abcdef" * 5}, "message"),
        ({"message": f"m-{uuid.UUID(int=1)}\n"}, "message"),
        ({"municipality": "atlantis"}, "municipality"),
        ({"municipality": ["waterland"]}, "municipality"),
        ({"topic": "alchemie"}, "topic"),
        ({"language": "tlh"}, "language"),
        ({"name": "x" * 121}, "name"),
        ({"email": "niet een adres"}, "email"),
        ({"email": "a@b\r\nBcc: x@y"}, "email"),
    ],
)
async def test_a_start_that_is_not_right_is_refused_and_leaves_nothing(tmp_path, fields, field):
    async with rig(tmp_path) as r:
        page = await r.browser()
        answer = await page.ask("start", beginning(**fields))
        assert answer["error"]["code"] == "invalid"
        assert answer["error"]["field"] == field
        assert await r.scene.received() == []
        assert r.scene.vault.items == {}


@pytest.mark.parametrize("body", [[], "tekst", 3, [1, 2], None])
async def test_a_body_that_is_no_object_is_refused(tmp_path, body):
    async with rig(tmp_path) as r:
        page = await r.browser()
        for event in ("info", "start", "resume", "message"):
            answer = await page.client.call(event, body, namespace="/chat")
            assert answer["error"]["code"] == "invalid"
        assert (await page.client.call("nonsense", {}, namespace="/chat"))["error"]["code"] == "invalid"


async def test_texts_are_cleaned_and_citizen_numbers_masked(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        await page.ok("start", beginning(text="\ufeffBSN 123456782\r\nbel +31 6 12345678\u0000 \ud800"))
        await page.ok("message", word("1234.56.782 en 123456789"))
        await page.until(lambda b: len(b.messages) == 2)
        assert page.texts() == ["BSN •••••••82\nbel +31 6 12345678 ?", "•••••••82 en 123456789"]
        assert all(b"123456782" not in item.content for item in r.scene.vault.items.values())


async def test_a_flood_of_messages_is_stopped_for_that_visitor_alone(tmp_path):
    async with rig(tmp_path) as r:
        page, other = await r.browser(), await r.browser()
        await page.ok("start", beginning())
        await other.ok("start", beginning())
        for _ in range(60):
            await page.ok("message", word())
        refused = word("te veel")
        answer = await page.ask("message", refused)
        assert answer["error"]["code"] == "too_many"
        await other.ok("message", word())
        r.forward(61)
        assert (await page.ok("message", refused))["number"] == 62


async def test_a_flood_of_chats_is_stopped(tmp_path):
    async with rig(tmp_path) as r:
        pages = [await r.browser() for _ in range(2)]
        for n in range(30):
            page = pages[n % 2]
            await page.ok("start", beginning())
            await page.ok("end")
        assert await pages[0].refused("start", beginning()) == "too_many"
        assert len(await r.scene.received()) == 30
        r.forward(61)
        await pages[0].ok("start", beginning())


async def test_a_flood_of_requests_is_stopped(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        codes = [(await page.ask("info", {"municipality": "waterland"}))["ok"] for _ in range(241)]
        assert codes == [True] * 240 + [False]


# -- when the vault or the centre fails -----------------------------------------------------------------------------


class BrokenVault(MemoryVault):
    """A vault that can be out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    async def store(self, contact, type, content, *, keep_until=0):
        if "store" in self.broken:
            raise Unavailable("the disk is full")
        return await super().store(contact, type, content, keep_until=keep_until)

    async def read_unattended(self, ref):
        if "read" in self.broken:
            raise Unavailable("the disk is gone")
        return await super().read_unattended(ref)


async def test_what_could_not_be_stored_was_not_received(tmp_path):
    vault = BrokenVault()
    async with rig(tmp_path, vault=vault) as r:
        page = await r.browser()
        first = beginning()
        vault.broken.add("store")
        assert await page.refused("start", first) == "unavailable"
        assert await r.scene.received() == []
        vault.broken.clear()
        await page.ok("start", first)
        vault.broken.add("store")
        sent = word()
        assert await page.refused("message", sent) == "unavailable"
        vault.broken.clear()
        assert (await page.ok("message", sent))["number"] == 2


async def test_what_cannot_be_shown_now_is_shown_after_a_resume(tmp_path):
    vault = BrokenVault()
    async with rig(tmp_path, vault=vault) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await page.until(lambda b: b.texts() == [TEXT])
        vault.broken.add("read")
        sent = word("nog een")
        await page.client.emit("message", sent, namespace="/chat")  # its answer is lost with the connection
        async with asyncio.timeout(10):
            await page.gone.wait()
        vault.broken.clear()
        again = await r.browser()
        resumed = await again.ok("resume", {"token": begun["token"], "after": 1})
        assert [m["text"] for m in resumed["messages"]] == ["nog een"]
        assert (await again.ok("message", sent))["number"] == 2


async def test_an_erased_message_keeps_its_number(tmp_path):
    vault = MemoryVault()
    async with rig(tmp_path, vault=vault) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await page.ok("message", word("blijft"))
        vault.erased.add(next(ref for ref, item in vault.items.items() if item.content == TEXT.encode()))
        resumed = await page.ok("resume", {"token": begun["token"]})
        assert [(m["number"], m["text"]) for m in resumed["messages"]] == [(1, ""), (2, "blijft")]


async def test_facts_that_break_off_are_read_on(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        breaks = [0]
        whole = r.scene.port.facts

        async def broken(after):
            async for batch in whole(after):
                yield batch
                breaks[0] += 1
                raise Unavailable("reconnecting")

        async def at_once(seconds):
            await asyncio.sleep(0)

        await r.channel.stop()
        r.scene.port.facts = broken  # type: ignore[method-assign]
        r.channel._following._pause = at_once
        await r.channel.start()
        await page.ok("start", beginning())
        await page.ok("message", word("twee"))
        await page.until(lambda b: len(b.messages) == 2)
        assert page.texts() == [TEXT, "twee"]
        assert breaks[0] >= 2


async def test_while_it_starts_or_stops_visitors_are_told_to_try_again(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.channel.stop()
        assert await page.refused("start", beginning()) == "unavailable"
        assert await page.refused("message", word()) == "unavailable"
        assert await page.refused("resume", {"token": begun["token"]}) == "unavailable"
        assert await page.refused("end") == "unavailable"


async def test_a_centre_that_is_away_at_the_start_is_waited_for(tmp_path):
    async with rig(tmp_path) as r:
        await r.channel.stop()
        asked = asyncio.Event()

        async def noticed(seconds):
            asked.set()
            r.scene.port.fails = lambda c: None

        r.scene.port.fails = lambda c: Unavailable() if isinstance(c, commands.Tick) else None
        r.channel._following._pause = noticed
        await r.channel.start()
        assert asked.is_set()


async def test_hanging_up_ends_it_for_the_visitor(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        await r.channel.perform(Order(1, HangUp(begun["contact"], "closed")))
        await r.channel.perform(Order(1, HangUp("c-unknown", "closed")))
        await page.until_status(state="ended")
        assert await page.refused("message", word()) == "wrong_state"


async def test_a_message_for_who_waits_is_one_line_in_their_language(tmp_path):
    async with rig(tmp_path) as r:
        messages = {"druk": {"nl": "Het is druk.", "en": "We are busy."}}
        r.channel._chats.centre = dataclasses.replace(r.channel._chats.centre, messages=messages)
        page = await r.browser()
        begun = await page.ok("start", beginning(language="en"))
        for _ in range(2):
            await r.channel.perform(Order(1, Announce(begun["contact"], "druk")))
        await r.channel.perform(Order(1, Announce(begun["contact"], "unknown")))
        await page.until(lambda b: "We are busy." in b.texts())
        assert page.texts().count("We are busy.") == 1


async def test_a_defect_is_logged_without_what_was_said(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        r.scene.port.fails = lambda c: RuntimeError(f"boom {TEXT}") if isinstance(c, commands.Receive) else None
        with capture_logs() as logs:
            assert await page.refused("start", beginning()) == "fault"
        assert any(line["log_level"] == "error" for line in logs)
        assert TEXT not in repr(logs)


async def test_facts_of_other_channels_are_nobody_s_business_here(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        contact = (await page.ok("start", beginning()))["contact"]
        done = await r.scene.port.submit(commands.Receive("c-mail", "email", "waterland", "mail-1"))
        await r.channel._following.reached(done.number)
        assert [chat.contact for chat in r.channel._chats.open()] == [contact]
        assert isinstance((await r.scene.received())[1], facts.ContactReceived)
