"""PURE  Everybody on the roster as bit masks: who has which level, takes which channel, works when.

Bit n is agent n. Making the masks looks at each agent once; whatever is asked later is a few operations on whole
numbers, so that ten thousand agents and some hundred topics are no more work than ten and ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.linting.findings import Subject
from router.linting.week import ALL, DAY, DAYS, clock, minutes_of, stretches
from router.nouns import CHANNELS, Agent, Centre

LEVELS = 5
NAMES_MAX = 3
"""So many agents are named in an example."""


class Roster:
    """Who there is."""

    def __init__(self, subject: Subject) -> None:
        self.agents = subject.centre.agents
        self.everybody = (1 << len(self.agents)) - 1
        self._levels: dict[str, list[int]] = {}
        """Skill -> per level from 1 on, who has it at that level or higher."""
        self._channels = dict.fromkeys(CHANNELS, 0)
        self._shifts: dict[int, int] = {}
        """Minutes of the week -> who works exactly those."""
        self._works: list[int] = []
        for n, agent in enumerate(self.agents):
            self._add(1 << n, agent, subject)

    def _add(self, bit: int, agent: Agent, subject: Subject) -> None:
        for skill, level in agent.skills.items():
            levels = self._levels.setdefault(skill, [0] * LEVELS)
            for below in range(min(level, LEVELS)):
                levels[below] |= bit
        for channel in CHANNELS:
            if takes(subject.centre, agent, channel):
                self._channels[channel] |= bit
        minutes = minutes_of(subject.works.get(agent.id))
        self._works.append(minutes)
        self._shifts[minutes] = self._shifts.get(minutes, 0) | bit

    # -- who ------------------------------------------------------------------------------------------------

    def able(self, needs: Mapping[str, int]) -> int:
        """Who meets the needs."""
        found = self.everybody
        for skill, level in needs.items():
            levels = self._levels.get(skill)
            found &= levels[level - 1] if levels else 0
        return found

    def on(self, channel: str) -> int:
        """Who can be offered something of the channel."""
        return self._channels[channel]

    def at_work(self, minute: int) -> int:
        found = 0
        for minutes, who in self._shifts.items():
            if minutes >> minute & 1:
                found |= who
        return found

    def minutes(self, who: int) -> int:
        """The minutes of the week at which at least one of them works."""
        found = 0
        for minutes, shift in self._shifts.items():
            if shift & who:
                found |= minutes
                if found == ALL:
                    break
        return found

    def works(self, number: int) -> int:
        return self._works[number]

    @property
    def planned(self) -> bool:
        """Whether anybody has working hours."""
        return any(minutes != ALL for minutes in self._shifts)

    def each(self, who: int) -> Iterator[int]:
        """Their numbers."""
        while who:
            bit = who & -who
            yield bit.bit_length() - 1
            who ^= bit

    def fewest_at_work(self, who: int, minutes: int) -> tuple[int, int]:
        """(fewest of them that work at once, the first minute at which), over those minutes. There must be some."""
        changes = dict.fromkeys((edge for stretch in stretches(minutes) for edge in stretch), 0)
        for works, shift in self._shifts.items():
            many = (who & shift).bit_count()
            for start, end in stretches(works & minutes) if many else ():
                changes[start] = changes.get(start, 0) + many
                changes[end] = changes.get(end, 0) - many
        found, working = [], 0
        for minute in sorted(changes):
            working += changes[minute]
            if minutes >> minute & 1:
                found.append((working, minute))
        return min(found)

    # -- in words ---------------------------------------------------------------------------------------------

    def names(self, who: int) -> str:
        """`sanne, emma and 3 others`."""
        ids = [self.agents[n].id for n, _ in zip(self.each(who), range(NAMES_MAX), strict=False)]
        more = who.bit_count() - len(ids)
        if more:
            return f"{', '.join(ids)} and {more} other{'s' if more > 1 else ''}"
        return " and ".join(part for part in (", ".join(ids[:-1]), ids[-1]) if part) if ids else "nobody"

    def absence(self, who: int, minute: int) -> str:
        """Why those who could are not there: `sanne and emma: until 17:00; julia: off on Thursdays`."""
        reasons: dict[str, int] = {}
        for n, _ in zip(self.each(who), range(200), strict=False):
            reason = self._why_away(self._works[n], minute)
            reasons[reason] = reasons.get(reason, 0) | 1 << n
        return "; ".join(f"{self.names(those)}: {reason}" for reason, those in list(reasons.items())[:NAMES_MAX])

    def _why_away(self, minutes: int, minute: int) -> str:
        day, now = divmod(minute, DAY)
        today = minutes >> day * DAY & (1 << DAY) - 1
        if not today:
            return f"off on {DAYS[day]}s"
        before = today & (1 << now) - 1
        if before:
            return f"until {clock(before.bit_length())}"
        return f"from {clock((today & -today).bit_length() - 1)}"


def takes(centre: Centre, agent: Agent, channel: str) -> bool:
    """Whether the agent can be offered anything of the channel when they have nothing else in hand."""
    if channel == "phone" and not agent.endpoint:
        return False
    return any(one.get(channel, 0) for one in agent.combinations or centre.combinations)
