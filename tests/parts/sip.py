"""A test telephone on asyncio: calls, answers, refuses, sends digits and tones and listens, at a test's signal."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import cast

from tests.parts.rtp import EVENT_TYPE, Audio

WAIT_SECONDS = 10.0


@dataclass
class Message:
    """A SIP request or response."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def encode(self, encoding: str) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers), f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode(encoding) + body

    @staticmethod
    def parse(data: bytes) -> Message:
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Message(start, [(key.strip(), value.strip()) for key, _, value in pairs], body)


@dataclass
class Call:
    """One call of a phone. `ringing`, `up` and `over` are set as these happen; `status` is the final SIP code."""

    phone: SipPhone
    call_id: str
    incoming: bool
    local: str
    remote: str
    target: str
    audio: Audio
    audio_port: int
    invite: Message
    ringing: asyncio.Event = field(default_factory=asyncio.Event)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    cseq: int = 1
    way: str = "sendrecv"
    """sendonly while it has the other side on hold."""

    @property
    def caller(self) -> str:
        """Who calls, as the phone shows it."""
        return self.remote.partition(";tag=")[0]

    async def wait(self, event: asyncio.Event) -> None:
        """Wait for `ringing`, `up` or `over`, at most 10 s."""
        async with asyncio.timeout(WAIT_SECONDS):
            await event.wait()

    def answer(self) -> None:
        self.up.set()
        self.phone.respond(self.invite, "200 OK", self, sdp=True)

    def refuse(self, status: str = "486 Busy Here") -> None:
        self.phone.respond(self.invite, status, self)
        self.end(int(status[:3]))

    def hangup(self) -> None:
        """Leave: BYE when up, CANCEL or a refusal when not."""
        if self.over.is_set():
            return
        if self.up.is_set():
            self.cseq += 1
            self.phone.request("BYE", self)
        elif self.incoming:
            self.refuse("603 Decline")
        else:
            self.phone.cancel(self)

    def hold(self, held: bool = True) -> None:
        """The phone's own hold key: a re-INVITE. With False, off hold again."""
        self.cseq += 1
        self.way = "sendonly" if held else "sendrecv"
        self.phone.request("INVITE", self, sdp=True)

    def end(self, status: int) -> None:
        if not self.over.is_set():
            self.status = self.status or status
            self.audio.close()
            self.over.set()


