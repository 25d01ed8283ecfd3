"""FastAgiServer: takes calls in from the dialplan, within limits. Bad input ends one connection, never the server."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import re
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router.channels.voice.faults import (
    AgiFault,
    AgiForged,
    AgiMalformed,
    AgiRefused,
    AgiTimeout,
    CallerHungUp,
)
from router.channels.voice.line import AgiLine
from router.channels.voice.pyst import AgiCall, refuse_control
from router.channels.voice.timing import CallLater, Timer, loop_timer, within

__all__ = [
    "AgiFault", "AgiForged", "AgiMalformed", "AgiRefused", "AgiRequest", "AgiSession", "AgiTimeout", "CallerHungUp",
    "FastAgiServer", "token_of",
]  # fmt: skip

ENVIRONMENT_BYTES_MAX = 65_536
ENVIRONMENT_LINES_MAX = 100
CONNECTIONS_MAX = 500
ENVIRONMENT_SECONDS = 2.0
SESSION_SECONDS = 200.0
PLAY_SECONDS = 120.0
BACKLOG = 128
ACCEPT_AGAIN_SECONDS = 0.1

SOUND: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
FILE: Final = re.compile(r"/[A-Za-z0-9/._-]{1,200}")
VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
VALUE: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
DIGITS: Final = re.compile(r"[0-9*#]*")
ANY_DIGIT = "0123456789*#"
RESTRICTED = 0x60
"""The bits of a presentation (Q.931) in which 0 is "allowed"."""


def token_of(secret: str, uniqueid: str, nonce: str) -> str:
    """What the dialplan computes for each call from the secret it shares with the router."""
    return hashlib.sha1(f"{secret}:{uniqueid}:{nonce}:{secret}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """What the dialplan asks: the script's name and its arguments (the number called or the digit, nonce, token)."""

    script: str
    args: tuple[str, ...]


