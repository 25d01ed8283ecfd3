"""One queue of topics.toml: its norms, limits and policy."""

from __future__ import annotations

from router.nouns import CHANNELS, LIVE_CHANNELS, POLICIES, Queue, QueueLimit, QueueTarget
from router.settings_table import Table, nearest
from router.settings_waiting import read_overflow, read_widening

RESERVE_SECONDS_MAX = 300
PREFERRED_SECONDS_MAX = 86_400
WORKING = {"working_hours": 2_000, "working_days": 250}
"""Norms in working time, and how long they may be."""


def read_queue(table: Table) -> Queue:
    targets = read_targets(table.table("targets"))
    quiet = table.table("quiet")
    floor = table.levels("floor")
    queue = Queue(
        id=table.id("id"),
        title=table.per_language("title"),
        targets=targets,
        priority=table.integer("priority", 5, 1, 9),
        wrap_up_seconds=table.integer("wrap_up_seconds", 60, 0, 3600),
        policy=table.choice("policy", "skill-level", POLICIES),
        reserve_seconds=table.integer("reserve_seconds", 0, 0, RESERVE_SECONDS_MAX),
        overtaken_max=table.integer("overtaken_max", 10, 0, 1000),
        fairness_percent=table.integer("fairness_percent", 85, 0, 1000),
        limits=_limits(table),
        citizen_first=table.choice("callback_first", "agent", ("agent", "citizen")) == "citizen",
        quiet_free=quiet.integer("free", 0, 0, 100),
        quiet_seconds=quiet.integer("seconds_max", 14_400, 60, 30 * 86_400),
        widening=read_widening(table, floor),
        floor=floor,
        overflow=read_overflow(table),
        preferred_seconds=table.integer("preferred_seconds", 0, 0, PREFERRED_SECONDS_MAX),
    )
    quiet.done()
    if queue.reserve_seconds and queue.policy != "resolution":
        table.mistake("reserve_seconds", 'only policy = "resolution" keeps contacts for a better agent')
    for channel, norm in targets.items():
        if channel in LIVE_CHANNELS and queue.reserve_seconds >= norm.seconds:
            table.warn("reserve_seconds", f"it is not below the {norm.seconds} s promised on {channel}")
    table.done()
    return queue


def read_targets(table: Table) -> dict[str, QueueTarget]:
    """Channel -> norm, of a queue or of one municipality for a queue."""
    return {channel: _target(channel, table.table(channel)) for channel in table}


def _target(channel: str, table: Table) -> QueueTarget:
    if channel not in CHANNELS:
        table.mistake("", f"there is no such channel{nearest(channel, CHANNELS)}")
    working = [unit for unit in WORKING if unit in table]
    share = table.number("share", 0.01, 1.0, "write a share: 0.8 is 80%")
    if len(working) + ("seconds" in table) > 1:
        table.mistake("", "it has more than one time in it; write one of seconds, working_hours and working_days")
    if working and channel in LIVE_CHANNELS:
        table.mistake(working[0], f"on {channel} somebody is waiting; write the norm in seconds")
    counts = {unit: table.integer(unit, None, 1, WORKING[unit]) for unit in working[:1]}
    seconds = 0 if working else table.integer("seconds", None, 1, 60 * 86_400)
    table.skip("seconds", *WORKING)
    table.done()
    return QueueTarget(seconds, share, **counts)


def _limits(table: Table) -> dict[str, QueueLimit]:
    """Only people can be told that it is full: what is written is always taken."""
    limits = {}
    for channel, limit in table.items("limits"):
        if channel not in LIVE_CHANNELS:
            limit.mistake("", f"what comes in by {channel} is always taken; limits are for phone, chat and counter")
        limits[channel] = QueueLimit(
            limit.integer("waiting_max", 0, 0, 100_000), limit.integer("wait_seconds_max", 0, 0, 86_400)
        )
        limit.done()
    return limits
