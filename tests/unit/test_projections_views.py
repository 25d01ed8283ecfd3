"""Contacts, history, promises, and the views that hold them: folding, forgetting, waiting by number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from router.engine import facts
from router.engine.facts import Fact
from router.errors import JournalFault
from router.port import Numbered
from router.projections import contacts as contacts_model
from router.projections.contacts import Contacts, Entry
from router.projections.follow_ups import FollowUps
from router.projections.history import PER_CITIZEN_MAX, History
from router.projections.views import Views
from tests.unit.doubles import START, Clock, ScriptedPort, accepted, offered, queued, received, small_centre

DAY = 24 * 3_600_000


def fold(model: Any, *steps: tuple[int, Fact]) -> None:
    for at, fact in steps:
        model.apply(Numbered(model.position + 1, START + at, fact))


def waits_for_an_answer(entry: Entry) -> bool:
    return entry.unanswered


def test_a_contact_from_beginning_to_end() -> None:
    model = Contacts()
    fold(model, (0, received("c-1", content_ref="v-1", citizen="z-1")), (1, queued("c-1")), (2, offered("c-1", "ada")))
    entry = model.open["c-1"]
    assert (entry.state, entry.state_since, entry.offers) == ("offered", START + 2, 1)
    assert [e.id for e in model.offered_to("ada")] == ["c-1"]
    assert entry.with_agent("ada")
    assert not entry.with_agent("bob")
    fold(model, (3, facts.DeclineRequested("c-1-1", "c-1", "ada")))
    assert [e.offer is not None and e.offer.declining for e in model.offered_to("ada")] == [True]
    fold(model, (4, accepted("c-1", "ada")), (5, facts.MessageAdded("c-1", 1, "m-1", "citizen", "v-2", "", False)))
    assert waits_for_an_answer(entry)
    fold(model, (6, facts.MessageAdded("c-1", 2, "m-2", "note", "v-3", "ada", False)))
    assert waits_for_an_answer(entry), "a note is no answer"
    fold(model, (7, facts.MessageAdded("c-1", 3, "m-3", "agent", "v-4", "ada", True)))
    assert not waits_for_an_answer(entry)
    assert entry.messages[2].status == "due"
    fold(
        model,
        (8, facts.DeliveryNoted("c-1", 3, "started", "")),
        (9, facts.ConversationEnded("c-1", "ada", "citizen_left", 99)),
    )
    assert (entry.messages[2].status, entry.wrap_up_due_at, entry.citizen_left) == ("started", 99, True)
    assert [e.id for e in model.of_agent("ada")] == ["c-1"]
    fold(model, (10, facts.ContactEnded("c-1", "handled", "ada", "afval", True)))
    view = entry.view()
    assert (view.state, view.agent, view.topic, view.resolved, view.messages, view.number) == (
        "ended", "ada", "afval", True, 3, 11,
    )  # fmt: skip
    assert model.of_agent("ada") == []
    assert not entry.with_agent("ada")


def test_an_adopted_answer_ends_the_offer_to_another() -> None:
    model = Contacts()
    fold(model, (0, received("c-1", "phone")), (0, queued("c-1")), (0, offered("c-1", "ada")))
    fold(model, (1, facts.AnswerAdopted("c-1", "bob")))
    assert model.offered_to("ada") == []
    assert [entry.id for entry in model.of_agent("bob")] == ["c-1"]


def test_an_end_while_offered_frees_the_agent() -> None:
    model = Contacts()
    fold(
        model,
        (0, received("c-1")),
        (0, queued("c-1")),
        (0, offered("c-1", "ada")),
        (1, facts.ContactEnded("c-1", "abandoned")),
    )
    assert model.offered_to("ada") == []
    assert model.waiting["burgerzaken"] == 0


def test_ended_contacts_are_forgotten_after_30_days() -> None:
    model = Contacts()
    fold(model, (0, received("c-1")), (0, facts.ContactEnded("c-1", "abandoned")), (0, received("c-2")))
    fold(model, (contacts_model.KEPT_MS, queued("c-2")))
    assert model.get("c-1") is not None
    fold(model, (contacts_model.KEPT_MS + 1, facts.WaitExceeded("c-2", 1, 0, 0, 0)))
    assert model.get("c-1") is None
    assert model.get("c-2") is not None, "an open contact stays, however old"


def test_history_stays_within_the_municipality() -> None:
    model = History()
    fold(
        model,
        (0, received("c-1", municipality="waterland", citizen="z-1")),
        (1, received("c-2", municipality="zeevang", citizen="z-1")),
        (2, received("c-3", municipality="waterland", citizen="z-1")),
        (3, received("c-4", municipality="waterland", citizen="")),
        (4, queued("c-1")),
        (5, facts.ContactEnded("c-1", "handled", "ada", "", False)),
    )
    assert [past.contact for past in model.earlier("waterland", "z-1", but="c-3")] == ["c-1"]
    assert [past.contact for past in model.earlier("zeevang", "z-1", but="c-9")] == ["c-2"]
    assert model.earlier("waterland", "", but="") == []
    past = model.earlier("waterland", "z-1", but="c-3")[0]
    assert (past.state, past.resolved, past.agent, past.topic) == ("ended", False, "ada", "burgerzaken")


def test_history_is_bounded_per_citizen() -> None:
    model = History()
    for number in range(PER_CITIZEN_MAX + 5):
        fold(model, (number, received(f"c-{number}", citizen="z-1")))
    earlier = model.earlier("waterland", "z-1", but="")
    assert [past.contact for past in earlier] == [f"c-{n}" for n in range(PER_CITIZEN_MAX + 4, 4, -1)]


def test_promises_from_made_to_kept() -> None:
    model = FollowUps()
    fold(model, (0, facts.FollowUpMade("f-1", "c-1", "", "waterland", "ada", START, "v-1", "ada", "")))
    fold(model, (1, facts.FollowUpOverdue("f-1")), (2, facts.FollowUpAssigned("f-1", "ada", "", "afval")))
    promise = model.open["f-1"]
    assert (promise.state, promise.owner_agent, promise.owner_queue) == ("overdue", "", "afval")
    assert (model.counts().open, model.counts().overdue) == (1, 1)
    fold(model, (3, facts.FollowUpKept("f-1", "ada", "v-2")))
    assert (model.counts().open, model.kept["f-1"].state) == (0, "kept")
    fold(model, (31 * DAY, facts.FollowUpOverdue("f-9")))
    assert model.get("f-1") is None
    assert model.of_contact("c-1") == []


# -- the views together -------------------------------------------------------------------------------------


@pytest.fixture
async def views() -> AsyncIterator[Views]:
    clock = Clock()
    views = Views(ScriptedPort(clock), small_centre(), clock)
    await views.start()
    yield views
    await views.stop()


def port_of(views: Views) -> ScriptedPort:
    port = views._port
    assert isinstance(port, ScriptedPort)
    return port


async def test_a_number_can_be_waited_for(views: Views) -> None:
    waiting = asyncio.create_task(views.reached(2))
    await port_of(views).publish(received("c-1"))
    assert await views.reached(1)
    assert not waiting.done()
    await port_of(views).publish(queued("c-1"))
    assert await waiting
    assert views.contacts.open["c-1"].state == "waiting"
    assert await views.reached(2), "at once, when it is there already"


async def test_a_call_that_comes_in_goes_first(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.courtesy.LONGEST_SECONDS", 600.0)
    told = views.courtesy.hurry()
    number = await port_of(views).publish(received("c-1"))
    waiting = asyncio.create_task(views.reached(number))
    for _ in range(20):
        await asyncio.sleep(0)
    assert views.position == 0
    told()
    assert await waiting


async def test_waiting_ends_when_it_takes_too_long(views: Views) -> None:
    assert not await views.reached(99, seconds=0.001)


async def test_listeners_hear_every_batch_and_a_broken_one_hurts_nobody(views: Views) -> None:
    heard: list[int] = []

    def broken(_batch: Sequence[Numbered]) -> None:
        raise ValueError("x")

    views.listen(broken)
    stop = views.listen(lambda batch: heard.extend(numbered.number for numbered in batch))
    assert await views.reached(await port_of(views).publish(received("c-1"), queued("c-1")))
    stop()
    assert await views.reached(await port_of(views).publish(received("c-2")))
    assert heard == [1, 2]
    assert views.running


async def test_the_configuration_in_force_is_the_recorded_one(views: Views) -> None:
    other = small_centre().__class__(
        **{**{f: getattr(small_centre(), f) for f in small_centre().__slots__}, "name": "Ander"}
    )
    assert await views.reached(await port_of(views).publish(facts.CentreConfigured(other, "v2")))
    assert (views.centre.name, views.version) == ("Ander", "v2")


async def test_facts_that_stop_coming_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    port = ScriptedPort(clock)
    await port.publish(received("c-1"), received("c-2"))
    asked: list[int] = []

    async def faulty(after: int) -> AsyncIterator[tuple[Numbered, ...]]:
        asked.append(after)
        yield tuple(port.recorded[after : after + 1])
        raise JournalFault

    monkeypatch.setattr(port, "facts", faulty)
    monkeypatch.setattr("router.projections.views.RETRY_SECONDS", 0)
    views = Views(port, small_centre(), clock)
    await views.start()
    assert await views.reached(2)
    await views.stop()
    assert asked[:2] == [0, 1]
