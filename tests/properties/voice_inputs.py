"""Whatever is said, one command is sent or none; whatever is received is understood or refused.

Strings and bytes are made from a seed, of the pieces that have broken parsers of AGI and AMI: line ends of every kind,
quotes, backslashes, headers, replies, half a UTF-8 character, and great length.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from router.channels.voice import events
from router.channels.voice.agi import read_environment
from router.channels.voice.ami import live_channel
from router.channels.voice.faults import AgiFault, AmiGarbled
from router.channels.voice.frames import Frames, header
from router.channels.voice.line import AgiLine
from router.channels.voice.pyst import AgiCall, AmiActions
from tests.parts.asterisk_reads import agi_commands, ami_actions

BREAKS = (
    "\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\u2028", "\u2029", "\t",
    "\r\n\r\nAction: Originate", "\nEXEC System id",
)  # fmt: skip
PIECES = (
    '"', "\\", '\\"', " ", ":", ": ", ";", ",", "${", "}", "${SHELL(id)}", "$[", "|", "&", "%0d%0a", "Action: Logoff",
    "EXEC System", "SET VARIABLE", "Response: Follows", "status will follow", "--END COMMAND--", "ChanVariable: A=1",
    "é", "日本", "\U0001f600", "\udc80", "0612345678", "x" * 300, "ü" * 700,
)  # fmt: skip
CALL = (
    b"agi_network: yes\n", b"agi_network_script: intake\n", b"agi_channel: PJSIP/trunk-00000001\n",
    b"agi_uniqueid: kcc-1.0\n", b"agi_callerid: 0612345678\n", b"agi_calleridname: unknown\n",
    b"agi_arg_1: 140591\n", b"agi_arg_2: 17\n", b"\n", b"200 result=0\n", b"200 result=50 endpos=0\n",
)  # fmt: skip
"""A whole environment, and replies."""
NEWS = (
    b"Event: UserEvent\r\n", b"UserEvent: KccHeld\r\n", b"KccId: c-1\r\n", b"Channel: PJSIP/trunk-00000001\r\n",
    b"Uniqueid: kcc-1.0\r\n", b"\r\n", b"Event: DialEnd\r\n", b"Context: kcc-deliver\r\n",
    b"Exten: d-a1-c-1-1\r\n", b"DestChannel: PJSIP/a1-00000002\r\n", b"DialStatus: ANSWER\r\n", b"\r\n",
    b"Event: Status\r\n", b"Variable: KCC_ID=c-1\r\n", b"Variable: KCC_OFFER=(null)\r\n", b"Seconds: 9\r\n", b"\r\n",
)  # fmt: skip
"""Three events."""
ODD = (
    b"\r\n\r\n", b"\n", b"\r", b":", b"\0", b"agi_", b"\n\n", b"HANGUP\n", b"200 result=-1 endpos=0\n", b"200 result=",
    b"100 Trying...\n", b"510 Invalid\n", b"520-Usage\n", b"520 End\n", b"511 Dead\n", b"(timeout)", b"\xff", b"\xe9",
    b"Response: Success\r\n", b"ActionID: kcc-1\r\n", b"Timestamp: 1.5\r\n", b"=" * 50, b"9" * 400, b"x" * 5_000,
)  # fmt: skip


def text(dice: random.Random) -> str:
    """A string a person, a phone or a carrier might send, at its worst; about a third of them would break a line."""
    pieces = [dice.choice(PIECES) for _ in range(dice.randint(0, 5))]
    pieces.append("".join(chr(dice.choice((dice.randrange(32, 127), dice.randrange(160, 0x250)))) for _ in range(6)))
    if dice.random() < 0.3:
        pieces.append(dice.choice(BREAKS))
    dice.shuffle(pieces)
    return "".join(pieces)


def stream(dice: random.Random) -> bytes:
    """What might come over a connection: a whole exchange with some of it changed, left out, moved or strange."""
    pieces = list(dice.choice((CALL, NEWS, ())))
    for _ in range(dice.randint(0, 3)):
        pieces.insert(dice.randint(0, len(pieces)), dice.choice(ODD))
    if pieces and dice.random() < 0.3:
        del pieces[dice.randrange(len(pieces))]
    if dice.random() < 0.2:
        dice.shuffle(pieces)
    data = bytearray(b"".join(pieces))
    for _ in range(dice.choice((0, 0, 1, 3)) if data else 0):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


class Wire:
    """A writer that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""
        self.transport = self

    def write(self, data: bytes) -> None:
        self.data += data

    def abort(self) -> None:
        """Nothing to close."""


