"""A small contact centre to try the engine on, its clock moved by hand and every invariant held after every command."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.decision import Decision
from router.engine.evolve import evolve
from router.engine.state import State
from router.errors import Refusal
from router.journal.interface import Entry
from router.nouns import (
    Agent,
    Centre,
    ChannelRules,
    ClassifyRule,
    Destination,
    Hours,
    Municipality,
    Neighbour,
    Queue,
    QueueTarget,
    Topic,
    WayOut,
    Widening,
)
from router.nouns_telephone import Recording
from router.wire import encode
from tests.properties.invariants import RESERVE_SECONDS, check, check_order, check_waiting

TOPICS = ("burgerzaken", "afval", "wmo", "iets")
CHANNELS = ("phone", "chat", "email", "post", "counter")
START = 1_800_000_000_000
OVERTAKEN_MAX = 2
EEFS = ({"phone": 1}, {"chat": 1}, {"counter": 1}, {"email": 2}, {"post": 1}, {"callback": 1})
"""What one of the agents may have at once: less than the others."""


def small_centre(*policies: str) -> Centre:
    """Two municipalities, three topics in two queues (each with its policy), five agents of different skills."""
    balie, buiten = policies or ("skill-level", "skill-level")
    always = {channel: Hours(always=True) for channel in CHANNELS}
    return Centre(
        id="test",
        name="Test",
        time_zone="Europe/Amsterdam",
        municipalities=(
            Municipality(
                "waterland", "Waterland", ("140591",), {}, always, recording=Recording(("balie",), 30, ("anna",))
            ),
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
            WayOut("voicemail", after_seconds=100),
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
        check_waiting(self.state, self.record)
        check_order(self.state, decision.facts, self.now)
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
