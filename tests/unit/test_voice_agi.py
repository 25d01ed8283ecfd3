"""FastAgiServer: calls are served, bad input ends one connection only, and limits hold."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.voice.agi import (
    ACCEPT_AGAIN_SECONDS,
    SESSION_SECONDS,
    AgiSession,
    FastAgiServer,
    read_environment,
    token_of,
)
from router.channels.voice.door import Door
from router.channels.voice.faults import AgiForged, AgiMalformed, AgiTimeout, CallerHungUp
from router.channels.voice.timing import loop_timer
from router.courtesy import Courtesy
from tests.parts.fakes import HandClock, come_to
from tests.properties.voice_inputs import line_of

SECRET = "shared"
WAIT_SECONDS = 10.0


def environment(*more: str, secret: str = SECRET, script: str = "intake", caller: str = "0612345678") -> bytes:
    lines = [
        "agi_network: yes", f"agi_network_script: {script}", f"agi_request: agi://127.0.0.1:4573/{script}",
        "agi_channel: PJSIP/trunk-00000001", "agi_uniqueid: kcc-1.0", f"agi_callerid: {caller}",
        "agi_calleridname: unknown", "agi_extension: 140591", "agi_arg_1: 140591", "agi_arg_2: 99",
        f"agi_arg_3: {token_of(secret, 'kcc-1.0', '99')}", *more,
    ]  # fmt: skip
    return "\n".join([*lines, "", ""]).encode("latin-1")


@dataclass
class Dialplan:
    """The other side: what Asterisk would say."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def line(self) -> str:
        async with asyncio.timeout(WAIT_SECONDS):
            return (await self.reader.readline()).decode().rstrip("\n")

    def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\n")

    async def answer(self, *replies: str) -> list[str]:
        commands = []
        for reply in replies:
            commands.append(await self.line())
            self.say(reply)
        return commands

    async def ended(self) -> bool:
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.reader.read() == b""