class _Never:
    def cancel(self) -> None: ...


def never(seconds: float, call: Callable[[], object]) -> _Never:
    """A clock that stands still: what hangs, hangs for all to see."""
    return _Never()


def reading(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=8_192)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@contextlib.contextmanager
def line_of(data: bytes) -> Iterator[AgiLine]:
    """The line of a dialplan that says this and leaves."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    line = AgiLine(ours)
    with theirs:
        theirs.sendall(data)
    try:
        yield line
    finally:
        line.close()


async def said_to_agi(value: str) -> str:
    """`one` when exactly this value was sent in exactly one command, `refused` when nothing was sent."""
    wire = Wire()
    call = AgiCall(reading(b"200 result=1\n"), wire, call_later=never)  # type: ignore[arg-type]
    try:
        await call.do("set_variable", "KCC_NOTE", value)
    except ValueError:
        assert wire.data == b"", value
        return "refused"
    assert agi_commands(wire.data) == [["SET", "VARIABLE", "KCC_NOTE", value]], value
    return "one"


async def said_to_ami(value: str) -> str:
    """The same for an action with this value in a header, and with it in a header's name."""
    wire = Wire()
    actions = AmiActions(lambda _: None, call_later=never)
    actions._transport = wire  # type: ignore[assignment]
    outcome = "one"
    try:
        reply = actions.send_action({"Action": "Setvar", "Channel": "PJSIP/trunk-1", "Value": value})
    except ValueError:
        assert wire.data == b"", value
        outcome = "refused"
    else:
        reply.cancel()
        as_sent = value.encode(errors="replace").decode()
        (headers,) = ami_actions(wire.data)
        assert [name for name, _ in headers] == ["Action", "Channel", "Value", "ActionID"], value
        assert dict(headers)["Value"] == as_sent, value
    actions.close()
    return outcome


async def received_as_ami(data: bytes) -> str:
    """Frames, each of which is decoded; or garbled."""
    frames = Frames(bytes_max=8_192)
    half = len(data) // 2
    with contextlib.suppress(AmiGarbled):
        for frame in itertools.chain(frames.feed(data[:half]), frames.feed(data[half:])):
            assert all(isinstance(header(frame, name), str) for name in frame)
            events.decode(frame)
            live_channel(frame)
        return "understood"
    return "refused"


async def received_as_agi(data: bytes) -> str:
    """An environment and a reply; or a fault that says what was wrong."""
    try:
        with line_of(data) as line:
            await read_environment(line)
    except AgiFault:
        outcome = "refused"
    else:
        outcome = "understood"
    with contextlib.suppress(AgiFault):
        await AgiCall(reading(data), Wire(), call_later=never).do("stream_file", "kcc/hold", "12")  # type: ignore[arg-type]
    return outcome


Check = Callable[[Any], Awaitable[str]]
SAID: tuple[Check, ...] = (said_to_agi, said_to_ami)
TAKEN: tuple[Check, ...] = (received_as_ami, received_as_agi)


async def run(
    make: Callable[[random.Random], Any], checks: tuple[Check, ...], seed: int, count: int, until: float
) -> Counter[str]:
    """So many inputs from this seed, or as many as there is time for; how they ended, per check."""
    dice, ended = random.Random(seed), Counter[str]()
    for _ in range(count):
        given = make(dice)
        for check in checks:
            ended[f"{check.__name__} {await check(given)}"] += 1
        await asyncio.sleep(0)  # a turn for the loop: what has ended is let go
        if time.monotonic() > until:
            break
    return ended


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.properties.voice_inputs", description=__doc__)
    parser.add_argument("--strings", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=float, default=600, help="of streams into both parsers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    said = asyncio.run(run(text, SAID, options.seed, options.strings, float("inf")))
    between = time.monotonic()
    taken = asyncio.run(run(stream, TAKEN, options.seed, 10**12, between + options.seconds))
    seconds = {"said": round(between - started), "received": round(time.monotonic() - between)}
    print(json.dumps({"seed": options.seed, **dict(sorted((said + taken).items())), "seconds": seconds}, indent=1))


if __name__ == "__main__":
    main()
