"""Failures that users of other systems reported, one test each, where no other test names them: it cannot happen here.

The number is that of `docs/evidence/failure-cases.md`, which says where each of the others is tested.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.nouns import LIVE_CHANNELS, WRITTEN_CHANNELS, Agent, Centre
from router.port import Numbered
from router.projections.contacts import Contacts
from router.projections.people import People
from tests.properties.world import World, replayed, small_centre


@pytest.fixture
def world() -> World:
    return World()


def talking(world: World, channel: str = "phone", topic: str = "burgerzaken") -> tuple[str, str]:
    """A contact in conversation, and its owner."""
    contact = world.receive(channel, topic)
    offer, agent = world.offer_of(contact)
    world.ask(commands.Accept(offer, agent))
    return contact, agent


def equals(many: int) -> Centre:
    """A centre of equal agents a0, a1 …"""
    centre = small_centre()
    skills = dict.fromkeys(centre.skills, 5)
    return replace(centre, agents=tuple(Agent(f"a{n}", "A", "A", skills, f"p{n}") for n in range(many)))


@pytest.mark.parametrize("left_in", ["waiting", "offered", "active", "wrap_up"])
def test_01_no_agent_is_answered_hours_after_hanging_up(world: World, left_in: str) -> None:
    """FreeSWITCH 1973: whenever the citizen's leg ends, no load outlives what its agent still does for it."""
    if left_in != "waiting":
        world.ready("anna")
    contact = world.receive("phone")
    if left_in in ("active", "wrap_up"):
        world.ask(commands.Accept(*world.offer_of(contact)))
    if left_in == "wrap_up":
        world.ask(commands.FinishConversation(contact, "anna"))
    world.ask(commands.EndContact(contact, "abandoned"))
    world.pass_time(3_600_000)
    assert contact not in world.state.contacts
    assert all(not agent.load for agent in world.state.agents.values())


def test_03_dispatching_goes_on_after_every_kind_of_refusal(world: World) -> None:
    """FreeSWITCH 1062, 1641: a dispatcher dead with five agents. Waiting and able means an offer, always."""
    world.ready("anna", "bert", "eef")
    first = world.receive("phone")
    for _ in range(3):
        offer, _ = world.offer_of(first)
        world.ask(commands.OfferFailed(offer, "busy"))
    assert world.offer_of(first) == ("", "")
    second = world.receive("chat")
    assert world.offer_of(second)[0]
    world.pass_time(world.centre.retry_seconds * 1000)
    assert world.offer_of(first)[0]


def test_12_an_agent_whose_phone_cannot_be_reached_is_not_asked_again_until_they_say_so(world: World) -> None:
    """FusionPBX 2831: the phone is gone from the PBX and the agent is still available."""
    world.ready("anna", "bert")
    contact = world.receive("phone", "wmo")
    world.ask(commands.OfferFailed(world.offer_of(contact)[0], "unreachable"))
    assert (world.state.agents["anna"].presence, world.state.agents["anna"].reason) == ("paused", "phone_unreachable")
    later = world.receive("phone", "wmo")
    assert world.offer_of(later) == ("", "")
    world.ready("anna")
    assert {agent for _, agent in map(world.offer_of, (contact, later)) if agent} == {"anna"}


def test_17_an_answer_that_was_not_connected_goes_back_to_its_place(world: World) -> None:
    """Asterisk 1557: the first to answer leaves before the bridge, and the others are dropped."""
    world.ready("anna")
    contact, agent = talking(world)
    rank = world.state.contacts[contact].rank
    world.pass_time(10_000)
    world.ready("eef")
    later = world.receive("phone")
    assert world.offer_of(later)[1] == "eef"
    world.ask(commands.OfferFailed(world.offer_of(later)[0], "busy"))
    world.ask(commands.ReportHeld(contact))
    found = world.state.contacts[contact]
    assert (found.state in ("waiting", "offered"), found.rank, found.owner) == (True, rank, "")
    assert world.state.agents[agent].load.get(contact) != "in_hand"


def test_18_a_conversation_outlives_every_time_limit_of_its_queue(world: World) -> None:
    """Twilio: the task expires while the call goes on. Call and contact have one end."""
    world.ready("anna")
    contact, _ = talking(world)
    world.pass_time(6 * 3_600_000)
    assert world.state.contacts[contact].state == "active"
    world.ask(commands.EndContact(contact, "citizen_left"))
    world.ask(commands.CompleteWrapUp(contact, "anna", True))
    ends = [f for _, f in world.record if isinstance(f, facts.ContactEnded) and f.contact == contact]
    assert len(ends) == 1


