"""Norms in the engine: the deadline is worked out once, kept, and decides when written work is overdue."""

from __future__ import annotations

import json
from dataclasses import replace

from router.engine import commands, facts
from router.engine.decide import advance
from router.engine.index import rebuild_index
from router.nouns import OFFICE, Hours, QueueTarget
from router.wire import decode, encode
from tests.properties.world import World, replayed, small_centre
from tests.unit.test_hours import OFFICE as WEEK
from tests.unit.test_hours import ms

THURSDAY = ms("2027-03-25 16:55")


def world() -> World:
    """Mail within two working days, in `buiten` within four working hours; Waterland promises one day."""
    centre = small_centre()
    hours = {**centre.municipalities[0].hours, OFFICE: WEEK, "email": Hours(always=True)}
    closed = ("2027-03-26", "2027-03-29")  # Good Friday, Easter Monday
    waterland, veenstede = (replace(m, hours=hours, holidays=closed) for m in centre.municipalities)
    waterland = replace(waterland, targets={"balie": {"email": QueueTarget(0, 0.9, working_days=1)}})
    balie, buiten = centre.queues
    balie = replace(balie, targets={**balie.targets, "email": QueueTarget(0, 0.9, working_days=2)})
    buiten = replace(buiten, targets={"email": QueueTarget(0, 0.9, working_hours=4)})
    made = World(replace(centre, municipalities=(waterland, veenstede), queues=(balie, buiten)))
    made.pass_time(THURSDAY - made.now)
    return made


def queued(made: World, contact: str) -> facts.ContactQueued:
    return [f for _, f in made.record if isinstance(f, facts.ContactQueued) and f.contact == contact][-1]


def test_the_deadline_is_the_municipalitys_own() -> None:
    made = world()
    assert queued(made, made.receive("email")).due_at == ms("2027-03-30 17:00")
    assert queued(made, made.receive("email", municipality="veenstede")).due_at == ms("2027-03-31 17:00")
    assert queued(made, made.receive("post")).due_at == 0
    assert queued(made, made.receive("phone")).due_at == THURSDAY + 20_000


def test_written_work_goes_first_when_its_deadline_has_passed_and_not_before() -> None:
    made = world()
    contact = made.receive("email")
    made.pass_time(ms("2027-03-30 17:00") - 1 - made.now)
    assert made.state.contacts[contact].tier == 1
    made.pass_time(1)
    assert made.state.contacts[contact].tier == 0
    assert replayed(made.record).contacts[contact].tier == 0


def test_a_move_keeps_the_moment_from_which_the_norm_counts() -> None:
    made = world()
    contact = made.receive("email")
    made.pass_time(ms("2027-03-30 10:00") - made.now)
    made.ask(commands.MoveContact(contact, "buiten", "sup", "v-1"))
    assert queued(made, contact).due_at == ms("2027-03-30 08:55")
    assert made.state.contacts[contact].queued_at == THURSDAY


def test_case_38_a_new_configuration_counts_at_its_fact() -> None:
    made = world()
    before = made.receive("email")
    balie = replace(made.centre.queues[0], targets={"email": QueueTarget(3600, 0.9)})
    own = tuple(replace(m, targets={}) for m in made.centre.municipalities)
    made.ask(commands.Configure(replace(made.centre, municipalities=own, queues=(balie, made.centre.queues[1])), "2"))
    assert queued(made, made.receive("email")).due_at == made.now + 3_600_000
    assert made.state.contacts[before].remind_at == ms("2027-03-30 17:00")


def test_case_37_every_clock_of_a_contact_stops_at_its_end() -> None:
    made = world()
    contact = made.receive("email")
    made.ask(commands.EndContact(contact, "duplicate"))
    made.pass_time(30 * 86_400_000)
    told = [f for _, f in made.record if isinstance(f, facts.WaitExceeded)]
    assert told == []


def test_case_38_presence_survives_a_restart() -> None:
    made = world()
    made.ready("anna")
    made.ask(commands.SetPresence("bert", "paused", "lunch"))
    again = replayed(made.record)
    rebuild_index(again)
    advance(again, commands.StartCentre(("desk",)), made.now)
    assert [(again.agents[id].presence, again.agents[id].reason) for id in ("anna", "bert", "cor")] == [
        ("ready", ""),
        ("paused", "lunch"),
        ("signed_off", ""),
    ]


def test_a_fact_from_before_there_were_deadlines_is_read_with_its_reminder_as_the_deadline() -> None:
    fact = facts.ContactQueued("c-1", "t", "q", {}, "nl", 0, 5, 12_345)
    name, _, fields = json.loads(encode(fact))
    old = json.dumps([name, 1, {key: value for key, value in fields.items() if key != "due_at"}])
    assert decode(old.encode()) == replace(fact, due_at=12_345)
