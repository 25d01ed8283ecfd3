"""The transition tables, all of them. The diagrams in docs/states.md are generated from here.

Each table says, per state, which facts are legal there and where they lead. "" is the state before the beginning.
The machines are small and meet only in facts: `ContactOffered`, say, moves a contact, an offer and a slot at once.
"""

from __future__ import annotations

from typing import TypeAlias

Table: TypeAlias = dict[str, dict[str, str]]

CONTACT: Table = {
    "": {"ContactReceived": "intake"},
    "intake": {
        "ContactQueued": "waiting",
        "MessageAdded": "intake",
        "RecordingAnnounced": "intake",
        "RecordingDropped": "intake",
        "ContactEnded": "ended",
    },
    "waiting": {
        "ContactQueued": "waiting",
        "WaitExceeded": "waiting",
        "NeedsWidened": "waiting",
        "WayOutTaken": "waiting",
        "PriorityChanged": "waiting",
        "ContactReserved": "waiting",
        "MessageAdded": "waiting",
        "RecordingAnnounced": "waiting",
        "RecordingDropped": "waiting",
        "ContactOffered": "offered",
        "AnswerAdopted": "active",
        "ContactEnded": "ended",
    },
    "offered": {
        "WaitExceeded": "offered",
        "NeedsWidened": "offered",
        "PriorityChanged": "offered",
        "MessageAdded": "offered",
        "RecordingAnnounced": "offered",
        "RecordingDropped": "offered",
        "DeclineRequested": "offered",
        "OfferEnded": "waiting",
        "OfferAccepted": "active",
        "AnswerAdopted": "active",
        "ContactEnded": "ended",
    },
    "active": {
        "MessageAdded": "active",
        "ContactOffered": "active",
        "DeclineRequested": "active",
        "OfferEnded": "active",
        "OfferAccepted": "active",
        "ContactTransferred": "active",
        "ConferenceStarted": "active",
        "OutsideConsulted": "active",
        "OutsideAnswered": "active",
        "OutsideLeft": "active",
        "OutsideJoined": "active",
        "OutsideDialled": "active",
        "ParticipantLeft": "active",
        "CallRejoined": "active",
        "CallHeld": "active",
        "CallRetrieved": "active",
        "SupervisionSet": "active",
        "SupervisionEnded": "active",
        "RecordingStarted": "active",
        "RecordingPaused": "active",
        "RecordingResumed": "active",
        "RecordingDropped": "active",
        "QuestionAdded": "active",
        "WorkParked": "active",
        "WorkResumed": "active",
        "CallbackDialled": "active",
        "CallbackReached": "active",
        "CallbackFailed": "active",
        "ContactReturned": "waiting",
        "ConversationEnded": "wrap_up",
        "ContactEnded": "ended",
    },
    "wrap_up": {
        "MessageAdded": "wrap_up",
        "QuestionAdded": "wrap_up",
        "WorkParked": "wrap_up",
        "WorkResumed": "wrap_up",
        "WrapUpExtended": "wrap_up",
        "CitizenAnswered": "wrap_up",
        "ContactEnded": "ended",
    },
    "ended": {"CitizenAnswered": "ended", "ContactForgotten": ""},
}

OFFER: Table = {
    "": {"ContactOffered": "open"},
    "open": {
        "OfferAccepted": "accepted",
        "DeclineRequested": "declining",
        "OfferEnded": "over",
        "AnswerAdopted": "over",
        "ConversationEnded": "over",
        "ContactReturned": "over",
        "ContactEnded": "over",
    },
    "declining": {
        "OfferAccepted": "accepted",
        "OfferEnded": "over",
        "AnswerAdopted": "over",
        "ConversationEnded": "over",
        "ContactReturned": "over",
        "ContactEnded": "over",
    },
    "accepted": {},
    "over": {},
}

PRESENCE: dict[str, tuple[str, ...]] = {
    "signed_off": ("ready", "paused"),
    "ready": ("ready", "paused", "signed_off"),
    "paused": ("ready", "paused", "signed_off"),
}
"""An agent's presence: from each value to which others `PresenceChanged` may lead."""

TELEPHONE: dict[str, tuple[str, ...]] = {
    "free": ("elsewhere", "unregistered"),
    "elsewhere": ("free", "unregistered"),
    "unregistered": ("free", "elsewhere"),
}
"""An agent's telephone, as far as it is not in a call of ours: from each value to which others `TelephoneChanged` may
lead. `elsewhere`: it is in another call; `unregistered`: no PBX can reach it."""

CONNECTION: Table = {
    "connected": {"AgentLost": "lost"},
    "lost": {"AgentRegained": "connected"},
}

LOAD: Table = {
    "free": {"ContactOffered": "reserved", "AnswerAdopted": "in_hand"},
    "reserved": {
        "OfferAccepted": "in_hand",
        "AnswerAdopted": "in_hand",
        "OfferEnded": "free",
        "ContactEnded": "free",
    },
    "in_hand": {
        "ConversationEnded": "in_hand",
        "WorkParked": "parked",
        "ContactTransferred": "free",
        "ParticipantLeft": "free",
        "ContactReturned": "free",
        "ContactEnded": "free",
    },
    "parked": {
        "WorkResumed": "in_hand",
        "ConversationEnded": "parked",
        "ContactReturned": "free",
        "ContactEnded": "free",
    },
}
"""One slot of an agent, per contact. A transfer frees the former owner's; the new owner had one as a participant."""