@pytest.mark.parametrize("state", ["waiting", "offered", "active", "wrap_up"])
@pytest.mark.parametrize("channel", sorted(LIVE_CHANNELS | WRITTEN_CHANNELS))
def test_21_no_contact_is_out_of_a_supervisors_reach(world: World, channel: str, state: str) -> None:
    """Rocket.Chat 22105, 18200: a chat that cannot be taken, moved or closed. Every open contact can be ended, and its
    agent is free then; one that waits can be moved."""
    if state != "waiting":
        world.ready("anna")
    contact = world.receive(channel)
    if state in ("active", "wrap_up"):
        world.ask(commands.Accept(*world.offer_of(contact)))
    if state == "wrap_up":
        world.ask(commands.FinishConversation(contact, "anna"))
    assert world.state.contacts[contact].state == state
    if state in ("waiting", "offered"):
        world.ask(commands.MoveContact(contact, "buiten", "sofie", "why-1"))
        assert world.state.contacts[contact].queue == "buiten"
    world.ask(commands.CloseContact(contact, "sofie", "why-2"))
    assert contact not in world.state.contacts
    assert not world.state.offers
    assert not world.state.agents["anna"].load


def test_31_counters_are_the_number_of_facts(world: World) -> None:
    """Asterisk 1736, FreePBX 40: counted twice, and the same agent again."""
    world.ready("anna", "bert")
    for command in [commands.Receive("c-x", "phone", "waterland", "k", hints=("topic:burgerzaken",))] * 3:
        world.ask(command)
    offer, agent = world.offer_of("c-x")
    for _ in range(3):
        world.ask(commands.Accept(offer, agent))
    contacts = Contacts()
    for number, (at, fact) in enumerate(world.record, 1):
        contacts.apply(Numbered(number, at, fact))
        contacts.apply(Numbered(number, at, fact))
    entry = contacts.get("c-x")
    assert entry is not None
    assert (entry.offers, entry.accepts) == (1, 1)
    assert world.state.books["phone"].received == 1


def test_32_equals_get_equally_much_and_a_backlog_goes_by_capacity() -> None:
    """Chatwoot 11034, Zendesk: one agent gets more, the first to sign in takes the night's backlog."""
    world = World(equals(3))
    backlog = [world.receive("email") for _ in range(9)]
    world.ready("a0")
    assert sum(1 for c in backlog if world.offer_of(c)[1] == "a0") < len(backlog), "not all to the first who is there"
    world.ready("a1", "a2")
    calls: dict[str, int] = dict.fromkeys(("a0", "a1", "a2"), 0)
    for contact in backlog:
        world.ask(commands.CloseContact(contact, "sup", "v-1"))
    for _ in range(30):
        contact, agent = talking(world)
        calls[agent] += 1
        world.ask(commands.FinishConversation(contact, agent))
        world.ask(commands.CompleteWrapUp(contact, agent, True))
        world.pass_time(1_000)
    assert max(calls.values()) - min(calls.values()) <= 2, calls


def test_36_talk_time_is_each_agents_own_and_a_pause_has_its_own_start(world: World) -> None:
    """FreePBX 124, Asterisk 759, 1760, 395, 1021: talk time of somebody else, pauses counted from the first one."""
    world.ready("anna", "bert")
    contact, agent = talking(world, topic="wmo")
    world.pass_time(30_000)
    world.ask(commands.Consult(contact, agent, "bert"))
    world.ask(commands.Accept(*world.offer_of(contact)))
    world.ask(commands.CompleteTransfer(contact, agent))
    world.pass_time(20_000)
    world.ask(commands.FinishConversation(contact, "bert"))
    owned = [
        (f.to_agent if isinstance(f, facts.ContactTransferred) else f.agent, at)
        for at, f in world.record
        if isinstance(f, facts.OfferAccepted | facts.ContactTransferred | facts.ConversationEnded)
        and getattr(f, "purpose", "answer") == "answer"
    ]
    assert [who for who, _ in owned] == ["anna", "bert", "bert"]
    assert [b - a for (_, a), (_, b) in itertools.pairwise(owned)] == [30_000, 20_000]
    people, since = People(), []
    world.ask(commands.CompleteWrapUp(contact, "bert", True))
    for reason in ("lunch", "break"):
        world.pass_time(60_000)
        world.ask(commands.SetPresence("bert", "paused", reason))
        since.append(world.now)
    for number, (at, fact) in enumerate(world.record, 1):
        people.apply(Numbered(number, at, fact))
    assert (people.get("bert").reason, people.get("bert").since) == ("break", since[-1])


def test_45_another_name_changes_no_relation_and_the_municipality_goes_with_the_contact(world: World) -> None:
    """FusionPBX 1141, 2712, 2736: the wrong tenant, links broken by renaming."""
    world.ready("anna")
    contact, agent = talking(world)
    renamed = tuple(replace(a, name="Anders", first_name="Anders") for a in world.centre.agents)
    towns = tuple(replace(m, name="Nieuw") for m in world.centre.municipalities)
    world.ask(commands.Configure(replace(world.centre, agents=renamed, municipalities=towns), "2"))
    assert (world.state.contacts[contact].owner, world.state.contacts[contact].municipality) == (agent, "waterland")
    assert replayed(world.record).contacts[contact].owner == agent
