"""Who may import whom: the rooms of the house and the doors between them. A door that is not listed is a wall."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.source import PACKAGE, imports, modules

# A room is a package or module of router/; `settings_table` belongs to the room `settings`. A door is a room, or one
# module in it. Inside a room anything goes, except where APART says otherwise.
PURE = {"engine", "queues", "skills", "linting"}
COMMON = {"nouns", "errors"}
VOCABULARY = {"engine.commands", "engine.facts", "engine.explanation", "engine.effects"}
SHELL = COMMON | VOCABULARY | {"port", "vault.interface", "settings", "telemetry", "keys"}
WEB = {"web", "sockets"}

DOORS: dict[str, set[str]] = {
    "nouns": set(),
    "errors": set(),
    # pure
    "skills": COMMON,
    "queues": COMMON | {"skills"},
    "engine": COMMON | {"queues", "skills"},
    "linting": COMMON | {"queues", "skills"},
    "simulation": COMMON | {"engine", "queues", "skills", "settings_table", "settings_hours"},
    "wire": COMMON | VOCABULARY | {"skills.capacity"},
    "settings": COMMON | {"queues", "skills", "wire", "linting.findings"},
    # the loop and what it stands on
    "port": COMMON | VOCABULARY | {"wire", "bus.interface", "telemetry"},
    "ownership": COMMON | {"telemetry"},
    "centre": COMMON
    | {
        "bus.interface",
        "courtesy",
        "engine",
        "inbox",
        "journal.interface",
        "ownership",
        "port",
        "replay",
        "telemetry",
        "wire",
        "worker",
    },
    "inbox": {"courtesy"},
    "replay": COMMON | {"engine", "journal.interface", "wire"},
    "verify": COMMON | {"engine", "skills", "journal.interface", "replay", "wire"},
    "why": COMMON | {"engine", "journal.interface", "wire"},
    "rerun": COMMON | PURE | {"simulation", "journal.interface", "replay", "wire"},
    "learning": COMMON | {"engine.commands", "engine.facts", "skills", "port", "projections", "wire"},
    "telemetry": COMMON | {"engine.facts", "port", "wire"},
    "journal": COMMON | {"engine.facts", "wire", "telemetry"},
    "projections": COMMON
    | {
        "courtesy",
        "queues.expected",
        "queues.hours",
        "queues.lanes",
        "queues.windows",
        "engine.facts",
        "engine.explanation",
        "skills.estimates",
        "port",
        "wire",
        "telemetry",
    },
    "bus": COMMON | {"wire", "telemetry"},
    "vault": COMMON | {"telemetry", "worker"},
    # shells
    "web": COMMON | {"settings", "telemetry"},
    "telephone_numbers": set(),
    "sockets": COMMON | {"settings", "telemetry", "web"},
    "channels": SHELL | WEB | {"telephone_numbers"},
    "gateways": SHELL | WEB | {"projections", "telephone_numbers"},
    "registers": SHELL,
    "orders": COMMON | {"port", "channels.channel", "telemetry"},
    "keys": COMMON,
    "check": COMMON | {"settings", "linting"},
    "disk": set(),
    "progress": set(),
    "worker": set(),
    "courtesy": set(),
    "garbage": {"courtesy"},
    "watchdog": COMMON | {"telemetry"},
    # the players of `make demo`, who come in from outside; it starts the server beside them
    "demo": {"settings"},
}
EVERYTHING = {"app", "cli"}
"""`app` wires all rooms together; `cli` starts it."""
ONLY_FROM = {"app": {"cli", "demo"}, "cli": {"__main__"}, "demo": {"cli"}}

APART = ("channels", "registers")
"""Rooms whose parts never import each other; what they share stands in channel.py, register.py or interface.py."""
SHARED = {"channel", "register", "interface"}

NOT_PURE = {"asyncio", "logging", "os", "random", "secrets", "threading", "time", "uuid"}
"""Standard library that would make the pure rooms depend on more than their arguments."""
PYST2, PYST2_ROOM = "asterisk", "router.channels.voice.pyst"


def _inside(module: str) -> str:
    """router.engine.facts -> engine.facts; the package itself -> ''."""
    return module.removeprefix(PACKAGE).removeprefix(".")


def _room(inside: str) -> str:
    first = inside.split(".", maxsplit=1)[0]
    return first if first.startswith("__") else first.split("_")[0]


def _part(inside: str) -> str:
    """channels.voice.pyst -> voice; channels.channel and channels itself -> '' (shared)."""
    names = inside.split(".")
    return names[1] if len(names) > 1 and names[1] not in SHARED else ""


def wall(importer: str, imported: str) -> str | None:
    """What is wrong with this import between two modules of ours, or None."""
    source, target = _inside(importer), _inside(imported)
    room, other = _room(source), _room(target)
    if not target or not source:  # `from router import __version__`
        return None
    if room == other:
        if room in APART and _part(source) != _part(target) and _part(target):
            return f"{importer} imports {imported}: parts of {room} never import each other"
        return None
    if other in ONLY_FROM:
        return None if room in ONLY_FROM[other] else f"{importer} imports {imported}: only {ONLY_FROM[other]} may"
    if room in EVERYTHING:
        return None
    if room not in DOORS:
        return f"{importer}: a room without rules; give it a line in DOORS"
    if any(target == door or (door == other and "." not in door) for door in DOORS[room]):
        return None
    return f"{importer} imports {imported}: {room} may import {', '.join(sorted(DOORS[room])) or 'nothing of ours'}"


def test_rooms_import_only_through_their_doors() -> None:
    walls = [
        wall(name, imported)
        for name in modules()
        for imported in imports(name)
        if imported == PACKAGE or imported.startswith(PACKAGE + ".")
    ]
    assert not [problem for problem in walls if problem]


def test_the_pure_rooms_stand_on_the_standard_library_alone() -> None:
    foreign = [
        f"{name} imports {imported}"
        for name in modules()
        if _room(_inside(name)) in PURE | COMMON
        for imported in imports(name)
        if (top := imported.split(".")[0]) != PACKAGE and (top not in sys.stdlib_module_names or top in NOT_PURE)
    ]
    assert not foreign


def test_one_module_alone_knows_pyst2() -> None:
    assert {name for name in modules() if any(m.split(".")[0] == PYST2 for m in imports(name))} <= {PYST2_ROOM}


def test_the_part_of_pyst2_that_cannot_be_imported_is_not() -> None:
    assert not [name for name in modules() if "asterisk.fastagi" in imports(name)]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("router.nouns", "router.errors"),
        ("router.skills.matching", "router.queues.order"),
        ("router.queues.order", "router.engine.facts"),
        ("router.engine.decide", "router.telemetry"),
        ("router.channels.chat.adapter", "router.engine.state"),
        ("router.channels.chat.adapter", "router.channels.email.adapter"),
        ("router.channels.email.adapter", "router.projections.board"),
        ("router.channels.channel", "router.channels.chat.adapter"),
        ("router.gateways.http", "router.engine.decide"),
        ("router.gateways.http", "router.vault.sqlite"),
        ("router.registers.openklant", "router.registers.zaken"),
        ("router.centre", "router.journal.sqlite"),
        ("router.journal.sqlite", "router.engine.decide"),
        ("router.gateways.http", "router.app"),
        ("router.somewhere", "router.nouns"),
    ],
)
def test_a_wall_is_noticed(importer: str, imported: str) -> None:
    assert wall(importer, imported)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("router.engine.decide", "router.skills.matching"),
        ("router.settings_table", "router.nouns"),
        ("router.settings", "router.settings_table"),
        ("router.channels.chat.adapter", "router.channels.channel"),
        ("router.channels.voice.ami", "router.channels.voice.pyst"),
        ("router.gateways.desk", "router.projections.board"),
        ("router.centre", "router.engine.decide"),
        ("router.cli", "router.app"),
        ("router.app", "router.journal.sqlite"),
    ],
)
def test_a_door_is_open(importer: str, imported: str) -> None:
    assert wall(importer, imported) is None