class Desk:
    """A server under test, with what it reported."""

    def __init__(self, handler: Callable[[AgiSession], Awaitable[None]], **more: object) -> None:
        self.faults: list[Exception] = []
        call_later = more.pop("call_later", loop_timer)
        self.strangers: list[tuple[str, int]] = []
        door = Door(("127.0.0.1",), lambda address, times: self.strangers.append((address, times)))
        self.server = FastAgiServer(
            handler, secret=SECRET, on_fault=self.faults.append, admits=door.admits, port=0,
            call_later=call_later, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    async def connect(self, data: bytes = b"", source: str = "127.0.0.1") -> Dialplan:
        dialplan = Dialplan(*await asyncio.open_connection("127.0.0.1", self.server.port, local_addr=(source, 0)))
        dialplan.writer.write(data)
        return dialplan

    async def works(self) -> None:
        """A good call is still served."""
        dialplan = await self.connect(environment())
        assert await dialplan.answer("200 result=1") == ['SET VARIABLE "KCC_ID" "c-1"']
        assert await dialplan.ended()
        dialplan.writer.close()


async def accept(session: AgiSession) -> None:
    await session.set_variable("KCC_ID", "c-1")


@asynccontextmanager
async def serving(handler: Callable[[AgiSession], Awaitable[None]] = accept, **more: object):
    desk = Desk(handler, **more)
    await desk.server.start()
    try:
        yield desk
    finally:
        await desk.server.stop(grace_seconds=0.1)


@pytest.mark.parametrize(
    ("presentation", "withheld"), [("0", False), ("3", False), ("35", True), ("67", True), ("", False), ("x", False)]
)
def test_a_number_that_was_handed_over_may_be_withheld_all_the_same(presentation: str, withheld: bool) -> None:
    session = AgiSession({"agi_callerid": "0612345678", "agi_callingpres": presentation}, None)  # type: ignore[arg-type]
    assert session.withheld is withheld


async def test_a_call_is_served_with_its_environment() -> None:
    seen: list[AgiSession] = []

    async def handler(session: AgiSession) -> None:
        seen.append(session)
        await accept(session)
        await session.deadline(60)
        assert await session.play("kcc/welcome-waterland", "12") == ""
        assert await session.get_digit(["kcc/menu", "kcc/hold"], 3000, "123") == "2"
        assert await session.get_digit(["kcc/menu"], 3000, "123") == ""
        assert await session.get_digit([], 3000, "123") == "3"
        await session.answer()
        await session.hangup()

    async with serving(handler) as desk:
        dialplan = await desk.connect(environment(caller="J\xf6rg"))
        commands = await dialplan.answer(
            "200 result=1", "200 result=1", "200 result=0 endpos=10", "200 result=50 endpos=1",
            "200 result=57 endpos=1", "200 result=51", "200 result=0", "200 result=1",
        )  # fmt: skip
        assert commands == [
            'SET VARIABLE "KCC_ID" "c-1"', 'SET VARIABLE "TIMEOUT(absolute)" "60"',
            'STREAM FILE kcc/welcome-waterland "12" 0', 'STREAM FILE kcc/menu "0123456789*#" 0',
            'STREAM FILE kcc/menu "0123456789*#" 0', "WAIT FOR DIGIT 3000", "ANSWER", "HANGUP",
        ]  # fmt: skip
        assert await dialplan.ended()
        dialplan.writer.close()
    assert (seen[0].request.script, seen[0].subject) == ("intake", "140591")
    assert (seen[0].channel, seen[0].uniqueid) == ("PJSIP/trunk-00000001", "kcc-1.0")
    assert (seen[0].caller_number, seen[0].caller_name) == ("J\ufffdrg", "")
    assert desk.server.counts == {"done": 1, "missing_prompt": 0}
    assert desk.faults == []


async def test_a_call_hurries_until_the_dialplan_is_told_something() -> None:
    courtesy, here, go = Courtesy(), asyncio.Event(), asyncio.Event()

    async def handler(session: AgiSession) -> None:
        here.set()
        await go.wait()
        await accept(session)
        await session.play("kcc/hold")

    def hurries() -> bool:
        return courtesy.quiet_seconds == 0

    async with serving(handler, hurry=courtesy.hurry) as desk:
        dialplan = await desk.connect(environment())
        await here.wait()
        assert hurries()
        go.set()
        await dialplan.answer("200 result=1")
        await dialplan.line()
        assert not hurries()  # it is spoken to
        dialplan.writer.close()
        wrong = await desk.connect(b"GET / HTTP/1.1\r\n\r\n")
        assert await wrong.ended()
        wrong.writer.close()
    assert not hurries()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\n",
        b"agi_network: yes\n\n",
        environment("agi_note: " + "x" * 9000),
        environment(*(f"agi_arg_{n}: x" for n in range(4, 200))),
        environment(*(f"agi_x{n}: " + "x" * 8000 for n in range(10))),
        b"\x00\xff" * 5000,
    ],
)
async def test_malformed_input_ends_that_connection_only(data: bytes) -> None:
    async with serving() as desk:
        dialplan = await desk.connect(data)
        try:
            await dialplan.ended()
        except ConnectionError:
            pass
        dialplan.writer.close()
        await desk.works()
        assert [type(fault) for fault in desk.faults] == [AgiMalformed]
        assert desk.server.counts["agi_malformed"] == 1


async def test_an_environment_cut_short_or_slow_is_malformed() -> None:
    clock = HandClock()
    async with serving(call_later=clock.call_later) as desk:
        cut = await desk.connect(environment()[:100])
        cut.writer.close()
        slow = await desk.connect(b"agi_network: yes\n")
        while len(desk.faults) < 2:
            await asyncio.sleep(0)
            clock.let_pass(2.0)
        with contextlib.suppress(ConnectionError):  # what it said may not have been read yet
            assert await slow.ended()
        slow.writer.close()
        assert desk.server.counts["agi_malformed"] == 2
        await desk.works()


@pytest.mark.parametrize("wrong", [environment(secret="other"), environment().replace(b"agi_arg_3", b"agi_arg_4")])
async def test_only_our_own_dialplan_is_served(wrong: bytes) -> None:
    async with serving() as desk:
        dialplan = await desk.connect(wrong)
        assert await dialplan.ended()
        dialplan.writer.close()
        assert [type(fault) for fault in desk.faults] == [AgiForged]
        await desk.works()


