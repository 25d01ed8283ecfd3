"""The contacts of many days on all channels, drawn day by day beforehand: every policy meets the same citizens."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from router.simulation.calendar import Calendar, ChannelLoad, moment
from router.simulation.workload import Workload

REOPENING_SECONDS = 1200.0
"""Who would come back while the channel is closed comes this long after it opens, on average."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One contact and all that chance decides about it. Times in ms, `at` UTC."""

    id: str
    channel: str
    at: int
    topic: str
    patience_ms: int
    """-1 = endless."""
    work: float
    """Handling time as a multiple of the agent's mean for the topic."""
    luck: float
    """Settled when below the agent's chance."""
    again: float
    again_after_ms: int
    attempt: int = 0


class Visits:
    """Draws the contacts of one seed."""

    def __init__(self, workload: Workload, calendar: Calendar, seed: int) -> None:
        self._workload, self._calendar, self._seed = workload, calendar, seed
        self._channels = {channel.id: channel for channel in workload.channels}
        self._a_weight = {
            channel.id: calendar.contacts_a_year * channel.share / (calendar.year_weight(channel) or math.inf)
            for channel in workload.channels
        }
        """Channel -> contacts on a day of weight 1."""
        self._topics = [t.id for t in workload.topics]
        self._shares = [t.share for t in workload.topics]
        self._seconds = {t.id: t.seconds for t in workload.topics}
        self._sigma = math.sqrt(math.log(1 + workload.spread * workload.spread))

    def first_attempts(self, day: date) -> Iterator[Visit]:
        """Those of one day who come for the first time, channel by channel: a Poisson stream shaped by the profile."""
        for channel in self._workload.channels:
            weight = self._calendar.weight(channel, day)
            if weight <= 0:
                continue
            dice = random.Random(f"{self._seed} {channel.id} {day.isoformat()}")
            begin, end = (moment(day, minute) for minute in channel.hours)
            expected = self._a_weight[channel.id] * weight
            total, parts = sum(channel.profile), len(channel.profile)
            number = 0
            for part, intensity in enumerate(channel.profile):
                since, length = begin + (end - begin) * part // parts, (end - begin) / parts
                per_ms = expected * intensity / total / length
                at = dice.expovariate(per_ms) if per_ms else length
                while at < length:
                    number += 1
                    id = f"{channel.id}-{day:%y%m%d}-{number}"
                    topic = dice.choices(self._topics, self._shares)[0]
                    yield self._draw(dice, id, channel, since + int(at), topic, 0)
                    at += dice.expovariate(per_ms)

    def next_attempt(self, visit: Visit, ended_at: int, today: date) -> Visit | None:
        """The same citizen with the same question once more, when the channel is open; None when they do not come."""
        load = self._workload
        if visit.again >= load.call_back_chance or visit.attempt >= load.call_backs_max:
            return None
        dice = random.Random(f"{self._seed} {visit.id}")
        channel = self._channels[visit.channel]
        at = self._open_at(channel, ended_at + visit.again_after_ms, today, dice)
        return self._draw(dice, f"{visit.id}x", channel, at, visit.topic, visit.attempt + 1)

    def _open_at(self, channel: ChannelLoad, at: int, today: date, dice: random.Random) -> int:
        """That moment, or soon after the next opening."""
        for ahead in range(15):
            day = today + timedelta(days=ahead)
            begin, end = (moment(day, minute) for minute in channel.hours)
            if at < end and self._calendar.weight(channel, day) > 0:
                return max(at, begin + round(1000 * dice.expovariate(1 / REOPENING_SECONDS)) if at < begin else at)
        return at

    def _draw(self, dice: random.Random, id: str, channel: ChannelLoad, at: int, topic: str, attempt: int) -> Visit:
        load = self._workload
        patience = round(dice.expovariate(1 / channel.patience_seconds) * 1000) if channel.patience_seconds else -1
        if load.shape == "exponential":
            work = dice.expovariate(1.0)
        else:
            work = math.exp(dice.gauss(-self._sigma * self._sigma / 2, self._sigma))
        after = round(dice.expovariate(1 / load.call_back_seconds) * 1000)
        return Visit(id, channel.id, at, topic, patience, work, dice.random(), dice.random(), after, attempt)

    def handling_ms(self, visit: Visit, pace: float) -> int:
        seconds = self._seconds[visit.topic] * self._channels[visit.channel].pace
        return max(1, round(seconds * pace * visit.work * 1000))
