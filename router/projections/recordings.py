"""Read model: the recordings of conversations that are kept, each as long as the vault gives it."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from router.engine import facts
from router.port import Numbered
from router.projections.contacts import Contacts


@dataclass(slots=True)
class Recording:
    """One stretch of a contact with agents."""

    contact: str
    number: int
    municipality: str
    queue: str
    topic: str
    started_at: int
    agents: list[str] = field(default_factory=list)
    """Who talked, in the order in which they came in."""
    pauses: int = 0
    refs: tuple[str, ...] = ()
    """Its parts in the vault, in order."""
    seconds: int = 0
    keep_until: int = 0


class Recordings:
    """`contacts` tell what the call is about."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._position = 0
        self._running: dict[str, Recording] = {}
        """By contact: the last one that was started and is not in the vault."""
        self._unsaved: dict[tuple[str, int], Recording] = {}
        self._kept: dict[tuple[str, int], Recording] = {}
        self._of_ref: dict[str, Recording] = {}
        self.kept_of: Counter[str] = Counter()
        """Municipality -> how many are kept."""
        self._ends: list[tuple[int, str, int]] = []

    def __iter__(self) -> Iterator[Recording]:
        """Those that were stored last come first."""
        yield from reversed(self._kept.values())

    def of_ref(self, ref: str) -> Recording | None:
        """The recording of which this is a part, also when its time is over."""
        return self._of_ref.get(ref)

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact. Numbers already seen are skipped."""
        if numbered.number <= self._position:
            return
        self._position, fact = numbered.number, numbered.fact
        match fact:
            case facts.RecordingStarted():
                self._start(fact, numbered.at)
            case facts.ContactTransferred() | facts.ConferenceStarted():
                self._joined(fact.contact, fact.to_agent if isinstance(fact, facts.ContactTransferred) else fact.agent)
            case facts.RecordingPaused():
                self._running[fact.contact].pauses += 1
            case facts.RecordingDropped():
                self._drop(fact.contact)
            case facts.ContactReturned() | facts.OutsideDialled() | facts.OutsideJoined():
                self._running.pop(fact.contact, None)
            case facts.ConversationEnded() | facts.ContactEnded():
                self._running.pop(fact.contact, None)
            case facts.RecordingStored():
                self._store(fact)
        while self._ends and self._ends[0][0] <= numbered.at:
            _, contact, number = heapq.heappop(self._ends)
            self._forget((contact, number))

    def _start(self, fact: facts.RecordingStarted, at: int) -> None:
        entry = self._contacts.get(fact.contact)
        assert entry is not None
        begun = Recording(fact.contact, fact.number, entry.municipality, entry.queue, entry.topic, at, [entry.agent])
        self._running[fact.contact] = self._unsaved[fact.contact, fact.number] = begun

    def _joined(self, contact: str, agent: str) -> None:
        recording = self._running.get(contact)
        if recording is not None and agent not in recording.agents:
            recording.agents.append(agent)

    def _store(self, fact: facts.RecordingStored) -> None:
        recording = self._unsaved.pop((fact.contact, fact.number))
        if not fact.refs:
            return
        recording.refs, recording.seconds, recording.keep_until = fact.refs, fact.seconds, fact.keep_until
        self._kept[fact.contact, fact.number] = recording
        self._of_ref.update(dict.fromkeys(fact.refs, recording))
        self.kept_of[recording.municipality] += 1
        heapq.heappush(self._ends, (fact.keep_until, fact.contact, fact.number))

    def _drop(self, contact: str) -> None:
        """Thrown away, all of the contact."""
        self._running.pop(contact, None)
        for key in [key for key in self._unsaved if key[0] == contact]:
            del self._unsaved[key]
        for key in [key for key in self._kept if key[0] == contact]:
            self._forget(key)

    def _forget(self, key: tuple[str, int]) -> None:
        recording = self._kept.pop(key, None)
        if recording is not None:
            self.kept_of[recording.municipality] -= 1
            for ref in recording.refs:
                del self._of_ref[ref]
