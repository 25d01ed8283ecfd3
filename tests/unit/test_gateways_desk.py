"""The desk over real Socket.IO connections: offers, conversation, audit first, what is not mine is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from router.engine import commands, facts
from router.errors import StaleOffer, Unavailable
from router.port import Numbered
from router.vault.interface import Card
from tests.unit.doubles import START, accepted, explanation, offered, queued, received
from tests.unit.served import Screen, Served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path) as house:
        yield house


async def desk_of(served: Served, user: str) -> Screen:
    return await served.screen("/desk", await served.sign_in(user))


async def a_contact(
    served: Served, contact: str, channel: str = "chat", municipality: str = "waterland", **card: Any
) -> str:
    """A contact of a known citizen, waiting; gives the citizen's reference."""
    citizen = await served.vault.recognise(municipality, contact, name=f"Jansen-{contact}", phone="+31612345678")
    content = await served.vault.card(contact, Card(subject=f"onderwerp-{contact}", **card))
    await served.publish(
        received(contact, channel, municipality, citizen=citizen, content_ref=content), queued(contact)
    )
    return citizen


async def test_the_state_comes_at_once(served: Served) -> None:
    ada = await desk_of(served, "ada")
    state = await ada.until("state")
    assert state["agent"]["id"] == "ada"
    assert state["agent"]["presence"] == "signed_off"
    assert state["number"] == served.views.position
    assert state["queues"] == [{"queue": "burgerzaken", "waiting": 0}, {"queue": "afval", "waiting": 0}]


async def test_from_offer_to_wrap_up(served: Served) -> None:
    ada = await desk_of(served, "ada")
    assert await ada.ask("presence", {"presence": "ready"}) == {"ok": True}
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    state = await ada.until("state", lambda s: s["offers"])
    offer = state["offers"][0]
    assert offer["offer"] == "c-1-1"
    assert offer["citizen"] == {"known": True, "name": "Jansen-c-1", "phone": "+31612345678", "email": ""}
    assert offer["subject"] == "onderwerp-c-1"

    assert await ada.ask("accept", {"offer": "c-1-1"}) == {"ok": True, "contact": "c-1"}
    state = await ada.until("state", lambda s: s["contacts"])
    assert state["offers"] == []
    assert state["contacts"][0]["name"] == "Jansen-c-1"

    said = await ada.ask("reply", {"contact": "c-1", "message": "m-1", "text": "Goedemorgen"})
    assert said == {"ok": True, "number": 1}
    assert await ada.ask("reply", {"contact": "c-1", "message": "m-1", "text": "Goedemorgen"}) == said
    added = served.port.of(commands.AddMessage)
    assert len(added) == 1
    assert (added[0].author, added[0].by, added[0].deliver) == ("agent", "ada", False)
    assert served.vault.items[added[0].ref].content == b"Goedemorgen"
    message = await ada.until("message")
    assert (message["text"], message["name"], message["author"]) == ("Goedemorgen", "Ada Vos", "agent")

    assert await ada.ask("finish", {"contact": "c-1"}) == {"ok": True}
    assert await ada.ask("wrap_up", {"contact": "c-1"}) == {
        "ok": False,
        "error": {"code": "invalid", "message": "Object missing required field `resolved`", "field": "resolved"},
    }
    done = {"contact": "c-1", "resolved": True, "topic": "afval", "note": "alles goed"}
    assert await ada.ask("wrap_up", done) == {"ok": True}
    assert await ada.ask("wrap_up", done) == {"ok": True}
    assert len(served.port.of(commands.CompleteWrapUp)) == 1
    assert (await ada.ask("wrap_up", {**done, "resolved": False}))["error"]["code"] == "wrong_state"


