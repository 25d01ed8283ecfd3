"""Where orders and what Asterisk tells cross each other: whatever the order, there is one truth and nobody is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from router.channels.voice.agi import SESSION_SECONDS
from router.channels.voice.ami import LiveChannel
from router.channels.voice.callback_choice import Choice
from router.channels.voice.faults import AgiTimeout, AmiDown, AmiTimeout, CallerHungUp, ChannelGone
from router.channels.voice.waiting import CHOICE_SECONDS_MAX
from router.engine import commands
from router.engine.effects import Announce, HangUp, Hold, OfferCallback, Ring
from router.nouns import QueueLimit
from router.port import Order
from tests.unit.channel_doubles import configuration
from tests.unit.voice_doubles import CHANNEL, SILENT, UNIQUEID, Session, Telephone, offered_at_once, telephone


@pytest.fixture
async def phone() -> AsyncIterator[Telephone]:
    async with telephone() as here:
        yield here


async def on_hold(phone: Telephone) -> str:
    """A call that waits on music; the contact."""
    await phone.up()
    contact = await phone.comes_in()
    await phone.hears(phone.user("KccHeld"))
    return contact


async def ringing(phone: Telephone, agent: str = "ada") -> str:
    """A call that waited, and now rings this agent; the offer."""
    contact = await on_hold(phone)
    await phone.ready(agent)
    await phone.carry_out(Ring)
    assert phone.link.done == [("deliver", f"d-{'a1' if agent == 'ada' else 'a2'}-{contact}-1")]
    return f"{contact}-1"


async def test_an_answer_to_a_phone_that_was_left_since_is_not_taken(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.Decline(offer, "ada"))
    await phone.carry_out(Hold)
    await phone.hears(phone.answer(offer))  # it was on its way when the citizen was put back
    assert await phone.state() == ("offered", "")
    await phone.hears(phone.user("KccHeld"))
    assert await phone.state() == ("waiting", "")


async def test_an_answer_goes_before_an_order_that_was_decided_earlier(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.Decline(offer, "ada"))
    await phone.hears(phone.answer(offer))
    assert await phone.state() == ("active", "ada")
    await phone.carry_out(Hold)
    assert phone.link.done[1:] == []  # they talk


async def test_an_answer_after_a_move_ends_the_new_offer_and_its_ringing_is_not_begun(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.OfferFailed(offer, "technical"))
    await phone.ready("bo")
    assert await phone.state() == ("offered", "")
    await phone.hears(phone.answer(offer))
    assert await phone.state() == ("active", "ada")
    await phone.carry_out(Ring)
    assert phone.link.done[1:] == []


async def test_a_call_that_was_refused_is_rung_elsewhere_when_it_has_come_on_hold(phone: Telephone) -> None:
    """A Redirect on the way from kcc-deliver to kcc-hold ends the call in Asterisk."""
    offer = await ringing(phone)
    await phone.ready("bo")
    await phone.hears(phone.result(offer, "BUSY"))
    elsewhere = asyncio.create_task(phone.channel.perform(await phone.order()))
    assert await phone.state() == ("offered", "")
    assert phone.link.done[1:] == []
    await phone.hears(phone.user("KccHeld"))
    await elsewhere
    assert phone.link.done[1:] == [("deliver", f"d-a2-{phone.contact}-2")]


async def test_who_waits_hears_a_message_and_that_a_callback_keeps_the_place(phone: Telephone) -> None:
    await ringing(phone)
    phone.link.done.clear()
    for effect in (Announce(phone.contact, "druk"), OfferCallback(phone.contact)):
        await phone.channel.perform(Order(10**6, effect))
    assert [done for done in phone.link.done if done[0] == "hold"] == [("hold", "say"), ("hold", "say")]


async def test_an_answer_that_is_not_ours_is_sent_back(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    phone.channel.calls.up(phone.contact, CHANNEL).offer = None
    await phone.hears(phone.answer(f"{phone.contact}-7", "a2"))
    assert await phone.state() == ("active", "ada")
    assert phone.link.done[1:] == [("hold", "s")]


async def test_who_leaves_before_the_intake_is_over_is_offered_to_nobody(phone: Telephone) -> None:
    await phone.up()
    await phone.ready("ada")
    await phone.comes_in(Session(leaves_at="kcc/welcome-waterland"))
    assert await phone.state() == ("intake", "")
    await phone.hears(phone.user("KccGone"))
    assert await phone.state() == ("ended", "abandoned")


@pytest.mark.parametrize("told_first", [True, False])
async def test_who_leaves_before_asterisk_has_the_contact(phone: Telephone, told_first: bool) -> None:
    await phone.up()
    gone = {**phone.user("KccGone"), "KccId": ""}
    if told_first:
        phone.port.fails = lambda c: phone.channel.calls.lose(UNIQUEID, "abandoned")
        await phone.comes_in(Session(leaves_at="KCC_ID"))
        phone.port.fails = lambda c: None
    else:
        await phone.comes_in(Session(leaves_at="KCC_ID"))
        await phone.hears(gone)
    assert await phone.state() == ("ended", "abandoned")


@pytest.mark.parametrize("subject", [SILENT, "140299"], ids=["nothing to say", "greeted and asked"])
async def test_a_call_that_is_offered_at_once_goes_to_the_phone_by_itself(phone: Telephone, subject: str) -> None:
    session = Session(subject=subject)
    await offered_at_once(phone, session)
    contact = phone.contact
    assert session.told == {"KCC_ID": contact, "KCC_RING": "60", "KCC_NEXT": f"d-a1-{contact}-1"}
    assert phone.link.done == []
    await phone.hears(phone.answer(f"{contact}-1"))
    assert await phone.state() == ("active", "ada")


async def test_it_is_told_where_to_go_only_when_it_is_recorded_and_nothing_is_done_before(phone: Telephone) -> None:
    await phone.up()
    await phone.ready("ada")
    session = Session(subject=SILENT, waits=True)
    coming = asyncio.create_task(phone.comes_in(session))
    ring = asyncio.create_task(phone.channel.perform(await phone.order()))
    await session.reached.wait()
    assert not ring.done()
    assert await phone.state(phone.port.of(commands.Receive)[-1].contact) == ("offered", "")
    session.go_on.set()
    await coming
    await phone.hears(phone.ringing(f"{phone.contact}-1"))
    await ring
    assert len(phone.port.of(commands.Classify)) == 0


async def test_withdrawn_before_it_rings_it_is_put_on_hold_when_it_has_come_to_the_phone(phone: Telephone) -> None:
    await offered_at_once(phone, Session(subject=SILENT))
    await phone.port.centre.submit(commands.Decline(f"{phone.contact}-1", "ada"))
    await phone.carry_out(Hold)
    assert phone.link.done == [("hold", "s")]


@pytest.mark.parametrize("fault", [None, AgiTimeout], ids=["not understood", "not heard"])
async def test_a_call_that_comes_on_hold_all_the_same_is_rung_from_there(
    phone: Telephone, fault: type[AgiTimeout] | None
) -> None:
    """The dialplan is older than KCC_NEXT, or Asterisk did not hear the reply in time."""
    last = "KCC_ID KCC_RING KCC_NEXT"
    await offered_at_once(
        phone, Session(subject=SILENT, leaves_at=last, fault=fault) if fault else Session(subject=SILENT), "KccHeld"
    )
    assert phone.link.done == [("deliver", f"d-a1-{phone.contact}-1")]
    assert await phone.state() == ("offered", "")


async def test_who_leaves_before_asterisk_has_the_contact_is_not_rung_for(phone: Telephone) -> None:
    await offered_at_once(phone, Session(subject=SILENT, leaves_at="KCC_ID KCC_RING KCC_NEXT"), "KccGone")
    assert phone.link.done == []
    assert await phone.state() == ("ended", "abandoned")


async def test_an_intake_cut_short_goes_on_in_the_queue(phone: Telephone) -> None:
    await phone.up()
    await phone.comes_in(Session(leaves_at="kcc/welcome-waterland"))
    await phone.hears(phone.user("KccHeld"))
    assert await phone.state() == ("waiting", "")


async def test_a_call_that_went_to_the_fallback_is_let_go_and_is_another_contact_when_it_returns(
    phone: Telephone,
) -> None:
    await phone.up()
    first = await phone.comes_in(Session(leaves_at="KCC_ID"))
    await phone.hears({**phone.user("KccOverflow", Number="140299", Step="begin", Try="1"), "KccId": ""})
    assert await phone.state() == ("ended", "technical")
    await phone.carry_out(HangUp)
    assert phone.link.done == []  # whoever answers there goes on talking
    await phone.comes_in(Session())
    again = phone.port.of(commands.Receive)[-1]
    assert again.linked_to == first
    assert await phone.state(again.contact) == ("waiting", "")


async def test_who_is_turned_away_is_not_counted_as_lost(phone: Telephone) -> None:
    await phone.up()
    phone.open = False
    await phone.comes_in(Session(leaves_at="kcc/closed-waterland"))
    await phone.hears(phone.user("KccGone"))
    assert await phone.state() == ("ended", "closed_hours")


async def test_a_full_queue_sends_the_call_to_the_fallback_phones(phone: Telephone) -> None:
    """Recorded, told to the dialplan, and not hung up on."""
    await phone.up()
    config = configuration()
    limited = replace(config.queues[0], limits={"phone": QueueLimit(waiting_max=1)})
    await phone.port.submit(commands.Configure(replace(config, queues=(limited,)), "2"))
    await phone.comes_in(Session(uniqueid="kcc-1.0"))
    session = Session(uniqueid="kcc-2.0")
    refused = await phone.comes_in(session)
    assert await phone.state(refused) == ("ended", "full")
    assert session.said.count("KCC_ID") == 2
    await phone.carry_out(HangUp)
    assert phone.link.done == []
    elsewhere = phone.user("KccOverflow", Number="140299", Step="begin", Try="1")
    await phone.hears({**elsewhere, "KccId": "", "Uniqueid": "kcc-2.0"})
    again = await phone.comes_in(Session(uniqueid="kcc-2.0"))
    assert phone.port.of(commands.Receive)[-1].linked_to == refused
    assert await phone.state(again) == ("ended", "full")


async def test_the_recording_is_played_when_its_text_is_announced(phone: Telephone) -> None:
    """A supervisor's own text is on screens only: nobody has spoken it."""
    await phone.up()
    for announced, told in (({}, False), ({"nl": "Brand."}, False), ({"nl": "Dicht."}, True)):
        phone.announced = announced
        session = Session(uniqueid=f"kcc-{len(announced)}{told}.1")
        await phone.comes_in(session)
        assert ("kcc/calamity-waterland" in session.said) is told


