"""A small contact centre to try the engine on, and the invariants that must hold after every command."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.decision import Decision
from router.engine.evolve import evolve
from router.engine.explain import excluded, explain
from router.engine.index import unavailable
from router.engine.reach import OUT_OF_REACH
from router.engine.state import AgentState, Books, ContactState, State
from router.errors import Refusal
from router.journal.interface import Entry
from router.nouns import (
    POLICIES,
    Agent,
    Centre,
    ChannelRules,
    ClassifyRule,
    Destination,
    Estimates,
    Hours,
    Municipality,
    Neighbour,
    Question,
    Queue,
    QueueTarget,
    Topic,
    TopicEstimate,
    WayOut,
    Widening,
)
from router.queues.lanes import lane_name
from router.skills.matching import missing_skill
from router.skills.policies import rival
from router.skills.widening import widest
from router.wire import encode

TOPICS = ("burgerzaken", "afval", "wmo", "iets")
CHANNELS = ("phone", "chat", "email", "post", "counter")
START = 1_800_000_000_000
RESERVE_SECONDS = 15
OVERTAKEN_MAX = 2
EEFS = ({"phone": 1}, {"chat": 1}, {"counter": 1}, {"email": 2}, {"post": 1}, {"callback": 1})
"""What one of the agents may have at once: less than the others."""
POLICY_PAIRS = (
    ("skill-level", "skill-level"),
    ("resolution", "resolution"),
    ("longest-idle", "resolution"),
    ("resolution", "longest-idle"),
)
"""Policies of the two queues of the small centre; random worlds take turns."""


def small_centre(*policies: str) -> Centre:
    """Two municipalities, three topics in two queues (each with its policy), five agents of different skills."""
    balie, buiten = policies or ("skill-level", "skill-level")
    always = {channel: Hours(always=True) for channel in CHANNELS}
    return Centre(
        id="test",
        name="Test",
        time_zone="Europe/Amsterdam",
        municipalities=(
            Municipality("waterland", "Waterland", ("140591",), {}, always),
            Municipality("veenstede", "Veenstede", ("140592",), {}, always, needs={"veenstede": 1}),
        ),
        topics=(
            Topic("burgerzaken", {}, "balie", {"burgerzaken": 2}),
            Topic("afval", {}, "buiten", {"afval": 1}),
            Topic("wmo", {}, "balie", {"wmo": 3}),
        ),
        queues=(
            Queue(
                "balie",
                {},
                {"phone": QueueTarget(20, 0.8), "email": QueueTarget(7200, 0.9)},
                4,
                60,
                balie,
                RESERVE_SECONDS,
                OVERTAKEN_MAX,
            ),
            Queue(
                "buiten",
                {},
                {"phone": QueueTarget(30, 0.8)},
                5,
                0,
                buiten,
                RESERVE_SECONDS,
                OVERTAKEN_MAX,
            ),
        ),
        agents=(
            Agent("anna", "Anna", "Anna", {"burgerzaken": 4, "wmo": 3, "veenstede": 1}, "a1"),
            Agent("bert", "Bert", "Bert", {"burgerzaken": 2, "afval": 5, "veenstede": 1}, "a2"),
            Agent("cor", "Cor", "Cor", {"afval": 2, "english": 2}, "a3"),
            Agent("dia", "Dia", "Dia", {"burgerzaken": 3, "afval": 1, "wmo": 5, "veenstede": 1, "english": 1}, ""),
            Agent("eef", "Eef", "Eef", {"burgerzaken": 2, "english": 3}, "a5", EEFS),
        ),
        channels={
            "phone": ChannelRules(20),
            "chat": ChannelRules(20),
            "email": ChannelRules(60, ("phone", "counter", "chat")),
            "post": ChannelRules(120, ("phone", "counter")),
            "counter": ChannelRules(30),
        },
        combinations=({"phone": 1}, {"chat": 3}, {"counter": 1}, {"email": 2}, {"post": 1, "chat": 1}, {"callback": 1}),
        classification=tuple(ClassifyRule((f"topic:{t}",), t) for t in ("burgerzaken", "afval", "wmo")),
        default_topic="burgerzaken",
        destinations=(Destination("rijk", {}, "1400"),),
        skills=("burgerzaken", "afval", "wmo", "english", "veenstede"),
        language_needs={"en": {"english": 1}},
        learning="team",
        remember_days=1,
    )


def open_centre(*policies: str) -> Centre:
    """The small centre with all that can change while one waits: widening, ways out in a circle, preferred agents."""
    centre = small_centre(*policies)
    balie, buiten = centre.queues
    balie = replace(
        balie,
        widening=(
            Widening(30, lower={"wmo": 1, "burgerzaken": 1}),
            Widening(90, drop=("english", "veenstede"), replace={"wmo": "afval"}),
        ),
        floor={"veenstede": 1, "burgerzaken": 2},
        overflow=(
            WayOut("message", "busy", waiting_above=2),
            WayOut("callback", expected_above_seconds=600),
            WayOut("queue", "buiten", ("phone", "chat"), after_seconds=120),
            WayOut("neighbour", "overkant", nobody=True),
        ),
        preferred_seconds=20,
    )
    buiten = replace(buiten, overflow=(WayOut("queue", "balie", after_seconds=60), WayOut("callback", nobody=True)))
    return replace(
        centre,
        queues=(replace(balie, quiet_free=1, quiet_seconds=100), buiten),
        channels={**centre.channels, "callback": ChannelRules(60)},
        neighbours=(Neighbour("overkant", {}, "0201234567"),),
        outside_prefixes=("+31",),
        messages={"busy": {"nl": "Het is druk.", "en": "We are busy."}},
    )


@dataclass
class World:
    """The engine under a hand-moved clock, with everything it has said kept."""

    centre: Centre = field(default_factory=small_centre)
    state: State = field(default_factory=State)
    now: int = START
    record: list[tuple[int, facts.Fact]] = field(default_factory=list)
    asked: list[tuple[int, commands.Command]] = field(default_factory=list)
    """Every command with its moment, refused or not."""
    causes: dict[int, commands.Command] = field(default_factory=dict)
    """Number of a command's first fact -> the command, as a journal keeps it."""
    refused: int = 0
    made: int = 0
    last: Decision | None = None
    """What the last command led to."""
    explained: dict[int, bytes] = field(default_factory=dict)
    """Number of the fact -> the explanation stored with it."""

    def __post_init__(self) -> None:
        self.ask(commands.Configure(self.centre, "1"))
        self.ask(commands.StartCentre(()))

    def ask(self, command: commands.Command) -> Decision | None:
        """Advance by one command and check the invariants; None when it was refused."""
        before = self.state.number
        self.asked.append((self.now, command))
        try:
            decision = advance(self.state, command, self.now)
        except Refusal:
            assert self.state.number == before, "a refusal changed something"
            self.refused += 1
            return None
        for position, why in decision.explanations.items():
            self.explained[before + 1 + position] = encode(why)
        self.record.extend((self.now, fact) for fact in decision.facts)
        if decision.facts:
            self.causes[before + 1] = command
        self.last = decision
        check(self.state, self.now)
        _check_waiting(self.state, self.record)
        return decision

    def pass_time(self, milliseconds: int) -> None:
        """Move the clock, ticking whenever the engine wants it."""
        until = self.now + milliseconds
        while (moment := due(self.state)) is not None and moment <= until:
            self.now = max(self.now, moment)
            self.ask(commands.Tick())
        self.now = until

    def receive(self, channel: str, topic: str = "burgerzaken", **more: object) -> str:
        self.made += 1
        contact = f"c-{self.made}"
        fields: dict[str, object] = {
            "municipality": "waterland",
            "source_key": contact,
            "hints": (f"topic:{topic}",),
            **more,
        }
        self.ask(commands.Receive(contact, channel, **fields))  # type: ignore[arg-type]
        return contact

    def offer_of(self, contact: str) -> tuple[str, str]:
        """The open offer of a contact and its agent, or two empty strings."""
        found = self.state.contacts.get(contact)
        if found is None or not found.offer:
            return "", ""
        return found.offer, self.state.offers[found.offer].agent

    def ready(self, *agents: str) -> None:
        for agent in agents:
            self.ask(commands.SetPresence(agent, "ready"))


