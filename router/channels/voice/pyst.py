"""The one module that knows pyst2: its AMI actions and AGI commands, spoken over connections of our own.

pyst2's constructors, threads and transports are never used. What it says is kept; how it says it is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import asterisk.agi
import asterisk.manager

from router.channels.voice.faults import (
    AgiMalformed,
    AgiRefused,
    AgiTimeout,
    AmiDown,
    AmiGarbled,
    AmiRefused,
    AmiTimeout,
    AmiUntrusted,
    CallerHungUp,
)
from router.channels.voice.frames import AmiWire, Frame, header
from router.channels.voice.line import Reader, Writer
from router.channels.voice.secure import context_of, fault_of, refuse_stranger
from router.channels.voice.timing import CallLater, loop_timer, within
from router.settings import AmiTls

OUTSTANDING_MAX = 5_000
ROWS_MAX = 50_000
COMMAND_BYTES_MAX = 1_800
"""Asterisk reads AGI commands into 2,048 bytes; what is longer would go on as a second command."""
ACTION_LINE_BYTES_MAX = 1_000
"""Asterisk reads the lines of an action into 1,025 bytes; of what is longer the rest would be a line of its own."""
USAGE_LINES_MAX = 200
CONTROL = frozenset(map(chr, [*range(32), 127, 0x85, 0x2028, 0x2029]))


def refuse_control(text: str, what: str) -> str:
    """The text itself. Raises ValueError (without quoting it) when a line end or control character is in it."""
    if not CONTROL.isdisjoint(text):
        raise ValueError(f"control character in {what}")
    return text


def _secured(tls: AmiTls | None, host: str) -> dict[str, Any]:
    """How `create_connection` is asked for TLS, if it is."""
    return {} if tls is None else {"ssl": context_of(tls), "server_hostname": tls.server_name or host}


class AmiActions(asterisk.manager.Manager):  # type: ignore[misc]
    """pyst2's action methods (`hangup`, `redirect`, `ping` …), each returning a future of the reply's Frame.

    One object per connection. A reply reaches whoever sent the ActionID; without one in time the future raises
    AmiTimeout, at the end of the connection AmiDown. `on_event` is called from the reader and must only store.
    """

    def __init__(
        self, on_event: Callable[[Frame], None], *, timeout_seconds: float = 4.0, call_later: CallLater = loop_timer
    ) -> None:  # never super().__init__(): it makes threads
        self._on_event = on_event
        self._timeout_seconds = timeout_seconds
        self._call_later = call_later
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._lists: dict[str, tuple[str, list[Frame], asyncio.Future[list[Frame]]]] = {}
        self._number = 0
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()
        self.why: Exception | None = None
        """What ended the connection, if it was not simply closed."""

    def __del__(self) -> None:  # pyst2's talks to the network
        pass

    def connected(self) -> bool:
        return self._transport is not None and not self.lost.is_set()

    async def open(self, host: str, port: int, tls: AmiTls | None = None) -> None:
        """Connect and read the greeting; with `tls` only to who proves to be Asterisk.

        Raises AmiDown (AmiUntrusted for what is wrong with the proof), AmiTimeout or AmiGarbled.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, wire = await within(
                self._timeout_seconds,
                loop.create_connection(lambda: AmiWire(self._ended), host, port, **_secured(tls, host)),
                self._call_later,
            )
            self._transport = transport
            if tls is not None:
                refuse_stranger(tls, transport)
            greeting = await within(self._timeout_seconds, wire.greeting, self._call_later)
            if self.why is not None:
                raise self.why
        except TimeoutError:
            self._lose()
            raise AmiTimeout("no greeting from Asterisk's manager") from None
        except AmiUntrusted:
            self._lose()
            raise
        except ssl.SSLError as error:
            self._lose()
            raise fault_of(error) from error
        except (OSError, ValueError) as error:
            self._lose()
            raise AmiDown(f"cannot reach Asterisk's manager: {type(error).__name__}") from error
        if not greeting.startswith(b"Asterisk Call Manager/"):
            self._lose()
            raise AmiGarbled("the greeting is not Asterisk's manager's")
        wire.begin(self._sort)

    async def login(self, username: str, secret: str) -> None:
        """Raises AmiRefused when the name or the secret is wrong."""
        reply = await self.send_action({"Action": "Login", "Username": username, "Secret": secret})
        if header(reply, "Response") != "Success":
            raise AmiRefused(header(reply, "Message") or "login refused")

    def send_action(self, cdict: Mapping[str, object] | None = None, **more: object) -> asyncio.Future[Frame]:
        """Send one action; a list as value repeats the header. The future gives the reply.

        Raises AmiDown, AmiRefused when too many replies are outstanding, ValueError for a control character or too long
        a line.
        """
        if self._transport is None or self.lost.is_set():
            raise AmiDown("not connected")
        if len(self._waiting) >= OUTSTANDING_MAX:
            raise AmiRefused("too many actions are outstanding")
        fields = {**(cdict or {}), **more}
        action_id = str(fields.setdefault("ActionID", self._next_id()))
        lines = [f"{k}: {v}" for k, x in fields.items() for v in (x if isinstance(x, list) else [x])]
        for line in lines:
            if len(refuse_control(line, "an AMI header").encode(errors="replace")) > ACTION_LINE_BYTES_MAX:
                raise ValueError("a line of an AMI action is too long")
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[action_id] = future
        future.add_done_callback(lambda _: self._waiting.pop(action_id, None))
        self._expire(future)
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode(errors="replace"))
        return future

    async def collect(self, fields: Mapping[str, object], last: str) -> list[Frame]:
        """The events an action answers with, up to the one named `last`. Raises AmiRefused, AmiTimeout, AmiDown."""
        action_id = self._next_id()
        future: asyncio.Future[list[Frame]] = asyncio.get_running_loop().create_future()
        self._lists[action_id] = (last, [], future)
        try:
            self._expire(future)
            reply = await self.send_action(fields, ActionID=action_id)
            if header(reply, "Response") != "Success":
                raise AmiRefused(header(reply, "Message") or "refused")
            return await future
        finally:
            del self._lists[action_id]

    def close(self) -> None:
        """End the connection; whoever waits for a reply gets AmiDown."""
        self._lose()

    def _next_id(self) -> str:
        self._number += 1
        return f"kcc-{self._number:x}"

    def _expire(self, future: asyncio.Future[Any]) -> None:
        def late() -> None:
            if not future.done():
                future.set_exception(AmiTimeout("no reply from Asterisk's manager"))

        def settled(done: asyncio.Future[Any]) -> None:
            timer.cancel()
            if not done.cancelled():
                done.exception()  # seen, also when whoever asked no longer waits

        timer = self._call_later(self._timeout_seconds, late)
        future.add_done_callback(settled)

    def _ended(self, why: Exception | None) -> None:
        if not self.lost.is_set():
            self.why = why
        self._lose()

    def _sort(self, frame: Frame) -> None:
        action_id = header(frame, "ActionID")
        if "Event" not in frame:
            future = self._waiting.get(action_id)
            if future is not None and not future.done():
                future.set_result(frame)
        elif action_id in self._lists:
            last, rows, done = self._lists[action_id]
            if done.done():
                return
            if header(frame, "Event") == last:
                done.set_result(rows)
            elif len(rows) < ROWS_MAX:
                rows.append(frame)
            else:
                done.set_exception(AmiGarbled("a list is too long"))
        else:
            self._on_event(frame)

    def _lose(self) -> None:
        self.lost.set()
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):  # the loop itself is ending
                self._transport.abort()  # `close` over TLS waits half a minute for the other side's goodbye
        lists: list[asyncio.Future[Any]] = [done for _, _, done in self._lists.values()]
        for future in [*self._waiting.values(), *lists]:
            if not future.done():
                future.set_exception(AmiDown("the connection to Asterisk's manager was lost"))


