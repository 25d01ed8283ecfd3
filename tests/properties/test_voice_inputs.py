"""A small helping of what `make fuzz-voice` does at length."""

from __future__ import annotations

from tests.properties.voice_inputs import SAID, TAKEN, run, stream, text

COUNT = 2_000


async def test_every_string_is_one_command_or_none() -> None:
    ended = await run(text, SAID, 7, COUNT, float("inf"))
    assert sum(ended.values()) == COUNT * len(SAID)
    assert min(ended.values()) > COUNT // 10  # neither all refused nor all let through


async def test_every_stream_is_understood_or_refused() -> None:
    ended = await run(stream, TAKEN, 7, COUNT, float("inf"))
    assert sum(ended.values()) == COUNT * len(TAKEN)
