"""The Socket.IO server against clients that mean harm: origins, binary packets, odd frames, slow readers."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket as sockets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.sockets import (
    FRAME_BYTES_MAX,
    WAITING_BYTES_MAX,
    WAITING_PACKETS_MAX,
    Encoded,
    Outbox,
    PacketRefused,
    TextPacket,
)
from tests.unit.served import Served, bearer

PATH = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(
        tmp_path, origins=("https://werk.example.nl",), widget_origins=("https://www.example.nl",)
    ) as house:
        yield house


async def turn() -> None:
    """Let the server have a turn on the loop."""
    await asyncio.sleep(0)


async def status_of(served: Served, headers: dict[str, str]) -> int:
    """101 when the web socket opens, else the status of the refusal."""
    try:
        async with served.http.ws_connect(PATH, headers=headers) as ws:
            assert (await ws.receive_str()).startswith("0")
            return 101
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status


async def test_origins_at_the_handshake(served: Served) -> None:
    cookie = {"Cookie": (await served.sign_in("ada"))["Cookie"]}
    own, evil = {"Origin": served.url}, {"Origin": "https://evil.example"}
    assert await status_of(served, {**cookie, **own}) == 101
    assert await status_of(served, {**cookie, "Origin": "https://werk.example.nl"}) == 101
    assert await status_of(served, {**own, "X-Forwarded-Host": "evil.example"}) == 101
    assert await status_of(served, {}) == 101, "a program without a cookie may come without Origin"
    for bad in (
        cookie,
        evil,
        {**cookie, **evil},
        {**evil, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {**evil, "Host": "evil.example"},
        {"Origin": "null"},
        {"Origin": served.url + ".evil.example"},
        {"Origin": "*"},
    ):
        assert await status_of(served, bad) == 403, bad


async def test_a_widget_page_may_connect_but_not_to_the_desk(served: Served) -> None:
    headers = {**await served.sign_in("ada"), "Origin": "https://www.example.nl"}
    assert await status_of(served, headers) == 101
    assert await served.refused("/desk", headers) == "not_allowed"


async def test_who_is_not_signed_in_is_refused_with_a_code(served: Served) -> None:
    own = {"Origin": served.url}
    assert await served.refused("/desk", own) == "not_signed_in"
    assert await served.refused("/desk", {**own, "Cookie": "kcc=guess"}) == "not_signed_in"
    assert await served.refused("/wallboard", own, {"token": "guess"}) == "not_signed_in"
    assert await served.refused("/wallboard", own, {"token": 7}) == "not_signed_in"
    assert await served.refused("/desk", {}, {"token": bearer("tv")["Authorization"][7:]}) == "not_allowed"
    assert served.desk.guests == served.wallboard.guests == {}


async def test_polling_is_not_spoken(served: Served) -> None:
    async with served.call("GET", "/socket.io/?EIO=4&transport=polling") as answer:
        assert answer.status == 400
    async with served.call("POST", "/socket.io/?EIO=4&transport=polling", data=b"x") as answer:
        assert answer.status == 405


async def test_permessage_deflate_is_not_agreed(served: Served) -> None:
    headers = {"Origin": served.url, "Sec-WebSocket-Extensions": "permessage-deflate"}
    async with served.http.ws_connect(PATH, headers=headers, compress=15) as ws:
        assert not ws.compress


async def desk_socket(served: Served) -> aiohttp.ClientWebSocketResponse:
    """A raw web socket on which Ada has entered the desk."""
    ws = await served.http.ws_connect(PATH, headers=await served.sign_in("ada"))
    await ws.receive_str()
    await ws.send_str("40/desk,")
    while not (await ws.receive_str()).startswith("40/desk,"):
        pass
    return ws


async def closed(ws: aiohttp.ClientWebSocketResponse) -> bool:
    async with asyncio.timeout(10):
        while True:
            message = await ws.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return True


@pytest.mark.parametrize(
    "frame",
    [
        b"binary",
        '451-/desk,["presence",{"_placeholder":true,"num":0}]',
        '4510-/desk,["presence"]',
        '461-/desk,1[{"_placeholder":true,"num":0}]',
        '43/desk,1["answer"]',
        "44/desk,",
        "42/desk,{}",
        "42/desk,[]",
        "42/desk,[7]",
        "42/desk,not json",
        "42/desk," + "[" * 5_000,
        "4" + "[" * 5_000,
        "bAAAA",
        "",
        "x",
        "0",
        '4{"a":1}',
        "42/desk," + "1" * 200 + '["presence"]',
        '42/desk,["presence","' + "x" * FRAME_BYTES_MAX + '"]',
    ],
    ids=lambda frame: repr(frame[:24]),
)
async def test_what_is_not_taken_ends_the_connection(
    served: Served, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ws = await desk_socket(served)
    await (ws.send_bytes(frame) if isinstance(frame, bytes) else ws.send_str(frame))
    assert await closed(ws)
    while served.desk.guests:
        await turn()
    assert not served.sockets._binary_packet
    assert "Traceback" not in caplog.text
    await ws.close()


async def test_events_are_answered_in_order(served: Served) -> None:
    ws = await desk_socket(served)
    for number in range(20):
        await ws.send_str(
            f'42/desk,{number}["presence",{{"presence":"{"ready" if number % 2 else "paused"}","reason":"lunch"}}]'
        )
    answers: list[int] = []
    while len(answers) < 20:
        frame = await ws.receive_str()
        if frame.startswith("43/desk,"):
            answers.append(int(frame[8:].partition("[")[0]))
    assert answers == list(range(20))
    await ws.close()


async def test_a_client_that_does_not_read_is_cut_off(served: Served) -> None:
    headers = await served.sign_in("ada")
    reader, writer = await small_window(served, headers)
    writer.write(frame_of("40/desk,"))
    while not served.desk.guests:
        await turn()
    sid = next(iter(served.desk.guests))
    most = 0
    async with asyncio.timeout(20):
        while served.desk.guests:
            served.desk.send("message", {"text": "x" * 20_000}, [sid])
            most = max(most, served.sockets.waiting(sid, "/desk")[1])
            await turn()
    assert WAITING_BYTES_MAX / 2 < most <= WAITING_BYTES_MAX + 20_100
    writer.close()
    del reader


async def small_window(served: Served, headers: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A web socket whose receiving side takes very little and never reads."""
    plain = sockets.socket()
    plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", served.number))
    reader, writer = await asyncio.open_connection(sock=plain, limit=1024)
    lines = [f"GET {PATH} HTTP/1.1", f"Host: 127.0.0.1:{served.number}", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
             *(f"{name}: {value}" for name, value in headers.items())]  # fmt: skip
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert b"101" in await reader.readline()
    return reader, writer


