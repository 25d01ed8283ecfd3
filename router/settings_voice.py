"""[voice] of server.toml -> the telephone: where calls come from and go to, and how many there may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from router.settings import CallLimits, VoiceSettings
from router.settings_pbx import read_allowed, read_pbxs
from router.settings_server import Surface
from router.settings_table import Table, shown

CALLS_MAX = 100_000


def _dial_prefixes(table: Table) -> tuple[str, ...]:
    prefixes = table.texts("dial_prefixes") or ("+31",)
    for prefix in prefixes:
        if not re.fullmatch(r"\+[1-9][0-9]{0,10}", prefix):
            table.mistake("dial_prefixes", f'{shown(prefix)} is no beginning of a number; write "+31" or "+3120"')
    return prefixes


def read_voice(
    table: Table | None, surface: Surface, menus: Mapping[str, tuple[tuple[str, str], ...]]
) -> VoiceSettings | None:
    """The telephone: on when server.toml has [voice] (and not `enabled = false`), or when KCC_AMI is set."""
    by_environment = surface.environ.get("KCC_AMI", "")
    if table is None and not by_environment:
        return None
    table = table or Table("server.toml", "voice", {}, surface.notes)
    enabled = table.flag("enabled", True) or bool(by_environment)
    pbxs = read_pbxs(table, surface, by_environment, enabled)
    agi_host = table.text("agi_host", "127.0.0.1")
    settings = VoiceSettings(
        pbxs=pbxs,
        agi_host=agi_host,
        agi_port=surface.port("KCC_AGI_PORT", table.integer("agi_port", 4573, 1, 65_535)),
        agi_allowed=read_allowed(table, agi_host),
        agi_token=surface.secret(table, "agi_token") if enabled else "",
        dial_prefixes=_dial_prefixes(table),
        spool=Path(table.text("spool")) if "spool" in table else None,
        sounds=Path(table.text("sounds")) if "sounds" in table else None,
        menus=dict(menus),
        limits=_call_limits(table.table("limits")),
    )
    if settings.spool is not None and not (settings.spool.is_absolute() and ".." not in settings.spool.parts):
        table.mistake("spool", 'it is a whole path without ".."; write "/var/spool/asterisk/kcc"')
    table.skip("agi_token_file", "softphone")
    table.done()
    if not enabled:
        return None
    if not settings.agi_token:
        table.mistake("agi_token_file", "the telephone needs it; write agi_token_file, or set KCC_AGI_TOKEN")
    if settings.agi_token and not re.fullmatch(r"[A-Za-z0-9]+", settings.agi_token):
        table.mistake("agi_token_file", "the token may have letters and digits only: it stands in a dialplan")
    elif 0 < len(settings.agi_token) < 16:
        table.warn("agi_token_file", "the token is short; make it 16 letters and digits or more")
    return settings


def _call_limits(table: Table) -> CallLimits:
    most = CallLimits()
    limits = CallLimits(
        table.integer("caller_at_once", most.caller_at_once, 0, CALLS_MAX),
        table.integer("caller_per_minute", most.caller_per_minute, 0, CALLS_MAX),
        table.integer("entry_at_once", most.entry_at_once, 0, CALLS_MAX),
        table.integer("trunk_at_once", most.trunk_at_once, 0, CALLS_MAX),
    )
    table.done()
    return limits
