"""The shapes of the protocol that are made from the read models: contact, decision, follow-ups, board."""

from __future__ import annotations

import msgspec

from router.engine.explanation import Explanation


class QuestionOutcome(msgspec.Struct, frozen=True):
    """One question of a contact, and whether it was settled."""

    topic: str
    resolved: bool | None


class Contact(msgspec.Struct, frozen=True):
    """A contact without personal data (protocol 3.2)."""

    id: str
    channel: str
    municipality: str
    state: str
    """intake, waiting, offered, active, wrap_up, ended"""
    topic: str
    queue: str
    language: str
    received_at: int
    state_since: int
    due_at: int | None
    """Until when a first answer is within the norm; None = there is none, or it is not queued yet."""
    agent: str | None
    offers: int
    messages: int
    ended_reason: str | None
    resolved: bool | None
    """All its questions settled in one go, as the agent says; None = nobody said."""
    questions: list[QuestionOutcome]
    """The first is of `topic`."""
    """The agent's own answer."""
    citizen_answered: bool | None
    """The citizen's answer to "is uw vraag beantwoord?"."""
    citizen_mark: int | None
    linked_to: str | None
    number: int
    """The last fact that changed it."""
    step: int = 0
    """Steps of widening that it has had in its queue."""
    priority: int | None = None
    """Its own, 1 (most urgent) to 9; None = its queue's."""
    ways: list[str] = []
    """Ways out of a queue that it has taken, as `<queue>><kind>:<to>`."""


class Candidate(msgspec.Struct, frozen=True):
    """One agent who could take the contact."""

    agent: str
    level: int
    idle_since: int
    chance: int = 0
    score: int = 0


class Decision(msgspec.Struct, frozen=True):
    """Why an offer went where it went, or why a contact waits (protocol 3.3)."""

    offer: str
    at: int
    queue: str
    topic: str
    needs: dict[str, int]
    chosen: str
    candidates: list[Candidate]
    excluded: dict[str, int]
    rule: str
    engine: str
    configuration: str
    waiting_before: int
    details: dict[str, str]
    reserved_until: int = 0
    """Until when (ms) it is, or was, kept for a better agent; 0 = never."""
    step: int = 0
    """Steps of widening in force."""
    stranded: str = ""
    """nobody_has_skill, nobody_signed_on, nobody_reachable, or empty"""


class ChannelBoard(msgspec.Struct, frozen=True):
    """One channel of one queue, now and today."""

    channel: str
    waiting: int
    longest_wait_seconds: int
    offered: int
    active: int
    wrap_up: int
    service_level: float | None
    """None when nobody has entered yet."""
    answered: int
    entered: int
    abandoned: int
    target_seconds: int
    """0 when the norm is in working time, or there is none."""
    target_share: float
    target_working_hours: int
    target_working_days: int


class QueueBoard(msgspec.Struct, frozen=True):
    """One queue, now and today."""

    queue: str
    waiting: int
    longest_wait_seconds: int
    channels: list[ChannelBoard]
    resolved: float | None
    resolved_of: int
    finished: int
    ready: int
    alarm: str
    """nobody, late, or empty"""
    stranded: dict[str, int] = {}
    """Why nobody is there -> for how many: nobody_has_skill, nobody_signed_on, nobody_reachable."""


class ChannelTotals(msgspec.Struct, frozen=True):
    """The books of one channel: received = intake + waiting + offered + active + wrap_up + ended."""

    channel: str
    received: int
    intake: int
    waiting: int
    offered: int
    active: int
    wrap_up: int
    ended: int
    service_level: float | None


class AgentCounts(msgspec.Struct, frozen=True):
    """How many agents are in which state."""

    ready: int = 0
    busy: int = 0
    wrap_up: int = 0
    paused: int = 0
    signed_off: int = 0


class Person(msgspec.Struct, frozen=True):
    """One agent as a supervisor sees them."""

    agent: str
    name: str
    state: str
    """ready, busy, wrap_up, paused, signed_off"""
    since: int
    reason: str
    contacts: dict[str, int]
    listeners: dict[str, str] = {}
    """Supervisor -> how they take part in this agent's call: listen, whisper or barge."""
    telephone: str = "free"
    """free (or in a call of ours), elsewhere (in another call) or unregistered; the last two get no calls"""


class FollowUpCounts(msgspec.Struct, frozen=True):
    """Promises not kept yet; `overdue` are among the open."""

    open: int
    overdue: int


