"""The invariants that must hold after every command, each judged from scratch, however the engine keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from router.engine import facts
from router.engine.explain import excluded, explain
from router.engine.index import unavailable
from router.engine.reach import OUT_OF_REACH
from router.engine.state import RECORDED, AgentState, Books, ContactState, State
from router.nouns import Agent, Queue
from router.queues.lanes import lane_name
from router.skills.matching import missing_skill
from router.skills.widening import widest

RESERVE_SECONDS = 15
"""What the queues of the small centre allow at most."""


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
        assert bool(contact.outside_state) == bool(contact.outside and contact.state == "active")
        assert bool(contact.outside_until) == (contact.outside_state in ("ringing", "through"))
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
    _check_recordings(state)
    _check_callbacks(state)
    _check_agents(state)
    _check_rivals(state)
    _check_liveness(state, now)


def _check_recordings(state: State) -> None:
    """Only conversations are recorded; and each recording is waited for until it is kept or thrown away."""
    for contact in state.contacts.values():
        unsaved = state.recordings.get(contact.id)
        if contact.recording in RECORDED:
            assert (contact.channel, contact.state) == ("phone", "active")
            assert contact.outside_state != "through"
            assert unsaved is not None
            assert unsaved.numbers[-1] == contact.recordings
        assert contact.recording != "dropped" or unsaved is None
    for id, unsaved in state.recordings.items():
        assert id in state.contacts or id in state.ended
        assert unsaved.numbers == tuple(sorted(set(unsaved.numbers)))


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


def check_waiting(state: State, record: list[tuple[int, facts.Fact]]) -> None:
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


def check_order(state: State, recent: tuple[facts.Fact, ...], now: int) -> None:
    """Invariant 9: whoever was asked just now could not have taken anybody who came before and waits still.

    Over all channels and queues. A queue with policy `resolution` has an order of its own, and callbacks and those on
    the line let each other through where the centre says so: both bounded elsewhere.
    """
    changed = {fact.contact for fact in recent if isinstance(fact, facts.ContactQueued | facts.NeedsWidened)}
    for fact in recent:
        match fact:
            case facts.ContactOffered(contact=id, agent=agent, purpose="answer") if id in state.contacts:
                offered = state.contacts[id]
                if offered.offer != fact.offer or _scored(state, offered):
                    continue
                beside = [state.contacts[c].channel for c in state.agents[agent].load if c != id]
                room = state.index.capacity(agent).room(beside + _elsewhere(state.agents[agent]))
                for other in state.contacts.values():
                    if other.state != "waiting" or other.since == now or other.place > offered.place:
                        continue
                    if other.id in changed:  # it may have come where this agent can take it after the offer
                        continue
                    if state.config.callbacks.live_between_max and "callback" in (offered.channel, other.channel):
                        continue
                    assert _scored(state, other) or not _may(state, other, agent, now, room), f"{id} before {other.id}"


def _scored(state: State, contact: ContactState) -> bool:
    topic = state.config.topic(contact.topic)
    queue = state.config.queue(topic.queue) if topic else None
    return queue is not None and queue.policy == "resolution"


def _may(state: State, contact: ContactState, agent: str, now: int, room: Collection[str]) -> bool:
    """Whether the agent, with this room, could have been asked for the contact."""
    configured = state.index.agents[agent]
    wanted = contact.wanted_agent if contact.wanted_until > now else ""
    return (
        contact.channel in room
        and not state.unseen(contact)
        and _rings(configured, state.agents[agent], contact.channel)
        and (wanted == agent if wanted else not missing_skill(configured, contact.needs))
        and contact.again_at.get(agent, 0) <= now
        and (bool(wanted) or contact.channel not in ("email", "post"))
    )


def _elsewhere(agent: AgentState) -> list[str]:
    """A call that is none of ours is a call all the same."""
    return ["phone"] if agent.telephone == "elsewhere" else []


def _rings(agent: Agent, person: AgentState, channel: str) -> bool:
    """Whether the agent has the telephone that the channel asks, and it can be reached."""
    if channel == "phone" and not agent.endpoint:
        return False
    return channel not in ("phone", "callback") or not agent.endpoint or person.telephone != "unregistered"


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
    reached = [
        p
        for p in there
        if p.connection != "lost"
        and not (p.presence == "paused" and p.reason in OUT_OF_REACH)
        and not (contact.channel in ("phone", "callback") and p.telephone == "unregistered")
    ]
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
        there = (id for id in crew.present if _rings(state.index.agents[id], state.agents[id], crew.channel))
        taken = [id for id in there if id not in crew.free] if crew.reserves else []
        scores = {id: crew.score(id, state.agents[id].occupancy) for id in taken}
        rates = {id: 1_000_000 // max(crew.seconds[id], 1) for id in taken}
        assert crew.rivals.order == sorted((-scores[id], rates[id], id) for id in taken)
        for score in scores.values():
            better = (id for id in taken if scores[id] > score)
            assert crew.rivals.gain(score) == sum((scores[id] - score) * rates[id] for id in better)
        assert crew.order == sorted(crew.free.values())


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
                and _rings(agent, person, contact.channel)
                and contact.channel
                in state.index.capacity(agent.id).room(
                    [*(state.contacts[c].channel for c in person.load), *_elsewhere(person)]
                )
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