PARTICIPANT: Table = {
    "": {"OfferAccepted": "consulted"},
    "consulted": {"ConferenceStarted": "conferenced", "ContactTransferred": "", "ParticipantLeft": ""},
    "conferenced": {"ContactTransferred": "", "ParticipantLeft": ""},
}
"""A colleague beside the owner of an active contact; all leave when the conversation ends or the contact returns."""

RECORDING: Table = {
    "": {"RecordingAnnounced": "announced", "RecordingDropped": "dropped"},
    "announced": {"RecordingStarted": "on", "RecordingDropped": "dropped"},
    "on": {
        "RecordingPaused": "paused",
        "RecordingDropped": "dropped",
        "OutsideDialled": "announced",
        "OutsideJoined": "announced",
        "ContactReturned": "announced",
        "ConversationEnded": "announced",
        "ContactEnded": "announced",
    },
    "paused": {
        "RecordingResumed": "on",
        "RecordingDropped": "dropped",
        "OutsideDialled": "announced",
        "OutsideJoined": "announced",
        "ContactReturned": "announced",
        "ConversationEnded": "announced",
        "ContactEnded": "announced",
    },
    "dropped": {},
}
"""Whether a call is recorded. A recording is over by the same fact as the stretch with agents that it covers."""

LANE: Table = {
    "": {"LaneStranded": "stranded"},
    "stranded": {"LaneStranded": "stranded", "LaneCleared": ""},
}
"""Contacts that the same agents can take: whether somebody is there for them."""

FOLLOW_UP: Table = {
    "": {"FollowUpMade": "open"},
    "open": {
        "FollowUpAssigned": "open",
        "CallbackPlanned": "open",
        "FollowUpOverdue": "overdue",
        "FollowUpKept": "kept",
    },
    "overdue": {"FollowUpAssigned": "overdue", "CallbackPlanned": "overdue", "FollowUpKept": "kept"},
    "kept": {},
}

DIALLING: Table = {
    "": {"CallbackDialled": "dialling"},
    "dialling": {
        "CallbackReached": "reached",
        "CallbackFailed": "",
        "ConversationEnded": "",
        "ContactReturned": "",
        "ContactEnded": "",
    },
    "reached": {"ConversationEnded": "", "ContactReturned": "", "ContactEnded": ""},
}
"""The telephones of a callback in hand."""

DELIVERY: dict[str, tuple[str, ...]] = {
    "due": ("started", "delivered", "failed"),
    "started": ("delivered", "failed", "unknown"),
    "delivered": (),
    "failed": (),
    "unknown": (),
}
"""An outgoing message: `started` is the point of no return."""

CHANNEL: Table = {
    "open": {"ChannelClosed": "closed"},
    "closed": {"ChannelClosed": "closed", "ChannelReopened": "open"},
}
"""A live channel of a municipality, as a supervisor has set it; while it is `open`, its opening hours decide."""

CALAMITY: Table = {
    "off": {"CalamityAnnounced": "on"},
    "on": {"CalamityAnnounced": "on", "CalamityWithdrawn": "off"},
}
"""The calamity message of a municipality."""

_OVER = {"ConversationEnded": "", "ContactReturned": "", "ContactEnded": ""}

OUTSIDE: Table = {
    "": {"OutsideConsulted": "ringing", "OutsideDialled": "through"},
    "ringing": {"OutsideAnswered": "talking", "OutsideLeft": "", **_OVER},
    "talking": {"OutsideLeft": "", "OutsideJoined": "through", **_OVER},
    "through": _OVER,
}
"""Somebody outside the centre in an active call: the owner asks them first (ringing, talking), or the citizen is being
put through to them, until they have answered there."""

OPEN_STATES: tuple[str, ...] = ("intake", "waiting", "offered", "active", "wrap_up")

ALL: dict[str, Table] = {
    "Contact": CONTACT,
    "Offer": OFFER,
    "Agent presence": {s: {f"PresenceChanged {t}": t for t in to} for s, to in PRESENCE.items()},
    "Agent connection": CONNECTION,
    "Agent telephone": {s: {f"TelephoneChanged {t}": t for t in to} for s, to in TELEPHONE.items()},
    "Agent load": LOAD,
    "Participant": PARTICIPANT,
    "Somebody outside": OUTSIDE,
    "Recording": RECORDING,
    "Lane": LANE,
    "Follow-up": FOLLOW_UP,
    "Callback's telephones": DIALLING,
    "Channel": CHANNEL,
    "Calamity message": CALAMITY,
    "Delivery": {s: {f"DeliveryNoted {t}": t for t in to} for s, to in DELIVERY.items()},
}


class Illegal(AssertionError):
    """A fact that the tables do not allow here: the record or the engine is wrong."""


def follow(table: Table, state: str, fact: str) -> str:
    """The state after `fact`. Raises Illegal."""
    after = table.get(state, {}).get(fact)
    if after is None:
        raise Illegal(f"{fact} is not legal in state {state or 'before the beginning'}")
    return after


def diagram(name: str) -> str:
    """One machine as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for state, arrows in ALL[name].items():
        for fact, after in arrows.items():
            lines.append(f"    {state or '[*]'} --> {after or '[*]'}: {fact}")
    return "\n".join(lines)
