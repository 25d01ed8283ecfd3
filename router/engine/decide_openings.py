"""Deciding what a supervisor closes at once, opens again, and announces before anything else."""

from __future__ import annotations

from router.engine import commands, facts
from router.engine.decision import NOTHING, Decision
from router.engine.evolve_openings import closing_key
from router.engine.state import State
from router.errors import InvalidInput, UnknownThing, WrongState
from router.nouns import CLOSABLE_CHANNELS, CLOSING_REASONS, LANGUAGES, Municipality

CLOSED_MS_MAX = 31 * 86_400_000
TEXT_MAX = 500


def _municipality(state: State, id: str) -> Municipality:
    found = state.config.municipality(id)
    if found is None:
        raise UnknownThing("no such municipality")
    return found


def _channels(asked: tuple[str, ...]) -> tuple[str, ...]:
    if not set(asked) <= set(CLOSABLE_CHANNELS):
        raise InvalidInput(f"only {', '.join(CLOSABLE_CHANNELS)} can be closed: what is written is always taken")
    return tuple(channel for channel in CLOSABLE_CHANNELS if not asked or channel in asked)


def close_channels(state: State, command: commands.CloseChannels, now: int) -> Decision:
    _municipality(state, command.municipality)
    channels = _channels(command.channels)
    if command.reason not in CLOSING_REASONS:
        raise InvalidInput(f"a reason is one of {', '.join(CLOSING_REASONS)}")
    if command.until and not now < command.until <= now + CLOSED_MS_MAX:
        raise InvalidInput("the end lies in the future, at most 31 days ahead")
    closed = []
    for channel in channels:
        known = state.closings.get(closing_key(command.municipality, channel))
        if known is None or (known.reason, known.until) != (command.reason, command.until):
            closed.append(facts.ChannelClosed(command.municipality, channel, command.reason, command.by, command.until))
    return Decision(tuple(closed))


def reopen_channels(state: State, command: commands.ReopenChannels, now: int) -> Decision:
    _municipality(state, command.municipality)
    closed = (c for c in _channels(command.channels) if closing_key(command.municipality, c) in state.closings)
    return Decision(tuple(facts.ChannelReopened(command.municipality, channel, command.by) for channel in closed))


def reopen_in_time(state: State, key: str, at: int) -> tuple[facts.Fact, ...]:
    """The end that was set for a closing has come, unless it was set anew meanwhile."""
    closing = state.closings.get(key)
    if closing is None or closing.until != at:
        return ()
    return (facts.ChannelReopened(closing.municipality, closing.channel, ""),)


def announce_calamity(state: State, command: commands.AnnounceCalamity, now: int) -> Decision:
    municipality = _municipality(state, command.municipality)
    texts = {language: text.strip() for language, text in command.texts.items() if text.strip()}
    if command.texts and "nl" not in texts:
        raise InvalidInput("the Dutch text is missing")
    if not set(texts) <= set(LANGUAGES) or any(len(text) > TEXT_MAX for text in texts.values()):
        raise InvalidInput(f"a text is in {' or '.join(LANGUAGES)}, of at most {TEXT_MAX} characters")
    if not texts and not municipality.calamity:
        raise WrongState("no text stands ready in the configuration: write one")
    known = state.calamities.get(municipality.id)
    if known is not None and known.texts == texts:
        return NOTHING
    return Decision((facts.CalamityAnnounced(municipality.id, texts, command.by),))


def withdraw_calamity(state: State, command: commands.WithdrawCalamity, now: int) -> Decision:
    _municipality(state, command.municipality)
    if command.municipality not in state.calamities:
        return NOTHING
    return Decision((facts.CalamityWithdrawn(command.municipality, command.by),))