def journal_of(world: World) -> list[Entry]:
    """What a journal would hold of it: every fact, the command beside its first, and the explanations."""
    causes = {number: encode(command) for number, command in world.causes.items()}
    return [
        Entry(n, at, encode(fact), causes.get(n, b""), world.explained.get(n, b""))
        for n, (at, fact) in enumerate(world.record, 1)
    ]


def replayed(record: list[tuple[int, facts.Fact]]) -> State:
    """A fresh state folded from the facts alone."""
    state = State()
    for number, (at, fact) in enumerate(record, 1):
        evolve(state, fact, number, at)
    return state


def check(state: State, now: int) -> None:
    """Invariants 1, 3, 4, 8 (evolve itself), 10 and the indexes against a naive recomputation."""
    counted: dict[str, Books] = {}
    for contact in state.contacts.values():
        counted.setdefault(contact.channel, Books()).move("", contact.state)
        assert bool(contact.offer) == (contact.state == "offered") or contact.state == "active"
        if contact.offer:
            assert (state.offers[contact.offer].purpose == "consult") == (contact.state == "active")
        assert not contact.participants or contact.state == "active"
        assert contact.owner not in contact.participants
        assert not contact.supervisors or contact.state == "active"
        assert not contact.outside or contact.state in ("active", "wrap_up")
        assert bool(contact.outside_until) == bool(contact.outside and contact.state == "active")
        assert not contact.outside_until or not (contact.offer or contact.participants)
        assert bool(contact.owner) == (contact.state in ("active", "wrap_up"))
        if contact.state == "waiting":
            assert contact.id in state.index.lanes
            assert contact.remind_at > now or contact.remind_at >= state.at, "a waiting contact without a timer"
        else:
            assert contact.id not in state.index.lanes
    for channel, books in state.books.items():
        assert books.balanced, channel
        naive = counted.get(channel, Books())
        for name in ("intake", "waiting", "offered", "active", "wrap_up"):
            assert getattr(books, name) == getattr(naive, name), (channel, name)
    _check_callbacks(state)
    _check_agents(state)
    _check_rivals(state)
    _check_liveness(state, now)


