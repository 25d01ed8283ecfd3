"""The parts of the voice benchmark: one Asterisk with both ways to an agent, a meter, callers, phones and desks."""

from __future__ import annotations

import asyncio
import csv
import itertools
import json
import secrets
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import argon2

from router.channels.voice.frames import Frame, header
from router.channels.voice.pyst import AmiActions
from tests.parts.asterisk import CARRIER, PBX, PHONES, RealAsterisk, free_port
from tests.parts.router import PASSWORD, sign_in
from tests.parts.where import ROOT, sipp_command

AGENTS = 100
FEW = 5
"""So many work when callers have to wait."""
THROUGH_ROUTER = "140591"
QUEUES = {"few": "900001", "many": "900002"}
"""The number of each of app_queue's queues, beside the router's: the same trunk, phones and answer."""
SCENARIOS = Path(__file__).with_name("sipp")
CITIZEN = ROOT / "tests/integration/sipp/citizen_waits.xml"
METER = "meter"
CITIZENS = 1_000
"""Different callers; after them the first calls again."""
STEP_SECONDS_MAX = 90
SAME_MOMENT_MS = 1.0
"""Two calls whose agents became free together are sent on in order, one right after the other; which of them Asterisk
rings first, each having a thread of its own, is a matter of some 50 microseconds."""


def endpoint(number: int) -> str:
    return f"b{number}"


class BenchPbx(RealAsterisk):
    """asterisk/ as it stands, and beside it what only this measurement needs: app_queue, its phones, the meter."""

    phones_port: int = 0
    meter_secret: str = ""

    def prepare(self) -> None:
        super().prepare()
        self.phones_port, self.meter_secret = free_port(), secrets.token_hex(12)
        numbers = range(1, AGENTS + 1)
        self._add("modules.conf", "load=app_queue.so\n")
        self._add("pjsip.conf", "".join(self._phone(endpoint(number)) for number in numbers))
        members = {"few": range(1, FEW + 1), "many": numbers}
        (self.folder / "etc/queues.conf").write_text(
            "[general]\nautofill=yes\nshared_lastcall=yes\n"
            + "".join(
                f"[{name}]\nstrategy=rrmemory\nautofill=yes\nretry=1\ntimeout=20\nwrapuptime=0\nringinuse=no\n"
                + "".join(f"member => PJSIP/{endpoint(number)}\n" for number in members[name])
                for name in QUEUES
            )
        )
        self._add("extensions.conf", "\n[from-trunk](+)\n" + "".join(
            f"exten => {number},1,Answer(,i)\n same => n,Queue({name})\n same => n,Hangup()\n"
            for name, number in QUEUES.items()
        ))  # fmt: skip
        self._add("manager.conf", (
            f"\n[{METER}]\nsecret={self.meter_secret}\ndeny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\n"
            "read=call\nwritetimeout=5000\n"
            + "".join(f"eventfilter = Event: {name}\n" for name in ("Newchannel", "DialBegin", "DialEnd", "Hangup"))
        ))  # fmt: skip

    def _add(self, name: str, text: str) -> None:
        with (self.folder / "etc" / name).open("a") as file:
            file.write(text)

    def _phone(self, name: str) -> str:
        return (
            f"\n[{name}](kcc-agent)\naors={name}\n"
            f"[{name}](kcc-agent-phone)\ncontact=sip:{name}@{PHONES}:{self.phones_port}\nqualify_frequency=0\n"
        )


@dataclass(slots=True)
class Seen:
    """One citizen's call as the meter saw it; moments in ms by Asterisk's clock, 0 = not yet."""

    arrived: float
    rang: float = 0.0
    answered: bool = False