async def test_a_call_that_comes_in_during_the_census_is_not_taken_for_gone(phone: Telephone) -> None:
    async def slow_rows() -> list[LiveChannel]:
        await phone.comes_in()
        return []

    phone.link.status = slow_rows  # type: ignore[method-assign]
    await phone.up()
    assert await phone.state() == ("waiting", "")
    assert phone.channel.calls.get(phone.contact) is not None


async def test_a_census_over_a_connection_that_has_ended_is_not_told(phone: Telephone) -> None:
    await phone.up()
    await phone.comes_in()
    await phone.hears(phone.user("KccHeld"))

    def breaks() -> None:
        phone.link.epoch = 2

    phone.link.before_rows = breaks
    before = len(phone.port.of(commands.ReportCensus))
    await phone.channel._census.take(set())
    assert len(phone.port.of(commands.ReportCensus)) == before


async def test_a_ring_without_a_reply_is_taken_back_and_offered_elsewhere(phone: Telephone) -> None:
    await on_hold(phone)
    await phone.ready("ada")
    phone.link.fails = lambda what: AmiTimeout() if what == "deliver" else None
    await phone.carry_out(Ring)
    assert [what for what, _ in phone.link.done] == ["deliver", "hold"]
    assert await phone.state() == ("waiting", "")
    assert phone.port.of(commands.OfferFailed)[0].reason == "technical"