class Measure(msgspec.Struct, frozen=True):
    """A share and what it is a share of."""

    share: float | None
    """None when there is nothing to share."""
    of: int


class Measures(msgspec.Struct, frozen=True):
    """First contact resolution by three measures that are never mixed (protocol 3.4)."""

    finished: int
    """Questions of contacts that an agent finished."""
    agent: Measure
    """By the agent's own answer."""
    citizen: Measure
    """By the citizen's answer to "is uw vraag beantwoord?"."""
    no_repeat: Measure
    """By who did not come back with the same topic within the centre's repeat_days."""
    mark: float | None
    """Mean of the citizens' marks, 1 to 10."""
    mark_of: int


class OutcomeReport(msgspec.Struct, frozen=True):
    """The three measures over some days, in total, per queue and per topic (protocol 3.4)."""

    at: int
    since: int
    """Local midnight at which the first of the days began."""
    days: int
    repeat_days: int
    total: Measures
    queues: dict[str, Measures]
    topics: dict[str, Measures]
    definitions: dict[str, str]


class Transfers(msgspec.Struct, frozen=True):
    """What became of calls that were transferred (protocol 3.7): shares of `of`, None when there were none."""

    of: int
    helped: float | None
    fell_back: float | None
    left: float | None
    wait_seconds: float | None
    """Mean of the helped."""


class TransferNorms(msgspec.Struct, frozen=True):
    """Helped: at least so many; waited on average, fell back: less than so much."""

    helped: float
    wait_seconds: int
    fell_back: float


class TransferReport(msgspec.Struct, frozen=True):
    """The same over some days, in total, per kind (queue, colleague, warm, outside) and per queue it came from."""

    at: int
    since: int
    """Local midnight at which the first of the days began."""
    days: int
    total: Transfers
    kinds: dict[str, Transfers]
    queues: dict[str, Transfers]
    norms: TransferNorms
    definitions: dict[str, str]


class Closed(msgspec.Struct, frozen=True):
    """A channel that a supervisor has closed."""

    channel: str
    reason: str
    since: int
    until: int | None
    """None = until somebody opens it."""
    by: str
    """Empty on screens that show no people."""


class Opening(msgspec.Struct, frozen=True):
    """What is open at one municipality now, and what a supervisor has decided."""

    municipality: str
    open: dict[str, bool]
    """Per channel that can be closed at once."""
    closed: list[Closed]
    calamity: dict[str, str] | None
    """The announcement that is on, per language."""
    calamity_since: int | None
    calamity_by: str


class Board(msgspec.Struct, frozen=True):
    """The whole board (protocol 4.3)."""

    number: int
    at: int
    queues: list[QueueBoard]
    channels: list[ChannelTotals]
    agents: AgentCounts
    people: list[Person]
    resolved: float | None
    resolved_of: int
    finished: int
    resolved_target: float
    follow_ups: FollowUpCounts
    today_since: int
    outcomes: Measures
    """Of today; `resolved`, `resolved_of` and `finished` repeat the agents' part of it."""
    outcomes_lately: Measures
    """Of the last `outcomes_days` days, today included."""
    outcomes_days: int
    transfers: Transfers
    """Of today."""
    transfers_lately: Transfers
    """Of the last `outcomes_days` days, today included."""
    transfer_norms: TransferNorms
    repeat_days: int
    openings: list[Opening]


def without_people(board: Board) -> Board:
    """The board as a screen on the wall may show it."""
    replace = msgspec.structs.replace
    openings = [
        replace(one, closed=[replace(channel, by="") for channel in one.closed], calamity_by="")
        for one in board.openings
    ]
    return replace(board, people=[], openings=openings)


def decision(explanation: Explanation) -> Decision:
    """The explanation as the protocol shows it."""
    return Decision(
        offer=explanation.offer,
        at=explanation.at,
        queue=explanation.queue,
        topic=explanation.topic,
        needs=explanation.needs,
        chosen=explanation.chosen,
        candidates=[
            Candidate(one.agent, one.level, one.idle_since, one.chance, one.score) for one in explanation.candidates
        ],
        excluded=explanation.excluded,
        rule=explanation.rule,
        engine=explanation.engine,
        configuration=explanation.configuration,
        waiting_before=explanation.waiting_before,
        details=explanation.details,
        reserved_until=explanation.reserved_until,
        step=explanation.step,
        stranded=explanation.stranded,
    )