def frame_of(text: str) -> bytes:
    """A masked text frame with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()


async def test_the_outbox_cuts_at_its_limits_and_keeps_only_the_newest_of_a_slot() -> None:
    cuts: list[int] = []
    outbox = Outbox()
    outbox.cut = lambda: cuts.append(1)
    for number in range(WAITING_PACKETS_MAX * 2):
        outbox.put_nowait(Encoded("/desk", "state", number, slot="state"))
    assert (outbox.qsize(), outbox.owed_packets, cuts) == (1, 1, [])
    assert (await outbox.get()).text == f'42/desk,["state",{WAITING_PACKETS_MAX * 2 - 1}]'
    for number in range(WAITING_PACKETS_MAX):
        outbox.put_nowait(Encoded("/desk", "message", number))
    assert cuts == [1], "one was taken out, but is not written yet"
    outbox.put_nowait(Encoded("/desk", "message", 0))
    assert outbox.qsize() == WAITING_PACKETS_MAX
    assert cuts == [1]


async def test_the_outbox_writes_at_once_until_the_client_must_be_waited_for() -> None:
    outbox, written, reads = Outbox(), list[str](), True

    def write(frame: str) -> bool:
        if reads:
            written.append(frame)
        return reads

    outbox.put_nowait(first := Encoded("/desk", "message", 0))
    outbox.write = write
    outbox.put_nowait(second := Encoded("/desk", "message", 1))
    assert written == [], "what came earlier waits still"
    assert [await outbox.get(), await outbox.get()] == [first, second]
    outbox.written(first.text)
    outbox.put_nowait(third := Encoded("/desk", "message", 2))
    assert written == [], "one is being written"
    outbox.written(second.text)
    outbox.written((await outbox.get()).text)
    outbox.put_nowait(fourth := Encoded("/desk", "message", 3))
    assert written == [fourth.text] != [third.text]
    assert (outbox.qsize(), outbox.owed_packets, outbox.owed_bytes) == (0, 0, 0)
    reads = False
    outbox.put_nowait(Encoded("/desk", "message", 4))
    outbox.put_nowait(None)
    assert (outbox.qsize(), outbox.owed_packets) == (2, 1)


async def test_a_slow_reader_gets_all_in_order_also_answers(served: Served) -> None:
    reader, writer = await small_window(served, await served.sign_in("ada"))
    writer.write(frame_of("40/desk,"))
    while not served.desk.guests:
        await turn()
    sid, sent = next(iter(served.desk.guests)), 0
    async with asyncio.timeout(20):
        while served.sockets.waiting(sid, "/desk")[0] < 20:
            served.desk.send("message", {"number": sent, "text": "x" * 20_000}, [sid])
            sent += 1
            await turn()
        writer.write(frame_of('42/desk,7["softphone",{}]'))
        before = served.sockets.waiting(sid, "/desk")[0]
        while served.sockets.waiting(sid, "/desk")[0] == before:
            await turn()
        served.desk.send("message", {"number": sent}, [sid])
        writer.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 1_000_000)
        seen = b""
        while (last := b'{"number":%d}]' % sent) not in seen:
            seen += await reader.read(65_536)
        while served.sockets.waiting(sid, "/desk")[0]:
            await turn()
        served.desk.send("message", {"number": sent + 1}, [sid])
        while b'{"number":%d}]' % (sent + 1) not in seen:
            seen += await reader.read(65_536)
    numbers = [int(digits) for digits in re.findall(rb'"message",{"number":(\d+)', seen)]
    assert numbers == list(range(sent + 2))
    assert seen.index(b'{"number":%d,' % (sent - 1)) < seen.index(b"43/desk,7[") < seen.index(last)
    writer.close()


async def test_a_connection_stays_while_it_answers_pings(served: Served) -> None:
    served.sockets.eio.ping_interval, served.sockets.eio.ping_timeout = 0.05, 0.5
    ws = await desk_socket(served)
    pings = 0
    while pings * 0.05 < 0.7:
        if await ws.receive_str() == "2":
            pings += 1
            await ws.send_str("3")
    await ws.close()


@pytest.mark.parametrize("size", [100, 125, 126, 65_535, 65_536])
async def test_messages_of_every_length_arrive(served: Served, size: int) -> None:
    ws = await desk_socket(served)
    sid = next(iter(served.desk.guests))
    packet = Encoded("/desk", "m", "")
    while served.sockets.waiting(sid, "/desk")[0]:
        await turn()
    packet.text += "é" + "x" * (size - len(packet.text) - 2)
    served.sockets.broadcast("/desk", [sid], packet)
    assert served.sockets.waiting(sid, "/desk") == (0, 0), "written at once"
    async with asyncio.timeout(10):
        while await ws.receive_str() != packet.text:
            pass
    await ws.close()


async def test_the_outbox_is_empty_again_when_all_is_written(served: Served) -> None:
    ws = await desk_socket(served)
    sid = next(iter(served.desk.guests))
    for number in range(5):
        served.desk.send("message", {"number": number, "text": "é"}, [sid])
    seen = 0
    while seen < 5:
        seen += '"number"' in await ws.receive_str()
    while served.sockets.waiting(sid, "/desk")[0]:
        await turn()
    assert served.sockets.waiting(sid, "/desk") == (0, 0)
    await ws.close()


def test_an_encoded_packet_is_what_the_library_would_send() -> None:
    body: dict[str, Any] = {"text": 'é "x"', "n": [1, None, True]}
    encoded = Encoded("/desk", "state", body).encode()
    packet = TextPacket(encoded_packet=encoded[1:])
    assert encoded[0] == "4"
    assert (packet.namespace, packet.data) == ("/desk", ["state", json.loads(json.dumps(body))])


def test_a_binary_packet_is_no_packet() -> None:
    with pytest.raises(PacketRefused):
        TextPacket(encoded_packet='51-["x",{"_placeholder":true,"num":0}]')


def test_the_libraries_do_not_print_what_people_write(served: Served) -> None:
    assert logging.getLogger("socketio.server").level == logging.WARNING
    assert logging.getLogger("engineio.server").level == logging.WARNING
    assert served.sockets.async_handlers is False
