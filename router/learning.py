"""What the running centre learns: outcomes are folded into the learner, and its estimates published at a quiet hour.

The learner is the one that the simulation runs. It is fed here by the facts alone, in the views' one pass over them, so
that a restart learns the same again. Nothing older than a year is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import structlog

from router.engine import facts
from router.engine.commands import PublishEstimates
from router.errors import KccError
from router.nouns import LIVE_CHANNELS, Centre
from router.port import CentrePort, Numbered
from router.projections.outcomes import Change
from router.projections.views import Views
from router.skills.estimates import allowed
from router.skills.learner import Learner
from router.wire import encode

PERIOD_MS = 28 * 24 * 3_600_000
PERIODS_MAX = 13
"""So many periods are remembered, the one under way included: a year."""
LOOK_SECONDS_MAX = 3_600
LEFT = frozenset({"abandoned", "citizen_left", "gone"})

log = structlog.get_logger()


class Learning:
    """Attached to the views; `run` publishes. `learner` holds all that is remembered, `_periods` the same in parts."""

    def __init__(
        self,
        port: CentrePort,
        views: Views,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._port, self._views, self._now, self._sleep = port, views, now, sleep
        self._centre = views.centre
        self.learner = Learner(views.centre)
        self._periods: dict[int, Learner] = {}
        self._accepted: dict[str, tuple[int, str]] = {}
        """Contact in an agent's hands -> since when, and about what."""
        self._kept: dict[str, tuple[int, int]] = {}
        """Waiting contact -> since when and until when it is kept for a better agent."""
        self._ready: dict[str, int] = {}
        """Agent -> since when they take contacts."""
        self._published_at = 0

    # -- folding ------------------------------------------------------------------------------------------------

    def apply(self, numbered: Numbered) -> None:
        """Fold one fact, after the views have."""
        fact, at = numbered.fact, numbered.at
        match fact:
            case facts.CentreConfigured():
                self._configure(fact.centre)
            case facts.EstimatesPublished():
                self.learner.published(fact.estimates)
                self._published_at = at
            case facts.OfferAccepted(purpose="answer") | facts.AnswerAdopted():
                self._take(fact.contact, at)
                self._let_go(fact.contact, at)
            case facts.ContactReserved():
                self._kept[fact.contact] = (at, fact.until)
            case facts.ContactReturned():
                self._passed_on(fact.contact, fact.agent, at, fact.reason == "handed_over")
            case facts.ContactTransferred():
                self._passed_on(fact.contact, fact.agent, at, True)
                self._take(fact.contact, at)
            case facts.ContactEnded():
                self._ended(fact, at)
            case facts.PresenceChanged():
                self._presence(fact, at)
            case _:
                pass
        for change in self._views.outcomes.changes:
            self._judged(change)

    def _learners(self, at: int) -> tuple[Learner, ...]:
        """Who is told of what happened at `at`; nobody when that is too long ago."""
        period = at // PERIOD_MS
        if period not in self._periods and (not self._periods or period > max(self._periods)):
            self._periods[period] = Learner(self._centre)
            for old in [p for p in self._periods if p <= period - PERIODS_MAX]:
                self.learner.forget(self._periods.pop(old))
        return (self.learner, self._periods[period]) if period in self._periods else ()

    def _configure(self, centre: Centre) -> None:
        if _routes_to_resolution(centre) and not _routes_to_resolution(self._centre):
            self.learner.policy_begins()
        if centre != self._centre:
            self._published_at = 0
        self._centre = self.learner.centre = centre

    def _judged(self, change: Change) -> None:
        """An outcome became known, or turned out otherwise."""
        judged, before = change
        after = judged.settled
        if after is None or after == before:
            return
        for learner in self._learners(judged.ended_at):
            if before is None:
                learner.answered(
                    judged.topic, judged.agent, after, judged.handling_seconds, judged.waited_seconds, judged.repeat
                )
            else:
                learner.corrected(judged.topic, judged.agent, after)

    def _take(self, contact: str, at: int) -> None:
        entry = self._views.contacts.get(contact)
        if entry is not None:
            self._accepted[contact] = (at, entry.topic)

    def _passed_on(self, contact: str, agent: str, at: int, on_purpose: bool) -> None:
        """Who hands a question over has not settled it; a lost agent or a call put back on hold says nothing."""
        since, topic = self._accepted.pop(contact, (at, ""))
        if on_purpose and topic:
            for learner in self._learners(at):
                learner.answered(topic, agent, False, (at - since) / 1000, 0.0, True)

    def _ended(self, fact: facts.ContactEnded, at: int) -> None:
        self._accepted.pop(fact.contact, None)
        self._let_go(fact.contact, at)
        entry = self._views.contacts.get(fact.contact)
        if entry is None or entry.answered_at or not entry.queued_at or fact.reason not in LEFT:
            return
        if entry.channel in LIVE_CHANNELS:
            for learner in self._learners(at):
                learner.abandoned(entry.topic, (at - entry.queued_at) / 1000)

    def _let_go(self, contact: str, at: int) -> None:
        kept = self._kept.pop(contact, None)
        if kept is not None:
            self.learner.reserved((min(at, kept[1]) - kept[0]) / 1000)

    def _presence(self, fact: facts.PresenceChanged, at: int) -> None:
        since = self._ready.pop(fact.agent, None)
        if since is not None:
            for learner in self._learners(at):
                learner.worked(fact.agent, (at - since) / 1000)
        if fact.presence == "ready":
            self._ready[fact.agent] = at

    # -- publishing ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Publish when it is due: at the configured hour, and at once when that was missed or the centre changed."""
        while True:
            wait_seconds = (self.due_at() - self._now()) / 1000
            if wait_seconds <= 0:
                wait_seconds = LOOK_SECONDS_MAX
                try:
                    await self.publish()
                except KccError as error:
                    log.warning("estimates.not_published", code=error.code)
            await self._sleep(min(wait_seconds, LOOK_SECONDS_MAX))

    def due_at(self) -> int:
        """The first configured hour after the last publication, in ms; long ago when there was none."""
        zone = ZoneInfo(self._centre.time_zone)
        last = datetime.fromtimestamp(self._published_at / 1000, zone)
        due = last.replace(hour=self._centre.learning_hour, minute=0, second=0, microsecond=0)
        return int((due if due > last else due + timedelta(days=1)).timestamp() * 1000)

    async def publish(self) -> bool:
        """Put the estimates as they are now in force; whether there was something to say."""
        centre = self._centre
        if centre.learning == "off" and not _routes_to_resolution(centre):
            return False
        basis = centre.learning if allowed(centre, centre.learning) else "team"
        learner, now = self.learner.copied(), self._now()
        for agent, since in self._ready.items():
            learner.worked(agent, (now - since) / 1000)
        estimates = await asyncio.to_thread(learner.learn, basis)
        version = sha256(encode(PublishEstimates(estimates, ""))).hexdigest()[:12]
        outcome = await self._port.submit(PublishEstimates(estimates, version))
        self._published_at = now
        log.info("estimates.published", basis=basis, version=version, news=outcome.news)
        return outcome.news


def _routes_to_resolution(centre: Centre) -> bool:
    return any(queue.policy == "resolution" for queue in centre.queues)