async def test_a_second_uniqueid_in_the_environment_does_not_count() -> None:
    async with serving() as desk:
        dialplan = await desk.connect(environment("agi_uniqueid: other", "agi_arg_3: 0"))
        assert await dialplan.answer("200 result=1") == ['SET VARIABLE "KCC_ID" "c-1"']
        assert await dialplan.ended()
        dialplan.writer.close()


async def test_a_caller_who_leaves_and_a_handler_that_raises_are_counted() -> None:
    async def handler(session: AgiSession) -> None:
        await accept(session)
        raise LookupError("a fault of ours")

    async with serving(handler) as desk:
        leaving = await desk.connect(environment())
        await leaving.answer("HANGUP")
        assert await leaving.ended()
        staying = await desk.connect(environment())
        await staying.answer("200 result=1")
        assert await staying.ended()
        for dialplan in (leaving, staying):
            dialplan.writer.close()
        assert [type(fault) for fault in desk.faults] == [CallerHungUp, LookupError]
        assert desk.server.counts == {"caller_hung_up": 1, "handler_fault": 1, "missing_prompt": 0}


async def test_a_missing_prompt_goes_on_and_is_reported() -> None:
    async def handler(session: AgiSession) -> None:
        assert await session.play("kcc/none") == ""
        await accept(session)

    async with serving(handler) as desk:
        dialplan = await desk.connect(environment())
        await dialplan.answer("200 result=-1 endpos=0", "200 result=6", "200 result=1")
        assert await dialplan.ended()
        dialplan.writer.close()
        assert desk.server.counts == {"done": 1, "missing_prompt": 1}
        assert "kcc/none" in str(desk.faults[0])


async def test_the_last_reply_sets_all_at_once_and_lets_the_dialplan_go_on() -> None:
    named: list[str] = []

    async def conclude(session: AgiSession) -> None:
        await session.conclude(KCC_ID="c-1", KCC_NEXT="d-a1-c-1-1")
        named.append("told")

    async with serving(conclude) as desk:
        dialplan = await desk.connect(environment())
        assert await dialplan.line() == 'EXEC MSet "KCC_ID=c-1,KCC_NEXT=d-a1-c-1-1"'
        assert await dialplan.ended()  # before it has replied
        assert not named
        dialplan.say("200 result=0")
        await asyncio.gather(*desk.server._sessions)
        assert named == ["told"]
        assert desk.faults == []
        dialplan.writer.close()


@pytest.mark.parametrize("value", ["a,KCC_BUSY=1", "${SHELL}", "", "a b", 'a"'])
async def test_what_would_be_more_than_one_variable_is_refused(value: str) -> None:
    async def conclude(session: AgiSession) -> None:
        with pytest.raises(ValueError, match="not variables"):
            await session.conclude(KCC_ID=value)

    async with serving(conclude) as desk:
        dialplan = await desk.connect(environment())
        assert await dialplan.ended()
        dialplan.writer.close()
        assert desk.server.counts["done"] == 1


async def test_names_that_asterisk_would_read_otherwise_are_refused() -> None:
    refused = []

    async def handler(session: AgiSession) -> None:
        for bad in ("kcc/x y", "../etc/passwd", 'a"b', "", "/abs"):
            with pytest.raises(ValueError):
                await session.play(bad)
            refused.append(bad)
        for bad in ("SHELL(id)x", "a", 'X" "Y', ""):
            with pytest.raises(ValueError):
                await session.set_variable(bad, "1")
            refused.append(bad)

    async with serving(handler) as desk:
        dialplan = await desk.connect(environment())
        assert await dialplan.ended()
        dialplan.writer.close()
    assert len(refused) == 9


async def test_a_session_has_a_deadline() -> None:
    begun = asyncio.Event()

    async def forever(session: AgiSession) -> None:
        begun.set()
        await asyncio.Event().wait()

    clock = HandClock()
    async with serving(forever, call_later=clock.call_later) as desk:
        dialplan = await desk.connect(environment())
        await begun.wait()
        await clock.fire(SESSION_SECONDS)
        assert await dialplan.ended()
        dialplan.writer.close()
        assert [type(fault) for fault in desk.faults] == [AgiTimeout]


