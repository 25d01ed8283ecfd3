"""Reads a folder of configuration: `load` gives the Settings or every mistake at once, `describe` sums them up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path

from router.errors import ConfigurationInvalid
from router.linting.findings import Subject
from router.nouns import Centre, Hours, Municipality, QueueTarget
from router.settings import Settings
from router.settings_centre import read_centre
from router.settings_checks import check_centre, check_server
from router.settings_hours import DAYS
from router.settings_prompts import prompts_of, warn_of_missing_prompts
from router.settings_server import (
    Surface,
    check_demo_tokens,
    read_accounts,
    read_chat,
    read_email,
    read_post,
    read_server,
    refuse_secrets,
)
from router.settings_softphone import read_softphone
from router.settings_table import Notes, Table, is_loopback, read_toml
from router.settings_voice import read_voice

FILES = ("centre.toml", "topics.toml", "agents.toml", "accounts.toml", "server.toml")


def load(folder: Path, environ: Mapping[str, str], *, today: date | None = None) -> Settings:
    """As `read`, for who wants to run it."""
    return read(folder, environ, today=today)[0]


def read(folder: Path, environ: Mapping[str, str], *, today: date | None = None) -> tuple[Settings, Subject]:
    """Read the five files in `folder`, with the KCC_… variables of `environ` over them.

    `today` decides for which years public holidays are expanded (default: the present day in UTC).
    Gives the Settings, and what the linter looks over. Raises ConfigurationInvalid with every mistake, each a line
    `file: key: what is wrong; what to write`.
    """
    notes = Notes()
    if not folder.is_dir():
        raise ConfigurationInvalid([f"{folder}: there is no such folder; config/demo and config/example are two"])
    tables = {file: read_toml(folder, file, notes) for file in FILES}
    for table in tables.values():
        if table is not None:
            refuse_secrets(table, notes)
    files = read_centre(
        tables["centre.toml"], tables["topics.toml"], tables["agents.toml"], notes, today or datetime.now(UTC).date()
    )
    if all(tables[file] for file in FILES[:3]):
        check_centre(files, notes)

    accounts_table, server_table = tables["accounts.toml"], tables["server.toml"]
    known = accounts_table is not None and server_table is not None
    accounts_table = accounts_table or Table("accounts.toml", "", {}, Notes())
    server_table = server_table or Table("server.toml", "", {}, Notes())
    surface = Surface(folder, environ, notes)
    accounts = read_accounts(accounts_table, {agent.id: agent.name for agent in files.centre.agents})
    server = read_server(server_table, surface, accounts_table.table("demo"))
    sections = {
        name: server_table.table(name) if name in server_table else None for name in ("email", "post", "chat", "voice")
    }
    voice = read_voice(sections["voice"], surface, files.menus)
    if voice:
        phones = sections["voice"]
        inner = phones.table("softphone") if phones and "softphone" in phones else None
        voice = replace(voice, softphone=read_softphone(inner, surface))
    if voice is not None and voice.sounds is not None:
        warn_of_missing_prompts(prompts_of(files.centre, files.menus), voice.sounds, notes)
    email = read_email(sections["email"], surface, reachable=bool(server.public_url) or is_loopback(server.host))
    settings = Settings(
        centre=files.centre,
        version=version_of(files.centre),
        server=server,
        accounts=accounts,
        keywords=files.keywords,
        voice=voice,
        email=email,
        post=read_post(sections["post"], server.data),
        chat=read_chat(sections["chat"]),
    )
    server_table.skip("email", "post", "chat", "voice")
    accounts_table.done()
    server_table.done()
    check_demo_tokens(accounts_table, server, accounts)
    if known and tables["centre.toml"] and tables["agents.toml"]:
        check_server(files.centre, server, accounts, voice, email, notes)
    if notes.mistakes:
        raise ConfigurationInvalid(list(dict.fromkeys(notes.mistakes)))
    return replace(settings, warnings=tuple(dict.fromkeys(notes.warnings))), files


def version_of(centre: Centre) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the centre's one canonical form (JSON, keys in order)."""
    canonical = json.dumps(asdict(centre), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _rule_lines(centre: Centre) -> list[str]:
    """The table that finds a topic, in the order in which it is gone through."""
    rows: list[tuple[str, str]] = []
    for rule in centre.classification:
        kind, _, value = rule.when[0].partition(":")
        if len(rule.when) == 1 and kind in ("topic", "form") and value == rule.topic:
            if ("topic:… or form:…", "that topic") not in rows:
                rows.append(("topic:… or form:…", "that topic"))
        else:
            rows.append((" + ".join(rule.when), rule.topic))
    rows.append(("anything else", centre.default_topic))
    width = max(len(when) for when, _ in rows)
    numbered = (f"    {n:>2}  {when:<{width}}  {topic}" for n, (when, topic) in enumerate(rows, 1))
    return ["  topics are found by the first of these that fits", *numbered]


def describe(settings: Settings) -> str:
    """A short summary for a person: what is open when, who may take what, which channels are on. No secrets."""
    centre, server = settings.centre, settings.server
    lines = [f"{centre.name} ({centre.time_zone}), configuration {settings.version}"]
    for municipality in centre.municipalities:
        lines.append(f"  {municipality.name}: {', '.join(municipality.entry_points) or 'no number'}")
        lines += [f"    {channel:<8} {hours_text(hours)}" for channel, hours in municipality.hours.items()]
        lines += _days_ahead("closed", list(municipality.holidays))
        lines += _days_ahead("special", _special_days(municipality))
    for queue in centre.queues:
        topics = [topic.id for topic in centre.topics if topic.queue == queue.id]
        norms = ", ".join(f"{c} {t.share:.0%} in {_norm_text(t)}" for c, t in queue.targets.items())
        lines.append(f"  queue {queue.id}: {', '.join(topics)} ({norms})")
    lines += _rule_lines(centre)
    phones = sum(1 for agent in centre.agents if agent.endpoint)
    lines.append(f"  {len(centre.agents)} agents, {phones} with a telephone; {len(centre.skills)} skills")
    roles = [account.role for account in settings.accounts]
    counted = {"agent": "agents", "supervisor": "supervisors", "integrator": "integrators", "board": "boards"}
    lines.append("  accounts: " + ", ".join(f"{roles.count(role)} {name}" for role, name in counted.items()))
    lines += [f"  {line}" for line in _channel_lines(settings)]
    lines.append(f"  http://{server.host}:{server.port}, data in {server.data}{', demo' if server.demo else ''}")
    return "\n".join(lines)


def _days_ahead(what: str, days: list[str]) -> list[str]:
    today = datetime.now(UTC).date().isoformat()
    coming = [day for day in days if day >= today]
    return [f"    {what:<8} {', '.join(coming[:4])}{' …' if len(coming) > 4 else ''}"] if coming else []


def _special_days(municipality: Municipality) -> list[str]:
    days = ((day, c, spans) for c, hours in municipality.hours.items() for day, spans in hours.special.items())
    return sorted(f"{day} {channel} {_spans_text(spans) or 'closed'}" for day, channel, spans in days)


def _channel_lines(settings: Settings) -> list[str]:
    lines = []
    voice, email, post, chat = settings.voice, settings.email, settings.post, settings.chat
    places = " and ".join(f"{pbx.ami_host}:{pbx.ami_port}" for pbx in voice.pbxs) if voice else ""
    lines.append(f"phone: Asterisk at {places}" if voice else "phone: off")
    if email:
        sources = [f"mailbox at {email.imap_host}"] if email.imap_host else []
        sources += [f"listener on {email.listener_host}:{email.listener_port}"] if email.listener_port else []
        out = f"SMTP at {email.smtp_host}" if email.smtp_host else "replies into the outbox folder"
        lines.append(f"email: {', '.join([*sources, out])}")
    else:
        lines.append("email: off")
    lines.append(f"post: scans in {post.folder}" if post else "post: off")
    lines.append(f"chat: on, a visitor may be gone {chat.gone_seconds} s" if chat else "chat: off")
    return lines


def _spans_text(spans: tuple[tuple[int, int], ...]) -> str:
    return "+".join(f"{_clock(start)}-{_clock(end)}" for start, end in spans)


def hours_text(hours: Hours) -> str:
    """The hours in words: `always`, `closed`, or `mon-wed 08:00-17:00, thu 08:00-20:00`."""
    if hours.always:
        return "always"
    spans: list[tuple[int, int, str]] = []
    for day in range(7):
        text = _spans_text(hours.open.get(day, ()))
        if text and spans and spans[-1][1:] == (day - 1, text):
            spans[-1] = (spans[-1][0], day, text)
        elif text:
            spans.append((day, day, text))
    names = [day[:3] for day in DAYS]
    return ", ".join(f"{names[a]}{f'-{names[b]}' if b > a else ''} {text}" for a, b, text in spans) or "closed"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _norm_text(norm: QueueTarget) -> str:
    if norm.seconds:
        return _time_text(norm.seconds)
    return f"{norm.working_days} working days" if norm.working_days else f"{norm.working_hours} working hours"


def _time_text(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds / size:g} {name}"
    return f"{seconds} s"
