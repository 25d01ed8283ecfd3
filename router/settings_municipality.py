"""One municipality of centre.toml: its numbers, hours, special days, own norms and messages."""

from __future__ import annotations

import re

from router.nouns import CHANNELS, OFFICE, Municipality
from router.settings_hours import closed_days, read_hours, with_exceptions
from router.settings_queue import read_targets
from router.settings_table import Table, nearest, shown
from router.settings_telephone import read_recording, read_telephone


def read_municipality(table: Table, closed: frozenset[str]) -> Municipality:
    """`closed` are the days on which the whole centre is closed."""
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
    usual = {channel: read_hours(hours, channel) for channel in hours}
    municipality = Municipality(
        id=table.id("id"),
        name=table.text("name"),
        entry_points=entry_points,
        greeting=table.per_language("greeting", required=False),
        hours=with_exceptions(usual, table.tables("exceptions")),
        calamity=table.per_language("calamity", required=False),
        holidays=tuple(sorted(closed_days(table, closed))),
        email_from=email_from,
        supervision_shown=table.flag("supervision_shown", True),
        needs=table.levels("needs"),
        targets={queue: read_targets(own) for queue, own in table.items("targets")},
        telephone=read_telephone(table.table("telephone")),
        recording=read_recording(table.table("recording")),
    )
    for channel in hours:
        if channel not in (*CHANNELS, OFFICE):
            hours.mistake(channel, f"there is no such channel{nearest(channel, CHANNELS)}")
    table.done()
    return municipality