@asynccontextmanager
async def out_of_descriptors(desk: Desk):
    """A call has come while there was no descriptor left for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_connection(("127.0.0.1", desk.server.port)):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await come_to(lambda: bool(desk.faults))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert [getattr(fault, "errno", None) for fault in desk.faults] == [errno.EMFILE]
        yield


async def test_a_call_that_finds_no_descriptor_is_taken_in_a_moment_later() -> None:
    clock = HandClock()
    async with serving(call_later=clock.call_later) as desk, out_of_descriptors(desk):
        await clock.fire(ACCEPT_AGAIN_SECONDS)
        await come_to(lambda: bool(desk.server.open_sessions))
        await desk.works()


async def test_a_server_that_stops_does_not_try_again() -> None:
    clock = HandClock()
    async with serving(call_later=clock.call_later) as desk, out_of_descriptors(desk):
        assert [timer.seconds for timer in clock.pending] == [ACCEPT_AGAIN_SECONDS]
        await desk.server.stop()
        assert clock.pending == []


async def test_connections_over_the_limit_are_closed_at_once() -> None:
    async with serving(connections_max=1) as desk:
        first = await desk.connect(environment())
        assert (await first.line()).startswith("SET VARIABLE")
        second = await desk.connect(environment())
        try:
            assert await second.ended()
        except ConnectionError:
            pass
        first.say("200 result=1")
        assert await first.ended()
        for dialplan in (first, second):
            dialplan.writer.close()
        assert desk.server.counts["too_many"] == 1
        await desk.works()


async def test_a_stranger_is_closed_unread_counted_and_told_once_a_minute() -> None:
    async with serving() as desk:
        for _ in range(3):
            stranger = await desk.connect(environment(), source="127.0.0.9")
            with contextlib.suppress(ConnectionError):
                assert await stranger.ended()
            stranger.writer.close()
        assert desk.server.counts["stranger"] == 3
        assert desk.strangers == [("127.0.0.9", 1)]
        assert desk.faults == []
        await desk.works()


def test_strangers_are_told_of_at_once_and_then_by_the_minute() -> None:
    told: list[tuple[str, int]] = []
    clock = [0.0]
    door = Door(("10.20.0.0/28", "::1/128"), lambda *what: told.append(what), lambda: clock[0])
    assert door.admits("10.20.0.5")
    assert door.admits("::ffff:10.20.0.5")  # as a listener on :: sees it
    assert door.admits("::1")
    for seconds in (0, 1, 59, 60, 61):
        clock[0] = seconds
        assert not door.admits(f"10.20.0.{100 + seconds}")
    assert told == [("10.20.0.100", 1), ("10.20.0.160", 3)]


async def test_drop_from_another_thread_refuses_while_the_loop_stands_still() -> None:
    async with serving() as desk:
        await desk.works()
        refused: list[bool] = []

        def watchdog() -> None:
            desk.server.drop()
            with socket.socket() as probe:
                refused.append(probe.connect_ex(("127.0.0.1", desk.server.port)) != 0)

        thread = threading.Thread(target=watchdog)
        thread.start()
        thread.join(10)  # blocks the loop: that is the point
        assert refused == [True]
        desk.server.drop()
        await desk.server.resume()
        await desk.works()
        await desk.server.resume()
        await desk.works()
        assert desk.faults == []


async def test_sessions_under_way_outlive_a_drop() -> None:
    async with serving() as desk:
        dialplan = await desk.connect(environment())
        assert (await dialplan.line()).startswith("SET VARIABLE")
        desk.server.drop()
        dialplan.say("200 result=1")
        assert await dialplan.ended()
        dialplan.writer.close()
        assert desk.server.counts["done"] == 1


@given(st.binary(max_size=4000))
async def test_any_bytes_are_an_environment_or_malformed(data: bytes) -> None:
    try:
        with line_of(data) as line:
            env = await read_environment(line)
    except AgiMalformed:
        return
    assert env["agi_uniqueid"] is not None


def test_the_token_is_the_dialplans() -> None:
    assert token_of("s", "kcc-1.0", "99") == "750cb1057b50f953be4ff929a5ee67606af4318d"