async def test_a_ring_for_who_has_left_ends_the_contact(phone: Telephone) -> None:
    await on_hold(phone)
    await phone.ready("ada")
    phone.link.fails = lambda what: ChannelGone()
    await phone.carry_out(Ring)
    assert await phone.state() == ("ended", "abandoned")


async def test_a_hang_up_that_could_not_be_done_is_done_at_the_next_census(phone: Telephone) -> None:
    await phone.up()
    contact = await phone.comes_in()
    phone.link.rows = [phone.row()]
    phone.link.fails = lambda what: AmiDown()
    await phone.port.centre.submit(commands.CloseContact(contact, "eva", ""))
    await phone.carry_out(HangUp)
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.fails = lambda what: None
    await phone.up()
    assert phone.link.done == [("hangup", CHANNEL)] * 2
    assert len(phone.port.of(commands.Receive)) == 1  # not taken in anew


async def test_a_call_given_up_with_asterisk_is_taken_in_anew_when_it_lives_after_all(phone: Telephone) -> None:
    await phone.up()
    first = await phone.comes_in()
    phone.link.is_up = False
    await phone.channel._down()
    await phone.channel._search.stop()
    await phone.channel._ended()
    assert await phone.state() == ("ended", "gone")
    await phone.carry_out(HangUp)
    phone.link.is_up, phone.link.epoch, phone.link.rows = True, 2, [phone.row()]
    await phone.up()
    assert phone.link.done == [("setvar", "KCC_ID")]
    again = phone.port.of(commands.Receive)[-1].contact
    assert again != first
    assert await phone.state(again) == ("waiting", "")


