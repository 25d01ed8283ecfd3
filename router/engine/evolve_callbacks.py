"""What facts about callbacks change: the promise's next moment, and the telephones of the one in hand."""

from __future__ import annotations

from router.engine import facts
from router.engine.moves import Handler, go, open_contact
from router.engine.state import ContactState, FollowUpState, State
from router.engine.tables import DIALLING, FOLLOW_UP, Illegal, follow
from router.nouns import LIVE_CHANNELS


def promised(state: State, follow_up: FollowUpState) -> None:
    """A promise to call back has been made: its request is known from now on, and its moment comes."""
    plan = follow_up.plan
    if plan is None:
        return
    state.sources[f"callback|{plan.source_key}"] = plan.contact
    follow_up.call_at = plan.call_from
    state.index.alarms.set(plan.call_from, "callback", follow_up.id)


def called_back(state: State, id: str, contact: str) -> None:
    """The callback of the promise has been made."""
    follow_up = state.follow_ups.get(id)
    if follow_up is None or not follow_up.call_at:
        raise Illegal(f"no callback of follow-up {id} was to come")
    follow_up.call_at, follow_up.calling = 0, contact


def kept(state: State, follow_up: FollowUpState) -> None:
    """The promise is no more; a request that never became a contact is forgotten."""
    if follow_up.plan is not None and not follow_up.calling:
        del state.sources[f"callback|{follow_up.plan.source_key}"]


def count_offer(state: State, contact: ContactState) -> None:
    """How many live contacts have been offered since the last callback, up to what counts."""
    most = state.config.callbacks.live_between_max
    if contact.channel == "callback":
        state.live_since[contact.queue] = 0
    elif most and contact.channel in LIVE_CHANNELS:
        state.live_since[contact.queue] = min(state.live_since.get(contact.queue, 0) + 1, most)


def _planned(state: State, fact: facts.CallbackPlanned, number: int, at: int) -> None:
    follow_up = state.follow_ups.get(fact.follow_up)
    if follow_up is None or follow_up.plan is None or follow_up.call_at:
        raise Illegal(f"follow-up {fact.follow_up} is no promise to call back that was tried")
    follow_up.state = follow(FOLLOW_UP, follow_up.state, "CallbackPlanned")
    follow_up.call_at, follow_up.tries = fact.call_at, fact.tries
    if fact.call_at:
        state.index.alarms.set(fact.call_at, "callback", follow_up.id)


def _dialled(state: State, fact: facts.CallbackDialled, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if fact.number != contact.dials + 1 or contact.owner != fact.agent:
        raise Illegal(f"dial {fact.number} of contact {fact.contact} is out of turn")
    after = follow(DIALLING, contact.dialling, "CallbackDialled")
    go(state, contact, "CallbackDialled", at)
    contact.dials, contact.dialling = fact.number, after
    contact.dialled_at, contact.dial_lapses_at, contact.pbx = at, fact.lapses_at, fact.pbx
    state.index.alarms.set(fact.lapses_at, "dial", contact.id)


def _settled(state: State, fact: facts.CallbackReached | facts.CallbackFailed, number: int, at: int) -> None:
    contact = open_contact(state, fact.contact)
    if fact.number != contact.dials:
        raise Illegal(f"dial {fact.number} of contact {fact.contact} is over")
    after = follow(DIALLING, contact.dialling, type(fact).__name__)
    go(state, contact, type(fact).__name__, at)
    contact.dialling = after


HANDLERS: dict[type, Handler] = {
    facts.CallbackPlanned: _planned,
    facts.CallbackDialled: _dialled,
    facts.CallbackReached: _settled,
    facts.CallbackFailed: _settled,
}
