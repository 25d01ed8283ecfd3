"""The command line: serve, demo, check, simulate, rerun, verify, why, replay, snapshot, erase, password."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path

from router import __version__
from router.errors import ConfigurationInvalid, Deposed, JournalDamaged, KccError
from router.nouns import LEARNING, POLICIES
from router.progress import Progress
from router.settings import Settings

DEMO = Path("config/demo")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status (0 well, 1 not well, 2 wrong usage)."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigurationInvalid as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
        print(f"{len(error.mistakes)} mistake(s) in {options.config}: nothing was started", file=sys.stderr)
    except (Deposed, JournalDamaged, KccError) as error:
        print(f"kcc-router: {error.message}", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read this has seen enough
    except (OSError, sqlite3.Error) as error:
        print(f"kcc-router: {_of_the_world(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _of_the_world(error: OSError | sqlite3.Error) -> str:
    """What a disk or a database says, without a traceback."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kcc-router", description="Contact router for municipal contact centres.")
    parser.add_argument("--version", action="version", version=f"kcc-router {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help)
        command.add_argument("--config", type=Path, default=DEMO, help="folder with the configuration (config/demo)")
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "run the server")
    demo = add("demo", _demo, "run the server, and play a busy morning on it")
    demo.add_argument("--minutes", type=float, default=0, help="stop after this long (0: until interrupted)")
    check = add("check", _check, "look the configuration over: every mistake, and what would go wrong, by example")
    check.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    check.add_argument("--json", action="store_true", help="machine-readable")
    simulate = add("simulate", _simulate, "play a workload through the engine under virtual time, and report")
    simulate.add_argument("workload", type=Path, help="a TOML file as in benchmarks/workloads")
    simulate.add_argument("--policy", action="append", choices=POLICIES, help="may be given more than once (all three)")
    simulate.add_argument("--learning", choices=LEARNING, default="off", help="what estimates may rest on (off)")
    simulate.add_argument("--seeds", type=int, default=5, help="days per roster (5)")
    simulate.add_argument("--rosters", type=int, default=1, help="rosters drawn (1)")
    simulate.add_argument("--warm-up", type=int, default=20, help="uncounted days to learn from (20)")
    simulate.add_argument("--progress", action="store_true", help="show progress also where nobody watches a terminal")
    simulate.add_argument("--json", action="store_true", help="machine-readable")
    rerun = add("rerun", _rerun, "run a recorded day again under this configuration, and compare")
    rerun.add_argument("day", type=date.fromisoformat, metavar="DAY", help="local date, as 2026-11-27")
    rerun.add_argument("--as-recorded", action="store_true", help="under the configuration of then: must reproduce it")
    rerun.add_argument("--journal", type=Path, help="folder with the journal (KCC_DATA)")
    rerun.add_argument("--limit", type=int, default=20, help="contacts that change hands to show (20)")
    rerun.add_argument("--skip", type=int, default=0, help="how many of them to pass over first (0)")
    rerun.add_argument("--progress", action="store_true", help="show progress also where nobody watches a terminal")
    rerun.add_argument("--json", action="store_true", help="machine-readable, with all contacts that change hands")
    verify = add("verify", _verify, "check the books and invariants of a journal")
    verify.add_argument("--json", action="store_true", help="machine-readable, per channel")
    why = add("why", _why, "tell why a contact went where it went; or derive every stored explanation again")
    why.add_argument("contact", nargs="?", default="", help="a contact's id, c-…")
    why.add_argument("--check", action="store_true", help="derive all of them from the journal and compare the bytes")
    add("replay", _replay, "fold the journal and print the hash of its state")
    add("snapshot", _snapshot, "fold the journal and keep the result, for a quicker start")
    erase = add("erase", _erase, "make a citizen unreadable: names, numbers, texts and documents of all their contacts")
    erase.add_argument("--municipality", required=True)
    erase.add_argument("--phone", default="", help="as people write it here, or +316…")
    erase.add_argument("--email", default="")
    password = add("password", _password, "make the hash of a password, or a token, for accounts.toml")
    password.add_argument("--token", action="store_true", help="make a random token for a program instead")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    from router.settings_reader import load

    return load(options.config, os.environ)


def _serve(options: argparse.Namespace) -> int:
    from router.app import serve

    return serve(_settings(options), options.config)


def _demo(options: argparse.Namespace) -> int:
    from router.demo import serve_demo

    return serve_demo(_settings(options), options.config, minutes=options.minutes)


def _check(options: argparse.Namespace) -> int:
    from router.check import check, unreadable

    try:
        found = check(options.config, os.environ)
    except ConfigurationInvalid as error:
        if not options.json:
            raise
        found = unreadable(error)
    print(found.json() if options.json else found.text())
    return 0 if found.passes(options.strict) else 1


def _simulate(options: argparse.Namespace) -> int:
    from router.simulation.report import period_summary, period_table, summary, table
    from router.simulation.run import Variant, play, play_period, steps
    from router.simulation.workload import read_workload

    options.config = options.workload
    workload = read_workload(options.workload)
    rosters, seeds, warm_up = range(max(1, options.rosters)), range(max(1, options.seeds)), max(0, options.warm_up)
    variants = [Variant(policy, options.learning) for policy in options.policy or POLICIES]
    total = sum(steps(workload, variant, len(rosters), len(seeds), warm_up) for variant in variants)
    with Progress(total, options.progress) as progress:
        if workload.calendar is not None:
            weeks = {v.name: period_summary(play_period(workload, v, rosters, seeds, progress)) for v in variants}
            found, text = dict[str, object](weeks), period_table(weeks)
        else:
            days = {v.name: summary(list(play(workload, v, rosters, seeds, warm_up, progress))) for v in variants}
            found, text = dict[str, object](days), table(days)
    if options.json:
        made = {"workload": workload.name, "rosters": len(rosters), "seeds": len(seeds), "policies": found}
        print(json.dumps(made, indent=2))
    else:
        print(text)
    return 0