@dataclass(slots=True)
class Tally:
    """What the meter saw of one step."""

    calls: dict[str, Seen] = field(default_factory=dict)
    """Linkedid of the citizen's channel -> its call."""
    freed: dict[str, float] = field(default_factory=dict)
    """Endpoint -> when its last leg ended, until it rings again."""
    free_to_ring: list[float] = field(default_factory=list)
    """ms, where a citizen was waiting when the agent hung up."""

    def take(self, frame: Frame) -> None:
        kind, at = header(frame, "Event"), float(header(frame, "Timestamp") or 0) * 1000
        channel = header(frame, "Channel")
        match kind:
            case "Newchannel" if channel.startswith("PJSIP/trunk-"):
                self.calls[header(frame, "Linkedid")] = Seen(at)
            case "DialBegin":
                self._ring(header(frame, "DestLinkedid"), _phone_of(header(frame, "DestChannel")), at)
            case "DialEnd" if header(frame, "DialStatus") == "ANSWER":
                call = self.calls.get(header(frame, "DestLinkedid"))
                if call is not None:
                    call.answered = True
            case "Hangup" if _phone_of(channel):
                self.freed[_phone_of(channel)] = at

    def _ring(self, linkedid: str, phone: str, at: float) -> None:
        call = self.calls.get(linkedid)
        if call is None:
            return
        free = self.freed.pop(phone, 0.0)
        if free and call.arrived < free:
            self.free_to_ring.append(at - free)
        if not call.rang:
            call.rang = at

    @property
    def to_ring(self) -> list[float]:
        """INVITE to the first ring, ms."""
        return [call.rang - call.arrived for call in self.calls.values() if call.rang]

    @property
    def lost(self) -> int:
        """Calls that Asterisk took and nobody answered."""
        return sum(not call.answered for call in self.calls.values())

    @property
    def fifo_breaks(self) -> int:
        """Calls that had come earlier than one that rang, and were still waiting SAME_MOMENT_MS later."""
        rang = sorted((call for call in self.calls.values() if call.rang), key=lambda call: call.rang)
        breaks, before, last = 0, 0, 0.0
        for call in rang:
            while rang[before].rang <= call.rang - SAME_MOMENT_MS:
                last = max(last, rang[before].arrived)
                before += 1
            breaks += call.arrived < last
        return breaks


def _phone_of(channel: str) -> str:
    """PJSIP/b7-0000002a -> b7; "" for what is no agent's phone."""
    name = channel.removeprefix("PJSIP/").rpartition("-")[0]
    return name if name.startswith("b") else ""


class Meter:
    """A third user of Asterisk's manager, who watches both sides: neither is timed by itself."""

    def __init__(self, pbx: BenchPbx) -> None:
        self._pbx = pbx
        self._tally = Tally()
        self._actions = AmiActions(self._take)

    async def __aenter__(self) -> Self:
        await self._actions.open(PBX, self._pbx.ami_port)
        await self._actions.login(METER, self._pbx.meter_secret)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._actions.close()

    async def finish(self) -> Tally:
        """All that happened so far; the next tally begins. A reply comes after every event before it."""
        await self._actions.ping()
        done, self._tally = self._tally, Tally()
        return done

    def _take(self, frame: Frame) -> None:
        self._tally.take(frame)


@dataclass(frozen=True, slots=True)
class Sipp:
    """How a SIPp process ended."""

    made: int
    failed: int
    resent: int


