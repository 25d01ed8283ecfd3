"""Written work fills quiet minutes: it leaves enough people free for calls, and is never starved."""

from __future__ import annotations

from dataclasses import replace

from router.engine import commands
from router.engine.explain import explain
from router.engine.index import rebuild_index
from router.nouns import Agent, Centre, QueueTarget
from tests.properties.world import World
from tests.unit.test_capacity import equals

HOUR = 3_600_000


def quiet(agents: int, free: int, *more: Agent) -> Centre:
    """Equal agents, in one queue that keeps `free` of them for calls, for at most an hour."""
    centre = equals(agents)
    queues = tuple(
        replace(q, quiet_free=free, quiet_seconds=3_600, targets={"email": QueueTarget(7_200, 0.9)})
        for q in centre.queues
    )
    return replace(centre, queues=queues, agents=centre.agents + more)


def test_written_work_is_offered_only_while_enough_others_are_free() -> None:
    world = World(quiet(3, 1))
    world.ready("a0", "a1", "a2")
    mails = [world.receive("email") for _ in range(4)]
    assert [bool(world.offer_of(mail)[0]) for mail in mails] == [True, True, False, False]
    idle = [a for a in world.state.agents.values() if not a.load]
    assert len(idle) == 1
    assert world.offer_of(world.receive("phone"))[1] == idle[0].id


def test_who_comes_free_takes_it_at_once() -> None:
    world = World(quiet(2, 1))
    world.ready("a0")
    mail = world.receive("email")
    assert world.offer_of(mail) == ("", "")
    world.ready("a1")
    assert world.offer_of(mail)[1] == "a0"


def test_it_is_held_back_for_a_bounded_time() -> None:
    world = World(quiet(1, 1))
    world.ready("a0")
    mail = world.receive("email")
    world.pass_time(HOUR - 1)
    assert world.offer_of(mail) == ("", "")
    world.pass_time(1)
    assert world.offer_of(mail)[1] == "a0"


def test_overdue_work_goes_its_way_whatever_the_time_it_may_be_held_back() -> None:
    centre = quiet(1, 1)
    days = tuple(replace(queue, quiet_seconds=30 * 86_400) for queue in centre.queues)
    world = World(replace(centre, queues=days))
    world.ready("a0")
    mail = world.receive("email")
    world.pass_time(2 * HOUR)
    assert world.state.contacts[mail].tier == 0
    assert world.offer_of(mail)[1] == "a0"


def test_who_can_take_no_calls_works_on() -> None:
    skills = {"burgerzaken": 5}
    writer = Agent("writer", "W", "W", skills, combinations=({"email": 2}, {"post": 2}))
    world = World(quiet(1, 1, writer))
    world.ready("a0", "writer")
    mails = [world.receive("email") for _ in range(3)]
    assert [world.offer_of(mail)[1] for mail in mails] == ["writer", "writer", ""]
    why = explain(world.state, mails[2], world.now, details=True)
    assert why.details == {"a0": "quiet", "writer": "busy"}
    assert explain(world.state, mails[2], world.now).excluded == {"quiet": 1, "busy": 1}


def test_a_contact_handed_to_one_colleague_is_not_held_back() -> None:
    world = World(quiet(2, 2))
    world.ready("a0")
    mail = world.receive("email")
    world.pass_time(HOUR)
    world.ask(commands.Accept(world.offer_of(mail)[0], "a0"))
    world.ready("a1")
    world.ask(commands.HandOver(mail, "a0", to_agent="a1"))
    assert world.offer_of(mail)[1] == "a1"


def test_a_rebuilt_index_holds_back_the_same_and_as_long() -> None:
    world = World(quiet(2, 1))
    world.ready("a0")
    mail = world.receive("email")
    rebuild_index(world.state)
    world.ask(commands.Tick())
    assert world.offer_of(mail) == ("", "")
    world.pass_time(HOUR)
    assert world.offer_of(mail)[1] == "a0"