def _rerun(options: argparse.Namespace) -> int:
    from router.journal.sqlite import SqliteJournal
    from router.rerun import rerun

    settings = _settings(options)
    centre = None if options.as_recorded else settings.centre
    journal = SqliteJournal.reader(options.journal or settings.server.data, settings.centre.id)
    zone = settings.centre.time_zone
    try:
        with Progress(shown=options.progress) as progress:
            found = rerun(journal.read(), options.day, zone, centre, settings.version, progress)
    finally:
        journal.close()
    if options.json:
        print(json.dumps(found.plain(), indent=2))
    else:
        print(found.text(max(0, options.limit), max(0, options.skip)))
    return 1 if options.as_recorded and not found.reproduced else 0


def _verify(options: argparse.Namespace) -> int:
    from router.journal.sqlite import SqliteJournal
    from router.verify import verify

    settings = _settings(options)
    journal = SqliteJournal.reader(settings.server.data, settings.centre.id)
    try:
        report = verify(journal.read())
    finally:
        journal.close()
    if options.json:
        print(json.dumps(asdict(report) | {"sound": report.sound}, indent=2))
    else:
        for channel, row in report.channels.items():
            print(f"{channel:9}" + "  ".join(f"{name} {value}" for name, value in row.items()))
        for violation in report.violations:
            print(f"VIOLATED: {violation}")
        found = "the books balance" if report.sound else "NOT SOUND"
        print(f"{report.facts} facts, {found}, state {report.state[:16]}")
    return 0 if report.sound else 1


def _why(options: argparse.Namespace) -> int:
    from router.journal.sqlite import SqliteJournal
    from router.why import in_words, recheck
    from router.wire import decode

    if bool(options.contact) == options.check:
        print("kcc-router: name one contact, or say --check", file=sys.stderr)
        return 2
    settings = _settings(options)
    journal = SqliteJournal.reader(settings.server.data, settings.centre.id)
    try:
        if options.check:
            found = recheck(journal.read())
            for number, contact in found.differing:
                print(f"DIFFERS: fact {number}, contact {contact}")
            print(
                f"{found.same} explanations came out the same, {len(found.differing)} did not, "
                f"{found.older} are of another version of the engine"
            )
            return 1 if found.differing else 0
        decisions = [decode(one) for one in journal.explanations(options.contact)]
    finally:
        journal.close()
    if not decisions:
        print(f"nothing is recorded about {options.contact}", file=sys.stderr)
        return 1
    print("\n\n".join(in_words(one, settings.centre.time_zone) for one in decisions))
    return 0


def _replay(options: argparse.Namespace) -> int:
    from router.engine.state import State, state_hash
    from router.journal.sqlite import SqliteJournal
    from router.replay import fold

    settings = _settings(options)
    journal = SqliteJournal.reader(settings.server.data, settings.centre.id)
    try:
        state = fold(journal.read(), State())
    finally:
        journal.close()
    print(f"{state.number} facts, {len(state.contacts)} contacts open, state {state_hash(state)}")
    return 0


def _snapshot(options: argparse.Namespace) -> int:
    from router.journal.sqlite import SqliteJournal
    from router.replay import take_snapshot

    settings = _settings(options)
    if settings.server.processor >= 0:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # beside the server that started it, not in its way
    journal = SqliteJournal.reader(settings.server.data, settings.centre.id)
    try:
        print(f"snapshot of fact {take_snapshot(journal)}")
    finally:
        journal.close()
    return 0


def _erase(options: argparse.Namespace) -> int:
    import asyncio

    from router.telephone_numbers import e164
    from router.vault.store import FILE as VAULT_FILE
    from router.vault.store import SqliteVault

    settings = _settings(options)
    if settings.centre.municipality(options.municipality) is None:
        print(f"kcc-router: no municipality {options.municipality}", file=sys.stderr)
        return 2
    phone = e164(options.phone) if options.phone else ""
    if not (options.phone or options.email) or (options.phone and not phone):
        print("kcc-router: say who: --phone with a whole telephone number, --email, or both", file=sys.stderr)
        return 2
    if not (settings.server.data / VAULT_FILE).exists():
        print(f"kcc-router: there is no vault in {settings.server.data}; is KCC_DATA right?", file=sys.stderr)
        return 1

    async def erase() -> int:
        vault = SqliteVault(settings.server.data)
        try:
            # Number and address may be known as two citizens: both go.
            found = {
                await vault.find(options.municipality, phone=phone),
                await vault.find(options.municipality, email=options.email),
            } - {""}
            return sum([await vault.erase(citizen, who="command line") for citizen in found]) if found else -1
        finally:
            await vault.close()

    erased = asyncio.run(erase())
    if erased < 0:
        print("nobody is known by that number or address there")
        return 1
    print(f"{erased} contact(s) can no longer be read by anybody")
    return 0


def _password(options: argparse.Namespace) -> int:
    if options.token:
        token = secrets.token_urlsafe(32)
        print(f"token (give it to the program, it is shown only now): {token}")
        print(f"hash (for accounts.toml): {sha256(token.encode()).hexdigest()}")
        return 0
    from argon2 import PasswordHasher

    print(PasswordHasher().hash(getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().strip()))
    return 0
