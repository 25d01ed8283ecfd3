"""Every known defect of pyst2 0.5.1 (P1 to P12) is contained by router/channels/voice/pyst.py."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import asterisk.agi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.voice.faults import (
    AgiMalformed,
    AgiRefused,
    AgiTimeout,
    AmiDown,
    AmiGarbled,
    AmiRefused,
    AmiTimeout,
    CallerHungUp,
)
from router.channels.voice.frames import FRAME_BYTES_MAX, AmiWire, Frame, Frames, header, parse_frame
from router.channels.voice.pyst import CONTROL, AgiCall, AmiActions
from router.channels.voice.timing import loop_timer
from tests.parts.asterisk_reads import agi_words
from tests.parts.fakes import HandClock, Peer, ScriptedAmi, obliging

ROOT = Path(__file__).resolve().parents[2]
clean = st.text(st.characters(exclude_characters=CONTROL, exclude_categories=["Cs"]), max_size=200)
dirty = st.tuples(clean, st.sampled_from(sorted(CONTROL)), clean).map("".join)


class Line:
    """A writer that keeps what is written, and a reader fed by the test."""

    def __init__(self, *replies: bytes) -> None:
        self.written = b""
        self.reader = asyncio.StreamReader(limit=8192)
        for reply in replies:
            self.reader.feed_data(reply)
        self.reader.feed_eof()

    def write(self, data: bytes) -> None:
        self.written += data

    def call(self, **more: Any) -> AgiCall:
        return AgiCall(self.reader, self, **more)  # type: ignore[arg-type]


async def connected(
    server: ScriptedAmi, events: list[Frame] | None = None, clock: HandClock | None = None
) -> AmiActions:
    take = events.append if events is not None else lambda _: None
    actions = AmiActions(take, call_later=clock.call_later if clock else loop_timer)
    await actions.open("127.0.0.1", server.port)
    return actions


def test_pyst2_is_imported_in_one_module_only() -> None:
    importers = set()
    for path in (ROOT / "router").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "asterisk" for name in names):
                importers.add(path.relative_to(ROOT).as_posix())
    assert importers == {"router/channels/voice/pyst.py"}


def test_p1_fastagi_is_never_imported_and_nothing_starts() -> None:
    code = (
        "import sys, threading, signal; before = signal.getsignal(signal.SIGHUP);"
        "import router.channels.voice.agi, router.channels.voice.ami;"
        "assert 'asterisk.fastagi' not in sys.modules and threading.active_count() == 1;"
        "assert signal.getsignal(signal.SIGHUP) is before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_p2_a_call_is_served_from_any_thread_and_sighup_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGHUP)
    failures: list[BaseException] = []

    async def serve() -> None:
        await Line(b"200 result=1\n").call().do("set_variable", "KCC_ID", "c-1")

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert failures == []
    assert signal.getsignal(signal.SIGHUP) is before


@given(value=clean)
async def test_p3_an_agi_value_is_one_word_of_one_line_and_reads_back(value: str) -> None:
    line = Line(b"200 result=1\n")
    await line.call().do("set_variable", "KCC_NOTE", value)
    sent = line.written.decode()
    assert sent.count("\n") == 1
    assert agi_words(sent.rstrip("\n")) == ["SET", "VARIABLE", "KCC_NOTE", value]


@given(value=dirty)
async def test_p3_an_agi_value_with_a_control_character_is_refused(value: str) -> None:
    line = Line(b"200 result=1\n")
    with pytest.raises(ValueError, match="control character"):
        await line.call().do("set_variable", "KCC_NOTE", value)
    assert line.written == b""


async def test_p3_a_line_too_long_for_asterisk_would_become_two() -> None:
    line = Line(b"200 result=1\n")
    with pytest.raises(ValueError, match="too long"):
        await line.call().do("set_variable", "KCC_NOTE", "x" * 2000)
    assert line.written == b""


async def test_p4_control_characters_in_an_ami_header_are_refused() -> None:
    seen: list[dict[str, str]] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.action())
            peer.reply(seen[-1])

    async with ScriptedAmi(script) as server:
        actions = await connected(server)
        for bad in sorted(CONTROL):
            with pytest.raises(ValueError, match="control character"):
                actions.hangup(f"PJSIP/a1-1{bad}Action: Logoff")
            with pytest.raises(ValueError, match="control character"):
                actions.send_action({f"Channel{bad}": "x", "Action": "Hangup"})
        await actions.ping()
        actions.close()
    assert [action["Action"] for action in seen] == ["Ping"]


async def test_p4_a_line_too_long_for_asterisk_would_be_cut_and_its_rest_read_as_another_header() -> None:
    async with ScriptedAmi(obliging) as server:
        actions = await connected(server)
        with pytest.raises(ValueError, match="too long"):
            actions.send_action(Action="Setvar", Channel="PJSIP/a1-1", Variable="KCC_SAY", Value="é" * 600)
        actions.close()


async def test_p5_an_action_carries_nothing_of_an_earlier_one() -> None:
    seen: list[dict[str, str]] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.action())
            peer.reply(seen[-1])

    async with ScriptedAmi(script) as server:
        actions = await connected(server)
        await actions.send_action(Action="Setvar", Channel="PJSIP/trunk-1", Variable="BSN", Value="x")
        await actions.send_action(Action="Ping")
        await actions.send_action({"Action": "Hangup"}, Channel="PJSIP/a1-2")
        actions.close()
    assert seen[1].keys() == {"Action", "ActionID"}
    assert seen[2].keys() == {"Action", "ActionID", "Channel"}
    assert len({action["ActionID"] for action in seen}) == 3


async def test_p6_eight_hundred_replies_reach_who_asked_though_out_of_order() -> None:
    async def script(peer: Peer) -> None:
        order = random.Random(6)
        while True:
            batch = [await peer.action() for _ in range(50)]
            order.shuffle(batch)
            for action in batch:
                peer.reply(action, "Success", f"Echo: {action['Variable']}")

    async def worker(actions: AmiActions, name: int) -> int:
        wrong = 0
        for turn in range(0, 100, 25):
            futures = {f"{name}-{turn + n}": actions.send_action(Action="Getvar", Variable=f"{name}-{turn + n}")
                       for n in range(25)}  # fmt: skip
            for text, future in futures.items():
                wrong += header(await future, "Echo") != text
        return wrong

    async with ScriptedAmi(script) as server:
        actions = await connected(server)
        async with asyncio.timeout(30):
            assert sum(await asyncio.gather(*(worker(actions, name) for name in range(8)))) == 0
        actions.close()


async def test_p7_a_reply_that_does_not_come_is_a_timeout_and_a_late_one_harms_nobody() -> None:
    async def script(peer: Peer) -> None:
        late = await peer.action()
        next_one = await peer.action()
        peer.reply(late, "Success", "Echo: late")
        peer.reply(next_one, "Success", "Echo: mine")
        await peer.action()

    clock = HandClock()
    async with ScriptedAmi(script) as server:
        actions = await connected(server, clock=clock)
        first = actions.ping()
        await clock.fire(4.0)
        with pytest.raises(AmiTimeout):
            await first
        assert header(await actions.ping(), "Echo") == "mine"
        actions.close()
        assert clock.pending == []


async def test_p7_a_server_that_never_greets_is_a_timeout() -> None:
    clock = HandClock()
    async with ScriptedAmi(obliging, greeting=b"") as server:
        actions = AmiActions(lambda _: None, call_later=clock.call_later)
        opening = asyncio.create_task(actions.open("127.0.0.1", server.port))
        await server.peer()
        while not opening.done():
            await asyncio.sleep(0)
            clock.let_pass(4.0)
        with pytest.raises(AmiTimeout):
            await opening


async def test_p7_the_end_of_the_connection_fails_all_who_wait() -> None:
    async def script(peer: Peer) -> None:
        await peer.action()
        await peer.action()

    async with ScriptedAmi(script) as server:
        actions = await connected(server)
        ping, rows = actions.ping(), asyncio.create_task(actions.collect({"Action": "Status"}, "StatusComplete"))
        for waiting in (ping, rows):
            with pytest.raises(AmiDown):
                await waiting
        assert not actions.connected()
        with pytest.raises(AmiDown):
            actions.ping()


async def test_p8_repeated_headers_and_the_words_status_will_follow_end_nothing() -> None:
    events: list[Frame] = []

    async def script(peer: Peer) -> None:
        peer.send("Event: Newchannel", "ChanVariable: A=1", "ChanVariable: B=status will follow", "no colon here")
        peer.send("Event: Hangup", "Channel: PJSIP/caf\xe9-1")
        await obliging(peer)

    async with ScriptedAmi(script) as server:
        actions = await connected(server, events)
        await actions.ping()
        assert events == [
            {"Event": "Newchannel", "ChanVariable": ["A=1", "B=status will follow"]},
            {"Event": "Hangup", "Channel": "PJSIP/caf\ufffd-1"},
        ]
        actions.close()


async def test_a_list_is_collected_apart_from_the_events_around_it() -> None:
    events: list[Frame] = []

    async def script(peer: Peer) -> None:
        action = await peer.action()
        peer.reply(action)
        for channel in ("one", "two"):
            peer.send("Event: Status", f"ActionID: {action['ActionID']}", f"Channel: {channel}")
            peer.send("Event: Hangup", f"Channel: {channel}")
        peer.send("Event: StatusComplete", f"ActionID: {action['ActionID']}")
        peer.reply(await peer.action(), "Error", "Message: Permission denied")

    async with ScriptedAmi(script) as server:
        actions = await connected(server, events)
        rows = await actions.collect({"Action": "Status"}, "StatusComplete")
        assert [header(row, "Channel") for row in rows] == ["one", "two"]
        assert [header(event, "Event") for event in events] == ["Hangup", "Hangup"]
        with pytest.raises(AmiRefused, match="Permission denied"):
            await actions.collect({"Action": "Status"}, "StatusComplete")
        actions.close()


async def test_a_peer_that_is_no_manager_and_one_that_never_ends_a_message_are_found() -> None:
    async def endless(peer: Peer) -> None:
        peer.writer.write(b"Key: value\r\n" * (FRAME_BYTES_MAX // 12 + 1))
        await peer.action()

    async with ScriptedAmi(obliging, greeting=b"220 mail.example ESMTP\r\n") as server:
        with pytest.raises(AmiGarbled):
            await connected(server)
    async with ScriptedAmi(endless) as server:
        actions = await connected(server)
        async with asyncio.timeout(10):
            await actions.lost.wait()
        assert isinstance(actions.why, AmiGarbled)


@given(st.binary(max_size=3000))
def test_any_bytes_are_frames_or_garbled_ami(data: bytes) -> None:
    with contextlib.suppress(AmiGarbled):
        for frame in Frames(bytes_max=1024).feed(data):
            assert all(isinstance(key, str) for key in frame)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"A: 1", b"B: 2\r\n"]), max_size=12))
def test_frames_are_the_same_however_they_come_in(pieces: list[bytes]) -> None:
    frames, data = Frames(), b"".join(pieces)
    came = [frame for piece in pieces for frame in frames.feed(piece)]
    assert came == list(Frames().feed(data))
    assert came == [parse_frame(message) for message in data.split(b"\r\n\r\n")[:-1] if message.strip()]


def test_what_came_before_a_message_that_is_too_long_is_given_on() -> None:
    for tail in (b"B: " + b"x" * 20, b"B: " + b"x" * 20 + b"\r\n\r\n"):
        feeding = Frames(bytes_max=16).feed(b"A: 1\r\n\r\n" + tail)
        assert next(feeding) == {"A": "1"}
        with pytest.raises(AmiGarbled):
            next(feeding)


async def test_what_comes_right_behind_the_greeting_is_not_lost() -> None:
    events: list[Frame] = []
    async with ScriptedAmi(obliging, greeting=b"Asterisk Call Manager/11.0.0\r\nEvent: One\r\n\r\nEvent:") as server:
        actions = await connected(server, events)
        assert events == [{"Event": "One"}]
        actions.close()


async def test_a_peer_that_says_no_more_has_ended_the_connection_whatever_is_still_to_be_sent() -> None:
    ended: list[Exception | None] = []
    AmiWire(ended.append).eof_received()
    assert ended == [None]


async def test_nothing_is_taken_from_who_does_not_greet_as_the_manager() -> None:
    events: list[Frame] = []
    async with ScriptedAmi(obliging, greeting=b"Event: One\r\n\r\n") as server:
        with pytest.raises(AmiGarbled):
            await connected(server, events)
    assert events == []


async def test_a_connection_that_breaks_instead_of_a_greeting_is_down() -> None:
    async def script(peer: Peer) -> None:
        peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with ScriptedAmi(script, greeting=b"") as server:
        with pytest.raises(AmiDown, match="ConnectionResetError"):
            await connected(server)


def test_a_frame_keeps_colons_and_empty_values() -> None:
    frame = parse_frame(b"Event: X\r\nLink: sip:a1@host:5060\r\nEmpty:\r\n\r\n")
    assert frame == {"Event": "X", "Link": "sip:a1@host:5060", "Empty": ""}


async def test_p11_agi_replies_that_desynchronise_pyst2() -> None:
    usage = b"520-Invalid command syntax.  Proper usage follows:\nUsage: NOOP\n520 End of proper usage.\n"
    call = Line(usage, b"200 result=1\n").call()
    with pytest.raises(AgiRefused):
        await call.do("answer")
    assert await call.do("set_variable", "KCC_ID", "c-1") is None  # in step again
    with pytest.raises(CallerHungUp):
        await Line(b"520-Invalid command syntax.\nUsage:\n").call().do("answer")  # and then the end
    with pytest.raises(AgiMalformed):
        await Line(b"520-Invalid\n" + b"more\n" * 300).call().do("answer")
    with pytest.raises(AgiRefused):
        await Line(b"510 Invalid or unknown command\n").call().do("answer")
    with pytest.raises(AgiMalformed):
        await Line(b"what?\n").call().do("answer")
    with pytest.raises(AgiMalformed):
        await Line(b"x" * 20_000).call().do("answer")


@pytest.mark.parametrize("reply", ["0520-Usage", "٥٢٠-Usage", "5200", "0200 result=1", "+200 result=1", "what?", ""])
async def test_a_code_written_otherwise_is_no_reply_and_never_waited_out(reply: str) -> None:
    """pyst2 reads any digits as a number, and a usage message to an end that never comes."""
    with pytest.raises((AgiMalformed, AgiRefused)):
        await Line(f"{reply}\n".encode()).call().do("stream_file", "kcc/hold", "12")


@pytest.mark.parametrize("end", [b"HANGUP\n", b"511 Command Not Permitted on a dead channel\n", b"", b"200 resu"])
async def test_a_hang_up_in_any_form_is_one_error(end: bytes) -> None:
    with pytest.raises(CallerHungUp):
        await Line(end).call().do("stream_file", "kcc/hold", "")
    with pytest.raises(CallerHungUp):
        await Line(b"200 result=-1 endpos=0\n", end).call().do("stream_file", "kcc/hold", "")


async def test_a_missing_prompt_is_not_a_hang_up_and_a_value_may_look_like_one() -> None:
    with pytest.raises(AgiRefused):
        await Line(b"200 result=-1 endpos=0\n", b"200 result=6\n").call().do("stream_file", "kcc/none", "")
    assert await Line(b"200 result=50 (result=-1)\n").call().do("stream_file", "kcc/hold", "12") == "2"


@pytest.mark.parametrize(
    ("reply", "digits"),
    [
        (b"200 result=0612345678\n", "0612345678"),
        (b"200 result=06*1 (timeout)\n", "06*1"),
        (b"200 result= (timeout)\n", ""),
        (b"200 result=\n", ""),
    ],
)
async def test_digits_that_are_entered_to_a_hash_or_a_silence(reply: bytes, digits: str) -> None:
    assert await Line(reply).call().do("get_data", "kcc/callback-enter", 5000, 20) == digits
    with pytest.raises(AgiRefused):
        await Line(b"200 result=-1\n", b"200 result=6\n").call().do("get_data", "kcc/none", 5000, 20)
    with pytest.raises(CallerHungUp):
        await Line(b"200 result=-1\n", b"").call().do("get_data", "kcc/callback-enter", 5000, 20)


async def test_after_a_timeout_a_stale_reply_cannot_be_taken_for_another() -> None:
    clock = HandClock()
    line = Line()
    reader = asyncio.StreamReader()
    call = AgiCall(reader, line, call_later=clock.call_later)  # type: ignore[arg-type]
    waiting = asyncio.create_task(call.do("answer"))
    await clock.fire(4.0)
    with pytest.raises(AgiTimeout):
        await waiting
    reader.feed_data(b"200 result=1\n")
    with pytest.raises(AgiTimeout):
        await call.do("wait_for_digit", 1)


async def test_only_commands_in_use_can_be_asked_for() -> None:
    others = ("database_get", "exec_command", "get_option", "__init__", "execute")
    for command, *args in [("appexec",), ("appexec", "System", "true"), *((other,) for other in others)]:
        with pytest.raises(ValueError, match="not an AGI command"):
            await Line(b"200 result=1\n").call().do(command, *args)


async def test_p12_nothing_is_written_to_stderr_or_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    call = Line(b"200 result=1\n", b"200 result=0 endpos=1\n", b"510 x\n").call()
    await call.do("set_variable", "KCC_CALLER", "0612345678")
    await call.do("stream_file", "kcc/hold", "")
    with pytest.raises(AgiRefused):
        await call.do("answer")
    assert asterisk.agi.pprint.pformat({"result": ("1", "")}) == ""  # nor laid out for nobody
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")
