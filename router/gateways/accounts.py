"""Signing in: passwords, sessions that survive a restart, tokens of programs, and the lock after wrong passwords."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import argon2
import structlog
from aiohttp import web

from router.errors import NotSignedIn, Unavailable
from router.settings import Account, ServerSettings
from router.web import Limited, Principal, RateLimit

ABSOLUTE_MS = 12 * 3_600_000
IDLE_MS = 2 * 3_600_000
NOTED_EVERY_MS = 60_000
"""How often the moment of last use is written down."""
WRONG_MAX = 5
LOCKED_MS = 60_000
SESSIONS_PER_ACCOUNT_MAX = 20
VERIFYING_MAX = 2
VERIFYING_WAITING_MAX = 32

log = structlog.get_logger()


@dataclass(slots=True)
class Session:
    """One sign-in. Only the hash of its token is kept."""

    hash: bytes
    account: str
    made_at: int
    seen_at: int
    noted_at: int


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    locked_until: int = 0


class Accounts:
    """Who may come in. Open it before use; `close` it at the end."""

    def __init__(self, accounts: tuple[Account, ...], server: ServerSettings, now: Callable[[], int]) -> None:
        self._now = now
        self._people = {a.id: a for a in accounts if a.role in {"agent", "supervisor"}}
        self._programs = {a.secret_hash.lower(): a for a in accounts if a.role in {"integrator", "board"}}
        self._secure = server.public_url.startswith("https://")
        self.cookie = "__Host-kcc" if self._secure else "kcc"
        self._sessions: dict[bytes, Session] = {}
        self._ended: set[bytes] = set()
        """Sessions that are over, but that the book could not forget yet."""
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._hasher = argon2.PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._verifying = asyncio.Semaphore(VERIFYING_MAX)
        self._waiting = 0
        self.per_address = RateLimit(120, 60, now)
        self._book = self._open(server.data / "sessions.sqlite3")

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            return self._read(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise Unavailable(f"{path} cannot be opened: {error}") from error
            # Who is signed in is no record: an unreadable book is kept aside, and everybody signs in again.
            log.error("sessions.unreadable", kept=f"{path.name}.damaged")
            path.replace(path.with_name(f"{path.name}.damaged"))
            for beside in ("-wal", "-shm"):
                path.with_name(f"{path.name}{beside}").unlink(missing_ok=True)
            return self._read(path)

    def _read(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        book = sqlite3.connect(path, isolation_level=None)
        book.execute("PRAGMA journal_mode = WAL")
        book.execute("PRAGMA synchronous = NORMAL")
        book.execute(
            "CREATE TABLE IF NOT EXISTS session (hash BLOB PRIMARY KEY, account TEXT NOT NULL, "
            "made_at INTEGER NOT NULL, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID"
        )
        for hash_, account, made_at, seen_at in book.execute("SELECT hash, account, made_at, seen_at FROM session"):
            self._sessions[hash_] = Session(hash_, account, made_at, seen_at, seen_at)
        return book

    def close(self) -> None:
        for session in self._sessions.values():
            self._note(session)
        for hash_ in self._ended:
            self._write("DELETE FROM session WHERE hash = ?", (hash_,))
        self._book.close()

    # -- people -----------------------------------------------------------------------------------------------

    async def sign_in(self, user: str, password: str) -> tuple[Principal, str]:
        """Gives who it is and a new session token. Raises NotSignedIn, or Limited while the account is closed."""
        now = self._now()
        tries = self._tries.setdefault(user, _Tries())
        self._tries.move_to_end(user)
        if len(self._tries) > 10_000:
            self._tries.popitem(last=False)
        if tries.locked_until > now:
            raise Limited("Too many wrong passwords", -(-(tries.locked_until - now) // 1000))
        tries.wrong += 1  # before the slow part, so that guessing side by side does not help
        if tries.wrong >= WRONG_MAX:
            tries.wrong, tries.locked_until = 0, now + LOCKED_MS
        account = self._people.get(user)
        fits = await self._verify(account.secret_hash if account is not None else self._nobody, password)
        if account is None or not fits:
            log.warning("sign-in refused", locked=tries.locked_until > now)
            raise NotSignedIn("User name or password is wrong")
        self._tries.pop(user, None)
        return _principal(account), self._begin(account)

    async def _verify(self, hash_: str, password: str) -> bool:
        if self._waiting >= VERIFYING_WAITING_MAX:
            raise Unavailable("Too many are signing in at this moment")
        self._waiting += 1
        try:
            async with self._verifying:
                return await asyncio.to_thread(self._fits, hash_, password)
        finally:
            self._waiting -= 1

    def _fits(self, hash_: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash_, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _begin(self, account: Account) -> str:
        mine = sorted((s for s in self._sessions.values() if s.account == account.id), key=lambda s: s.seen_at)
        for oldest in mine[: max(0, len(mine) - SESSIONS_PER_ACCOUNT_MAX + 1)]:
            self._drop(oldest)
        token, now = secrets.token_urlsafe(32), self._now()
        session = Session(_digest(token), account.id, now, now, now)
        self._sessions[session.hash] = session
        self._note(session)
        return token

    def sign_out(self, request: web.Request) -> bytes:
        """End the session of this request; gives its hash, so that its sockets can be ended too."""
        session = self._sessions.get(_digest(request.cookies.get(self.cookie, "")))
        if session is None:
            return b""
        self._drop(session)
        return session.hash

    # -- every request ----------------------------------------------------------------------------------------

    def has_cookie(self, request: web.Request) -> bool:
        """Whether the request carries a session cookie, valid or not."""
        return self.cookie in request.cookies

    def authenticate(self, request: web.Request) -> Principal | None:
        """Who asks: by token when there is one, else by session. Raises NotSignedIn for a token that is wrong."""
        given = request.headers.get("Authorization", "")
        if given:
            scheme, _, token = given.partition(" ")
            program = self.program(token.strip()) if scheme.lower() == "bearer" else None
            if program is None:
                raise NotSignedIn("The token is not known")
            return program
        return self.person(self.session_of(request))

    def program(self, token: str) -> Principal | None:
        """The program whose token this is."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        account = next((a for known, a in self._programs.items() if hmac.compare_digest(known, digest)), None)
        return _principal(account) if account is not None else None

    def session_of(self, request: web.Request) -> bytes:
        """The hash of the session this request's cookie names, or empty."""
        token = request.cookies.get(self.cookie, "")
        return _digest(token) if token else b""

    def person(self, session_hash: bytes) -> Principal | None:
        """Who has this session, when it is still good; this counts as using it."""
        session = self._sessions.get(session_hash)
        account = self._people.get(session.account) if session is not None else None
        if session is None or account is None:
            return None
        now = self._now()
        if now - session.made_at >= ABSOLUTE_MS or now - session.seen_at >= IDLE_MS:
            self._drop(session)
            return None
        session.seen_at = now
        if now - session.noted_at >= NOTED_EVERY_MS:
            self._note(session)
        return _principal(account)

    def cookie_for(self, token: str) -> Mapping[str, str]:
        """The Set-Cookie header for a new session; for an empty token, the one that takes it away."""
        age = ABSOLUTE_MS // 1000 if token else 0
        secure = "; Secure" if self._secure else ""
        return {"Set-Cookie": f"{self.cookie}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"}

    def _note(self, session: Session) -> None:
        # Without an fsync: after a power cut the last seconds of signing in and out may be forgotten.
        session.noted_at = session.seen_at
        self._write(
            "INSERT INTO session VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at",
            (session.hash, session.account, session.made_at, session.seen_at),
        )

    def _drop(self, session: Session) -> None:
        self._sessions.pop(session.hash, None)
        self._ended.add(session.hash)
        for hash_ in list(self._ended):
            if self._write("DELETE FROM session WHERE hash = ?", (hash_,)):
                self._ended.discard(hash_)

    def _write(self, change: str, values: tuple[object, ...]) -> bool:
        """Whether the book took it. When the disk refuses, people go on working: sessions live in memory."""
        try:
            self._book.execute(change, values)
        except sqlite3.OperationalError as error:
            log.warning("sessions.not_noted", cause=getattr(error, "sqlite_errorname", ""))
            return False
        return True


def token_hash(token: str) -> str:
    """What stands in the accounts file for a program's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_key(key: str) -> bool:
    """Whether an Idempotency-Key is 8 to 128 printable ASCII characters."""
    return re.fullmatch(r"[!-~][ -~]{6,126}[!-~]", key) is not None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _principal(account: Account) -> Principal:
    return Principal(
        id=account.id,
        name=account.name,
        role=account.role,
        agent=account.agent,
        language=account.language,
        is_program=account.role in {"integrator", "board"},
        endpoint=account.endpoint,
    )
