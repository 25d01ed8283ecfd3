"""What facts about those who wait change: needs, ways out, priority, and whether anybody is there for them."""

from __future__ import annotations

from router.engine import facts
from router.engine.moves import Handler, go, open_contact
from router.engine.state import State
from router.engine.tables import CONTACT, LANE, Illegal, follow
from router.queues.lanes import lane_name


def _needs_widened(state: State, fact: facts.NeedsWidened, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if fact.step != contact.step + 1:
        raise Illegal(f"step {fact.step} of contact {fact.contact} is out of turn")
    before = lane_name(contact.lane(at))
    overtakers = state.overtakers.get(before, ())
    contact.needs, contact.step = state.index.shared(fact.needs), fact.step
    go(state, contact, "NeedsWidened", at)
    after = lane_name(contact.lane(at))
    if overtakers and contact.state == "waiting":
        # Who has been overtaken so often stays so in the new lane.
        state.overtakers[after] = sorted({*state.overtakers.get(after, ()), *overtakers})
    state.index.plan(state, contact, at)


def _way_out_taken(state: State, fact: facts.WayOutTaken, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    follow(CONTACT, contact.state, "WayOutTaken")
    if fact.way in contact.ways:
        raise Illegal(f"contact {fact.contact} took {fact.way} before")
    contact.ways = (*contact.ways, fact.way)
    state.index.plan(state, contact, at)


def _priority_changed(state: State, fact: facts.PriorityChanged, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    contact.priority, contact.tier, contact.rank = fact.priority, fact.tier, fact.rank
    go(state, contact, "PriorityChanged", at)


def _lane_stranded(state: State, fact: facts.LaneStranded, number: int, at: int) -> None:
    follow(LANE, "stranded" if fact.lane in state.stranded else "", "LaneStranded")
    state.stranded[fact.lane] = fact.reason


def _lane_cleared(state: State, fact: facts.LaneCleared, number: int, at: int) -> None:
    follow(LANE, "stranded" if fact.lane in state.stranded else "", "LaneCleared")
    del state.stranded[fact.lane]


HANDLERS: dict[type, Handler] = {
    facts.NeedsWidened: _needs_widened,
    facts.WayOutTaken: _way_out_taken,
    facts.PriorityChanged: _priority_changed,
    facts.LaneStranded: _lane_stranded,
    facts.LaneCleared: _lane_cleared,
}
