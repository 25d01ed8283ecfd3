"""AmiLink: order, healing, the silent peer, raising consumers, the census, and what it refuses to send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from router.channels.voice import ami
from router.channels.voice.ami import AmiAccess, AmiDown, AmiLink, AmiRefused, AmiTimeout, ChannelGone, Leg
from router.channels.voice.faults import AmiGarbled
from router.channels.voice.frames import Frame, header
from router.channels.voice.timing import CallLater, loop_timer
from tests.parts.fakes import HandClock, Peer, ScriptedAmi, obliging

WAIT_SECONDS = 10.0


@dataclass
class Watcher:
    """Notes what the link says, in order; a test may put something in the way."""

    seen: list[str] = field(default_factory=list)
    faults: list[tuple[str, Exception]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    on_event: Callable[[Frame], Awaitable[None]] | None = None
    epochs: list[int] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.seen.append(text)
        self.news.set()

    async def up(self, link: AmiLink) -> None:
        self.epochs.append(link.epoch)
        self.note("up")

    async def down(self) -> None:
        self.note("down")

    async def event(self, frame: Frame) -> None:
        self.note(header(frame, "Event") + header(frame, "N"))
        if self.on_event is not None:
            await self.on_event(frame)

    def fault(self, where: str, error: Exception) -> None:
        self.faults.append((where, error))
        self.news.set()

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not ready():
                self.news.clear()
                await self.news.wait()

    def link(self, port: int, call_later: CallLater = loop_timer) -> AmiLink:
        return AmiLink(
            AmiAccess("127.0.0.1", port, "router", "secret"),
            on_up=self.up, on_down=self.down, on_event=self.event, on_fault=self.fault,
            call_later=call_later, jitter=lambda: 0.0,
        )  # fmt: skip


@asynccontextmanager
async def running(link: AmiLink):
    task = asyncio.create_task(link.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def login(peer: Peer) -> None:
    action = await peer.action()
    assert action["Action"] == "Login"
    peer.reply(action)


async def test_up_events_and_down_come_in_order_even_when_sent_with_the_login_reply() -> None:
    async def script(peer: Peer) -> None:
        await login(peer)
        for n in range(3):
            peer.send("Event: Hangup", f"N: {n}")

    watcher = Watcher()
    async with ScriptedAmi(script) as server, running(watcher.link(server.port)):
        await watcher.until(lambda: watcher.seen.count("down") >= 2)
    assert watcher.seen[:10] == ["up", "Hangup0", "Hangup1", "Hangup2", "down"] * 2
    assert watcher.epochs[:2] == [1, 2]


async def test_p10_a_silent_peer_is_found_within_15_seconds_and_left_for_a_new_connection() -> None:
    pings = asyncio.Queue[str]()

    async def script(peer: Peer) -> None:
        await login(peer)
        while True:
            pings.put_nowait((await peer.action())["Action"])

    watcher, clock = Watcher(), HandClock()
    async with ScriptedAmi(script) as server, running(watcher.link(server.port, clock.call_later)):
        await watcher.until(lambda: watcher.seen == ["up"])
        clock.passed = 0
        await clock.fire(ami.PING_SECONDS)
        for _ in range(ami.PING_MISSES_MAX):
            async with asyncio.timeout(WAIT_SECONDS):
                assert await pings.get() == "Ping"
            await clock.fire(ami.ACTION_SECONDS)
        await watcher.until(lambda: watcher.seen == ["up", "down"])
        assert clock.passed <= 15
        assert [(where, type(error)) for where, error in watcher.faults] == [("connection", AmiTimeout)]
        await clock.fire(ami.BACKOFF_SECONDS_MIN / 2)
        await watcher.until(lambda: watcher.seen == ["up", "down", "up"])


@pytest.mark.parametrize(
    ("booted", "up"),
    [
        (("Event: FullyBooted", "Uptime: 90"), lambda seconds: seconds >= 90),
        (("Event: FullyBooted",), lambda seconds: seconds is None),  # an Asterisk that does not say
        ((), lambda seconds: seconds < 60),  # it has not fully booted yet
    ],
)
async def test_a_login_tells_how_long_asterisk_has_been_up(
    booted: tuple[str, ...], up: Callable[[int | None], bool]
) -> None:
    async def script(peer: Peer) -> None:
        await login(peer)
        if booted:
            peer.send(*booted)
        peer.send("Event: Hangup")
        await peer.action()

    watcher = Watcher()
    async with ScriptedAmi(script) as server:
        link = watcher.link(server.port)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up", "Hangup"])
            assert up(link.up_seconds)


async def test_a_peer_that_answers_pings_is_kept() -> None:
    watcher, clock = Watcher(), HandClock()
    async with ScriptedAmi(obliging) as server, running(watcher.link(server.port, clock.call_later)):
        for _ in range(20):
            await clock.fire(ami.PING_SECONDS)
        assert watcher.seen == ["up"]
        assert watcher.faults == []


async def test_p9_a_raising_consumer_is_reported_and_the_next_event_arrives() -> None:
    async def script(peer: Peer) -> None:
        await login(peer)
        for n in range(3):
            peer.send("Event: Hangup", f"N: {n}")
        await obliging(peer)

    async def stumble(frame: Frame) -> None:
        if header(frame, "N") == "1":
            raise RuntimeError("one bad event")

    watcher = Watcher(on_event=stumble)
    async with ScriptedAmi(script) as server, running(watcher.link(server.port)) as task:
        await watcher.until(lambda: "Hangup2" in watcher.seen and bool(watcher.faults))
        assert watcher.seen == ["up", "Hangup0", "Hangup1", "Hangup2"]
        assert [(where, str(error)) for where, error in watcher.faults] == [("consumer", "one bad event")]
        assert not task.done()


async def test_more_events_than_are_taken_end_the_connection_not_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "INBOX_MAX", 50)
    release = asyncio.Event()
    sent = asyncio.Event()

    async def script(peer: Peer) -> None:
        await login(peer)
        if not sent.is_set():
            for n in range(500):
                peer.send("Event: Hangup", f"N: {n}")
            sent.set()
        await obliging(peer)

    async def stuck(frame: Frame) -> None:
        await release.wait()

    watcher = Watcher(on_event=stuck)
    async with ScriptedAmi(script) as server, running(watcher.link(server.port)):
        await watcher.until(lambda: bool(watcher.faults))
        assert isinstance(watcher.faults[0][1], AmiGarbled)
        release.set()
        await watcher.until(lambda: watcher.seen.count("up") == 2)
        assert watcher.seen.index("down") <= 1 + 51


async def test_a_refused_login_and_a_closed_port_are_tried_again_with_growing_pauses() -> None:
    async def script(peer: Peer) -> None:
        peer.reply(await peer.action(), "Error", "Message: Authentication failed")
        await obliging(peer)

    watcher, clock = Watcher(), HandClock()
    async with ScriptedAmi(script) as server, running(watcher.link(server.port, clock.call_later)):
        pauses = [min(ami.BACKOFF_SECONDS_MAX, ami.BACKOFF_SECONDS_MIN * 2**n) / 2 for n in range(1, 8)]
        for pause in pauses[:2]:
            await clock.fire(pause)
        await watcher.until(lambda: len(watcher.faults) == 3)
        assert isinstance(watcher.faults[0][1], AmiRefused)
        server.refuse()
        for pause in pauses[2:]:
            await clock.fire(pause)
        await watcher.until(lambda: isinstance(watcher.faults[-1][1], AmiDown))
        await server.listen()
        assert watcher.seen == []
        assert max(pauses) == ami.BACKOFF_SECONDS_MAX / 2


async def test_replies_become_typed_errors() -> None:
    messages = {
        "Channel does not exist: PJSIP/trunk-1": ChannelGone,
        "No such channel": ChannelGone,
        "Channel2 does not exist: PJSIP/a1-2": ChannelGone,
        "Redirect failed, channel not up.": ChannelGone,
        "Permission denied": AmiRefused,
        "Unable to add Channel1 to bridge": AmiRefused,
    }
    answers = asyncio.Queue[str]()

    async def script(peer: Peer) -> None:
        await login(peer)
        while True:
            peer.reply(await peer.action(), "Error", f"Message: {await answers.get()}")

    watcher = Watcher()
    link = watcher.link(0)
    with pytest.raises(AmiDown):
        await link.hangup("PJSIP/trunk-1")
    async with ScriptedAmi(script) as server:
        link = watcher.link(server.port)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up"])
            for message, kind in messages.items():
                answers.put_nowait(message)
                with pytest.raises(kind) as caught:
                    await link.bridge("PJSIP/trunk-1", "PJSIP/a1-2")
                assert type(caught.value) is kind
                assert message in str(caught.value)


@pytest.mark.parametrize("misses", [3, ami.ON_ITS_WAY_TRIES], ids=["on its way", "about to end"])
async def test_a_channel_that_is_on_its_way_is_sent_on_when_it_can_be(misses: int) -> None:
    """Asterisk calls a channel with a Redirect under way `not up`, as it does one that is about to end."""
    asked: list[str] = []

    async def script(peer: Peer) -> None:
        await login(peer)
        while (action := await peer.action())["Action"] == "Redirect":
            asked.append(action["Exten"])
            if len(asked) > misses:
                peer.reply(action)
            else:
                peer.reply(action, "Error", "Message: Redirect failed, channel not up.")

    watcher, clock = Watcher(), HandClock()
    async with ScriptedAmi(script) as server:
        link = watcher.link(server.port, clock.call_later)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up"])
            sent = asyncio.create_task(link.redirect("PJSIP/trunk-1", "kcc-deliver", "d-a1-o1"))
            for _ in range(min(misses, ami.ON_ITS_WAY_TRIES - 1)):
                await clock.fire(ami.ON_ITS_WAY_SECONDS)
            if misses < ami.ON_ITS_WAY_TRIES:
                await sent
                assert len(asked) == misses + 1
            else:
                with pytest.raises(ChannelGone):
                    await sent
                assert len(asked) == misses


async def test_the_fields_of_each_action() -> None:
    seen: list[dict[str, str]] = []

    async def script(peer: Peer) -> None:
        await login(peer)
        while True:
            seen.append(await peer.action())
            peer.reply(seen[-1])
            seen[-1].pop("ActionID")

    watcher = Watcher()
    async with ScriptedAmi(script) as server:
        link = watcher.link(server.port)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up"])
            await link.redirect("PJSIP/t-1", "kcc-deliver", "d-a1-o7")
            await link.redirect("PJSIP/t-1", "kcc-hold", "s", also=Leg("PJSIP/a1-2", "kcc-consult", "d-a2-o8"))
            await link.hangup("PJSIP/t-1")
            await link.setvar("PJSIP/t-1", "KCC_RING", "25")
            await link.bridge("PJSIP/a1-2", "PJSIP/t-1")
    assert seen == [
        {"Action": "Redirect", "Channel": "PJSIP/t-1", "Context": "kcc-deliver", "Exten": "d-a1-o7", "Priority": "1"},
        {
            "Action": "Redirect", "Channel": "PJSIP/t-1", "Context": "kcc-hold", "Exten": "s", "Priority": "1",
            "ExtraChannel": "PJSIP/a1-2", "ExtraContext": "kcc-consult", "ExtraExten": "d-a2-o8", "ExtraPriority": "1",
        },
        {"Action": "Hangup", "Channel": "PJSIP/t-1"},
        {"Action": "Setvar", "Channel": "PJSIP/t-1", "Variable": "KCC_RING", "Value": "25"},
        {"Action": "Bridge", "Channel1": "PJSIP/a1-2", "Channel2": "PJSIP/t-1"},
    ]  # fmt: skip


async def test_what_could_mean_more_than_one_channel_or_run_something_is_never_sent() -> None:
    async with ScriptedAmi(obliging) as server:
        watcher = Watcher()
        link = watcher.link(server.port)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up"])
            for channel in ("", "/.*/", "PJSIP/a1-1\r\nAction: Logoff", "a" * 200):
                with pytest.raises(ValueError):
                    await link.hangup(channel)
                with pytest.raises(ValueError):
                    await link.setvar(channel, "KCC_RING", "25")
            for name in ("SHELL(id)", "kcc", "", "A=B"):
                with pytest.raises(ValueError):
                    await link.setvar("PJSIP/t-1", name, "1")
            for exten in ("", "d-a1,1", "d-a1\n"):
                with pytest.raises(ValueError):
                    await link.redirect("PJSIP/t-1", "kcc-hold", exten)


async def test_the_census_reads_variables_and_asterisks_word_for_not_set() -> None:
    async def script(peer: Peer) -> None:
        await login(peer)
        action = await peer.action()
        assert action["Variables"] == "KCC_ID,KCC_NUMBER,KCC_OFFER,KCC_OVERFLOW,KCC_REC,KCC_OUT,CHANNEL(onhold)"
        peer.reply(action)
        common = ("Event: Status", f"ActionID: {action['ActionID']}")
        peer.send(*common, "Channel: PJSIP/trunk-1", "Uniqueid: kcc-1.0", "Linkedid: kcc-1.0", "Context: kcc-hold",
                  "Exten: s", "ChannelStateDesc: Up", "CallerIDNum: 0612345678", "Seconds: 12", "Variable: KCC_ID=c-1",
                  "Variable: KCC_NUMBER=140591", "Variable: KCC_OFFER=(null)", "Variable: KCC_OVERFLOW=1",
                  "Variable: CHANNEL(onhold)=1")  # fmt: skip
        peer.send(*common, "Channel: PJSIP/a1-2", "Linkedid: kcc-1.0", "Seconds: soon", "Variable: KCC_ID=(null)")
        peer.send("Event: StatusComplete", f"ActionID: {action['ActionID']}")
        await obliging(peer)

    watcher = Watcher()
    async with ScriptedAmi(script) as server:
        link = watcher.link(server.port)
        async with running(link):
            await watcher.until(lambda: watcher.seen == ["up"])
            citizen, agent = await link.status()
    assert (citizen.kcc_id, citizen.number, citizen.offer, citizen.overflow) == ("c-1", "140591", "", True)
    assert (citizen.channel, citizen.context, citizen.exten, citizen.seconds) == ("PJSIP/trunk-1", "kcc-hold", "s", 12)
    assert (citizen.on_hold, agent.on_hold) == (True, False)
    assert (agent.linkedid, agent.kcc_id, agent.seconds, agent.overflow) == ("kcc-1.0", "", 0, False)
    assert "0612345678" not in repr(citizen)


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(AmiAccess("h", 1, "router", "hush"))