def _check_callbacks(state: State) -> None:
    """Telephones only where a callback is in hand; one contact a promise; never two promises for one question."""
    kept = Counter(contact.promise for contact in state.contacts.values() if contact.promise)
    assert not kept or max(kept.values()) == 1, "two callbacks for one promise"
    coming: Counter[tuple[str, str]] = Counter()
    for contact in state.contacts.values():
        assert not contact.dialling or (contact.channel == "callback" and contact.state == "active")
        assert contact.dialling != "dialling" or contact.dial_lapses_at >= state.at, "a dial without a timer"
    for follow_up in state.follow_ups.values():
        plan, waits = follow_up.plan, follow_up.calling in state.contacts
        assert not (waits and follow_up.call_at), "a second callback is to come while one is open"
        if plan is not None and follow_up.citizen and not plan.number_ref and (waits or follow_up.call_at):
            coming[follow_up.citizen, plan.topic] += 1
    assert not coming or max(coming.values()) == 1, "two callbacks for one request"


def _check_waiting(state: State, record: list[tuple[int, facts.Fact]]) -> None:
    """No floor broken, no way out taken twice, no arrival lost; who waits for nobody is known, judged from scratch."""
    asked = {f.contact: f.needs for _, f in record if isinstance(f, facts.ContactQueued | facts.ContactReturned)}
    arrived = {f.contact: at for at, f in record if isinstance(f, facts.ContactReceived)}
    lanes: dict[str, str] = {}
    for contact in state.contacts.values():
        assert contact.received_at == arrived[contact.id]
        assert len(set(contact.ways)) == len(contact.ways)
        queue = state.config.queue(contact.queue)
        if contact.state not in ("waiting", "offered") or queue is None:
            continue
        for skill, level in asked[contact.id].items():
            if skill in queue.floor:
                assert contact.needs[skill] >= min(level, queue.floor[skill])
        if contact.id in state.index.lanes and not state.index.lanes.lane(contact.id)[3]:
            reason = _stranded(state, contact, queue)
            if reason:
                lanes[lane_name(state.index.lanes.lane(contact.id))] = reason
    assert state.stranded == lanes


