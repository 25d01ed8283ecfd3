"""Offers: after every change, whoever can be served is served, in the order and by the agent that the policies want.

Between changes nobody waits whom an available agent suits, so only lanes in which something has changed need looking
at. The one exception is a reservation: a contact that a queue with policy `resolution` keeps for a better agent, once,
until a recorded moment.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from router.engine.crews import Crew
from router.engine.decide_offers import PHONE_GRACE_MS
from router.engine.explain import busy_with, explain
from router.engine.explanation import Explanation
from router.engine.facts import ContactOffered, ContactReserved
from router.engine.state import ContactState, State
from router.queues.lanes import LaneKey, lane_name
from router.queues.order import Place
from router.skills.policies import head_start_ms, waiting_pays

RESERVE_MS_MIN = 500
"""A shorter reservation is not worth the name."""
USUAL_PATIENCE_SECONDS = 180
USUAL_ABANDON_COST = 5_000

Order = tuple[int, int, int, int]
"""Which of several possible steps is taken first: overtaken often enough, offers, reservations; tier; rank; number."""
OVERDUE, OFFER, RESERVE = 0, 1, 2
BEHIND_LIVE = 1 << 60
"""Later than any rank."""


class Step(NamedTuple):
    """What can be done in one lane now: offer the contact to the agent, or keep it for a better one until `until`."""

    order: Order
    contact: str
    agent: str
    until: int = 0


def offers(
    state: State, now: int, explained: bool = True
) -> Iterator[tuple[ContactOffered | ContactReserved, Explanation | None]]:
    """What is possible now, one step at a time: the caller evolves each before asking for the next."""
    index = state.index
    steps: dict[LaneKey, Step] = {}
    while True:
        while index.dirty:
            key = index.dirty.pop()
            step = _look(state, key, now)
            if step is None:
                steps.pop(key, None)
            else:
                steps[key] = step
        if not steps:
            return
        key = min(steps, key=lambda k: _turn(state, k, steps[k])) if len(steps) > 1 else next(iter(steps))
        step = steps.pop(key)
        if step.until:
            yield ContactReserved(step.contact, step.until, step.agent), None
        else:
            offer = _offer(state, state.contacts[step.contact], step.agent, now)
            why = explain(state, offer.contact, now, chosen=offer.agent, offer=offer.offer) if explained else None
            yield offer, why


def _turn(state: State, key: LaneKey, step: Step) -> Order:
    """When the step is taken. Callbacks and those who wait on the line or in a chat let each other through."""
    most = state.config.callbacks.live_between_max
    if key[0] != "callback" or not most:
        return step.order
    kind, tier, rank, number = step.order
    since = state.live_since.get(state.contacts[step.contact].queue, 1)
    if since >= most:
        return min(kind, OVERDUE), tier, rank, number
    return (kind, tier, BEHIND_LIVE, number) if since == 0 and tier == 0 else step.order


def _look(state: State, key: LaneKey, now: int) -> Step | None:
    """The next step in this lane, or None when nobody in it can be served."""
    index = state.index
    if not index.lanes.count(key) or key[0] in state.census_pending:
        return None
    if key[3]:
        return _kept(state, key, now)
    crew = index.crew(state, key)
    if not crew.free or _held_back(state, crew, now):
        return None
    if crew.scored:
        return _scored(state, crew, now)
    chosen = ""

    def fits(id: str) -> bool:
        nonlocal chosen
        contact = state.contacts[id]
        if state.unseen(contact):
            return False
        chosen = crew.best(contact.again_at, now, bool(index.quiet.kept_from(contact, now)))
        return bool(chosen)

    found = index.lanes.first(key, fits)
    return Step((OFFER, *found[0]), found[1], chosen) if found else None


def _held_back(state: State, crew: Crew, now: int) -> bool:
    """Whether nobody in the lane goes anywhere: the first of it can be held back longest of all."""
    first = state.index.lanes.first(crew.key, lambda _: True)
    if first is None or not state.index.quiet.kept_from(state.contacts[first[1]], now):
        return False
    return crew.free.keys().isdisjoint(crew.outside)


def _kept(state: State, key: LaneKey, now: int) -> Step | None:
    """What is kept for one colleague goes there, whatever their skills."""

    def fits(id: str) -> bool:
        contact = state.contacts[id]
        return not state.unseen(contact) and contact.wanted_until > now and not busy_with(state, key[3], contact, now)

    found = state.index.lanes.first(key, fits)
    return Step((OFFER, *found[0]), found[1], key[3]) if found else None


# -- resolution -----------------------------------------------------------------------------------------------


def _scored(state: State, crew: Crew, now: int) -> Step | None:
    """The first of the lane goes to the best of the free, unless waiting for a better agent pays."""
    places = state.overtakers.get(lane_name(crew.key), []) if state.overtakers else []
    reserve: Step | None = None
    chosen = ""

    def fits(id: str) -> bool:
        nonlocal reserve, chosen
        contact = state.contacts[id]
        if state.unseen(contact):
            return False
        chosen = crew.best(contact.again_at, now, bool(state.index.quiet.kept_from(contact, now)))
        if not chosen:
            return False
        if overtaken(places, contact.place) < crew.queue.overtaken_max:
            until = _reserve_until(state, crew, contact, chosen, now)
            if until and not contact.reserved_until and reserve is None:
                reserve = Step((RESERVE, *contact.place), id, chosen, until)
            return not until
        return True

    found = state.index.lanes.first(crew.key, fits)
    if found is None:
        return reserve
    tier, rank, number = found[0]
    if overtaken(places, found[0]) >= crew.queue.overtaken_max:
        return Step((OVERDUE, tier, rank, number), found[1], chosen)
    price = crew.estimate.price if crew.estimate else 0
    head_start = head_start_ms(-crew.free[chosen][0], price)
    return Step((OFFER, tier, rank - head_start, number), found[1], chosen)


def overtaken(places: list[Place], place: Place) -> int:
    """How many of the overtakers of a lane came later than the contact at `place`."""
    return len(places) - bisect_right(places, place) if places else 0


def _reserve_until(state: State, crew: Crew, contact: ContactState, agent: str, now: int) -> int:
    """Until when the contact is better kept for somebody else than given to this agent; 0 = it is not."""
    if not crew.reserves:
        return 0
    until = contact.reserved_until or contact.since + crew.queue.reserve_seconds * 1000
    if until <= now or (not contact.reserved_until and until < now + RESERVE_MS_MIN):
        return 0
    known = state.index.estimates
    cost = known.abandon_cost if known else USUAL_ABANDON_COST
    patience = known.patience_seconds if known else USUAL_PATIENCE_SECONDS
    ahead = state.index.lanes.count(crew.key)
    return until if waiting_pays(crew.rivals.gain(-crew.free[agent][0]), ahead, cost, patience) else 0


def _overtakes(state: State, contact: ContactState, agent: str, now: int) -> tuple[str, ...]:
    """Whom of the same queue, first of their lanes, the agent could have taken before this later contact."""
    index = state.index
    queue = index.crew(state, index.lanes.lane(contact.id)).queue
    ahead = []
    for crew in index.crews_of(agent):
        if crew.queue.id != queue.id or not index.lanes.count(crew.key) or agent not in crew.free:
            continue
        if crew.channel in state.census_pending:
            continue
        first = index.lanes.first(crew.key, lambda id: _could_have(state, state.contacts[id], agent, now))
        if first is not None and first[0] < contact.place:
            ahead.append(first)
    return tuple(id for _, id in sorted(ahead))


def _could_have(state: State, contact: ContactState, agent: str, now: int) -> bool:
    return contact.again_at.get(agent, 0) <= now and not state.unseen(contact)


def _offer(state: State, contact: ContactState, agent: str, now: int) -> ContactOffered:
    offer = f"{contact.id}-{contact.offers + 1}"
    seconds = state.config.channels[contact.channel].offer_seconds
    expires_at = now + seconds * 1000
    lapses_at = expires_at + (PHONE_GRACE_MS if contact.channel == "phone" else 0)
    key = state.index.lanes.lane(contact.id)
    scored = not key[3] and state.index.crew(state, key).scored
    ahead = _overtakes(state, contact, agent, now) if scored else ()
    return ContactOffered(offer, contact.id, agent, "answer", expires_at, lapses_at, ahead)
