"""PURE  Whether there is somebody for every topic, municipality, channel and language at every hour it is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.linting.findings import Finding, Subject
from router.linting.needs import asked, asks_in_turn, together
from router.linting.roster import Roster
from router.linting.ways_out import way_text
from router.linting.week import ALL, first_of, hours_text, minutes_of, moment
from router.nouns import CHANNELS, LANGUAGES, LIVE_CHANNELS, Municipality, Topic, WayOut
from router.queues.overflow import suits
from router.skills.widening import widened

ONE_OF = {
    "phone": "a call",
    "chat": "a chat",
    "counter": "a visit",
    "callback": "a callback",
    "email": "an e-mail",
    "post": "a letter",
}
IN_LANGUAGE = {"nl": "", "en": " in English"}


@dataclass(frozen=True, slots=True)
class Gap:
    """Minutes at which a channel of a municipality is open for a topic and nobody is there."""

    topic: Topic
    municipality: Municipality
    channel: str
    language: str
    needs: Mapping[str, int]
    minutes: int
    later: str = ""
    """What helps after all, and when; empty = nothing."""


class Coverage:
    """All the gaps there are, found once."""

    def __init__(self, subject: Subject, roster: Roster) -> None:
        self.subject, self.roster = subject, roster
        self._covered: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
        self.unknown: dict[tuple[str, str], Mapping[str, int]] = {}
        """(topic, language) -> needs that nobody meets."""
        self.gaps: dict[tuple[str, str], list[Gap]] = {}
        """(topic, language) -> gaps."""
        municipalities = subject.centre.municipalities
        self._open = {(m.id, channel): self._open_minutes(m, channel) for m in municipalities for channel in CHANNELS}
        for topic in subject.centre.topics:
            for municipality in municipalities:
                for language in LANGUAGES:
                    self._look(topic, municipality, language)

    def _open_minutes(self, municipality: Municipality, channel: str) -> int:
        """When somebody must be there for the channel; 0 where it is not used at all."""
        if not self.roster.on(channel) or (channel == "phone" and not municipality.entry_points):
            return 0
        return minutes_of(municipality.hours.get(channel))

    def _look(self, topic: Topic, municipality: Municipality, language: str) -> None:
        extra = self.subject.centre.language_needs.get(language, {})
        if language != LANGUAGES[0] and not extra:
            return
        needs = together(topic.needs, municipality.needs, extra)
        if not any(self.roster.able(ask) for ask in asks_in_turn(self.subject.centre, topic, needs)):
            self.unknown.setdefault((topic.id, language), needs)
            return
        for channel in CHANNELS:
            missing = self._open[municipality.id, channel]
            covered = self._cover(channel, needs)
            if channel not in LIVE_CHANNELS and covered:
                continue  # what is written waits until somebody is there
            missing &= ~covered
            if missing:
                later = self._relief(topic, channel, needs, missing)
                gap = Gap(topic, municipality, channel, language, needs, missing, later)
                self.gaps.setdefault((topic.id, language), []).append(gap)

    def _cover(self, channel: str, needs: Mapping[str, int]) -> int:
        key = channel, tuple(sorted(needs.items()))
        found = self._covered.get(key)
        if found is None:
            found = self._covered[key] = self.roster.minutes(self.roster.able(needs) & self.roster.on(channel))
        return found

    def _relief(self, topic: Topic, channel: str, needs: Mapping[str, int], missing: int) -> str:
        """The first that helps at all those minutes: a step of widening, or a way out that does not depend on luck."""
        queue = self.subject.centre.queue(topic.queue)
        if queue is None:
            return ""
        for step in queue.widening:
            needs = widened(needs, step, queue.floor)
            if not missing & ~self._cover(channel, needs):
                return f"after {step.after_seconds} s others are asked"
        for way in queue.overflow:
            if suits(way, channel) and not way.on_arrival and self._helps(way, channel, missing):
                return f"goes {way_text(way)}"
        return ""

    def _helps(self, way: WayOut, channel: str, missing: int) -> bool:
        if way.kind != "queue":
            return way.kind != "message"
        first = next((topic for topic in self.subject.centre.topics if topic.queue == way.to), None)
        return first is not None and not missing & ~self._cover(channel, first.needs)

    # -- findings ---------------------------------------------------------------------------------------------

    def findings(self) -> Iterator[Finding]:
        for (topic, language), needs in self.unknown.items():
            if language != LANGUAGES[0]:  # for Dutch it is a mistake, and nothing starts
                yield Finding(
                    "warning",
                    "nobody_in_language",
                    "agents.toml",
                    "agents",
                    f"{ONE_OF['phone']}{IN_LANGUAGE[language]} about {topic} waits for a supervisor: nobody has "
                    f"{asked(needs)} together",
                    f"train somebody, or lower languages.{language}.needs in centre.toml",
                )
        for gaps in self.gaps.values():
            yield self._hole(gaps)
        yield from self._menus()

    def _hole(self, gaps: list[Gap]) -> Finding:
        first = next((gap for gap in gaps if not gap.later), gaps[0])
        alike = [gap for gap in gaps if gap is not first and bool(gap.later) == bool(first.later)]
        others = [f"{gap.municipality.id} {gap.channel}" for gap in alike]
        also = f"; also {', '.join(others[:4])}{' …' if len(others) > 4 else ''}" if others else ""
        return Finding(
            "error" if first.language == LANGUAGES[0] and not first.later else "warning",
            "nobody_at_hour",
            "agents.toml",
            "agents.works" if self._with_channel(first) else "agents",
            f"{self.example(first)}; {hours_text(first.minutes)} a week{also}",
            "let somebody who can work then, teach somebody who does, or close the channel earlier",
        )

    def _with_channel(self, gap: Gap) -> int:
        return self.roster.able(gap.needs) & self.roster.on(gap.channel)

    def example(self, gap: Gap) -> str:
        """`a call about wmo for veenstede on Thursday 18:30 finds nobody (it asks wmo 3; sanne: until 17:00)`."""
        roster = self.roster
        who = f"{ONE_OF[gap.channel]}{IN_LANGUAGE[gap.language]} about {gap.topic.id} for {gap.municipality.id}"
        minute = first_of(gap.minutes)
        able = roster.able(gap.needs)
        there = self._with_channel(gap)
        why = [f"it asks {asked(gap.needs)}"] if gap.needs else []
        if able & ~there:
            without = "no telephone" if gap.channel == "phone" else f"no room for {gap.channel}"
            why.append(f"{roster.names(able & ~there)}: {without}")
        if there:
            why.append(roster.absence(there, minute))
        when = f"on {moment(minute)}" if gap.minutes != ALL else "at any hour"
        later = f" and {gap.later}" if gap.later else ""
        return f"{who} {when} finds nobody ({'; '.join(why)}){later}"

    def _menus(self) -> Iterator[Finding]:
        for municipality, choices in self.subject.menus.items():
            for digit, topic in choices:
                for gap in self.gaps.get((topic, LANGUAGES[0]), ()):
                    if gap.municipality.id == municipality and gap.channel == "phone":
                        yield Finding(
                            "warning",
                            "menu_to_nobody",
                            "topics.toml",
                            f"menus.{municipality}.{'.'.join(digit)}",
                            f"who presses {digit}: {self.example(gap)}",
                            "see nobody_at_hour, or take this key out of the menu",
                        )
