"""What a decision costs: a freed agent gets the next of many waiting contacts, by the engine and by a plain scan.

Times are of the processor: what else runs on the machine is not counted.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import dataclass
from statistics import median, quantiles

from router.engine import assign, commands, facts
from router.engine.crews import Crew
from router.engine.decide import advance
from router.engine.explain import explain
from router.engine.state import ContactState, State
from router.nouns import (
    Agent,
    Centre,
    ChannelRules,
    ClassifyRule,
    Estimates,
    Hours,
    Municipality,
    Queue,
    QueueTarget,
    Topic,
    TopicEstimate,
)
from router.skills.matching import level_of
from router.skills.policies import ONE

TAKERS = 20
"""Agents per topic, whatever the number of agents: the number of candidates stays the same."""
SKILLS_EACH = 2
START = 1_700_000_000_000
DECISIONS = 2_000
SCANS = 10
SCORING_RUNS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one decision, in microseconds; medians."""

    agents: int
    waiting: int
    policy: str
    match_us: float
    match_p99_us: float
    """Choosing alone."""
    explain_us: float
    whole_us: float
    """With the commands around it, unexplained: finish, wrap up, offer, accept."""
    scan_us: float
    """Choosing without an index; 0 = not measured."""
    bytes_per_contact: float

    @staticmethod
    def header() -> str:
        return (
            f"{'agents':>8}{'waiting':>10}  {'policy':<13}{'match µs':>10}{'p99 µs':>9}{'explain µs':>12}"
            f"{'whole µs':>10}{'scan µs':>10}{'B/contact':>11}"
        )

    def line(self) -> str:
        scan = f"{self.scan_us:>10,.0f}" if self.scan_us else f"{'-':>10}"
        return (
            f"{self.agents:>8,}{self.waiting:>10,}  {self.policy:<13}{self.match_us:>10.1f}{self.match_p99_us:>9.1f}"
            f"{self.explain_us:>12.1f}{self.whole_us:>10.1f}{scan}{self.bytes_per_contact:>11,.0f}"
        )


