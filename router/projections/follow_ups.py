"""Read model: the promises to citizens, with owner and deadline, until they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from router.engine import facts
from router.port import Numbered
from router.projections.shapes import FollowUpCounts

KEPT_MS = 30 * 24 * 3_600_000


@dataclass(slots=True)
class Promise:
    """One follow-up; what was promised is in the vault."""

    follow_up: str
    contact: str
    citizen: str
    municipality: str
    by: str
    due_at: int
    text_ref: str
    owner_agent: str
    owner_queue: str
    made_at: int
    state: str = "open"
    """open, overdue, kept"""
    note_ref: str = ""
    callback: bool = False
    """It is to call the citizen back."""
    call_at: int = 0
    """When that comes, in ms; 0 = it has, or will not by itself."""
    tries: int = 0
    """How often the citizen was not reached."""
    neighbour: str = ""
    """The contact centre that it is passed on to."""
    reason: str = ""
    """Why the centre made it: cut_off, voicemail, or ""."""


class FollowUps:
    """All open promises, and those kept in the last 30 days."""

    def __init__(self) -> None:
        self.position = 0
        self.open: dict[str, Promise] = {}
        self.kept: dict[str, Promise] = {}
        self._of_contact: dict[str, list[str]] = {}
        self._kept_at: deque[tuple[int, str]] = deque()

    def get(self, id: str) -> Promise | None:
        return self.open.get(id) or self.kept.get(id)

    def of_contact(self, contact: str) -> list[Promise]:
        found = [self.get(id) for id in self._of_contact.get(contact, ())]
        return [promise for promise in found if promise is not None]

    def counts(self, wanted: Callable[[Promise], bool] = lambda _: True) -> FollowUpCounts:
        mine = [promise for promise in self.open.values() if wanted(promise)]
        return FollowUpCounts(len(mine), sum(promise.state == "overdue" for promise in mine))

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self.position:
            return
        self.position = numbered.number
        match numbered.fact:
            case facts.FollowUpMade() as fact:
                self.open[fact.follow_up] = Promise(
                    fact.follow_up,
                    fact.contact,
                    fact.citizen,
                    fact.municipality,
                    fact.by,
                    fact.due_at,
                    fact.text_ref,
                    fact.owner_agent,
                    fact.owner_queue,
                    numbered.at,
                    call_at=fact.callback.call_from if fact.callback else 0,
                    callback=fact.callback is not None,
                    neighbour=fact.neighbour,
                    reason=fact.reason,
                )
                self._of_contact.setdefault(fact.contact, []).append(fact.follow_up)
            case facts.FollowUpAssigned() as fact if fact.follow_up in self.open:
                promise = self.open[fact.follow_up]
                promise.owner_agent, promise.owner_queue = fact.owner_agent, fact.owner_queue
            case facts.CallbackPlanned() as fact if fact.follow_up in self.open:
                promise = self.open[fact.follow_up]
                promise.call_at, promise.tries = fact.call_at, fact.tries
            case facts.ContactReceived() as fact if fact.promise in self.open:
                self.open[fact.promise].call_at = 0
            case facts.FollowUpOverdue() as fact if fact.follow_up in self.open:
                self.open[fact.follow_up].state = "overdue"
            case facts.FollowUpKept() as fact if fact.follow_up in self.open:
                promise = self.open.pop(fact.follow_up)
                promise.state, promise.note_ref = "kept", fact.note_ref
                self.kept[fact.follow_up] = promise
                self._kept_at.append((numbered.at, fact.follow_up))
            case _:
                pass
        while self._kept_at and self._kept_at[0][0] < numbered.at - KEPT_MS:
            self._drop(self._kept_at.popleft()[1])

    def _drop(self, id: str) -> None:
        promise = self.kept.pop(id)
        left = [one for one in self._of_contact[promise.contact] if one != id]
        if left:
            self._of_contact[promise.contact] = left
        else:
            del self._of_contact[promise.contact]