def _stranded(state: State, contact: ContactState, queue: Queue) -> str:
    needs = widest(contact.needs, queue.widening[contact.step :], queue.floor)
    able = [
        state.agents[agent.id]
        for agent in state.config.agents
        if not missing_skill(agent, needs)
        and (contact.channel != "phone" or agent.endpoint)
        and contact.channel in state.index.capacity(agent.id).room(())
    ]
    there = [p for p in able if p.presence != "signed_off"]
    reached = [p for p in there if p.connection != "lost" and not (p.presence == "paused" and p.reason in OUT_OF_REACH)]
    if reached:
        return ""
    return "nobody_has_skill" if not able else "nobody_reachable" if there else "nobody_signed_on"


def _check_agents(state: State) -> None:
    for agent in state.agents.values():
        if agent.id not in state.index.agents and not agent.load:
            continue
        held = [state.contacts[c].channel for c in agent.load]
        gives_way = {c: state.config.channels[c].interrupted_by for c in held}
        counts = Counter(c for c in held if not set(gives_way[c]).intersection(held))
        covers = state.index.agents[agent.id].combinations or state.config.combinations
        assert any(all(one.get(channel, 0) >= n for channel, n in counts.items()) for one in covers), (agent.id, held)
        _check_parked(state, agent)
        assert held.count("phone") <= 1
        for contact, load in agent.load.items():
            found = state.contacts[contact]
            holders = {found.owner, *found.participants} if load != "reserved" else {state.offers[found.offer].agent}
            assert agent.id in holders
    by_contact = [o.contact for o in state.offers.values()]
    assert len(by_contact) == len(set(by_contact)), "a contact has two open offers"


def _check_rivals(state: State) -> None:
    """Those a lane may wait for, kept up agent by agent, are those there but not free at the moment."""
    for crew in state.index.crews():
        there = (id for id in crew.present if crew.channel != "phone" or state.index.agents[id].endpoint)
        taken = [id for id in there if id not in crew.free] if crew.reserves else []
        found = [rival(crew.score(id, state.agents[id].occupancy), crew.seconds[id], id) for id in taken]
        assert crew.rivals == sorted(found)


def _check_parked(state: State, agent: AgentState) -> None:
    """Written work lies still exactly while something in hand goes before it."""
    there = {state.contacts[c].channel for c, load in agent.load.items() if load == "in_hand"}
    if agent.after_work_until:
        there.add("phone")
    for contact, load in agent.load.items():
        gives_way = there.intersection(state.config.channels[state.contacts[contact].channel].interrupted_by)
        assert load == "reserved" or (load == "parked") == bool(gives_way)


def _check_liveness(state: State, now: int) -> None:
    """Nobody waits whom an agent could take, judged from scratch."""
    for contact in state.contacts.values():
        if contact.state != "waiting" or state.unseen(contact):
            continue
        wanted = contact.wanted_agent if contact.wanted_until > now else ""
        for agent in state.config.agents:
            person = state.agents[agent.id]
            could = (
                person.presence == "ready"
                and not person.after_work_until
                and person.connection == "connected"
                and (wanted == agent.id or (not wanted and not missing_skill(agent, contact.needs)))
                and (contact.channel != "phone" or agent.endpoint)
                and contact.channel
                in state.index.capacity(agent.id).room(state.contacts[c].channel for c in person.load)
                and contact.again_at.get(agent.id, 0) <= now
            )
            if could and (wanted or not _held_back(state, contact, now, agent)):
                _check_reservation(state, contact, now, agent.id)
        _check_explanation(state, contact.id, now)


def _held_back(state: State, contact: ContactState, now: int, agent: Agent) -> bool:
    """Written work waits while too few who could take the queue's live contacts are idle; for a time, judged anew."""
    topic = state.config.topic(contact.topic)
    queue = state.config.queue(topic.queue) if topic else None
    if queue is None or not queue.quiet_free or contact.channel not in ("email", "post") or contact.tier == 0:
        return False
    topics = [topic for topic in state.config.topics if topic.queue == queue.id]
    takers = [a for a in state.config.agents if any(not missing_skill(a, topic.needs) for topic in topics)]
    idle = [a for a in takers if not unavailable(state.agents[a.id]) and not state.agents[a.id].load]
    late = now >= contact.received_at + queue.quiet_seconds * 1000
    return agent in takers and not late and len(idle) <= queue.quiet_free


