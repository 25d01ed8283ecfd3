"""The state of one agent's desk (protocol 4.1), made from the read models and audited looks."""

from __future__ import annotations

from typing import Any

from router.errors import Fault
from router.gateways.looks import Looks, Seen
from router.gateways.routes import Rooms
from router.gateways.softphone import has_softphone
from router.nouns import EXTENSIONS_MAX
from router.projections.contacts import Entry
from router.web import Principal

NOTHING = Seen()


class DeskState:
    """Makes the whole desk anew each time; citizen data is read once per agent and contact."""

    def __init__(self, rooms: Rooms, looks: Looks) -> None:
        self._rooms, self._looks = rooms, looks

    async def of(self, principal: Principal) -> tuple[dict[str, Any], bool]:
        """The state, and whether it is complete: False when the vault could not be asked (nothing is shown then)."""
        views, agent = self._rooms.views, principal.agent
        number, at = views.position, self._rooms.now()
        offered, in_hand = views.contacts.offered_to(agent), views.contacts.of_agent(agent)
        seen: dict[str, Seen] = {}
        complete = True
        for entry, purpose in [*((e, "offer") for e in offered), *((e, "in_hand") for e in in_hand)]:
            try:
                seen[entry.id] = await self._looks.glance(principal, entry, purpose)
            except Fault:
                complete = False
        state = {
            "number": number,
            "at": at,
            "agent": self._me(agent),
            "offers": [self._offer(entry, seen.get(entry.id)) for entry in offered if entry.offer is not None],
            "contacts": [self._in_hand(entry, seen.get(entry.id, NOTHING), agent) for entry in in_hand],
            "follow_ups": views.follow_ups.counts(lambda promise: promise.owner_agent == agent),
            "openings": views.openings.decided(at),
            "queues": [{"queue": q.id, "waiting": views.contacts.waiting.get(q.id, 0)} for q in views.centre.queues],
        }
        return state, complete

    def _in_hand(self, entry: Entry, seen: Seen, agent: str) -> dict[str, Any]:
        municipality = self._rooms.views.centre.municipality(entry.municipality)
        shown = municipality is None or municipality.supervision_shown
        return {**_shown(entry, seen, agent), "listeners": entry.supervisors if shown else {}}

    def _me(self, agent: str) -> dict[str, Any]:
        known, person = self._rooms.views.centre.agent(agent), self._rooms.views.people.get(agent)
        return {
            "id": agent,
            "name": known.name if known is not None else agent,
            "presence": person.presence,
            "reason": person.reason,
            "since": person.since,
            "phone": known is not None and bool(known.endpoint),
            "softphone": has_softphone(self._rooms, agent),
            "lost": person.lost,
            "telephone": person.telephone,
            "after_work": person.after_work,
        }

    def _offer(self, entry: Entry, seen: Seen | None) -> dict[str, Any]:
        offer, shown = entry.offer, seen if seen is not None else NOTHING
        # What came before is the citizen's too: shown only after the look was audited.
        earlier = self._looks.earlier(entry) if seen is not None else []
        last = earlier[0] if earlier else None
        return {
            **_common(entry),
            "offer": offer.offer if offer is not None else "",
            "offered_at": offer.offered_at if offer is not None else 0,
            "expires_at": offer.expires_at if offer is not None else 0,
            "purpose": offer.purpose if offer is not None else "answer",
            "handed_by": entry.handed_by,
            "asked_by": entry.agent if offer is not None and offer.purpose == "consult" else "",
            "declining": offer is not None and offer.declining,
            "citizen": {"known": shown.known, "name": shown.name, "phone": shown.phone, "email": shown.email},
            "subject": shown.card.subject,
            "earlier": len(earlier),
            "last": None
            if last is None
            else {
                "channel": last.channel,
                "topic": last.topic,
                "at": last.ended_at or last.received_at,
                "resolved": last.resolved,
            },
        }


def _shown(entry: Entry, seen: Seen, agent: str) -> dict[str, Any]:
    return {
        **_common(entry),
        "state": entry.state,
        "accepted_at": entry.accepted_at,
        "last_message_at": entry.last_message_at,
        "unanswered": entry.unanswered,
        "wrap_up_due_at": entry.wrap_up_due_at,
        "extensions_left": EXTENSIONS_MAX - entry.extensions,
        "name": seen.name,
        "subject": seen.card.subject,
        "citizen_left": entry.citizen_left,
        "parked": entry.parked,
        "owner": entry.agent,
        "role": entry.participants.get(agent, "owner"),
        "participants": [{"agent": id, "role": role} for id, role in entry.participants.items()],
        "consulting": entry.offer.agent if entry.offer is not None else "",
        "transfers": entry.transfers,
        "dialling": entry.dialling,
        "dial_failed": entry.dial_failed,
        "recording": entry.recording,
        "held_since": entry.held_since,
        "outside": entry.outside if entry.state == "active" else "",
        "outside_state": entry.outside_state,
    }


def _common(entry: Entry) -> dict[str, Any]:
    return {
        "contact": entry.id,
        "channel": entry.channel,
        "municipality": entry.municipality,
        "topic": entry.topic,
        "further": entry.further,
        "queue": entry.queue,
        "language": entry.language,
        "received_at": entry.received_at,
    }
