"""What facts about closed channels and calamity messages change."""

from __future__ import annotations

from router.engine import facts
from router.engine.moves import Handler
from router.engine.state import State
from router.engine.tables import CALAMITY, CHANNEL, follow
from router.nouns import Calamity, Closing


def closing_key(municipality: str, channel: str) -> str:
    return f"{municipality}|{channel}"


def _channel_closed(state: State, fact: facts.ChannelClosed, number: int, at: int) -> None:
    key = closing_key(fact.municipality, fact.channel)
    follow(CHANNEL, "closed" if key in state.closings else "open", "ChannelClosed")
    state.closings[key] = Closing(fact.municipality, fact.channel, fact.reason, fact.by, at, fact.until)
    if fact.until:
        state.index.alarms.set(fact.until, "reopen", key)


def _channel_reopened(state: State, fact: facts.ChannelReopened, number: int, at: int) -> None:
    key = closing_key(fact.municipality, fact.channel)
    follow(CHANNEL, "closed" if key in state.closings else "open", "ChannelReopened")
    del state.closings[key]


def _calamity_announced(state: State, fact: facts.CalamityAnnounced, number: int, at: int) -> None:
    follow(CALAMITY, "on" if fact.municipality in state.calamities else "off", "CalamityAnnounced")
    state.calamities[fact.municipality] = Calamity(fact.texts, fact.by, at)


def _calamity_withdrawn(state: State, fact: facts.CalamityWithdrawn, number: int, at: int) -> None:
    follow(CALAMITY, "on" if fact.municipality in state.calamities else "off", "CalamityWithdrawn")
    del state.calamities[fact.municipality]


HANDLERS: dict[type, Handler] = {
    facts.ChannelClosed: _channel_closed,
    facts.ChannelReopened: _channel_reopened,
    facts.CalamityAnnounced: _calamity_announced,
    facts.CalamityWithdrawn: _calamity_withdrawn,
}