class AgiSession:
    """One call, while the dialplan waits for the router.

    Every method raises CallerHungUp when the citizen leaves or the dialplan's deadline has passed, AgiTimeout,
    AgiRefused or AgiMalformed; ValueError for an argument that cannot be said.
    """

    def __init__(self, env: Mapping[str, str], call: AgiCall) -> None:
        self.env = env
        self._call = call
        self.missing: list[str] = []
        """Prompts Asterisk does not have."""
        script = env.get("agi_network_script", "").strip("/").partition("?")[0]
        keys = itertools.takewhile(env.__contains__, (f"agi_arg_{n}" for n in itertools.count(1)))
        self.request = AgiRequest(script, tuple(env[key] for key in keys))

    @property
    def channel(self) -> str:
        return self.env.get("agi_channel", "")

    @property
    def uniqueid(self) -> str:
        """Of the citizen's channel: the key that makes an arrival idempotent. Unique per PBX by its systemname."""
        return self.env.get("agi_uniqueid", "")

    @property
    def caller_number(self) -> str:
        """As the carrier gave it; "" when withheld."""
        return _known(self.env.get("agi_callerid", ""))

    @property
    def withheld(self) -> bool:
        """Whether the caller asked the carrier not to show the number, also where it was handed over."""
        presentation = self.env.get("agi_callingpres", "")
        return presentation.isdecimal() and bool(int(presentation) & RESTRICTED)

    @property
    def caller_name(self) -> str:
        return _known(self.env.get("agi_calleridname", ""))

    @property
    def subject(self) -> str:
        """The script's first argument: for `intake` the 14+ number that was called, for `digit` the digit."""
        return self.request.args[0] if self.request.args else ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers this call may have been meant for: whom it was diverted from, To, and what was called."""
        return (*reversed(self.request.args[3:]), self.subject)

    async def answer(self) -> None:
        await self._call.do("answer")

    async def hangup(self) -> None:
        """End the citizen's call, after the last prompt."""
        await self._call.do("hangup")

    async def set_variable(self, name: str, value: str) -> None:
        """A channel variable, or a dialplan function such as TIMEOUT(absolute)."""
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*(\([a-z]+\))?", name):
            raise ValueError("not a variable's name")
        await self._call.do("set_variable", name, value)

    async def conclude(self, **variables: str) -> None:
        """Set channel variables, all in the one and last command: the dialplan goes on as soon as it has carried it
        out, without waiting for our end of the connection. Letters, digits, underscores and dashes only."""
        if not all(VARIABLE.fullmatch(name) and VALUE.fullmatch(value) for name, value in variables.items()):
            raise ValueError("not variables that can be set together")
        await self._call.do("appexec", "MSet", ",".join(f"{n}={v}" for n, v in variables.items()), last=True)

    async def deadline(self, seconds: int) -> None:
        """How long the dialplan waits from now on before it takes the call back; it begins with 3 s."""
        await self.set_variable("TIMEOUT(absolute)", str(max(1, seconds)))

    async def play(self, file: str, escape_digits: str = "") -> str:
        """Play a prompt (kcc/…) to its end or to one of these digits: the digit, or "". A missing prompt gives ""."""
        if not SOUND.fullmatch(file) or not DIGITS.fullmatch(escape_digits):
            raise ValueError("not a prompt's name, or no digits")
        try:
            return str(await self._call.do("stream_file", file, escape_digits, seconds=PLAY_SECONDS))
        except AgiRefused:
            self.missing.append(file)
            return ""

    async def say_number(self, number: int) -> None:
        """A number from 0 on, in the language of the call."""
        await self._call.do("say_number", number, "", seconds=PLAY_SECONDS)

    async def say_digits(self, digits: str) -> str:
        """One by one, to the end or to any digit that is pressed: that digit, or ""."""
        if not digits.isdecimal():
            raise ValueError("no digits")
        return str(await self._call.do("say_digits", digits, ANY_DIGIT, seconds=PLAY_SECONDS))

    async def get_digits(self, prompt: str, timeout_ms: int, digits_max: int) -> str:
        """Play a prompt and take what is pressed, to # or to so long a silence; a missing prompt gives ""."""
        if not SOUND.fullmatch(prompt):
            raise ValueError("not a prompt's name")
        seconds = PLAY_SECONDS + digits_max * timeout_ms / 1000
        try:
            return str(await self._call.do("get_data", prompt, timeout_ms, digits_max, seconds=seconds))
        except AgiRefused:
            self.missing.append(prompt)
            return ""

    async def record(self, path: str, seconds: int, silence_seconds: int) -> None:
        """Record the caller, after a tone, into `path`.wav at the PBX, until #, silence, or so many seconds."""
        if not FILE.fullmatch(path):
            raise ValueError("not a file's name")
        await self._call.do(
            "record_file", path, "wav", "#", seconds * 1000, 0, "beep", silence_seconds, seconds=seconds + 10.0
        )

    async def get_digit(self, prompts: Sequence[str], timeout_ms: int, valid: str = ANY_DIGIT) -> str:
        """Play the prompts until a digit, then wait for one; "" when none of `valid` came."""
        for prompt in prompts:
            digit = await self.play(prompt, ANY_DIGIT)
            if digit:
                return digit if digit in valid else ""
        digit = str(await self._call.do("wait_for_digit", timeout_ms, seconds=timeout_ms / 1000 + 4.0))
        return digit if digit in valid else ""


def _known(value: str) -> str:
    return "" if value == "unknown" else value


async def read_environment(said: AgiLine) -> dict[str, str]:
    """The `agi_…: value` lines up to the empty one; the first of a repeated key counts. Raises AgiMalformed."""
    env: dict[str, str] = {}
    size = 0
    for _ in range(ENVIRONMENT_LINES_MAX + 1):
        try:
            line = said.here() or await said.readline()
        except ValueError:
            raise AgiMalformed("a line is too long") from None
        size += len(line)
        if not line.endswith(b"\n"):
            raise AgiMalformed("the connection ended in the environment")
        if size > ENVIRONMENT_BYTES_MAX:
            raise AgiMalformed("the environment is too long")
        key, colon, value = line.decode(errors="replace").rstrip("\r\n").partition(":")
        if not key and not colon:
            if "agi_uniqueid" not in env or "agi_network_script" not in env:
                raise AgiMalformed("not the environment of a call")
            return env
        if not colon or not key.startswith("agi_"):
            raise AgiMalformed("not a line of an environment")
        env.setdefault(key, value.strip())
    raise AgiMalformed("the environment has too many lines")