class _Need(BaseException):
    """A command line whose reply is not here yet. A BaseException, so that no `except Exception` in pyst2 eats it."""


class _Nowhere:
    """pyst2 writes every line, with callers' numbers, to its stderr, and each reply well laid out by pprint: here."""

    def write(self, text: str) -> None: ...

    def flush(self) -> None: ...

    def pformat(self, _: object) -> str:
        return ""


asterisk.agi.pprint = _Nowhere()


class _OneLine:
    """The reply pyst2 is to parse next."""

    def __init__(self, line: str) -> None:
        self._line = line

    def readline(self) -> str:
        return self._line


PROMPTS = frozenset({"get_data", "stream_file"})
"""AGI commands that play a prompt by its name; one that is missing fails as a hang-up does."""


class AgiCall(asterisk.agi.AGI):  # type: ignore[misc]
    """pyst2's synchronous AGI commands, replayed: a first pass yields the command line, asyncio fetches the reply,
    a second pass parses it."""

    COMMANDS = frozenset(
        (
            "answer",
            "appexec",
            "get_data",
            "hangup",
            "record_file",
            "say_digits",
            "say_number",
            "set_variable",
            "stream_file",
            "wait_for_digit",
        )
    )
    """pyst2's other methods desynchronise on free text or quote badly, and are not needed."""
    APPLICATIONS = frozenset({("MSet",)})
    """What `appexec` may run."""

    def __init__(
        self, reader: Reader, writer: Writer, *, call_later: CallLater = loop_timer
    ) -> None:  # never super().__init__(): it takes SIGHUP and reads stdin
        self._reader, self._writer = reader, writer
        self._call_later = call_later
        self._replies: list[str] = []
        self._at = 0
        self._got_sighup = False
        self._out_of_step = False
        self.env: dict[str, str] = {}
        self.stderr = _Nowhere()

    def _quote(self, string: object) -> str:
        escaped = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    def execute(self, command: str, *args: object) -> Any:
        """Every pyst2 command ends here."""
        if self._at < len(self._replies):
            self.stdin = _OneLine(self._replies[self._at])
            self._at += 1
            return self.get_result()
        raise _Need(" ".join([command, *map(str, args)]).strip())

    async def do(self, command: str, *args: object, seconds: float = 4.0, last: bool = False) -> Any:
        """One command of COMMANDS with pyst2's arguments; gives what pyst2's method gives. After the `last` one nothing
        more can be asked: our side of the connection ends with it.

        Raises CallerHungUp, AgiTimeout (no reply in `seconds`), AgiRefused, AgiMalformed; ValueError for a control
        character or too long a line.
        """
        if command not in self.COMMANDS or (command == "appexec" and args[:1] not in self.APPLICATIONS):
            raise ValueError(f"not an AGI command in use here: {command}")
        self._replies.clear()
        while True:
            self._at = 0
            try:
                return getattr(self, command)(*args)
            except _Need as need:
                line = str(need)
            except asterisk.agi.AGIHangup as error:
                raise CallerHungUp from error
            except (asterisk.agi.AGIUnknownError, ValueError, KeyError) as error:
                raise AgiMalformed("not an AGI reply") from error
            except asterisk.agi.AGIError as error:
                raise AgiRefused(f"{command} failed") from error
            reply = await self._exchange(line, seconds, last=last)
            if _failed(reply) and command in PROMPTS and not _failed(await self._exchange("CHANNEL STATUS")):
                raise AgiRefused("there is no such prompt")  # the caller is still there
            if _failed(reply):
                raise CallerHungUp
            self._replies.append(reply)

    async def _exchange(self, command: str, seconds: float = 4.0, *, last: bool = False) -> str:
        refuse_control(command, "an AGI command")
        data = command.encode() + b"\n"
        if len(data) > COMMAND_BYTES_MAX:
            raise ValueError("an AGI command is too long")
        if self._out_of_step:
            raise AgiTimeout("an earlier AGI command has had no reply")
        self._out_of_step = True
        try:
            self._writer.write(data)
            if last:
                self._writer.write_eof()
            reply = await within(seconds, self._reply(), self._call_later)
        except AgiRefused:
            self._out_of_step = False
            raise
        except TimeoutError:
            raise AgiTimeout("no reply to an AGI command") from None
        except OSError as error:
            raise CallerHungUp from error
        self._out_of_step = False
        return reply

    async def _reply(self) -> str:
        line = await self._line()
        while line.startswith("100"):
            line = await self._line()
        if line.startswith("520-"):
            for _ in range(USAGE_LINES_MAX):
                if (await self._line()).startswith("520 "):
                    raise AgiRefused("Asterisk does not take this AGI command so")
            raise AgiMalformed("an explanation without end")
        if line.startswith(("511", "HANGUP")):
            raise CallerHungUp
        if line.startswith(("510", "520")):
            raise AgiRefused("Asterisk does not know this AGI command")
        if not line.startswith("200"):  # 0520- is 520 to pyst2, which then waits for its end without end
            raise AgiMalformed("not an AGI reply")
        return line

    async def _line(self) -> str:
        try:
            line = await self._reader.readline()
        except ValueError:
            raise AgiMalformed("a line is too long") from None
        if not line.endswith(b"\n"):
            raise CallerHungUp
        return line.decode(errors="replace").strip()


def _failed(reply: str) -> bool:
    """result=-1: the caller hung up, or a prompt is missing. What stands in parentheses is a value."""
    return "result=-1" in reply.partition("(")[0]