async def test_an_agent_who_hangs_up_during_the_census_does_not_get_the_call_back(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row("kcc-deliver")]  # the second in which the dialplan waits
    await phone.up()
    assert await phone.state() == ("active", "ada")
    await phone.hears(phone.result(offer, "ANSWER"), phone.user("KccGone"))
    assert await phone.state() == ("wrap_up", "ada")


async def test_a_phone_that_hangs_up_is_done_and_one_that_falls_silent_gives_the_citizen_back(
    phone: Telephone,
) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer), phone.result(offer, "ANSWER"))
    assert await phone.state() == ("waiting", "")
    await phone.carry_out(Hold)
    await phone.ready("bo")
    await phone.carry_out(Ring)
    offer = f"{phone.contact}-2"
    hangs_up = {"Event": "HangupRequest", "Channel": "PJSIP/a2-00000002", "Uniqueid": "2.2", "Linkedid": UNIQUEID}
    so_does_the_citizen = {**hangs_up, "Channel": CHANNEL, "Uniqueid": UNIQUEID}
    answer, over = phone.answer(offer, "a2"), phone.result(offer, "ANSWER", "a2")
    await phone.hears(answer, hangs_up, so_does_the_citizen, over)
    assert await phone.state() == ("wrap_up", "bo")


async def test_a_talk_the_record_does_not_know_of_ends_in_the_queue(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.port.centre.submit(commands.OfferFailed(offer, "technical"))
    await phone.hears(phone.result(offer, "ANSWER"))
    assert phone.link.done[1:] == [("hold", "s")]
    assert (await phone.state())[0] == "waiting"


async def test_after_a_start_the_census_says_who_talks_and_who_is_held(phone: Telephone) -> None:
    offer = await ringing(phone)
    await phone.hears(phone.answer(offer))
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row("kcc-deliver", "b1"), phone.phone_row("b1")]
    await phone.up()
    assert await phone.state() == ("active", "ada")
    await phone.channel._down()
    await phone.channel._search.stop()
    phone.link.rows = [phone.row()]
    await phone.up()
    assert (await phone.state())[0] in ("waiting", "offered")


async def test_a_stranger_on_hold_is_taken_in_when_seen_twice_and_who_talks_is_left_alone(phone: Telephone) -> None:
    await phone.up()
    phone.link.rows = [phone.row(contact="c-unknown")]
    before = await phone.channel._census.take(set())
    assert before == {"c-unknown"}
    assert phone.port.of(commands.Receive) == []
    phone.link.rows = [phone.row("kcc-deliver", "b1", "c-unknown"), phone.phone_row("b1")]
    before = await phone.channel._census.take(before)
    assert phone.port.of(commands.Receive) == []
    phone.link.rows = [phone.row(contact="c-unknown")]
    await phone.channel._census.take(before)
    (received,) = phone.port.of(commands.Receive)
    assert (received.municipality, received.entry_point, bool(received.citizen)) == ("waterland", "140299", True)
    assert phone.link.done == [("setvar", "KCC_ID")]


async def test_who_wants_to_be_called_back_has_time_to_say_how_before_the_connection_ends(phone: Telephone) -> None:
    await on_hold(phone)
    asked = Session(subject="1", leaves_at="deadline")
    with pytest.raises(CallerHungUp):
        await phone.channel._waiting.key(asked)  # type: ignore[arg-type]
    assert asked.deadlines == [CHOICE_SECONDS_MAX]
    assert CHOICE_SECONDS_MAX < SESSION_SECONDS


@pytest.mark.parametrize(
    ("shown", "entered", "kept_for_this_one", "recognised"),
    [
        ("0612345678", "", False, False),
        ("0612345678", "+31612345678", False, False),
        ("0612345678", "+31201234567", True, False),
        ("anonymous", "+31201234567", False, True),
    ],
)
async def test_whose_the_number_is_that_a_caller_enters(
    phone: Telephone, shown: str, entered: str, kept_for_this_one: bool, recognised: bool
) -> None:
    await phone.up()
    session = Session(caller_number=shown)
    contact = await phone.comes_in(session)
    await phone.hears(phone.user("KccHeld"))
    call = phone.channel.calls.get(contact)
    assert call is not None
    await phone.channel._waiting._promise(session, call, Choice(entered))  # type: ignore[arg-type]
    (asked,) = phone.port.of(commands.TakeCallback)
    assert (bool(asked.number_ref), bool(asked.citizen)) == (kept_for_this_one, recognised)
    assert (await phone.state(contact))[0] == "ended"
