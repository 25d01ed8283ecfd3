"""What one agent may have at once, what gives way to what, and the races in which systems break such limits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from router.engine import commands, facts
from router.nouns import Agent, Centre, ChannelRules
from router.skills.capacity import Capacity
from tests.properties.world import World, small_centre

RULES = {
    "phone": ChannelRules(20),
    "chat": ChannelRules(20),
    "counter": ChannelRules(30),
    "email": ChannelRules(60, ("phone", "chat", "counter")),
    "post": ChannelRules(60, ("phone", "counter")),
}
COMBINATIONS = ({"phone": 1}, {"chat": 3}, {"post": 1, "chat": 1}, {"email": 2}, {"counter": 1})
CAPACITY = Capacity(COMBINATIONS, RULES)


def equals(many: int, combinations: tuple[dict[str, int], ...] = COMBINATIONS) -> Centre:
    """A centre of equal agents a0, a1 … who can take everything."""
    centre = small_centre()
    skills = dict.fromkeys(centre.skills, 5)
    agents = tuple(Agent(f"a{n}", "A", "A", skills, f"p{n}") for n in range(many))
    return replace(centre, agents=agents, channels=RULES, combinations=combinations)


def at_work(*channels: str) -> tuple[World, list[str]]:
    """One agent, a0, with these in conversation."""
    world = World(equals(1))
    world.ready("a0")
    contacts = [world.receive(channel) for channel in channels]
    for contact in contacts:
        assert world.ask(commands.Accept(world.offer_of(contact)[0], "a0")), contact
    return world, contacts


def load_of(world: World, agent: str = "a0") -> dict[str, str]:
    return world.state.agents[agent].load


# -- combinations ---------------------------------------------------------------------------------------------


def test_one_call_or_three_chats_or_one_letter_with_a_chat() -> None:
    assert CAPACITY.room(()) == {"phone", "chat", "counter", "email", "post"}
    assert CAPACITY.room(("phone",)) == set()
    assert CAPACITY.room(("chat", "chat")) == {"chat"}
    assert CAPACITY.room(("chat", "chat", "chat")) == set()
    assert CAPACITY.room(("chat",)) == {"chat", "post"}
    assert CAPACITY.room(("chat", "post")) == set()


def test_written_work_leaves_room_for_what_goes_before_it() -> None:
    assert CAPACITY.room(("email", "email")) == {"phone", "chat", "counter"}
    assert CAPACITY.room(("post",)) == {"phone", "chat", "counter"}
    assert CAPACITY.room(("email", "phone")) == set()
    assert CAPACITY.room(("email", "chat")) == {"chat"}, "a letter beside the chat would be too much with the mail"


@given(st.lists(st.sampled_from(sorted(RULES)), max_size=8))
def test_what_was_let_in_fits_at_every_moment_after(arrivals: list[str]) -> None:
    """Let in one by one where there is room; then whatever ends, in whatever order, what is left is carried."""
    held: list[str] = []
    for channel in arrivals:
        if channel in CAPACITY.room(held):
            held.append(channel)
    for gone in range(1 << len(held)):
        left = [channel for n, channel in enumerate(held) if not gone >> n & 1]
        parked = CAPACITY.parked(left)
        worked = [channel for channel in left if channel not in parked]
        assert any(all(worked.count(c) <= one.get(c, 0) for c in worked) for one in COMBINATIONS), left


# -- parking --------------------------------------------------------------------------------------------------


def test_a_mail_in_hand_keeps_nobody_from_a_call_and_lies_still_meanwhile() -> None:
    world, (mail, call) = at_work("email", "phone")
    assert load_of(world) == {mail: "parked", call: "in_hand"}
    world.ask(commands.FinishConversation(call, "a0"))
    assert load_of(world)[mail] == "parked", "until the call has been wrapped up"
    world.ask(commands.CompleteWrapUp(call, "a0", True))
    assert load_of(world) == {mail: "in_hand"}
    kinds = [type(fact) for _, fact in world.record if isinstance(fact, facts.WorkParked | facts.WorkResumed)]
    assert kinds == [facts.WorkParked, facts.WorkResumed]


def test_a_ringing_phone_parks_nothing_until_it_is_answered() -> None:
    world, (mail,) = at_work("email")
    call = world.receive("phone")
    assert load_of(world) == {mail: "in_hand", call: "reserved"}
    world.ask(commands.OfferFailed(world.offer_of(call)[0], "busy"))
    assert load_of(world) == {mail: "in_hand"}


def test_the_wrap_up_of_parked_work_does_not_run_out() -> None:
    world, (mail,) = at_work("email")
    world.ask(commands.FinishConversation(mail, "a0"))
    call = world.receive("phone")
    world.ask(commands.Accept(world.offer_of(call)[0], "a0"))
    world.pass_time(600_000)
    assert load_of(world)[mail] == "parked"
    world.ask(commands.EndContact(call, "citizen_left"))
    world.ask(commands.CompleteWrapUp(call, "a0", True))
    assert world.state.contacts[mail].due_at == world.now + 60_000
    world.pass_time(61_000)
    assert mail not in world.state.contacts


def test_parked_work_can_still_be_finished() -> None:
    world, (mail, call) = at_work("email", "phone")
    world.ask(commands.FinishConversation(mail, "a0"))
    assert load_of(world)[mail] == "parked"
    world.ask(commands.CompleteWrapUp(mail, "a0", True))
    assert load_of(world) == {call: "in_hand"}


def test_time_beside_a_call_is_busy_time_once() -> None:
    world, (mail, call) = at_work("email", "phone")
    world.pass_time(100_000)
    for contact in (mail, call):
        world.ask(commands.FinishConversation(contact, "a0"))
        world.ask(commands.CompleteWrapUp(contact, "a0", True))
    assert world.state.agents["a0"].busy_ms == 100_000


def test_another_configuration_parks_and_resumes_at_once() -> None:
    world, (mail, call) = at_work("email", "phone")
    beside = {**RULES, "email": ChannelRules(60)}
    together = ({"phone": 1, "email": 1},)
    world.ask(commands.Configure(replace(world.centre, channels=beside, combinations=together), "2"))
    assert load_of(world) == {mail: "in_hand", call: "in_hand"}


# -- races that broke limits elsewhere ------------------------------------------------------------------------


def test_two_at_the_same_moment_never_break_the_limit() -> None:
    """Rocket.Chat 19352, 35722, 37776: a limit broken by concurrency. Every order of two offers is tried."""
    for first, second in (("phone", "chat"), ("chat", "phone"), ("phone", "phone"), ("email", "phone")):
        world = World(equals(1))
        one, two = world.receive(first), world.receive(second)
        world.ready("a0")
        for contact in (two, one, two, one):
            offer, agent = world.offer_of(contact)
            if offer:
                world.ask(commands.Accept(offer, agent))
        live = [c for c, load in load_of(world).items() if load == "in_hand"]
        assert len(live) == 1, (first, second)


def test_a_burst_goes_to_as_many_agents_as_there_are() -> None:
    """OpenACD 5: a burst all tries the same agent."""
    world = World(equals(8))
    calls = [world.receive("phone") for _ in range(8)]
    world.ready(*(f"a{n}" for n in range(8)))
    assert {world.offer_of(call)[1] for call in calls} == {f"a{n}" for n in range(8)}


def test_after_any_transfer_the_load_is_what_is_open() -> None:
    """OpenACD 69: idle after a transfer and never called again."""
    for hand_over in ({"queue": "buiten"}, {"to_agent": "a1"}):
        world = World(equals(2))
        world.ready("a0")
        call = world.receive("phone")
        world.ask(commands.Accept(world.offer_of(call)[0], "a0"))
        world.ready("a1")
        world.ask(commands.HandOver(call, "a0", **hand_over))
        assert load_of(world, "a0") == {}
        assert load_of(world, "a1") == {call: "reserved"}
        assert world.offer_of(world.receive("phone"))[1] == "a0"


def test_one_wrap_up_ends_nobody_elses() -> None:
    """OpenSIPS 2679: wrap-up ends for all when the last ends."""
    world = World(equals(2))
    calls = [world.receive("phone") for _ in range(2)]
    world.ready("a0", "a1")
    for call in calls:
        world.ask(commands.Accept(*world.offer_of(call)))
    first, second = ((call, world.state.contacts[call].owner) for call in calls)
    world.ask(commands.FinishConversation(*first))
    world.pass_time(30_000)
    world.ask(commands.FinishConversation(*second))
    world.pass_time(31_000)  # the first one's 60 s are over, not the second one's
    assert first[0] not in world.state.contacts
    assert world.state.contacts[second[0]].state == "wrap_up"
    assert world.state.contacts[second[0]].due_at == world.now + 29_000
    assert load_of(world, second[1]) == {second[0]: "in_hand"}


def test_a_call_goes_to_who_has_nothing_in_hand_before_it_interrupts_anybody() -> None:
    world = World(equals(2))
    world.ready("a0")
    mail = world.receive("email")
    world.ask(commands.Accept(world.offer_of(mail)[0], "a0"))
    world.pass_time(60_000)
    world.ready("a1")
    calls = [world.receive("phone"), world.receive("phone")]
    assert [world.offer_of(call)[1] for call in calls] == ["a1", "a0"]