class SipPhone(asyncio.DatagramProtocol):
    """`async with SipPhone("a1", "127.0.0.3", pbx.sip_port, secret=…) as phone:`. With a secret it registers.

    `mode` is what it does with an incoming call: `answer`, `busy`, `ring` (wait for the test's word).
    Incoming calls are put on `calls`.
    """

    def __init__(
        self,
        user: str,
        host: str,
        server_port: int,
        *,
        secret: str = "",
        mode: str = "answer",
        hertz: float = 0,
        port: int = 0,
    ) -> None:
        self.user, self.host, self.secret, self.mode, self.hertz = user, host, secret, mode, hertz
        self.server = ("127.0.0.1", server_port)
        self.domain = f"127.0.0.1:{server_port}"
        self.port = port
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self.encoding = "utf-8"
        self._open: dict[str, Call] = {}
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SipPhone:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        try:
            if self.secret:
                await self.register()
        except BaseException:
            self._transport.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in list(self._open.values()):
            call.hangup()
            call.end(0)
        if self._transport is not None:
            self._transport.close()

    async def next_call(self) -> Call:
        """The next incoming call, at most 10 s from now."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.calls.get()

    async def register(self, expires: int = 300) -> None:
        """Raises AssertionError with the final status when refused."""
        base = [
            ("From", f"<sip:{self.user}@{self.domain}>;tag={secrets.token_hex(4)}"),
            ("To", f"<sip:{self.user}@{self.domain}>"),
            ("Call-ID", secrets.token_hex(8)),
        ]
        more = [("Contact", self._contact()), ("Expires", str(expires))]
        reply = await self._ask(f"REGISTER sip:{self.domain} SIP/2.0", [*base, ("CSeq", "1 REGISTER"), *more])
        if " 401 " in reply.start:
            proof = self._authorization(reply, "REGISTER", f"sip:{self.domain}")
            reply = await self._ask(
                f"REGISTER sip:{self.domain} SIP/2.0", [*base, ("CSeq", "2 REGISTER"), *more, proof]
            )
        assert " 200 " in reply.start, reply.start

    async def call(
        self, number: str, *, caller: str = "0612345678", name: str = "", to: str = "", diverted: str = ""
    ) -> Call:
        """Call a number; returns at once, `up` or `over` follow. `to` and `diverted` are what these headers say."""
        audio, port = await self._audio()
        who = f'"{name}" ' if name else ""
        sender = self.user if self.secret else caller
        local = f"{who}<sip:{sender}@{self.domain}>;tag={secrets.token_hex(4)}"
        target = f"sip:{number}@{self.domain}"
        call = Call(
            self, secrets.token_hex(8), False, local, to or f"<{target}>", target, audio, port, Message("", [])
        )  # fmt: skip
        self._open[call.call_id] = call
        self._invite(call, *([("Diversion", diverted)] if diverted else []))
        return call

    def _invite(self, call: Call, *more: tuple[str, str]) -> None:
        headers = [
            ("Via", self._via()), ("Max-Forwards", "70"), ("From", call.local), ("To", call.remote),
            ("Call-ID", call.call_id), ("CSeq", f"{call.cseq} INVITE"), ("Contact", self._contact()), *more,
            ("Content-Type", "application/sdp"),
        ]  # fmt: skip
        call.invite = Message(f"INVITE {call.target} SIP/2.0", headers, self._sdp(call))
        self._write(call.invite)

    def request(self, method: str, call: Call, *, branch: str = "", sdp: bool = False) -> None:
        """A request inside a call; for ACK of a refusal with the INVITE's own branch."""
        self._write(Message(f"{method} {call.target} SIP/2.0", [
            ("Via", branch or self._via()), ("Max-Forwards", "70"), ("From", call.local), ("To", call.remote),
            ("Call-ID", call.call_id), ("CSeq", f"{call.cseq} {method}"), ("Contact", self._contact()),
            *([("Content-Type", "application/sdp")] if sdp else []),
        ], self._sdp(call) if sdp else ""))  # fmt: skip

    def cancel(self, call: Call) -> None:
        remote, call.remote = call.remote, call.remote.partition(";tag=")[0]
        self.request("CANCEL", call, branch=call.invite.get("Via"))
        call.remote = remote

    def respond(self, to: Message, status: str, call: Call | None = None, *, sdp: bool = False) -> None:
        headers = [("Via", via) for via in to.all("Via")]
        headers += [("Record-Route", route) for route in to.all("Record-Route")]
        headers += [("From", to.get("From")), ("To", call.local if call and call.incoming else to.get("To"))]
        headers += [("Call-ID", to.get("Call-ID")), ("CSeq", to.get("CSeq")), ("Contact", self._contact())]
        if sdp and call:
            headers.append(("Content-Type", "application/sdp"))
        self._write(Message(f"SIP/2.0 {status}", headers, self._sdp(call) if sdp and call else ""))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = Message.parse(data)
        call = self._open.get(message.get("Call-ID"))
        if message.start.startswith("SIP/2.0 "):
            self._take_response(message, call)
        else:
            self._take_request(message, call)

    def _take_response(self, message: Message, call: Call | None) -> None:
        waiting = self._replies.get(message.get("Call-ID"))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        status, method = int(message.start.split()[1]), message.get("CSeq").split()[1]
        if method == "INVITE" and call is not None and call.incoming:  # put on hold, or off it
            if status >= 200:
                self.request("ACK", call)
            return
        if call is None:
            return
        if method == "BYE":
            call.end(call.status or 200)
        if method != "INVITE" or status == 100:
            return
        call.remote = message.get("To")
        if status < 200:
            call.ringing.set()
        elif status < 300:
            call.target = re.findall(r"<([^>]+)>", message.get("Contact"))[0]
            self.request("ACK", call)
            self._connect(call, message.body)
            call.up.set()
        else:
            self.request("ACK", call, branch=call.invite.get("Via"))
            if status == 401 and call.cseq == 1:
                call.cseq, call.remote = 2, call.remote.partition(";tag=")[0]
                self._invite(call, self._authorization(message, "INVITE", call.target))
            else:
                call.end(status)

    def _take_request(self, message: Message, call: Call | None) -> None:
        method = message.start.split()[0]
        if method == "INVITE" and call is None:
            task = asyncio.get_running_loop().create_task(self._ring(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif method == "INVITE" and call is not None and call.up.is_set():
            self.respond(message, "200 OK", call, sdp=True)
        elif method == "CANCEL" and call is not None:
            self.respond(message, "200 OK", call)
            self.respond(call.invite, "487 Request Terminated", call)
            call.end(487)
        elif method == "BYE":
            self.respond(message, "200 OK", call)
            if call is not None:
                call.end(200)
        elif method == "OPTIONS":
            self.respond(message, "200 OK")

    async def _ring(self, message: Message) -> None:
        audio, port = await self._audio()
        call = Call(
            self, message.get("Call-ID"), True, f"{message.get('To')};tag={secrets.token_hex(4)}",
            message.get("From"), re.findall(r"<([^>]+)>", message.get("Contact"))[0], audio, port, message,
        )  # fmt: skip
        if call.call_id in self._open:  # sent again before it was taken in
            audio.close()
            return
        self._open[call.call_id] = call
        self._connect(call, message.body)
        if self.mode != "busy":
            call.ringing.set()
            self.respond(message, "180 Ringing", call)
        self.calls.put_nowait(call)
        if self.mode == "busy":
            call.refuse()
        elif self.mode == "answer":
            call.answer()

    def _connect(self, call: Call, sdp: str) -> None:
        address, port = re.findall(r"c=IN IP4 (\S+)", sdp), re.findall(r"m=audio (\d+)", sdp)
        if address and port and call.audio.remote is None:
            call.audio.remote = (address[0], int(port[0]))
            if self.hertz:
                call.audio.talk(self.hertz)

    async def _audio(self) -> tuple[Audio, int]:
        transport, audio = await asyncio.get_running_loop().create_datagram_endpoint(Audio, local_addr=(self.host, 0))
        return audio, int(transport.get_extra_info("sockname")[1])

    def _sdp(self, call: Call) -> str:
        return (
            f"v=0\r\no=- 1 {call.cseq} IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {call.audio_port} RTP/AVP 8 {EVENT_TYPE}\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:{EVENT_TYPE} telephone-event/8000\r\na=fmtp:{EVENT_TYPE} 0-16\r\na={call.way}\r\n"
        )

    def _via(self) -> str:
        return f"SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{secrets.token_hex(8)}"

    def _contact(self) -> str:
        return f"<sip:{self.user}@{self.host}:{self.port}>"

    def _authorization(self, challenge: Message, method: str, uri: str) -> tuple[str, str]:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.get("WWW-Authenticate")))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        mine = md5(f"{self.user}:{given['realm']}:{self.secret}")
        proof = md5(f"{mine}:{given['nonce']}:00000001:0a:auth:{md5(f'{method}:{uri}')}")
        return "Authorization", (
            f'Digest username="{self.user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
            f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="0a", '
            f'opaque="{given.get("opaque", "")}"'
        )

    async def _ask(self, start: str, headers: list[tuple[str, str]]) -> Message:
        call_id = dict(headers)["Call-ID"]
        self._replies[call_id] = asyncio.get_running_loop().create_future()
        self._write(Message(start, [("Via", self._via()), ("Max-Forwards", "70"), *headers]))
        async with asyncio.timeout(WAIT_SECONDS):
            return await self._replies[call_id]

    def _write(self, message: Message) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(message.encode(self.encoding), self.server)
