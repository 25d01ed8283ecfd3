"""How much an agent may have at once, as people write it: `"phone"`, `"3 chat"`, `"post + chat"`."""

from __future__ import annotations

import re

from router.nouns import CHANNELS, WRITTEN_CHANNELS, Centre, ChannelRules
from router.settings_table import Notes, Table, nearest, shown

MANY_MAX = 20
COMBINATIONS_MAX = 50
COMBINATIONS = ("phone", "3 chat", "counter", "callback", "2 email + 2 post")
"""What an agent may have at once where centre.toml says nothing."""
OFFER_SECONDS_MIN = 5
OFFER_SECONDS_MAX_WRITTEN = 900
OFFER_SECONDS_MAX = 120

_LIVE = tuple(channel for channel in CHANNELS if channel not in WRITTEN_CHANNELS)
_OFFER_SECONDS = {"phone": 20, "chat": 20, "counter": 30, "callback": 60, "email": 120, "post": 120}
_PART = re.compile(r"(?:(\d{1,3})\s+)?([a-z]+)\Z")


def read_combinations(table: Table, usual: tuple[str, ...]) -> tuple[dict[str, int], ...]:
    """The list under `combinations`, or what is usual where it is left out."""
    written = table.texts("combinations") if "combinations" in table else usual
    if "combinations" in table and not written:
        table.mistake("combinations", 'it is empty, so nothing would be offered; write ["phone", "3 chat"]')
    if len(written) > COMBINATIONS_MAX:
        table.mistake("combinations", f"{len(written)} combinations; at most {COMBINATIONS_MAX}")
    return tuple(_combination(table, f"combinations[{n}]", text) for n, text in enumerate(written, 1))


def _combination(table: Table, path: str, text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split("+"):
        match = _PART.match(part.strip())
        if match is None:
            table.mistake(path, f'{shown(text)} is not a combination; write "phone", "3 chat" or "post + chat"')
            return {}
        many, channel = int(match[1] or 1), match[2]
        if channel not in CHANNELS:
            table.mistake(path, f'there is no channel "{channel}"{nearest(channel, CHANNELS)}')
        elif channel in found:
            table.mistake(path, f'{shown(text)} names {channel} twice; write "2 {channel}"')
        elif not 1 <= many <= (1 if channel == "phone" else MANY_MAX):
            most = 1 if channel == "phone" else MANY_MAX
            table.mistake(path, f"{many} {channel} is out of bounds; write 1 to {most}")
        found[channel] = many
    return found


def read_channels(centre: Table, combinations: tuple[dict[str, int], ...]) -> dict[str, ChannelRules]:
    """Rules for every channel. Written work gives way to each live channel that no combination has beside it."""
    rules = {channel: _usual(channel, combinations) for channel in CHANNELS}
    for channel, table in centre.items("channels"):
        if channel not in CHANNELS:
            table.mistake("", f"there is no such channel{nearest(channel, CHANNELS)}")
            continue
        usual = rules[channel]
        longest = OFFER_SECONDS_MAX_WRITTEN if channel not in _LIVE or channel == "callback" else OFFER_SECONDS_MAX
        offer_seconds = table.integer("offer_seconds", usual.offer_seconds, OFFER_SECONDS_MIN, longest)
        by = table.texts("interrupted_by") if "interrupted_by" in table else usual.interrupted_by
        if by and channel not in WRITTEN_CHANNELS:
            table.mistake("interrupted_by", "a person is there; only email and post can lie still")
        for name in by:
            if name not in _LIVE:
                table.mistake("interrupted_by", f'"{name}" interrupts nothing{nearest(name, _LIVE)}')
        rules[channel] = ChannelRules(offer_seconds, by)
        table.done()
    return rules


def _usual(channel: str, combinations: tuple[dict[str, int], ...]) -> ChannelRules:
    beside = {other for one in combinations if channel in one for other in one}
    apart = tuple(other for other in _LIVE if other not in beside) if channel in WRITTEN_CHANNELS else ()
    return ChannelRules(_OFFER_SECONDS[channel], apart)


def check_capacity(centre: Centre, notes: Notes) -> None:
    """Combinations against one another and against what interrupts what."""
    _check(centre, centre.combinations, "centre.toml: combinations", notes)
    for n, agent in enumerate(centre.agents, 1):
        _check(centre, agent.combinations, f"agents.toml: agents[{n}].combinations", notes)
    everybody = [centre.combinations, *(agent.combinations for agent in centre.agents)]
    for channel in CHANNELS:
        if not any(channel in one for combinations in everybody for one in combinations):
            notes.warnings.append(f'centre.toml: combinations: none has "{channel}", so nothing of it is ever offered')


def _check(centre: Centre, combinations: tuple[dict[str, int], ...], path: str, notes: Notes) -> None:
    for n, one in enumerate(combinations, 1):
        wider = next((k for k, other in enumerate(combinations, 1) if k != n and _within(one, other, n < k)), 0)
        if wider and one:
            notes.warnings.append(f"{path}[{n}]: combination {wider} allows all of it already; leave it out")
        for channel in one:
            both = [by for by in centre.channels[channel].interrupted_by if by in one] if channel in CHANNELS else []
            if both:
                notes.mistakes.append(
                    f"{path}[{n}]: {channel} lies still beside {both[0]}, which interrupts it; "
                    f"take {both[0]} out of channels.{channel}.interrupted_by, or take the combination apart"
                )


def _within(one: dict[str, int], other: dict[str, int], first: bool) -> bool:
    """Whether the other allows all of this one; of two equal ones only the later is too many."""
    return all(other.get(channel, 0) >= many for channel, many in one.items()) and not (first and one == other)