def _check_reservation(state: State, contact: ContactState, now: int, agent: str) -> None:
    """The one excuse: a recorded reservation that has not ended, in a queue that has them, no longer than it may be."""
    queue = state.config.queue(contact.queue)
    assert queue is not None
    assert queue.policy == "resolution", f"{contact.id} waits while {agent} is free"
    assert contact.reserved_until > now, f"{contact.id} waits while {agent} is free"
    assert contact.reserved_until <= contact.since + RESERVE_SECONDS * 1000


def _check_explanation(state: State, contact: str, now: int) -> None:
    """Counted by the crew, it says what looking at every agent says."""
    found, looked = explain(state, contact, now), explain(state, contact, now, details=True)
    assert not found.candidates
    counted: dict[str, int] = {}
    for agent in state.config.agents:
        reason = excluded(state, agent, state.contacts[contact], now) or "reserved"
        assert looked.details[agent.id] == reason
        counted[reason] = counted.get(reason, 0) + 1
    assert found.excluded == counted == looked.excluded


def random_command(world: World, random: random.Random) -> commands.Command:
    """Any command, about things that exist, once existed, or never did."""
    state = world.state
    contacts = [*(4 * list(state.contacts)), *list(state.ended)[-2:], "c-never"]
    contact = random.choice(contacts)
    agents = [*(3 * [a.id for a in world.centre.agents]), "nobody"]
    agent = random.choice(agents)
    owner = state.contacts[contact].owner if contact in state.contacts else ""
    offer = random.choice([*(5 * list(state.offers)), f"{contact}-1"])
    sent, number = random.choice([(o.contact, o.number) for o in state.outgoing.values()] or [(contact, 1)])
    offered_to = state.offers[offer].agent if offer in state.offers else agent
    holder = owner or agent
    further = state.contacts[contact].further if contact in state.contacts else ()
    answers = tuple(Question(topic, random.choice([True, False, None])) for topic in further)
    world.made += 1
    new = f"c-{world.made}"
    channel = random.choice([*(3 * CHANNELS), "callback"])
    receive = commands.Receive(
        new,
        channel,
        random.choice(["waterland", "veenstede"] * 5 + ["atlantis"]),
        random.choice([new, new, new, "c-1"]),
        hints=tuple(f"topic:{one}" for one in random.sample(TOPICS, random.choice([1, 1, 2]))),
        language=random.choice(["nl", "nl", "en"]),
        classify=random.random() < 0.8,
        citizen=f"z-{world.made % 4}" if world.made % 4 else "",
        linked_to=random.choice(["", "", contact]),
    )
    backs = any(c.promise and c.state in ("offered", "active") for c in state.contacts.values())
    if random.random() < (0.4 if backs else 0.03):
        return random.choice(_callbacks(world, random, contact, new))
    if random.random() < 0.5:
        often: list[commands.Command] = [
            receive,
            receive,
            commands.SetPresence(agent, "ready"),
            commands.Accept(offer, offered_to),
            commands.Accept(offer, offered_to),
            commands.FinishConversation(contact, holder),
            commands.ExtendWrapUp(contact, holder),
            commands.CompleteWrapUp(contact, holder, random.random() < 0.8, further=answers),
        ]
        return random.choice(often)
    if random.random() < 0.25:
        return random.choice(_together(random, state, contact, holder, agent))
    seldom: list[commands.Command] = [
        commands.Tick(),
        commands.Classify(contact, (f"topic:{random.choice(['afval', 'wmo'])}",)),
        commands.EndContact(contact, random.choice(["abandoned", "citizen_left", "technical"])),
        commands.AddMessage(contact, f"m-{random.randint(1, 9)}", random.choice(["citizen", "system"]), "v-1"),
        commands.AddMessage(contact, f"m-{random.randint(1, 9)}", "agent", "v-1", holder, random.random() < 0.5),
        commands.NoteDelivery(sent, number, random.choice(["started", "delivered", "failed", "unknown"])),
        commands.Decline(offer, offered_to),
        commands.OfferFailed(offer, random.choice(["busy", "no_answer", "unreachable", "cancelled"])),
        commands.AdoptAnswer(contact, agent if agent != "nobody" and not state.agents[agent].load else "nobody"),
        commands.ReportHeld(contact),
        commands.HandOver(contact, holder, queue=random.choice(["balie", "buiten", "nergens"])),
        commands.HandOver(contact, holder, to_agent=agent),
        commands.FinishAfterWork(agent),
        commands.RejoinCall(contact, holder),
        commands.LosePhone(contact, holder),
        commands.AddQuestion(contact, holder, random.choice(TOPICS)),
        commands.MoveContact(contact, random.choice(["balie", "buiten"]), "sup", "v-2"),
        commands.CloseContact(contact, "sup", "v-3"),
        commands.SetPriority(contact, random.randint(1, 9), "sup", "v-2"),
        commands.LeaveVoicemail(contact, "v-9"),
        commands.TakeCallback(contact, f"{new}-back", random.choice([0, 0, world.now + 90_000])),
        commands.SetPresence(agent, random.choice(["ready", "paused", "signed_off"]), random.choice(["", "lunch"])),
        commands.CloseChannels(
            random.choice(["waterland", "veenstede", "atlantis"]),
            random.choice([(), ("phone",), ("chat", "counter"), ("email",)]),
            random.choice(["outage", "staffing", "mood"]),
            "sup",
            random.choice([0, world.now + 60_000, world.now - 1]),
        ),
        commands.ReopenChannels(random.choice(["waterland", "veenstede"]), random.choice([(), ("phone",)]), "sup"),
        commands.AnnounceCalamity("waterland", "sup", random.choice([{}, {"nl": "Dicht."}, {"en": "Closed."}])),
        commands.WithdrawCalamity("waterland", "sup"),
        commands.LoseAgent(agent),
        commands.RegainAgent(agent),
        commands.MakeFollowUp(f"f-{world.made}", contact, holder, world.now + 60_000, "v-4", agent),
        commands.AssignFollowUp(random.choice([*state.follow_ups, "f-x"]), holder, owner_queue="balie"),
        commands.CompleteFollowUp(random.choice([*state.follow_ups, "f-x"]), holder),
        commands.LoseChannel("phone") if random.random() < 0.5 else commands.StartCentre(("phone", "desk")),
        commands.ReportCensus("phone", tuple(random.sample(contacts, len(contacts) // 2))),
        commands.ReportCensus("phone", tuple(contacts), up_seconds=random.choice([None, 0, 30])),
        commands.ReportCensus("desk", tuple(random.sample(agents, 3))),
        commands.PublishEstimates(random_estimates(world, random), str(random.randint(1, 9))),
        commands.Configure(random_policies(world.centre, random), str(random.randint(2, 99))),
        random_outcome(world, random, contact),
    ]
    return random.choice(seldom)


def _callbacks(world: World, random: random.Random, contact: str, new: str) -> tuple[commands.Command, ...]:
    """Commands about promises to call back, mostly about a callback that is in somebody's hands."""
    state, citizen = world.state, random.choice(["", "z-1", "z-2"])
    mine = [c for c in state.contacts.values() if c.promise and c.state in ("offered", "active")]
    found = random.choice(mine) if mine and random.random() < 0.9 else state.contacts.get(contact)
    id, owner, number = (found.id, found.owner, found.dials) if found else ("c-x", "", 0)
    due_at, owner_agent = world.now + random.choice([0, 60_000, 3_600_000]), random.choice(["", "", "anna", "nobody"])
    planned = commands.PlanCallback(
        f"f-{new}", f"{new}-plan", f"plan {random.choice([new, contact])}", "sup", "waterland", citizen,
        random.choice([0, world.now + 30_000]), random.choice([0, due_at]), hints=(f"topic:{random.choice(TOPICS)}",),
        number_ref=random.choice(["", "", "v-9"]), owner_agent=owner_agent,
    )  # fmt: skip
    how = random.choice(["answered", "busy", "no_answer", "agent_busy", "cancelled"])
    if found and found.offer:
        return (commands.Accept(found.offer, state.offers[found.offer].agent),)
    if found is None or not found.promise:
        return (planned,)
    return (
        commands.DialCitizen(id, owner),
        commands.DialCitizen(id, owner),
        commands.ReportDial(id, random.choice([number, number, number + 1]), how),
        commands.ReportDial(id, number, how),
    )


def _together(
    random: random.Random, state: State, contact: str, holder: str, agent: str
) -> tuple[commands.Command, ...]:
    """Commands for several agents in one call, mostly about a call in which they are possible."""
    calls = [c for c in state.contacts.values() if c.channel == "phone" and c.state == "active"]
    if calls and random.random() < 0.9:
        call = random.choice(calls)
        contact, holder = call.id, call.owner
        if call.offer:
            return (commands.Accept(call.offer, state.offers[call.offer].agent),) * 4
        free = [id for id, person in state.agents.items() if not person.load and person.presence != "signed_off"]
        agent = random.choice([*call.participants] or free or [agent])
    return (
        commands.Consult(contact, holder, agent),
        commands.CancelConsult(contact, holder),
        commands.CompleteTransfer(contact, holder),
        commands.StartConference(contact, holder),
        commands.StartConference(contact, holder),
        commands.Supervise(contact, "sup", random.choice(["listen", "whisper", "barge", "shout"]), "s1"),
        commands.EndSupervision(contact, "sup"),
        commands.LeaveConversation(contact, random.choice([holder, agent])),
        commands.HandOver(contact, holder, to_agent=agent),
        commands.PassOutside(contact, holder, random.choice(["rijk", "rijk", "nergens"])),
        commands.PassOutside(contact, holder, number_ref="v-9"),
        commands.CancelOutside(contact, holder),
        commands.ReportOutside(contact, random.random() < 0.5),
    )


def random_outcome(world: World, random: random.Random, contact: str) -> commands.Command:
    """What a citizen answers, or a supervisor switches: mostly on, or the estimates would hardly be in force."""
    about = random.choice([contact, *list(world.state.ended)[-2:]])
    if random.random() < 0.7:
        return commands.AnswerCitizen(about, random.random() < 0.7, random.choice([0, 0, 7, 8]))
    topic, agent = random.choice([("wmo", "dia"), ("wmo", ""), ("afval", "nobody"), ("", ""), ("", "dia")])
    return commands.SwitchEstimates(random.random() < 0.7, "sup", "v-5", topic, agent)


def random_policies(centre: Centre, random: random.Random) -> Centre:
    """The same centre with other policies, limits and learning, as a supervisor may switch them in mid-day."""
    queues = tuple(
        replace(
            queue,
            policy=random.choice(POLICIES),
            reserve_seconds=random.choice([0, RESERVE_SECONDS]),
            overtaken_max=random.randint(0, OVERTAKEN_MAX),
            fairness_percent=random.choice([0, 65]),
        )
        for queue in centre.queues
    )
    return replace(centre, queues=queues, learning=random.choice(["off", "team", "team"]))


def random_estimates(world: World, random: random.Random) -> Estimates:
    """Anything a learner might say, now and then resting on more than is allowed."""
    agents = [a.id for a in world.centre.agents]
    topics = {
        t.id: TopicEstimate(
            {a: random.randint(0, 10_000) for a in agents if random.random() < 0.9},
            {a: random.randint(60, 600) for a in agents if random.random() < 0.9},
            {},
            random.randint(0, 5_000),
            random.random() < 0.8,
        )
        for t in world.centre.topics
    }
    prices = {a: random.randint(0, 3_000) for a in agents}
    return Estimates(random.choice(["off", "team", "team", "person"]), topics, prices, 180, random.randint(10, 5_000))


def random_sequence(seed: int, length: int) -> World:
    """A world after `length` random commands with time passing between them."""
    dice = random.Random(seed)
    policies = POLICY_PAIRS[seed % len(POLICY_PAIRS)]
    world = World(open_centre(*policies) if seed // len(POLICY_PAIRS) % 2 else small_centre(*policies))
    if seed % 2:
        world.ask(commands.PublishEstimates(random_estimates(world, dice), "0"))
    world.ready(*dice.sample([a.id for a in world.centre.agents], 3))
    if seed % 3 == 0:  # somebody is on the telephone already
        world.ready("anna", "bert")
        offer, agent = world.offer_of(world.receive("phone"))
        world.ask(commands.Accept(offer, agent))
    if seed % 3 == 1 and "callback" in world.centre.channels:  # somebody is to be called back
        world.ready("anna", "bert", "dia")
        world.ask(commands.PlanCallback("f-0", "c-plan", "plan", "sup", "waterland", "z-1"))
        world.ask(commands.Accept(*world.offer_of("c-plan")))
    for _ in range(length):
        command = random_command(world, dice)
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            world.ask(command)
        if dice.random() < 0.4:
            world.pass_time(dice.choice([5, 500, 3_000, 15_000, 40_000, 200_000]))
    return world
