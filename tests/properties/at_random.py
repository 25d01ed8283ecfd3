"""Any command, sent in any order, once or several times, to the small centre."""

from __future__ import annotations

import random
from dataclasses import replace

from router.engine import commands
from router.engine.state import State
from router.nouns import POLICIES, Centre, Estimates, Question, TopicEstimate
from tests.properties.invariants import RESERVE_SECONDS
from tests.properties.world import CHANNELS, OVERTAKEN_MAX, TOPICS, World, open_centre, small_centre

POLICY_PAIRS = (
    ("skill-level", "skill-level"),
    ("resolution", "resolution"),
    ("longest-idle", "resolution"),
    ("resolution", "longest-idle"),
)
"""Policies of the two queues of the small centre; random worlds take turns."""


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
    shared = any(
        c.held_since or c.outside_until or c.participants or (c.offer and c.state == "active")
        for c in state.contacts.values()
    )
    rests = any(person.after_work_until for person in state.agents.values())
    if (shared or rests) and random.random() < 0.4:
        return random.choice(_together(random, state, contact, holder, agent))
    records = state.recordings or any(c.recording in ("on", "paused") for c in state.contacts.values())
    if random.random() < (0.3 if records else 0.05):
        return random.choice(_recordings(state, random, contact, holder))
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
        commands.RejoinCall(contact, holder),
        commands.LosePhone(contact, holder),
        commands.AddQuestion(contact, holder, random.choice(TOPICS)),
        commands.MoveContact(contact, random.choice(["balie", "buiten"]), "sup", "v-2"),
        commands.CloseContact(contact, "sup", "v-3"),
        commands.SetPriority(contact, random.randint(1, 9), "sup", "v-2"),
        commands.LeaveVoicemail(contact, "v-9"),
        commands.TakeCallback(
            contact, f"{new}-back", random.choice([0, 0, world.now + 90_000]), citizen=random.choice(["", "", "z-1"])
        ),
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
        commands.ReportTelephones({agent: random.choice([*(4 * ["free"]), "elsewhere", "unregistered"])}),
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
    now = commands.CallNow(random.choice([*state.follow_ups, "f-x"]), random.choice(["anna", "bert", "nobody"]))
    how = random.choice(["answered", "busy", "no_answer", "agent_busy", "cancelled"])
    if found and found.offer:
        return (commands.Accept(found.offer, state.offers[found.offer].agent),)
    if found is None or not found.promise:
        return planned, planned, now
    return (
        now,
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
    calls = [c for c in calls if c.held_since or c.outside_state or c.participants or c.offer] or calls
    resting = next((person.id for person in state.agents.values() if person.after_work_until), "")
    if resting and random.random() < 0.3:
        return (commands.FinishAfterWork(resting),)
    if calls and random.random() < 0.9:
        call = random.choice(calls)
        contact, holder = call.id, call.owner
        if call.offer:
            return (commands.Accept(call.offer, state.offers[call.offer].agent),) * 4
        if call.outside_state and random.random() < 0.8:
            answered = commands.ReportOutside(call.id, random.random() < 0.8)
            join, back = commands.CompleteTransfer(contact, holder), commands.CancelOutside(contact, holder)
            leaves = commands.EndContact(contact, "citizen_left")
            return (join, join, answered, back, leaves) if call.outside_state == "talking" else (answered, back, leaves)
        free = [id for id, person in state.agents.items() if not person.load and person.presence != "signed_off"]
        agent = random.choice([*call.participants] or free or [agent])
    return (
        *(commands.Consult(contact, holder, agent),) * 3,
        commands.HoldCall(contact, holder),
        commands.RetrieveCall(contact, holder),
        commands.CancelConsult(contact, holder),
        commands.CompleteTransfer(contact, holder),
        commands.StartConference(contact, holder),
        commands.StartConference(contact, holder),
        commands.Supervise(contact, "sup", random.choice(["listen", "whisper", "barge", "shout"]), "s1"),
        commands.EndSupervision(contact, "sup"),
        commands.LeaveConversation(contact, random.choice([holder, agent])),
        commands.FinishAfterWork(agent),
        commands.HandOver(contact, holder, to_agent=agent),
        commands.PassOutside(contact, holder, random.choice(["rijk", "nergens"])),
        *(commands.PassOutside(contact, holder, "rijk", consult=True),) * 2,
        commands.PassOutside(contact, holder, number_ref="v-9"),
        commands.CancelOutside(contact, holder),
        commands.ReportOutside(contact, random.random() < 0.5),
    )


def _recordings(state: State, random: random.Random, contact: str, holder: str) -> tuple[commands.Command, ...]:
    """Commands about recordings, mostly of a call that is recorded."""
    recorded = [c for c in state.contacts.values() if c.recording in ("on", "paused")]
    if recorded and random.random() < 0.8:
        found = random.choice(recorded)
        contact, holder = found.id, random.choice([found.owner, *found.participants])
        if found.recording == "paused" and random.random() < 0.5:
            return (commands.ResumeRecording(contact, holder),)
    unsaved = random.choice([*state.recordings, contact])
    early = [c.id for c in state.contacts.values() if c.channel == "phone" and c.state in ("waiting", "offered")]
    return (
        commands.AnnounceRecording(random.choice(early or [contact])),
        commands.AnnounceRecording(contact, random.random() < 0.3),
        commands.PauseRecording(contact, holder),
        commands.ResumeRecording(contact, holder),
        commands.DropRecording(contact, random.choice(["", holder])),
        commands.StoreRecording(unsaved, random.choice([1, 1, 2]), ("v-8",), 60, state.at + 10**10),
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
        for _ in range(dice.choice([1, 1, 1, 2, 5])):
            world.ask(command)
        if dice.random() < 0.4:
            world.pass_time(dice.choice([5, 500, 3_000, 15_000, 40_000, 200_000]))
    world.pass_time(0)  # what is due already
    return world
