"""[callbacks] of centre.toml: how often, how soon again, and how they share the agents with who is on the line."""

from __future__ import annotations

from router.nouns import CallbackRules
from router.settings_table import Table


def read_callbacks(centre: Table) -> CallbackRules:
    table = centre.table("callbacks")
    rules = CallbackRules(
        tries_max=table.integer("tries_max", 3, 1, 10),
        again_seconds=table.integer("again_seconds", 900, 60, 86_400),
        ring_seconds=table.integer("ring_seconds", 30, 5, 120),
        live_between_max=table.integer("live_between_max", 0, 0, 100),
    )
    table.done()
    return rules