async def test_a_picture_waits_for_a_call_that_comes_in(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.courtesy.LONGEST_SECONDS", 600.0)
    ada = await desk_of(served, "ada")
    await ada.until("state")
    told = served.views.courtesy.hurry()
    number = served.views.position + 1
    served.views.apply([Numbered(number, START, facts.PresenceChanged("ada", "ready", "", "ada"))])  # the views know
    assert not (await ada.ask("open", {"contact": "c-1"}))["ok"]  # answered after whatever was to be shown at once
    assert {state["number"] for event, state in ada.told if event == "state"} == {number - 1}
    told()
    assert (await ada.until("state", lambda s: s["number"] == number))["agent"]["presence"] == "ready"


async def test_a_mail_reply_is_to_be_delivered_and_followed(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1", "email")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    await ada.ask("reply", {"contact": "c-1", "message": "m-1", "text": "Beste meneer"})
    assert (await served.port.heard(commands.AddMessage)).deliver
    assert (await ada.until("message"))["delivery"] == "due"
    await served.publish(facts.DeliveryNoted("c-1", 1, "delivered", ""))
    assert await ada.until("delivery") == {"contact": "c-1", "number": 1, "status": "delivered"}


async def test_a_phone_call_takes_no_written_reply(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1", "phone")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    answer = await ada.ask("reply", {"contact": "c-1", "message": "m-1", "text": "x"})
    assert answer["error"]["code"] == "wrong_state"
    assert (await ada.ask("note", {"contact": "c-1", "message": "m-1", "text": "x"}))["ok"]


async def test_every_look_is_audited_before_it_is_given(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    await ada.until("state", lambda s: s["offers"])
    assert [(look.who, look.purpose) for look in served.vault.audit] == [("ada", "offer"), ("ada", "offer")]
    await ada.ask("open", {"contact": "c-1"})
    assert [look.purpose for look in served.vault.audit] == ["offer", "offer", "open", "open"]
    assert [look.what for look in served.vault.audit] == served.vault.given


async def test_an_offer_is_looked_at_once(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    await ada.until("state", lambda s: s["offers"])
    looks = len(served.vault.audit)
    await ada.ask("presence", {"presence": "paused", "reason": "lunch"})
    state = await ada.until("state", lambda s: s["agent"]["presence"] == "paused")
    assert state["offers"][0]["citizen"]["name"] == "Jansen-c-1"
    assert len(served.vault.audit) == looks


async def test_without_audit_nothing_is_shown(served: Served) -> None:
    served.vault.audit_fault = Unavailable("audit is down")
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    state = await ada.until("state", lambda s: s["offers"])
    assert state["offers"][0]["citizen"] == {"known": False, "name": "", "phone": "", "email": ""}
    assert "Jansen" not in str(state)
    assert (await ada.ask("open", {"contact": "c-1"}))["error"]["code"] == "unavailable"
    assert served.vault.given == []


async def test_what_is_forgotten_must_be_looked_at_again(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    await ada.until("state", lambda s: s["offers"])
    await served.publish(facts.OfferEnded("c-1-1", "c-1", "ada", "expired", "", 0))
    await served.publish(offered("c-1", "ada", 2))
    await ada.until("state", lambda s: s["offers"] and s["offers"][0]["offer"] == "c-1-2")
    assert [look.purpose for look in served.vault.audit] == ["offer"] * 4


async def test_an_offer_that_ended_with_its_contact_leaves_the_desk_at_once(served: Served) -> None:
    served.desk._queues_every = 3_600  # nobody is told of queues meanwhile
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    await ada.until("state", lambda s: s["offers"])
    ada.told.clear()
    await served.publish(facts.ContactEnded("c-1", "abandoned"))
    await ada.until("state", lambda s: not s["offers"])


async def test_what_is_not_mine_is_not_there(served: Served) -> None:
    ada, bob = await desk_of(served, "ada"), await desk_of(served, "bob")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    await ada.until("state", lambda s: s["contacts"])
    looks = len(served.vault.audit)
    write = {"contact": "c-1", "message": "m-9", "text": "x"}
    for event, body in {
        "open": {"contact": "c-1"},
        "reply": write,
        "note": write,
        "typing": {"contact": "c-1"},
        "finish": {"contact": "c-1"},
        "extend_wrap_up": {"contact": "c-1"},
        "question": {"contact": "c-1", "topic": "afval"},
        "wrap_up": {"contact": "c-1", "resolved": True},
        "hand_over": {"contact": "c-1", "queue": "afval"},
        "consult": {"contact": "c-1", "agent": "ada"},
        "cancel_consult": {"contact": "c-1"},
        "rejoin": {"contact": "c-1"},
        "dial": {"contact": "c-1"},
        "plan_callback": {"contact": "c-1", "request": "r-1", "call_from": 0, "call_until": 0},
        "windows": {"contact": "c-1"},
        "transfer": {"contact": "c-1"},
        "conference": {"contact": "c-1"},
        "pass_outside": {"contact": "c-1", "destination": "rijk"},
        "cancel_outside": {"contact": "c-1"},
        "pause_recording": {"contact": "c-1"},
        "resume_recording": {"contact": "c-1"},
        "drop_recording": {"contact": "c-1"},
        "follow_up": {"contact": "c-1", "text": "x", "due_at": START + 1, "queue": "afval"},
        "why": {"contact": "c-1"},
        "earlier": {"contact": "c-1", "of": "c-1"},
        "draft": {"contact": "c-1", "text": "x"},
    }.items():
        answer = await bob.ask(event, body)
        assert answer["error"]["code"] == "unknown", event
    assert len(served.vault.audit) == looks
    assert not served.port.of(commands.AddMessage)
    assert "c-1" not in str([body for name, body in bob.told if name != "state"])
    assert "Jansen" not in str(bob.told)


async def test_every_event_that_names_a_contact_is_in_the_test_above(served: Served) -> None:
    with_contact = {name for name, event in served.desk.events.items() if "contact" in event.shape.__struct_fields__}
    assert with_contact == {
        "open", "reply", "note", "typing", "finish", "extend_wrap_up", "question", "wrap_up", "hand_over", "follow_up",
        "why", "earlier", "draft", "consult", "cancel_consult", "transfer", "conference", "rejoin",
        "dial", "plan_callback", "windows",
        "pass_outside", "cancel_outside", "pause_recording", "resume_recording", "drop_recording",
    }  # fmt: skip


async def test_context_stays_within_the_municipality(served: Served) -> None:
    """The vault's reference is the same on purpose, as a faulty channel might give it: nothing may cross."""
    citizen = await a_contact(served, "c-canary", municipality="zeevang", text="kanarie")
    ended = facts.ContactEnded("c-canary", "handled", "cem", resolved=True)
    content = await served.vault.card("c-1", Card(subject="mijn vraag"))
    await served.publish(
        offered("c-canary", "cem"), accepted("c-canary", "cem"), ended,
        received("c-1", citizen=citizen, content_ref=content, linked_to="c-canary"), queued("c-1"),
        offered("c-1", "ada"),
    )  # fmt: skip
    ada = await desk_of(served, "ada")
    state = await ada.until("state", lambda s: s["offers"])
    assert state["offers"][0]["earlier"] == 0
    assert state["offers"][0]["last"] is None
    detail = (await ada.ask("open", {"contact": "c-1"}))["detail"]
    assert detail["earlier"] == []
    assert "kanarie" not in str(detail)
    assert (await ada.ask("earlier", {"contact": "c-1", "of": "c-canary"}))["error"]["code"] == "unknown"
    assert "kanarie" not in str(ada.told)


async def test_an_earlier_contact_of_the_same_citizen_can_be_read(served: Served) -> None:
    citizen = await a_contact(served, "c-old", text="vorige keer")
    await served.publish(
        offered("c-old", "bob"), accepted("c-old", "bob"),
        facts.ContactEnded("c-old", "handled", "bob", resolved=False),
        received("c-1", citizen=citizen), queued("c-1"), offered("c-1", "ada"),
    )  # fmt: skip
    ada = await desk_of(served, "ada")
    offer = (await ada.until("state", lambda s: s["offers"]))["offers"][0]
    assert (offer["earlier"], offer["last"]["resolved"]) == (1, False)
    detail = (await ada.ask("earlier", {"contact": "c-1", "of": "c-old"}))["detail"]
    assert detail["card"]["text"] == "vorige keer"
    assert served.vault.audit[-1].purpose == "earlier"
    assert (await ada.ask("earlier", {"contact": "c-1", "of": "c-other"}))["error"]["code"] == "unknown"


async def test_a_card_that_comes_later_than_its_contact_is_shown_from_then_on(served: Served) -> None:
    await served.publish(received("c-1", "phone", content_ref="v-late"), queued("c-1"), offered("c-1", "ada"))
    ada = await desk_of(served, "ada")
    offer = (await ada.until("state", lambda s: s["offers"]))["offers"][0]
    assert offer["citizen"]["phone"] == ""
    await served.publish(accepted("c-1", "ada"))
    state = await ada.until("state", lambda s: s["contacts"])
    assert state["contacts"][0]["name"] == ""
    served.vault.items["v-late"] = served.vault.items.pop(await served.vault.card("c-1", Card(name="Jansen")))
    await served.publish(facts.ConversationEnded("c-1", "ada", "citizen", START + 60_000))
    state = await ada.until("state", lambda s: s["contacts"] and s["contacts"][0]["citizen_left"])
    assert state["contacts"][0]["name"] == "Jansen"


async def test_a_handed_over_contact_carries_its_note(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    body = {"contact": "c-1", "agent": "bob", "note": "wil een paspoort"}
    assert await ada.ask("hand_over", body) == {"ok": True}
    over, note = await served.port.heard(commands.HandOver), await served.port.heard(commands.AddMessage)
    assert (over.to_agent, over.queue, over.note_ref) == ("bob", "", note.ref)
    assert note.author == "note"
    for wrong in ({"agent": "ada"}, {"agent": "x"}, {"queue": "x"}, {}, {"agent": "bob", "queue": "afval"}):
        assert (await ada.ask("hand_over", {"contact": "c-1", **wrong}))["error"]["code"] == "invalid"
    answer = await ada.ask("hand_over", {"contact": "c-1", "agent": "cem"})
    assert answer["error"]["code"] == "not_allowed", "Cem does not work for Waterland"


async def test_promises(served: Served) -> None:
    ada, bob, cem = [await desk_of(served, user) for user in ("ada", "bob", "cem")]
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    promise = {"contact": "c-1", "text": "ik bel u", "due_at": START + 3_600_000, "queue": "burgerzaken"}
    made = await ada.ask("follow_up", promise)
    assert await ada.ask("follow_up", promise) == made
    assert len(served.port.of(commands.MakeFollowUp)) == 1
    assert (await ada.ask("follow_up", {**promise, "due_at": START}))["error"]["field"] == "due_at"

    listed = (await bob.ask("follow_ups", {"mine": False}))["follow_ups"]
    assert [one["text"] for one in listed] == ["ik bel u"]
    assert (await bob.ask("follow_ups", {"mine": True}))["follow_ups"] == []
    assert (await cem.ask("follow_ups", {"mine": False}))["follow_ups"] == []
    done = {"follow_up": made["follow_up"], "note": "gebeld"}
    assert (await cem.ask("follow_up_done", done))["error"]["code"] == "unknown"
    assert await bob.ask("follow_up_assign", {"follow_up": made["follow_up"], "agent": "bob"}) == {"ok": True}
    assert (await bob.until("state", lambda s: s["follow_ups"]["open"]))["follow_ups"] == {"open": 1, "overdue": 0}
    assert await bob.ask("follow_up_done", done) == {"ok": True}


async def test_a_draft_comes_back(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    await ada.ask("draft", {"contact": "c-1", "text": "Beste me"})
    assert (await ada.ask("open", {"contact": "c-1"}))["detail"]["draft"] == "Beste me"
    await ada.ask("draft", {"contact": "c-1", "text": ""})
    assert (await ada.ask("open", {"contact": "c-1"}))["detail"]["draft"] == ""


async def test_typing_goes_both_ways_and_is_not_recorded(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"), accepted("c-1", "ada"))
    before = len(served.port.submitted)
    await ada.ask("typing", {"contact": "c-1"})
    assert served.typed == ["c-1"]
    await served.desk.citizen_typing("c-1")
    assert await ada.until("typing") == {"contact": "c-1"}
    assert len(served.port.submitted) == before


async def test_refusals_keep_their_code(served: Served) -> None:
    ada = await desk_of(served, "ada")
    served.port.refuse[commands.Accept] = StaleOffer("The offer is over")
    assert await ada.ask("accept", {"offer": "c-1-1"}) == {
        "ok": False,
        "error": {"code": "stale_offer", "message": "The offer is over"},
    }
    assert (await ada.ask("accept", {"offer": 7}))["error"]["field"] == "offer"
    assert (await ada.ask("accept", []))["error"]["code"] == "invalid"
    assert (await ada.ask("presence", {"presence": "asleep"}))["error"]["field"] == "presence"
    assert (await ada.ask("presence", {"presence": "paused", "reason": "zin"}))["error"]["field"] == "reason"
    assert (await ada.ask("shutdown", {}))["error"]["code"] == "invalid"


async def test_why_it_came_to_me(served: Served) -> None:
    ada = await desk_of(served, "ada")
    await a_contact(served, "c-1")
    await served.publish(offered("c-1", "ada"))
    served.port.explanations["c-1"] = [explanation("c-1", "c-1-1")]
    assert [d["offer"] for d in (await ada.ask("why", {"contact": "c-1"}))["decisions"]] == ["c-1-1"]


async def test_the_last_screen_gone_for_a_lease_loses_the_agent(served: Served) -> None:
    headers = await served.sign_in("ada")
    first, second = await served.screen("/desk", headers), await served.screen("/desk", headers)
    await first.client.disconnect()
    await first.gone.wait()
    assert served.desk.leases.connected == ("ada",)
    await second.client.disconnect()
    served.leases_pass.set()
    assert (await served.port.heard(commands.LoseAgent)).agent == "ada"
    await served.desk_lost("ada")
    await served.screen("/desk", headers)
    assert (await served.port.heard(commands.RegainAgent)).agent == "ada"


async def test_the_census_names_who_is_connected(served: Served) -> None:
    await desk_of(served, "ada")
    served.leases_pass.set()
    census = await served.port.heard(commands.ReportCensus)
    assert (census.channel, census.alive) == ("desk", ("ada",))


async def test_signing_out_ends_the_screens(served: Served) -> None:
    headers = await served.sign_in("ada")
    ada = await served.screen("/desk", headers)
    async with served.call("DELETE", "/api/v1/session", headers) as answer:
        assert answer.status == 204
    assert await ada.until("ended") == {"reason": "signed_out"}
    async with asyncio.timeout(10):
        await ada.gone.wait()


async def test_a_session_that_has_ended_ends_at_the_next_event(served: Served) -> None:
    ada = await desk_of(served, "ada")
    served.clock.forward(13 * 3600)
    await ada.client.emit("presence", {"presence": "ready"}, namespace="/desk")
    assert await ada.until("ended") == {"reason": "expired"}
    assert not served.port.of(commands.SetPresence)


async def test_a_supervisor_without_an_agent_has_no_desk(served: Served) -> None:
    assert await served.refused("/desk", await served.sign_in("sup")) == "not_allowed"
    assert served.desk.guests == {}