class FastAgiServer:
    """Hands each call of the dialplan to `handler` as an AgiSession.

    `counts` tells how connections ended, by the code of the fault, `done`, `too_many`, `stranger` (an address that
    `admits` refuses) or `handler_fault`, and `missing_prompt`; each fault is given to `on_fault` too. With a secret
    only calls with the token of our own dialplan are served. `hurry` is called when a call comes in, and what it gives
    when the dialplan has been told something, or never will be.
    """

    def __init__(
        self,
        handler: Callable[[AgiSession], Awaitable[None]],
        *,
        secret: str,
        on_fault: Callable[[Exception], None],
        admits: Callable[[str], bool],
        hurry: Callable[[], Callable[[], None]] = lambda: lambda: None,
        host: str = "127.0.0.1",
        port: int = 4573,
        session_seconds: float = SESSION_SECONDS,
        connections_max: int = CONNECTIONS_MAX,
        call_later: CallLater = loop_timer,
    ) -> None:
        self._handler = handler
        self._secret = secret
        self._on_fault = on_fault
        self._admits, self._hurry = admits, hurry
        self._host, self.port = host, port
        self._session_seconds = session_seconds
        self._connections_max = connections_max
        self._call_later = call_later
        self._listener: socket.socket | None = None
        self._again: Timer | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    @property
    def open_sessions(self) -> int:
        return len(self._sessions)

    async def start(self) -> None:
        """Listen. With port 0 a free one is taken; `port` then tells which. Raises OSError."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self.port))
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def drop(self) -> None:
        """Refuse connections from this moment, so that the dialplan turns to its fallback at once.

        May be called from any thread: a watchdog does so when the event loop stands still. Sessions go on.
        """
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)

    async def resume(self) -> None:
        """Listen again on the same port, after `drop`."""
        self._stop_listening()
        await self.start()

    async def stop(self, grace_seconds: float = 2.0) -> None:
        """Refuse connections, give sessions a moment to finish, end the rest."""
        self._stop_listening()
        if self._sessions:
            with contextlib.suppress(TimeoutError):
                await within(grace_seconds, _all_done(set(self._sessions)), self._call_later)
        for session in list(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        """One call is waiting to be taken in."""
        loop = asyncio.get_running_loop()
        try:
            connection, address = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            loop.remove_reader(listener)
            if _listens(listener):  # else dropped
                self._on_fault(error)  # out of descriptors, or the peer was quicker
                self._again = self._call_later(
                    ACCEPT_AGAIN_SECONDS, lambda: loop.add_reader(listener, self._accept, listener)
                )
            return
        refused = "" if self._admits(address[0]) else "stranger"
        if not refused and len(self._sessions) >= self._connections_max:
            refused = "too_many"
        if refused:
            self.counts[refused] += 1
            connection.close()
            return
        connection.setblocking(False)
        session = loop.create_task(self._serve(connection, self._hurry()))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _serve(self, connection: socket.socket, told: Callable[[], None]) -> None:
        line, end = AgiLine(connection, told), "done"
        try:
            await within(self._session_seconds, self._attend(line), self._call_later)
        except AgiFault as fault:
            end = fault.code
            self._on_fault(fault)
        except TimeoutError:
            end = AgiTimeout.code
            self._on_fault(AgiTimeout("the session took too long"))
        except Exception as error:  # noqa: BLE001  one bad call must not end the server
            end = "handler_fault"
            self._on_fault(error)
        finally:
            self.counts[end] += 1
            told()
            line.close()

    async def _attend(self, line: AgiLine) -> None:
        try:
            env = await within(ENVIRONMENT_SECONDS, read_environment(line), self._call_later)
        except TimeoutError:
            raise AgiMalformed("the environment did not come") from None
        except OSError as error:
            raise AgiMalformed("the connection broke in the environment") from error
        session = AgiSession(env, AgiCall(line, line, call_later=self._call_later))
        if self._secret:
            given = session.request.args[1:3]
            right = token_of(self._secret, session.uniqueid, given[0]) if len(given) == 2 else ""
            if not right or not hmac.compare_digest(right.encode(), given[1].encode()):
                raise AgiForged("a connection without the dialplan's token")
        refuse_control(session.channel, "a channel's name")
        try:
            await self._handler(session)
        finally:
            self.counts["missing_prompt"] += len(session.missing)
            if session.missing:
                self._on_fault(AgiRefused(f"Asterisk has no prompt {', '.join(sorted(set(session.missing)))}"))


async def _all_done(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


def _listens(listener: socket.socket) -> bool:
    try:
        return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
