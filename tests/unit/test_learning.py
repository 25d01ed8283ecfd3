"""What a running centre learns: from facts alone, the same after a restart, corrected, forgotten, published in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance
from router.errors import Unavailable
from router.learning import PERIOD_MS, Learning
from router.nouns import Centre
from router.port import Numbered
from router.projections.views import Views
from router.simulation.day import Day, centre_of
from router.simulation.roster import make_roster
from router.simulation.workload import read_workload
from router.skills.learner import Learner
from tests.architecture.source import ROOT
from tests.unit.doubles import START, Clock, ScriptedPort, accepted, offered, queued, received, small_centre

HOUR = 3_600_000


def resolution(learning: str = "team", **more: object) -> Centre:
    centre = small_centre()
    queues = tuple(replace(queue, policy="resolution") for queue in centre.queues)
    return replace(centre, queues=queues, learning=learning, **more)  # type: ignore[arg-type]


class Stop(Exception):
    """Thrown out of a sleep to end an endless loop."""


class Running:
    """The views and the learning of one process, fed fact by fact."""

    def __init__(self, centre: Centre | None = None) -> None:
        self.clock = Clock()
        self.port = ScriptedPort(self.clock)
        self.centre = centre or resolution()
        self.views = Views(self.port, self.centre, self.clock)
        self.slept: list[float] = []
        self.learning = Learning(self.port, self.views, self.clock, self.sleep)
        self.views.attach(self.learning)
        self.record: list[Numbered] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        raise Stop

    def add(self, *new: facts.Fact, seconds: float = 0) -> Running:
        self.clock.forward(seconds)
        for fact in new:
            self.record.append(Numbered(len(self.record) + 1, self.clock.at, fact))
            self.views.apply(self.record[-1:])
        return self

    def contact(self, id: str, resolved: bool | None, *, agent: str = "ada", citizen: str = "") -> Running:
        self.add(received(id, "phone", citizen=citizen), queued(id))
        self.add(offered(id, agent), accepted(id, agent), seconds=10)
        self.add(facts.ContactEnded(id, "handled", agent, "burgerzaken", resolved), seconds=200)
        return self

    def pair(self, agent: str = "ada") -> tuple[int, int, float]:
        tally = self.learning.learner.pairs["burgerzaken", agent]
        return tally.answered, tally.resolved, tally.seconds

    def published(self) -> list[commands.PublishEstimates]:
        return [c for c in self.port.submitted if isinstance(c, commands.PublishEstimates)]


def test_outcomes_are_learned_and_silence_is_not() -> None:
    here = Running().contact("c-1", True).contact("c-2", False).contact("c-3", None)
    assert here.pair() == (2, 1, 400)
    assert here.learning.learner.waited_seconds == 20


def test_a_citizen_who_comes_back_corrects_what_was_learned() -> None:
    here = Running().contact("c-1", True, citizen="z-1")
    assert here.pair() == (1, 1, 200)
    here.add(received("c-2", "chat", citizen="z-1"), queued("c-2"), seconds=3 * 24 * 3600)
    assert here.pair() == (1, 0, 200)
    here.add(facts.CitizenAnswered("c-1", True))
    assert here.pair() == (1, 0, 200), "they did come back"


def test_who_hands_over_has_not_settled_it_and_a_lost_connection_says_nothing() -> None:
    here = Running()
    returned = {"topic": "afval", "queue": "afval", "needs": {"afval": 1}, "tier": 0, "rank": 0, "remind_at": 0}
    for id, reason in (("c-1", "handed_over"), ("c-2", "agent_lost")):
        here.add(received(id), queued(id), offered(id, "ada"), accepted(id, "ada"))
        here.add(facts.ContactReturned(id, "ada", reason, **returned), seconds=60)  # type: ignore[arg-type]
    assert here.pair() == (1, 0, 60)
    assert not here.learning._accepted


def test_who_gives_up_tells_about_patience_on_a_live_channel_only() -> None:
    here = Running()
    for id, channel in (("c-1", "phone"), ("c-2", "email")):
        here.add(received(id, channel), queued(id))
        here.add(facts.ContactEnded(id, "abandoned", topic="burgerzaken"), seconds=90)
    assert (here.learning.learner.gave_up, here.learning.learner.waited_seconds) == (1, 90)


def test_reservations_and_time_on_duty_are_counted() -> None:
    here = Running().add(facts.PresenceChanged("ada", "ready", "", ""))
    here.add(received("c-1", "phone"), queued("c-1"), facts.ContactReserved("c-1", START + 15_000, "bob"))
    here.add(offered("c-1", "ada"), accepted("c-1", "ada"), seconds=10)
    here.add(facts.PresenceChanged("ada", "paused", "lunch", ""), seconds=3590)
    here.add(facts.PresenceChanged("ada", "ready", "", ""), seconds=1800)
    assert here.learning.learner.worked_seconds == {"ada": 3600}
    assert here.learning.learner._kept_seconds == 10
    assert not here.learning._kept


def test_a_year_is_remembered_and_no_longer() -> None:
    here = Running().contact("c-old", False)
    for number in range(12):
        here.add(seconds=PERIOD_MS / 1000).contact(f"c-{number}", True)
    assert here.pair()[:2] == (13, 12)
    here.add(seconds=PERIOD_MS / 1000).contact("c-new", True)
    assert here.pair()[:2] == (13, 13)
    assert len(here.learning._periods) == 13


def test_a_restart_learns_the_same_from_the_same_facts() -> None:
    here = Running().add(facts.PresenceChanged("ada", "ready", "", ""))
    for number in range(30):
        here.contact(f"c-{number}", number % 3 > 0, citizen=f"z-{number % 7}")
    again = Running()
    again.views.apply(here.record)
    assert again.learning.learner == here.learning.learner
    assert again.learning.learner.copied().learn("team") == here.learning.learner.copied().learn("team")


def test_the_shell_learns_from_facts_what_the_simulation_is_told() -> None:
    workload = read_workload(ROOT / "benchmarks" / "workloads" / "kcc-base.toml")
    people = make_roster(workload, 0)
    centre = centre_of(workload, people, "longest-idle", "team")
    told = Learner(centre)
    here = Running(centre)

    def recording(state: object, command: object, now: int, **more: object) -> object:
        decision = advance(state, command, now, **more)  # type: ignore[arg-type]
        here.clock.at = now
        here.add(*decision.facts)
        return decision

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("router.simulation.day.advance", recording)
        day = Day(workload, people, centre, 5, learner=told)
        day.run()
    mine = here.learning.learner
    assert {k: (t.answered, t.resolved) for k, t in mine.pairs.items()} == {
        k: (t.answered, t.resolved) for k, t in told.pairs.items()
    }
    assert sum(t.answered for t in mine.pairs.values()) > 1_000
    assert sum(t.seconds for t in mine.pairs.values()) == pytest.approx(sum(t.seconds for t in told.pairs.values()))
    assert (mine.demand, mine.gave_up) == (told.demand, told.gave_up)
    assert mine.waited_seconds == pytest.approx(told.waited_seconds)


# -- publishing -------------------------------------------------------------------------------------------------


async def round_of(here: Running) -> float:
    """One round of the loop; gives how long it wants to sleep then."""
    with pytest.raises(Stop):
        await here.learning.run()
    return here.slept[-1]


async def test_it_publishes_after_a_start_and_then_at_the_quiet_hour() -> None:
    here = Running().contact("c-1", True)
    await round_of(here)
    assert len(here.published()) == 1
    assert here.published()[0].estimates.basis == "team"
    here.add(facts.EstimatesPublished(here.published()[0].estimates, here.published()[0].version))
    at = here.learning.due_at()
    assert at == 1_795_053_600_000, "2026-11-19 03:00 in Amsterdam"
    assert await round_of(here) == 3600, "it looks again every hour, and at the hour itself"
    here.clock.at = at - 60_000
    assert await round_of(here) == 60
    assert len(here.published()) == 1
    here.clock.at = at
    await round_of(here)
    assert len(here.published()) == 2


async def test_a_restart_on_the_same_day_publishes_nothing_but_another_configuration_does() -> None:
    here = Running()
    await here.learning.publish()
    first = here.published()[0]
    again = Running().add(facts.CentreConfigured(resolution(), "1"), facts.EstimatesPublished(first.estimates, "1"))
    await round_of(again)
    assert not again.published()
    again.add(facts.CentreConfigured(resolution("off"), "2"))
    await round_of(again)
    assert again.published()[0].estimates.basis == "off"


@pytest.mark.parametrize(
    ("learning", "reason", "basis"),
    [("off", "", "off"), ("team", "", "team"), ("person", "", "team"), ("person", "agreed", "person")],
)
async def test_the_basis_is_what_the_municipality_allows(learning: str, reason: str, basis: str) -> None:
    here = Running(resolution(learning, learning_reason=reason)).contact("c-1", True)
    await here.learning.publish()
    found = here.published()[0].estimates
    assert found.basis == basis
    assert bool(found.topics["burgerzaken"].answered) == (basis == "person")


async def test_where_nothing_goes_by_estimates_none_are_published() -> None:
    here = Running(small_centre()).contact("c-1", True)
    assert not await here.learning.publish()
    assert not here.port.submitted


async def test_the_same_outcomes_give_the_same_version() -> None:
    versions = []
    for _ in range(2):
        here = Running().contact("c-1", True)
        await here.learning.publish()
        versions.append(here.published()[0].version)
    assert versions[0] == versions[1]


async def test_who_is_on_duty_counts_without_changing_what_is_remembered() -> None:
    here = Running().add(facts.PresenceChanged("ada", "ready", "", "")).contact("c-1", True)
    before = here.learning.learner.copied()
    await here.learning.publish()
    assert here.learning.learner == before
    assert here.published()[0].estimates.prices.keys() == {"ada"}


async def test_a_refusal_is_tried_again_later() -> None:
    here = Running()
    here.port.refuse[commands.PublishEstimates] = Unavailable("busy")
    assert await round_of(here) == 3600
    here.port.refuse.clear()
    await round_of(here)
    assert len(here.published()) == 2, "the one that was refused, and this"


def test_when_a_queue_changes_to_resolution_what_went_before_is_kept_as_the_measure() -> None:
    here = Running(small_centre()).contact("c-1", True)
    here.add(facts.CentreConfigured(resolution(), "2"))
    assert here.learning.learner.work_before == 200
