"""What changes while one waits, and who takes over, as topics.toml and centre.toml write it: widening, ways out,
neighbours, destinations, messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from router.nouns import CHANNELS, DESTINATIONS, Centre, Destination, Neighbour, Queue, WayOut, Widening
from router.queues.overflow import suits
from router.settings_table import Notes, Table, nearest, shown

WAIT_SECONDS_MAX = 30 * 86_400
CONDITIONS = ("after_seconds", "nobody", "waiting_above", "expected_wait_above")
TARGETS = ("queue", "neighbour", "callback", "voicemail", "message")
PLACELESS = ("callback", "voicemail")
"""Targets of which there is one: written `true`."""
STEPS_MAX = 10
DESTINATIONS_MAX = 200


def read_widening(queue: Table, floor: Mapping[str, int]) -> tuple[Widening, ...]:
    """The steps of one queue, each later than the one before."""
    steps: list[Widening] = []
    for table in queue.tables("widening")[:STEPS_MAX]:
        replace = table.table("replace")
        step = Widening(
            table.integer("after_seconds", None, 1, WAIT_SECONDS_MAX),
            table.levels("lower"),
            table.texts("drop"),
            {skill: replace.text(skill) for skill in replace},
        )
        if steps and step.after_seconds <= steps[-1].after_seconds:
            table.mistake("after_seconds", f"the step before it comes at {steps[-1].after_seconds} s; write more")
        if not (step.lower or step.drop or step.replace):
            table.mistake(
                "", 'it changes nothing; write lower = {wmo = 1}, drop = ["wmo"] or replace = {wmo = "sociaal"}'
            )
        for skill in (*step.drop, *step.replace):
            if skill in floor:
                table.mistake("", f'"{skill}" is kept by the floor of this queue; take it out here or there')
        table.done()
        steps.append(step)
    if len(queue.tables("widening")) > STEPS_MAX:
        queue.mistake("widening", f"there are more than {STEPS_MAX} steps")
    return tuple(steps)


def read_overflow(queue: Table) -> tuple[WayOut, ...]:
    """The ways out of one queue, in order."""
    ways = tuple(_way_out(table) for table in queue.tables("overflow")[:STEPS_MAX])
    if len(queue.tables("overflow")) > STEPS_MAX:
        queue.mistake("overflow", f"there are more than {STEPS_MAX} ways out")
    if len({(way.kind, way.to) for way in ways}) < len(ways):
        queue.mistake("overflow", "two ways out lead to the same place; a contact takes each once: keep one")
    return ways


def _way_out(table: Table) -> WayOut:
    if sum(name in table for name in CONDITIONS) != 1:
        table.mistake("", f"it has one condition: write one of {', '.join(CONDITIONS)}")
    if sum(name in table for name in TARGETS) != 1:
        table.mistake("", f"it leads to one place: write one of {', '.join(TARGETS)}")
    channels = table.texts("channels")
    for channel in channels:
        if channel not in CHANNELS:
            table.mistake("channels", f'there is no channel "{channel}"{nearest(channel, CHANNELS)}')
    for flag in ("nobody", *PLACELESS):
        if flag in table and not table.flag(flag, True):
            table.mistake(flag, "write true, or leave it out")
    kind = next((name for name in TARGETS if name in table), "message")
    way = WayOut(
        kind,
        table.id(kind) if kind not in PLACELESS and kind in table else "",
        channels,
        table.integer("after_seconds", None, 1, WAIT_SECONDS_MAX) if "after_seconds" in table else 0,
        "nobody" in table,
        table.integer("waiting_above", None, 1, 100_000) if "waiting_above" in table else 0,
        table.integer("expected_wait_above", None, 1, WAIT_SECONDS_MAX) if "expected_wait_above" in table else 0,
    )
    for channel in channels:
        if channel in CHANNELS and not suits(way, channel):
            table.mistake("channels", f"a contact by {channel} cannot go to a {kind}")
    table.skip(*CONDITIONS, *TARGETS)
    table.done()
    return way


def read_neighbours(centre: Table) -> tuple[Neighbour, ...]:
    neighbours = []
    for table in centre.tables("neighbours"):
        number = table.text("number", "")
        if not re.fullmatch(r"(\d{3,15})?", number):
            table.mistake("number", f'{shown(number)} is not a number to dial; write digits, "0201234567"')
        neighbours.append(Neighbour(table.id("id"), table.per_language("title"), number))
        table.done()
    return tuple(neighbours)


def read_destinations(centre: Table) -> tuple[Destination, ...]:
    destinations = []
    for table in centre.tables("destinations")[:DESTINATIONS_MAX]:
        number = table.text("number")
        if not re.fullmatch(r"\d{3,15}", number):
            table.mistake("number", f'{shown(number)} is not a number to dial; write digits, "08000543"')
        destinations.append(
            Destination(
                table.id("id"),
                table.per_language("title"),
                number,
                table.choice("kind", "government", DESTINATIONS),
                table.choice("shows", "municipality", ("municipality", "citizen")),
            )
        )
        table.done()
    if len(centre.tables("destinations")) > DESTINATIONS_MAX:
        centre.mistake("destinations", f"there are more than {DESTINATIONS_MAX}")
    return tuple(destinations)


def read_outside_prefixes(centre: Table) -> tuple[str, ...]:
    """What numbers that agents type may begin with."""
    prefixes = centre.texts("outside_prefixes")
    for n, prefix in enumerate(prefixes, 1):
        if not re.fullmatch(r"\+[1-9]\d{0,14}", prefix):
            centre.mistake(f"outside_prefixes[{n}]", f'{shown(prefix)} is no such beginning; write "+31" or "+3120"')
    return prefixes


def read_messages(centre: Table) -> dict[str, dict[str, str]]:
    """Name -> text per language; the name is also that of a recording."""
    inner = centre.table("messages")
    for name in inner:
        if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
            inner.mistake(name, "a recording's name has small letters, digits and - only")
    return {name: inner.per_language(name) for name in inner}


# -- what they refer to ---------------------------------------------------------------------------------------


def check_waiting(centre: Centre, all_exist: Callable[[str, Mapping[str, int]], None], notes: Notes) -> None:
    """Hold steps and ways out against skills, queues, neighbours and messages."""
    known = {
        "queue": {queue.id for queue in centre.queues},
        "neighbour": {neighbour.id for neighbour in centre.neighbours},
        "message": set(centre.messages),
    }
    served = {topic.queue for topic in centre.topics}
    for n, queue in enumerate(centre.queues, 1):
        path = f"topics.toml: queues[{n}]"
        all_exist(f"{path}.floor", queue.floor)
        for k, step in enumerate(queue.widening, 1):
            where = f"{path}.widening[{k}]"
            all_exist(f"{where}.lower", step.lower)
            all_exist(f"{where}.drop", dict.fromkeys(step.drop, 1))
            all_exist(f"{where}.replace", dict.fromkeys((*step.replace, *step.replace.values()), 1))
        for k, way in enumerate(queue.overflow, 1):
            _check_way(f"{path}.overflow[{k}]", queue, way, known, notes)
            if way.kind == "queue" and way.to in known["queue"] and way.to not in served:
                notes.mistakes.append(f'{path}.overflow[{k}]: no topic leads to queue "{way.to}", so nobody serves it')
            neighbour = centre.neighbour(way.to)
            if neighbour and way.kind == "neighbour" and not way.channels and not neighbour.number:
                remedy = 'write its number, or channels = ["email", "post"]'
                notes.warnings.append(f"{path}.overflow[{k}]: calls go on waiting, it has no number to call; {remedy}")
            if neighbour and way.kind == "neighbour" and "phone" in way.channels and not neighbour.number:
                notes.mistakes.append(f'{path}.overflow[{k}]: neighbour "{way.to}" has no number to call; write one')


def _check_way(path: str, queue: Queue, way: WayOut, known: Mapping[str, set[str]], notes: Notes) -> None:
    if way.kind == "queue" and way.to == queue.id:
        notes.mistakes.append(f"{path}.queue: it leads back to the same queue; name another")
    if way.to and way.to not in known.get(way.kind, ()):
        found = nearest(way.to, known.get(way.kind, ()))
        notes.mistakes.append(f'{path}.{way.kind}: there is no {way.kind} "{way.to}"{found}')
