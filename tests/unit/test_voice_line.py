"""The line to a call's dialplan: whole lines however they come in, and limits both ways."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.voice.line import LINE_BYTES_MAX, AgiLine
from tests.parts.fakes import come_to


@contextlib.contextmanager
def connected() -> Iterator[tuple[AgiLine, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    line = AgiLine(ours)
    with theirs:
        try:
            yield line, theirs
        finally:
            line.close()


@given(st.lists(st.text("ab\r\n", max_size=6).map(str.encode), max_size=6))
async def test_lines_are_whole_however_they_come_in(pieces: list[bytes]) -> None:
    with connected() as (line, theirs):

        async def speak() -> None:
            for piece in pieces:
                theirs.sendall(piece)
                await asyncio.sleep(0)
            theirs.close()

        speaking = asyncio.create_task(speak())
        heard = []
        while data := await line.readline():
            heard.append(data)
        await speaking
    assert b"".join(heard) == b"".join(pieces)
    assert all(data.endswith(b"\n") and data.count(b"\n") == 1 for data in heard[:-1])


@pytest.mark.parametrize(("size", "fits"), [(LINE_BYTES_MAX, True), (LINE_BYTES_MAX + 1, False)])
async def test_a_line_has_a_greatest_length(size: int, fits: bool) -> None:
    with connected() as (line, theirs):
        theirs.sendall(b"x" * size + b"\nnext\n")
        if fits:
            assert await line.readline() == b"x" * size + b"\n"
            assert await line.readline() == b"next\n"
        else:
            with pytest.raises(ValueError, match="too long"):
                await line.readline()


async def test_what_is_here_is_given_without_waiting_and_a_part_of_a_line_is_not_here() -> None:
    with connected() as (line, theirs):
        theirs.sendall(b"one\ntwo\nthr")
        assert line.here() == b""  # it reads only when it is asked to
        assert await line.readline() == b"one\n"
        assert [line.here(), line.here()] == [b"two\n", b""]
        theirs.sendall(b"ee\n")
        assert await line.readline() == b"three\n"


async def test_a_peer_that_never_stops_talking_leaves_others_their_turn() -> None:
    with connected() as (line, theirs):
        theirs.sendall(b"100\n" * LINE_BYTES_MAX)

        async def listen() -> None:
            for _ in range(LINE_BYTES_MAX):
                assert await line.readline() == b"100\n"

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        assert not listening.done()  # the first part was there, the next one waits for another turn
        await listening


async def test_what_comes_while_nobody_waits_for_it_stays_where_it_is() -> None:
    with connected() as (line, theirs):
        theirs.sendall(b"one\n")
        assert await line.readline() == b"one\n"
        waiting = asyncio.create_task(line.readline())
        await asyncio.sleep(0)
        theirs.sendall(b"two\n")
        assert await waiting == b"two\n"
        assert line._watched
        theirs.sendall(b"three\n")
        await come_to(lambda: not line._watched)  # or the loop would find it again and again
        assert line.here() == b""
        assert await line.readline() == b"three\n"


async def test_who_never_reads_and_who_has_left_are_told_from_who_listens() -> None:
    with connected() as (line, theirs):
        line.write(b"ANSWER\n")
        assert theirs.recv(100) == b"ANSWER\n"
        with pytest.raises(BlockingIOError):
            line.write(b"x" * 10_000_000)
    with connected() as (line, theirs):
        theirs.close()
        with pytest.raises(BrokenPipeError):
            line.write(b"ANSWER\n")
