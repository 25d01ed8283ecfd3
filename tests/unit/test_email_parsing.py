"""Hostile mail costs a process of its own, not the server: it is killed in time and the loop goes on."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.channels.email import parsing
from router.channels.email.codec import Inside
from router.channels.email.parsing import Failed, Parser
from router.channels.email.worker import answer_to
from router.errors import Unavailable

HEAD = b"From: Anna <anna@burger.example>\r\nTo: info@waterland.example\r\nSubject: vraag\r\n"


def levels(count: int) -> bytes:
    opened = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(count))
    return HEAD + b"".join(opened) + b"\r\nhoi"


def parts(count: int) -> bytes:
    return HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\n" * count + b"--b--"


# Quotes in a parameter are counted again for every semicolon: seconds become minutes.
ENDLESS = (
    HEAD
    + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; a="'
    + b";" * 600_000
    + b"\r\n\r\nhoi\r\n--b--\r\n"
)

HOSTILE = {
    "semicolons": HEAD + b"Content-Type: text/plain" + b";" * 32_768 + b"\r\n\r\nhoi",
    "folded semicolons": HEAD + b"Content-Type: text/plain" + b";\r\n " * 16_384 + b"\r\n\r\nhoi",
    "100,000 parts": parts(100_000),
    "1,000 levels": levels(1_000),
    "name*": HEAD + b"Content-Type: text/plain; name*\r\n\r\nhoi",
    "name*0*": HEAD + b"Content-Type: text/plain; name*0*=x'y\r\n\r\nhoi",
    "unknown charset": HEAD + b"Content-Type: text/plain; charset=klingon\r\n\r\nhoi",
    "charset that is no text": HEAD + b"Content-Type: text/plain; charset=zlib\r\n\r\nhoi",
    "message id": HEAD + b"Message-ID: <[]>\r\n\r\nhoi",
    "no header": b"\x00\xff" * 1000,
    "endless": ENDLESS,
}


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    running = Parser()
    await running.start()
    yield running
    await running.stop()


async def longest_stall(until: asyncio.Event) -> float:
    """The longest time the loop was held up."""
    longest, last = 0.0, time.monotonic()
    while not until.is_set():
        await asyncio.sleep(0)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        await asyncio.wait({asyncio.ensure_future(until.wait())}, timeout=0.005)
        last = time.monotonic()
    return longest


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_mail_is_answered_in_time_and_the_loop_goes_on(parser: Parser, kind: str) -> None:
    over = asyncio.Event()
    watch = asyncio.create_task(longest_stall(over))
    began = time.monotonic()
    (came,) = await asyncio.gather(parser.parse(HOSTILE[kind]), return_exceptions=True)
    code = came.code if isinstance(came, Failed) else ""
    assert isinstance(came, Inside | Failed)
    assert code in {"", "timeout", "too_deep", "too_many_parts", "malformed", "too_large"}
    took = time.monotonic() - began
    over.set()
    assert took < parsing.WALL_SECONDS
    assert await watch < 0.5


async def test_what_takes_too_much_processor_is_killed_and_the_next_mail_is_read(parser: Parser) -> None:
    with pytest.raises(Failed, match="timeout"):
        await parser.parse(ENDLESS)
    assert parser.killed == 1
    assert (await parser.parse(HEAD + b"\r\nhoi")).text == "hoi"


async def test_what_takes_too_long_is_killed() -> None:
    impatient = Parser(wall_seconds=0.05)
    await impatient.start()
    with pytest.raises(Failed, match="timeout"):
        await impatient.parse(ENDLESS)
    await impatient.stop()


async def test_a_large_attachment_is_no_attack(parser: Parser) -> None:
    content = bytes(range(256)) * 70_000
    raw = HEAD + b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    inside = await parser.parse(raw + base64.encodebytes(content))
    assert inside.documents[0].content == content
    assert parser.killed == 0


async def test_mails_share_the_workers(parser: Parser) -> None:
    texts = await asyncio.gather(*(parser.parse(HEAD + b"\r\n%d" % n) for n in range(20)))
    assert [inside.text for inside in texts] == [str(n) for n in range(20)]


async def test_many_mails_do_not_use_up_a_worker(parser: Parser) -> None:
    """The limit on the processor is per mail, though the system counts per process."""
    busy = parts(30_000)
    for _ in range(12):
        with pytest.raises(Failed, match="too_many_parts"):
            await parser.parse(busy)
    assert parser.killed == 0


async def test_no_worker_is_no_verdict_on_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/true")
    parser = Parser()
    with pytest.raises(Unavailable):
        await parser.parse(HEAD + b"\r\nhoi")


@given(st.binary(max_size=2_000))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_every_input_gets_an_answer(raw: bytes) -> None:
    said, _ = answer_to(raw)
    assert said in ("inside", "unreadable")


PIECES = (
    b"Content-Type: |multipart/mixed; boundary=b|text/html|text/plain|message/rfc822|\r\n|\r\n\r\n|--b|--b--|; name*"
    b'|; name*0=|; charset=|=?utf-8?q?=ff?=|=?x?b?!?=|"|<|>|;|@|Content-Disposition: attachment; filename=|\xff|\x00'
    b"|Content-Transfer-Encoding: base64|Content-Transfer-Encoding: x-uuencode|begin 666 x|Subject: |From: "
).split(b"|")


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_every_shuffled_mail_gets_an_answer(pieces: list[bytes]) -> None:
    said, _ = answer_to(b"".join(pieces))
    assert said in ("inside", "unreadable")
