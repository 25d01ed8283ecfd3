"""Messages that callers left, when the vault cannot or may not take them: the census goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.channels.voice.recordings import wav
from router.channels.voice.reports import Reports
from router.channels.voice.voicemail import BYTES_MIN, Voicemail
from router.engine import commands
from router.errors import Unavailable
from tests.unit.channel_doubles import Scene, scene


@pytest.fixture
async def here() -> AsyncIterator[Scene]:
    async with scene() as running:
        await running.port.submit(commands.Receive("c-1", "phone", "waterland", "s-1"))
        yield running


def left(here: Scene, spool: Path) -> tuple[Voicemail, Path]:
    """A message of a caller who is gone."""
    path = spool / "pbx.c-1.wav"
    path.write_bytes(wav(bytes(BYTES_MIN)))
    return Voicemail(here.around, spool, "", Reports(here.around.port).tell), path


async def test_what_cannot_be_kept_now_is_kept_at_the_next_sweep(
    here: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voicemail, path = left(here, tmp_path)

    async def full(*_: object, **__: object) -> str:
        raise Unavailable("full")

    with monkeypatch.context() as broken:
        broken.setattr(here.vault, "store", full)
        await voicemail.sweep([])
    assert path.exists()
    await voicemail.sweep([])
    assert not path.exists()
    assert here.port.of(commands.LeaveVoicemail)


async def test_of_a_citizen_who_was_erased_meanwhile_nothing_is_kept(here: Scene, tmp_path: Path) -> None:
    voicemail, path = left(here, tmp_path)
    here.vault.erased.add("c-1")
    await voicemail.sweep([])
    assert not path.exists()
    assert not here.port.of(commands.LeaveVoicemail)
