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


@contextlib.contextmanager
def connected() -> Iterator[tuple[AgiLine, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield AgiLine(ours), theirs


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
