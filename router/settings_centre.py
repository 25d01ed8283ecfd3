"""centre.toml, topics.toml and agents.toml -> the Centre, its keywords and its telephone menus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from router.nouns import (
    CHANNELS,
    LANGUAGES,
    LEARNING,
    LIVE_CHANNELS,
    POLICIES,
    Agent,
    Centre,
    ChannelRules,
    ClassifyRule,
    Hours,
    Municipality,
    Queue,
    QueueTarget,
    Topic,
)
from router.settings_table import Notes, Table, nearest, shown
from router.skills.classification import ordered_rules

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
GROUPS = {"every_day": range(7), "weekdays": range(5), "weekend": range(5, 7)}
HOLIDAY_YEARS = 3
"""Public holidays are expanded for the year of reading and the two after it."""

CHANNEL_DEFAULTS = {
    "phone": ChannelRules(1, 20, ("chat", "counter", "callback")),
    "chat": ChannelRules(3, 20, ("phone", "counter", "callback")),
    "counter": ChannelRules(1, 30, ("phone", "chat", "callback")),
    "callback": ChannelRules(1, 60, ("phone", "chat", "counter")),
    "email": ChannelRules(2, 120),
    "post": ChannelRules(2, 120),
}
RESERVE_SECONDS_MAX = 300
OFFER_SECONDS_MIN = 5
OFFER_SECONDS_MAX_LIVE = 120
OFFER_SECONDS_MAX = 900

_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class CentreFiles:
    """What the three files say, as far as it can be read; `settings_checks` holds the parts against one another."""

    centre: Centre
    written_rules: tuple[ClassifyRule, ...] = ()
    """In the order of the file, for messages about them."""
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict)
    menus: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def read_centre(
    centre: Table | None, topics: Table | None, agents: Table | None, notes: Notes, today: date
) -> CentreFiles:
    """Read the three tables (None = the file could not be read: it has been said)."""
    centre = centre or Table("centre.toml", "", {}, Notes())
    topics = topics or Table("topics.toml", "", {}, Notes())
    agents = agents or Table("agents.toml", "", {}, Notes())
    zone = _time_zone(centre)
    holidays = _holidays(centre, today)
    closed = _closed_days(centre, holidays)
    municipalities = tuple(_municipality(t, closed) for t in centre.tables("municipalities", required=True))
    topic_list, keywords = _topics(topics)
    written = tuple(_rule(t) for t in topics.tables("rules"))
    result = Centre(
        id=centre.id("id"),
        name=centre.text("name"),
        time_zone=zone,
        municipalities=municipalities,
        topics=topic_list,
        queues=tuple(_queue(t) for t in topics.tables("queues", required=True)),
        agents=tuple(_agent(t) for t in agents.tables("agents", required=True)),
        channels=_channels(centre),
        classification=ordered_rules(written, (t.id for t in topic_list), keywords),
        default_topic=topics.id("default_topic"),
        skills=agents.texts("skills", required=True),
        language_needs=_language_needs(centre),
        pause_reasons=_pause_reasons(centre),
        priority_step_seconds=centre.integer("priority_step_seconds", 120, 0, 3600),
        retry_seconds=centre.integer("retry_seconds", 30, 1, 3600),
        handover_seconds=centre.integer("handover_seconds", 60, 0, 86_400),
        absence_seconds=centre.integer("absence_seconds", 120, 15, 3600),
        learning=centre.choice("learning", "off", LEARNING),
        learning_reason=centre.text("learning_reason", ""),
        remember_days=centre.integer("remember_days", 30, 1, 400),
        repeat_days=centre.integer("repeat_days", 7, 1, 90),
    )
    if result.learning == "person" and not result.learning_reason.strip():
        centre.mistake("learning_reason", 'learning = "person" judges people one by one: write down why that is agreed')
    menus = {name: _menu(table) for name, table in topics.items("menus")}
    for table in (centre, topics, agents):
        table.done()
    return CentreFiles(result, written, keywords, menus)


# -- the centre -----------------------------------------------------------------------------------------------


def _time_zone(centre: Table) -> str:
    from zoneinfo import ZoneInfo

    name = centre.text("time_zone", "Europe/Amsterdam")
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        centre.mistake("time_zone", f'there is no time zone {shown(name)}; write "Europe/Amsterdam"')
        return "Europe/Amsterdam"
    return name


def _holidays(centre: Table, today: date) -> frozenset[str]:
    which = centre.text("holidays", "none")
    if which == "none":
        return frozenset()
    if which != "nl":
        centre.mistake("holidays", f'{shown(which)} is not a calendar known here; write "nl" or "none"')
        return frozenset()
    from holidays import country_holidays

    years = range(today.year, today.year + HOLIDAY_YEARS)
    return frozenset(day.isoformat() for day in country_holidays("NL", years=years))


def _closed_days(table: Table, holidays: Iterable[str]) -> frozenset[str]:
    """Those holidays, with `closed_days` added and `open_days` taken out."""
    return (frozenset(holidays) | _dates(table, "closed_days")) - _dates(table, "open_days")


def _dates(table: Table, key: str) -> frozenset[str]:
    value = table.raw(key)
    if value is None:
        return frozenset()
    days = set()
    for n, day in enumerate(value if isinstance(value, list) else [value], 1):
        read = _date(day)
        if read is None:
            table.mistake(f"{key}[{n}]", f"{shown(day)} is not a day; write 2026-12-24")
        else:
            days.add(read.isoformat())
    return frozenset(days)


def _date(day: Any) -> date | None:
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    try:
        return date.fromisoformat(day) if isinstance(day, str) else None
    except ValueError:
        return None


def _municipality(table: Table, closed: frozenset[str]) -> Municipality:
    entry_points = table.texts("entry_points")
    for n, number in enumerate(entry_points, 1):
        if not re.fullmatch(r"\d{3,15}", number):
            digits = re.sub(r"\D", "", number)
            remedy = f'write "{digits}"' if 3 <= len(digits) <= 15 else 'write digits as citizens dial them, "140591"'
            table.mistake(f"entry_points[{n}]", f"{shown(number)} is not a number to dial; {remedy}")
    hours = table.table("hours")
    email_from = table.text("email_from", "")
    if email_from and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", email_from):
        table.mistake("email_from", f'{shown(email_from)} is not an address; write "info@gemeente.example"')
    municipality = Municipality(
        id=table.id("id"),
        name=table.text("name"),
        entry_points=entry_points,
        greeting=table.per_language("greeting"),
        hours={channel: _hours(hours, channel) for channel in hours},
        calamity=table.per_language("calamity", required=False),
        holidays=tuple(sorted(_closed_days(table, closed))),
        email_from=email_from,
        needs=table.levels("needs"),
    )
    for channel in hours:
        if channel not in CHANNELS:
            hours.mistake(channel, f"there is no such channel{nearest(channel, CHANNELS)}")
    table.done()
    return municipality


def _hours(hours: Table, channel: str) -> Hours:
    """`"always"`, `"closed"`, or days: a day goes before `weekdays` and `weekend`, and those before `every_day`."""
    word = hours.raw(channel)
    if word == "always":
        return Hours(always=True)
    if word == "closed":
        return Hours()
    if not isinstance(word, dict):
        hours.mistake(
            channel, f'{shown(word)} is not possible; write "always", "closed" or {{weekdays = "08:00-17:00"}}'
        )
        return Hours()
    table = hours.table(channel)
    days: dict[int, tuple[tuple[int, int], ...]] = {}
    for group, numbers in GROUPS.items():
        if group in table:
            intervals = _intervals(table, group)
            days.update(dict.fromkeys(numbers, intervals))
    for number, day in enumerate(DAYS):
        if day in table:
            days[number] = _intervals(table, day)
    table.skip(*GROUPS, *DAYS)
    table.done()
    return Hours({day: intervals for day, intervals in sorted(days.items()) if intervals})


def _intervals(table: Table, key: str) -> tuple[tuple[int, int], ...]:
    value = table.raw(key)
    if value == "closed":
        return ()
    found: list[tuple[int, int]] = []
    for part in value.split(",") if isinstance(value, str) else [""]:
        match = _INTERVAL.match(part.strip())
        numbers = [int(n) for n in match.groups()] if match else [99] * 4
        start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if numbers[1] > 59 or numbers[3] > 59 or start >= 1440 or end > 1440:
            table.mistake(key, f'{shown(value)} is not a time of day; write "08:00-17:00"')
            return ()
        if end <= start:
            remedy = 'hours past midnight are two: "22:00-24:00" and "00:00-02:00" on the next day'
            table.mistake(key, f"{shown(value)} ends before it starts; {remedy}")
            return ()
        found.append((start, end))
    found.sort()
    for (_, end), (start, _) in pairwise(found):
        if start < end:
            table.mistake(key, f'{shown(value)} overlaps; write "08:00-12:00, 13:00-17:00"')
            return ()
    return tuple(found)


def _channels(centre: Table) -> dict[str, ChannelRules]:
    """Rules for every channel; what the file leaves out is as usual in the field."""
    rules = dict(CHANNEL_DEFAULTS)
    for channel, table in centre.items("channels"):
        if channel not in CHANNELS:
            table.mistake("", f"there is no such channel{nearest(channel, CHANNELS)}")
            continue
        usual = CHANNEL_DEFAULTS[channel]
        longest = OFFER_SECONDS_MAX_LIVE if channel in LIVE_CHANNELS else OFFER_SECONDS_MAX
        apart = table.texts("not_with") if "not_with" in table else usual.not_with
        for name in apart:
            if name not in CHANNELS:
                table.mistake("not_with", f'there is no channel "{name}"{nearest(name, CHANNELS)}')
        slots = table.integer("slots", usual.slots, 0, 1 if channel == "phone" else 20)
        offer_seconds = table.integer("offer_seconds", usual.offer_seconds, OFFER_SECONDS_MIN, longest)
        rules[channel] = ChannelRules(slots, offer_seconds, apart)
        table.done()
    return rules


def _language_needs(centre: Table) -> dict[str, dict[str, int]]:
    needs = {}
    for language, table in centre.items("languages"):
        if language not in LANGUAGES:
            table.mistake("", f"there is no such language{nearest(language, LANGUAGES)}")
        needs[language] = table.levels("needs")
        table.done()
    return needs


def _pause_reasons(centre: Table) -> dict[str, dict[str, str]]:
    inner = centre.table("pause_reasons")
    return {reason: inner.per_language(reason) for reason in inner}


# -- topics and agents ----------------------------------------------------------------------------------------


def _topics(table: Table) -> tuple[tuple[Topic, ...], dict[str, tuple[str, ...]]]:
    found: list[Topic] = []
    keywords: dict[str, tuple[str, ...]] = {}
    for entry in table.tables("topics", required=True):
        topic = Topic(entry.id("id"), entry.per_language("title"), entry.id("queue"), entry.levels("needs"))
        found.append(topic)
        if "keywords" in entry:
            keywords[topic.id] = _keywords(entry, "keywords")
        entry.skip("keywords")
        entry.done()
    labels = table.table("keywords")
    for label in labels:
        if label in keywords:
            labels.mistake(label, "this topic has keywords of its own already; write them in one place")
        keywords[label] = _keywords(labels, label)
    return tuple(found), keywords


def _keywords(table: Table, key: str) -> tuple[str, ...]:
    words = table.texts(key)
    for n, word in enumerate(words, 1):
        stem = word.removesuffix("*")
        if "*" in stem or (word.endswith("*") and len(stem) < 3) or not re.search(r"\w", stem):
            table.mistake(
                f"{key}[{n}]", f'{shown(word)} is not a keyword; write "paspoort", "paspoort*" or "grof vuil"'
            )
    return words


def _queue(table: Table) -> Queue:
    targets = {}
    for channel, target in table.items("targets"):
        if channel not in CHANNELS:
            target.mistake("", f"there is no such channel{nearest(channel, CHANNELS)}")
        seconds = target.integer("seconds", None, 1, 60 * 86_400)
        share = target.number("share", 0.01, 1.0, "write a share: 0.8 is 80%")
        targets[channel] = QueueTarget(seconds, share)
        target.done()
    queue = Queue(
        id=table.id("id"),
        title=table.per_language("title"),
        targets=targets,
        priority=table.integer("priority", 5, 1, 9),
        wrap_up_seconds=table.integer("wrap_up_seconds", 60, 0, 3600),
        policy=table.choice("policy", "skill-level", POLICIES),
        reserve_seconds=table.integer("reserve_seconds", 0, 0, RESERVE_SECONDS_MAX),
        overtaken_max=table.integer("overtaken_max", 10, 0, 1000),
        fairness_percent=table.integer("fairness_percent", 65, 0, 1000),
    )
    if queue.reserve_seconds and queue.policy != "resolution":
        table.mistake("reserve_seconds", 'only policy = "resolution" keeps contacts for a better agent')
    for channel, norm in targets.items():
        if channel in LIVE_CHANNELS and queue.reserve_seconds >= norm.seconds:
            table.warn("reserve_seconds", f"it is not below the {norm.seconds} s promised on {channel}")
    table.done()
    return queue


def _rule(table: Table) -> ClassifyRule:
    when = table.texts("when", required=True)
    if not when and "when" in table:
        table.mistake("when", 'it is empty, so it would always fit; write ["keyword:paspoort"], or set default_topic')
    rule = ClassifyRule(when, table.id("topic"))
    table.done()
    return rule


def _menu(table: Table) -> tuple[tuple[str, str], ...]:
    return tuple((digit, table.id(digit)) for digit in table)


def _agent(table: Table) -> Agent:
    name = table.text("name", longest=120)
    slots = table.table("slots")
    for channel in slots:
        if channel not in CHANNELS:
            slots.mistake(channel, f"there is no such channel{nearest(channel, CHANNELS)}")
    endpoint = table.text("endpoint", "")
    if not re.fullmatch(r"[a-zA-Z0-9_]{0,20}", endpoint):
        table.mistake("endpoint", f'{shown(endpoint)} is not a telephone of the PBX; write "a1" (letters, digits, _)')
    agent = Agent(
        id=table.id("id"),
        name=name,
        first_name=table.text("first_name", name.split(" ")[0] or "?"),
        skills=table.levels("skills"),
        endpoint=endpoint,
        slots={channel: slots.integer(channel, None, 0, 20) for channel in slots},
    )
    table.done()
    return agent