def centre(agents: int, policy: str, takers: int) -> Centre:
    """As many topics as give each topic so many takers; one queue of calls."""
    many = max(1, agents * SKILLS_EACH // takers)
    topics = tuple(Topic(f"t{n}", {}, "kcc", {f"t{n}": 1}) for n in range(many))
    people = []
    for n in range(agents):
        skills = {f"t{n % many}": 4, f"t{(n * 7 + 1) % many}": 2}
        people.append(Agent(f"a{n}", "A", "A", skills, f"a{n}"))
    return Centre(
        id="bench",
        name="Bench",
        time_zone="Europe/Amsterdam",
        municipalities=(Municipality("here", "Here", ("14",), {}, {"phone": Hours(always=True)}),),
        topics=topics,
        queues=(
            Queue("kcc", {}, {"phone": QueueTarget(20, 0.8)}, wrap_up_seconds=0, policy=policy, reserve_seconds=19),
        ),
        agents=tuple(people),
        channels={"phone": ChannelRules()},
        combinations=({"phone": 1},),
        classification=tuple(ClassifyRule((f"topic:t{n}",), f"t{n}") for n in range(many)),
        default_topic="t0",
        skills=tuple(f"t{n}" for n in range(many)),
        learning="team",
    )


class _Floor:
    """A centre with everybody busy and many waiting."""

    def __init__(self, agents: int, waiting: int, policy: str, takers: int = TAKERS) -> None:
        self.state = State()
        self.now = START
        self.many = max(1, agents * SKILLS_EACH // takers)
        self.number = 0
        self.do(commands.Configure(centre(agents, policy, takers), "1"))
        for n in range(agents):
            self.do(commands.SetPresence(f"a{n}", "ready"))
        self.held: dict[str, str] = {}
        """Agent -> contact in hand."""
        while len(self.held) < agents:
            self.receive()
        while len(self.state.index.lanes):
            self.finish(next(iter(self.held)))
        self.bytes = self.fill(waiting)

    def do(self, command: commands.Command) -> None:
        for fact in advance(self.state, command, self.now, explained=False).facts:
            if isinstance(fact, facts.ContactOffered):
                self.held[fact.agent] = fact.contact
                advance(self.state, commands.Accept(fact.offer, fact.agent), self.now)

    def receive(self, topic: str = "") -> None:
        """One more call, about each topic in turn when none is given."""
        self.number += 1
        self.now += 1
        id = f"c-{self.number:08}"
        topic = topic or f"t{self.number * 7919 % self.many}"
        self.do(commands.Receive(id, "phone", "here", f"{id}@pbx", hints=(f"topic:{topic}",)))

    def fill(self, waiting: int) -> float:
        """Bytes a waiting contact takes, all of the state and the index together."""
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(waiting):
            self.receive()
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        return used / max(1, waiting)

    def finish(self, agent: str) -> None:
        contact = self.held.pop(agent)
        self.now += 1
        self.do(commands.FinishConversation(contact, agent))
        self.do(commands.CompleteWrapUp(contact, agent, True))


def measure(agents: int, waiting: int, policy: str = "skill-level", scan: bool = False) -> Cost:
    """The cost of a decision with everybody busy and so many waiting: for each who is taken another comes."""
    floor = _Floor(agents, waiting, policy)
    timer = _Timer()
    order = list(floor.held)
    whole, explaining = [], []
    gc.collect()
    gc.freeze()
    with timer:
        for n in range(DECISIONS):
            agent = order[n * 31 % len(order)]
            started = time.process_time_ns()
            floor.finish(agent)
            done = time.process_time_ns()
            explain(floor.state, floor.held[agent], floor.now)
            whole.append((done - started) / 1000)
            explaining.append((time.process_time_ns() - done) / 1000)
            floor.receive(floor.state.contacts[floor.held[agent]].topic)
    gc.unfreeze()
    return Cost(
        agents,
        waiting,
        policy,
        median(timer.choosing),
        quantiles(timer.choosing, n=100)[98],
        median(explaining),
        median(whole),
        median(_scan(floor) for _ in range(SCANS)) if scan else 0.0,
        floor.bytes,
    )


def measure_scoring(agents: int = 10_000, candidates: int = 128) -> tuple[float, float, float]:
    """Microseconds for scoring a call: who is best of so many free agents, and whether one of those who are busy, four
    times as many, is worth waiting for. Median and 99th percentile over decisions, each at its quickest in equal runs:
    what the machine puts in between strikes another decision each time. Last, the 99th percentile with all of that."""
    runs = [_score(agents, candidates) for _ in range(SCORING_RUNS)]
    least = [min(times) for times in zip(*runs, strict=True)]
    return median(least), quantiles(least, n=100)[98], quantiles([t for times in runs for t in times], n=100)[98]


def _score(agents: int, candidates: int) -> list[float]:
    floor = _Floor(agents, 0, "resolution", takers=5 * candidates)
    topic = "t0"
    takers = [a.id for a in floor.state.config.agents if topic in a.skills]
    busy = [id for id in takers if id in floor.held]
    for agent in busy[: candidates - len(takers) + len(busy)]:
        floor.finish(agent)
    # A tenth of the busy are better than the best who is free, but not enough for waiting to pay: all are looked at.
    chances = {id: 5_000 + n * 37 % 4_000 + 400 * (id in floor.held) for n, id in enumerate(takers)}
    estimate = TopicEstimate(chances, dict.fromkeys(takers, 240), reserve=True)
    floor.do(commands.PublishEstimates(Estimates("team", {topic: estimate}, abandon_cost=10 * ONE), "1"))
    scored, times = assign._scored, []

    def timed(state: State, crew: Crew, now: int) -> assign.Step | None:
        started = time.process_time_ns()
        found = scored(state, crew, now)
        times.append((time.process_time_ns() - started) / 1000)
        return found

    gc.collect()
    gc.freeze()
    assign._scored = timed
    for _ in range(DECISIONS):
        floor.receive(topic)
        floor.finish(list(floor.held)[-1])
    assign._scored = scored
    gc.unfreeze()
    return times


class _Timer:
    """Stands around the matcher and takes its time: what the engine spends on choosing, and nothing of the caller's."""

    def __init__(self) -> None:
        self.choosing: list[float] = []

    def __enter__(self) -> None:
        self._offers = assign.offers
        assign.offers = self._timed  # type: ignore[assignment]

    def __exit__(self, *what: object) -> None:
        assign.offers = self._offers

    def _timed(self, state: State, now: int, explained: bool):  # type: ignore[no-untyped-def]
        steps = self._offers(state, now, explained)
        total, found = 0, False
        while True:
            started = time.process_time_ns()
            step = next(steps, None)
            total += time.process_time_ns() - started
            if step is None:
                break
            found = True
            yield step
        if found:
            self.choosing.append(total / 1000)


def _scan(floor: _Floor) -> float:
    """Microseconds of the same decision as one would write it without an index: a look at every contact that waits
    for the first that the freed agent may take, and one at every agent for the best who is free for it."""
    state, now = floor.state, floor.now + 1
    agents = state.config.agents
    freed = agents[0]
    person = state.agents[freed.id]
    load, person.load = person.load, {}
    started = time.process_time_ns()
    best: ContactState | None = None
    for contact in state.contacts.values():
        if contact.state != "waiting" or contact.again_at.get(freed.id, 0) > now:
            continue
        if any(freed.skills.get(skill, 0) < level for skill, level in contact.needs.items()):
            continue
        if best is None or contact.place < best.place:
            best = contact
    assert best is not None
    fit = [
        agent
        for agent in agents
        if all(agent.skills.get(skill, 0) >= level for skill, level in best.needs.items())
        and state.agents[agent.id].presence == "ready"
        and not state.agents[agent.id].load
    ]
    chosen = min(fit, key=lambda a: (-level_of(a, best.needs), state.agents[a.id].idle_since, a.id))
    took = (time.process_time_ns() - started) / 1000
    person.load = load
    assert chosen is freed
    return took
