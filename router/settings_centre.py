"""centre.toml, topics.toml and agents.toml -> the Centre, its keywords and its telephone menus."""

from __future__ import annotations

import re
from datetime import date

from router.linting.findings import Subject
from router.nouns import (
    LANGUAGES,
    LEARNING,
    Agent,
    Centre,
    ClassifyRule,
    Topic,
)
from router.settings_callbacks import read_callbacks
from router.settings_capacity import COMBINATIONS, read_channels, read_combinations
from router.settings_hours import closed_days, public_holidays, written_days
from router.settings_municipality import read_municipality
from router.settings_plan import read_expected, read_works
from router.settings_queue import read_queue
from router.settings_table import Notes, Table, nearest, shown
from router.settings_telephone import read_menu
from router.settings_waiting import read_destinations, read_messages, read_neighbours, read_outside_prefixes
from router.skills.classification import ordered_rules


def read_centre(centre: Table | None, topics: Table | None, agents: Table | None, notes: Notes, today: date) -> Subject:
    """Read the three tables (None = the file could not be read: it has been said).

    `settings_checks` holds the parts against one another, the linter looks them over.
    """
    centre = centre or Table("centre.toml", "", {}, Notes())
    topics = topics or Table("topics.toml", "", {}, Notes())
    agents = agents or Table("agents.toml", "", {}, Notes())
    zone = _time_zone(centre)
    closed = closed_days(centre, public_holidays(centre, today))
    municipalities = tuple(read_municipality(t, closed) for t in centre.tables("municipalities", required=True))
    topic_list, keywords = _topics(topics)
    combinations = read_combinations(centre, COMBINATIONS)
    written = tuple(_rule(t) for t in topics.tables("rules"))
    agent_tables = agents.tables("agents", required=True)
    works = read_works(agent_tables)
    expected = read_expected(topics, {t.id for t in topic_list})
    result = Centre(
        id=centre.id("id"),
        name=centre.text("name"),
        time_zone=zone,
        municipalities=municipalities,
        topics=topic_list,
        queues=tuple(read_queue(t) for t in topics.tables("queues", required=True)),
        agents=tuple(_agent(t) for t in agent_tables),
        channels=read_channels(centre, combinations),
        combinations=combinations,
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
        learning_hour=centre.integer("learning_hour", 3, 0, 23),
        remember_days=centre.integer("remember_days", 30, 1, 400),
        repeat_days=centre.integer("repeat_days", 7, 1, 90),
        neighbours=read_neighbours(centre),
        messages=read_messages(centre),
        callbacks=read_callbacks(centre),
        destinations=read_destinations(centre),
        outside_prefixes=read_outside_prefixes(centre),
        outside_seconds=centre.integer("outside_seconds", 30, 5, 120),
    )
    if result.learning == "person" and not result.learning_reason.strip():
        centre.mistake("learning_reason", 'learning = "person" judges people one by one: write down why that is agreed')
    menus = {name: read_menu(table) for name, table in topics.items("menus")}
    for table in (centre, topics, agents):
        table.done()
    return Subject(result, keywords, menus, written, works, closed, written_days(centre), expected, today.isoformat())


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


def _rule(table: Table) -> ClassifyRule:
    when = table.texts("when", required=True)
    if not when and "when" in table:
        table.mistake("when", 'it is empty, so it would always fit; write ["keyword:paspoort"], or set default_topic')
    rule = ClassifyRule(when, table.id("topic"))
    table.done()
    return rule


def _agent(table: Table) -> Agent:
    name = table.text("name", longest=120)
    endpoint = table.text("endpoint", "")
    if not re.fullmatch(r"[a-zA-Z0-9_]{0,20}", endpoint):
        table.mistake("endpoint", f'{shown(endpoint)} is not a telephone of the PBX; write "a1" (letters, digits, _)')
    agent = Agent(
        id=table.id("id"),
        name=name,
        first_name=table.text("first_name", name.split(" ")[0] or "?"),
        skills=table.levels("skills"),
        endpoint=endpoint,
        combinations=read_combinations(table, ()),
    )
    table.done()
    return agent