class Phones:
    """`async with Phones(pbx, folder, (300, 300)):` every agent's phone answers, talks so many ms, and hangs up."""

    def __init__(self, pbx: BenchPbx, folder: Path, talk_ms: tuple[int, int]) -> None:
        self._pbx, self._folder, self._talk = pbx, folder, talk_ms
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        text = (SCENARIOS / "agents.xml").read_text()
        scenario = self._folder / "agents.xml"
        scenario.write_text(text.replace("TALK_MS_MIN", str(self._talk[0])).replace("TALK_MS_MAX", str(self._talk[1])))
        self._process = await _sipp(
            self._folder, "-i", PHONES, "-p", str(self._pbx.phones_port), "-sf", str(scenario), "-l", "2000"
        )
        await asyncio.to_thread(_await_listener, self._pbx.phones_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()


def _await_listener(port: int) -> None:
    """Wait until somebody has this UDP port: SIPp says nothing when it has started."""
    end = time.monotonic() + STEP_SECONDS_MAX
    while f":{port:04X} " not in Path("/proc/net/udp").read_text():
        assert time.monotonic() < end, "SIPp did not start"
        time.sleep(0.01)


async def call(pbx: BenchPbx, folder: Path, number: str, rate: int, count: int) -> Sipp:
    """So many citizens call, so many a second, and wait for the other side to hang up."""
    statistics, scenario, numbers = folder / "callers.csv", folder / "citizen.xml", folder / "numbers.csv"
    statistics.unlink(missing_ok=True)
    scenario.write_text(CITIZEN.read_text().replace("0612345678", "[field0]"))
    numbers.write_text("SEQUENTIAL\n" + "".join(f"06{12_345_678 + n}\n" for n in range(CITIZENS)))
    process = await _sipp(
        folder, f"{PBX}:{pbx.sip_port}", "-i", CARRIER, "-sf", str(scenario), "-inf", str(numbers), "-s", number,
        "-r", str(rate), "-m", str(count), "-l", "5000", "-trace_stat", "-stf", str(statistics), "-fd", "1",
        "-timeout", f"{STEP_SECONDS_MAX}s", "-recv_timeout", "60000",
    )  # fmt: skip
    await process.wait()
    with statistics.open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Sipp(int(last["TotalCallCreated"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]))


async def _sipp(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    command = sipp_command()
    assert command is not None, "no SIPp on this machine: `make parts` gets it"
    return await asyncio.create_subprocess_exec(
        *command, *arguments, "-nostdin", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


class BenchDesk:
    """An agent's desk that wraps up at once, so that an agent is free when the phone is.

    Socket.IO by hand: a real desk takes its processor time elsewhere, this one from what is measured.
    """

    def __init__(self, base: str, number: int) -> None:
        self._base, self._user = base, f"agent{number}"
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._wrapped: set[str] = set()

    async def sit_down(self) -> None:
        headers = {"Origin": self._base, "Cookie": await sign_in(self._base, self._user)}
        url = f"{self._base}/socket.io/?EIO=4&transport=websocket"
        self._socket = await self._http.ws_connect(url, headers=headers, compress=0)
        await self._socket.receive_str()  # Engine.IO opens
        await self._socket.send_str("40/desk,")
        assert (await self._socket.receive_str()).startswith("40/desk,"), "not let in"
        self._reading = asyncio.create_task(self._read(self._socket))

    async def leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._http.close()

    async def presence(self, presence: str) -> None:
        number = next(self._numbers)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._send(f"42/desk,{number}", "presence", {"presence": presence, "reason": ""})
        answer = await asyncio.wait_for(asked, 20)
        assert answer["ok"], answer

    async def _send(self, kind: str, event: str, body: dict[str, Any]) -> None:
        assert self._socket is not None, "not sitting down"
        await self._socket.send_str(f"{kind}{json.dumps([event, body])}")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            text = await socket.receive_str()
            if text == "2":
                await socket.send_str("3")
            elif text.startswith("43/desk,"):
                number, _, answer = text.removeprefix("43/desk,").partition("[")
                self._asked.pop(int(number)).set_result(json.loads(f"[{answer}")[0])
            elif text.startswith('42/desk,["state",') and '"wrap_up"' in text:
                await self._state(json.loads(text.removeprefix("42/desk,"))[1])

    async def _state(self, state: dict[str, Any]) -> None:
        for contact in state["contacts"]:
            if contact["state"] == "wrap_up" and contact["contact"] not in self._wrapped:
                self._wrapped.add(contact["contact"])
                body = {"contact": contact["contact"], "resolved": True, "note": "", "topic": ""}
                await self._send("42/desk,", "wrap_up", body)


def configure(folder: Path) -> Path:
    """A centre of one municipality, one queue, and AGENTS agents; no menu, no greeting."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    numbers = range(1, AGENTS + 1)
    files = {
        "centre.toml": (
            'id = "bench"\nname = "Bench"\ntime_zone = "Europe/Amsterdam"\nholidays = "none"\n'
            f'[[municipalities]]\nid = "bench"\nname = "Bench"\nentry_points = ["{THROUGH_ROUTER}"]\n'
            "[channels.phone]\noffer_seconds = 20\n"
        ),
        "topics.toml": (
            'default_topic = "any"\n[[topics]]\nid = "any"\ntitle = { nl = "Alles", en = "Anything" }\n'
            'queue = "all"\nneeds = { any = 1 }\n'
            '[[queues]]\nid = "all"\ntitle = { nl = "Alles", en = "Anything" }\npolicy = "longest-idle"\n'
            "wrap_up_seconds = 60\n[queues.targets]\nphone = { seconds = 20, share = 0.8 }\n"
        ),
        "agents.toml": 'skills = ["any"]\n' + "".join(
            f'[[agents]]\nid = "agent{n}"\nname = "Agent {n}"\nendpoint = "{endpoint(n)}"\nskills = {{ any = 3 }}\n'
            for n in numbers
        ),
        "accounts.toml": "".join(
            f'[[accounts]]\nid = "agent{n}"\nrole = "agent"\nagent = "agent{n}"\npassword_hash = "{quick}"\n'
            for n in numbers
        ),
        "server.toml": 'host = "127.0.0.1"\n',
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
