"""Recordings between PBX and vault: what cannot be paused, stored or announced, and files that nobody asks for."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from router.channels.voice import recordings as module
from router.channels.voice.calls import Call
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.recordings import Recordings, wav
from router.engine import commands
from router.engine.effects import Record
from router.errors import Unavailable
from router.nouns import Agent
from router.nouns_telephone import Recording
from tests.unit.channel_doubles import Scene, scene
from tests.unit.voice_doubles import Link, Session, Telephone

CHANNEL = "PJSIP/trunk-00000001"
SECOND = bytes(range(100)) * 160


class Recorder(Link):
    """A PBX that records."""

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        self._note("mute", str(muted))

    async def stop_recording(self, channel: str) -> None:
        self._note("stop")


class Desk:
    """A call that is recorded, the centre that knows it, and the folder of the PBX."""

    def __init__(self, here: Scene, spool: Path) -> None:
        self.here, self.spool, self.link = here, spool, Recorder()
        self.recordings = Recordings(here.around, spool, lambda: True)
        self.call = Call("c-1", CHANNEL, record="c-1-1")

    async def steer(self, how: str, *, call: bool = True, known: bool = True, refs: tuple[str, ...] = ()) -> None:
        effect = Record("c-1", 1, how, 30, refs)
        up = self.call if call else None
        await self.recordings.steer(effect, up, self.link, known=known)  # type: ignore[arg-type]

    async def over(self) -> None:
        """The citizen has left, and what was recorded is to be kept."""
        await self.here.port.submit(commands.EndContact("c-1", "citizen_left"))
        await self.steer("keep", call=False)

    @property
    def state(self) -> str:
        return self.here.port.centre._state.contacts["c-1"].recording

    @property
    def unsaved(self) -> bool:
        return "c-1" in self.here.port.centre._state.recordings

    def file(self, content: bytes, name: str = "rec-c-1-1.wav", *, closed: bool = True, seconds_ago: int = 0) -> Path:
        path = self.spool / name
        path.write_bytes(content if closed else content[:4] + bytes(4) + content[8:])
        at = path.stat().st_mtime - seconds_ago
        os.utime(path, (at, at))
        return path

    async def works(self) -> None:
        """What is owed, once."""
        for (contact, number), days in list(self.recordings._owed.items()):
            if await self.recordings._store(contact, number, days):
                del self.recordings._owed[contact, number]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with scene() as here:
        config = here.port.centre._configuration
        waterland, other = config.municipalities
        recorded = replace(waterland, recording=Recording(("algemeen",), 30))
        ada = replace(config.agents[0], endpoint="a1")
        for command in (
            commands.Configure(replace(config, municipalities=(recorded, other), agents=(ada,)), "2"),
            commands.SetPresence("ada", "ready"),
            commands.Receive("c-1", "phone", "waterland", "s-1", classify=False),
            commands.AnnounceRecording("c-1"),
            commands.Classify("c-1"),
            commands.Accept("c-1-1", "ada"),
        ):
            await here.port.submit(command)
        yield Desk(here, tmp_path)


@pytest.mark.parametrize("error", [AmiRefused("no"), AmiTimeout("no"), AmiDown("no")])
async def test_a_pause_that_does_not_come_about_throws_the_recording_away(desk: Desk, error: Exception) -> None:
    desk.link.fails = lambda what: error
    await desk.steer("pause")
    assert desk.state == "dropped"


async def test_a_call_that_is_not_recorded_after_all_does_not_say_it_is(desk: Desk) -> None:
    desk.call.record = ""
    await desk.steer("resume")
    assert desk.state == "dropped"


async def test_what_is_not_known_yet_is_not_judged_but_a_pause_is_never_believed(desk: Desk) -> None:
    await desk.steer("resume", call=False, known=False)
    assert desk.state == "on"
    await desk.steer("pause", call=False, known=False)
    assert desk.state == "dropped"


async def test_a_citizen_who_left_meanwhile_is_no_fault(desk: Desk) -> None:
    desk.link.fails = lambda what: ChannelGone("no")
    await desk.steer("pause")
    assert desk.state == "on"


async def test_pause_and_resume_are_asked_of_the_pbx(desk: Desk) -> None:
    await desk.steer("pause")
    await desk.steer("resume")
    assert desk.link.done == [("mute", "True"), ("mute", "False")]


async def test_what_is_dropped_is_deleted_at_once_whatever_the_pbx_says(desk: Desk) -> None:
    for error in (None, AmiDown("no"), AmiRefused("no")):
        path = desk.file(wav(SECOND))
        desk.call.record = "c-1-1"
        desk.link.fails = lambda what, error=error: error  # type: ignore[misc]
        await desk.steer("drop")
        assert not path.exists()
        assert desk.call.record == ""


async def test_all_of_the_contact_is_thrown_away(desk: Desk) -> None:
    ref = await desk.here.vault.store("c-1", "audio/wav", b"before", keep_until=1)
    others = [desk.file(wav(SECOND), name) for name in ("rec-c-1-2.wav", "rec-c-1-3.wav")]
    other = desk.file(wav(SECOND), "rec-c-11-1.wav")
    await desk.over()
    await desk.steer("drop", call=False, refs=(ref,))
    assert ref in desk.here.vault.erased
    assert not any(path.exists() for path in others)
    assert other.exists()
    assert not desk.recordings._owed


async def test_what_is_thrown_away_while_it_is_stored_is_taken_out_of_the_vault(desk: Desk) -> None:
    desk.file(wav(SECOND))
    await desk.here.port.submit(commands.DropRecording("c-1", "ada"))
    assert await desk.recordings._store("c-1", 1, 30)
    assert desk.here.vault.erased == set(desk.here.vault.items)
    assert len(desk.here.vault.items) == 1


async def test_of_a_store_that_fails_half_way_nothing_stays_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", len(SECOND))
    store = desk.here.vault.store

    async def once(contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        if desk.here.vault.items:
            raise Unavailable("full")
        return await store(contact, type, content, keep_until=keep_until)

    monkeypatch.setattr(desk.here.vault, "store", once)
    path = desk.file(wav(2 * SECOND))
    with pytest.raises(Unavailable):
        await desk.recordings._store("c-1", 1, 30)
    assert desk.here.vault.erased == set(desk.here.vault.items)
    assert path.exists()


async def test_what_is_over_is_kept_in_parts_for_its_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 2 * len(SECOND))
    path = desk.file(wav(5 * SECOND))
    await desk.over()
    await desk.works()
    vault = desk.here.vault
    (stored,) = desk.here.port.of(commands.StoreRecording)
    assert [vault.items[ref].content for ref in stored.refs] == [wav(2 * SECOND), wav(2 * SECOND), wav(SECOND)]
    assert stored.seconds == 5
    assert stored.keep_until - desk.here.around.now() > 29 * module.DAY_MS
    assert set(vault.keep_until.values()) == {stored.keep_until}
    assert not path.exists()
    assert not desk.unsaved


async def test_a_file_that_the_pbx_still_writes_waits_and_one_of_a_pbx_that_died_does_not(desk: Desk) -> None:
    desk.file(wav(SECOND), closed=False)
    await desk.over()
    await desk.works()
    assert desk.unsaved
    desk.file(wav(SECOND), closed=False, seconds_ago=11)
    await desk.works()
    assert not desk.unsaved


async def test_a_vault_that_is_out_of_reach_leaves_the_file_and_is_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    path, tries = desk.file(wav(SECOND)), 0
    store = desk.here.vault.store

    async def broken(contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            assert path.exists()
            raise Unavailable("full")
        return await store(contact, type, content, keep_until=keep_until)

    monkeypatch.setattr(desk.here.vault, "store", broken)
    await desk.over()
    running = asyncio.create_task(desk.recordings.run())
    await desk.here.port.until(lambda command: isinstance(command, commands.StoreRecording))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert tries == 3


async def test_of_a_citizen_who_was_erased_meanwhile_nothing_is_kept(desk: Desk) -> None:
    path = desk.file(wav(SECOND))
    desk.here.vault.erased.add("c-1")
    await desk.over()
    await desk.works()
    assert not path.exists()
    (stored,) = desk.here.port.of(commands.StoreRecording)
    assert stored.refs == ()


async def test_nothing_was_written(desk: Desk) -> None:
    await desk.over()
    await desk.works()
    (stored,) = desk.here.port.of(commands.StoreRecording)
    assert (stored.refs, stored.seconds) == ((), 0)
    assert not desk.unsaved


async def test_files_that_nobody_asks_for_are_deleted_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("rec-c-1-1.wav", "rec-c-gone-1.wav", "kcc.c-gone.wav", "rec-.wav")
    for name in names:
        desk.file(wav(SECOND), name)
    await desk.recordings._sweep(desk.spool)
    assert len(list(desk.spool.iterdir())) == 4
    monkeypatch.setattr(module, "STRAY_SECONDS", -1.0)
    await desk.recordings._sweep(desk.spool)
    assert {path.name for path in desk.spool.iterdir()} == set(names) - {"rec-c-gone-1.wav"}


async def test_a_file_in_which_nothing_was_said_is_deleted_when_its_contact_is_over(desk: Desk) -> None:
    for name in ("rec-c-1-1.wav", "rec-c-gone-1.wav"):
        desk.file(wav(b""), name)
    await desk.recordings._sweep(desk.spool)
    assert [path.name for path in desk.spool.iterdir()] == ["rec-c-1-1.wav"]


def test_a_part_is_a_file_that_any_player_reads() -> None:
    content = wav(SECOND)
    assert content[:4] + content[8:16] == b"RIFFWAVEfmt "
    assert struct.unpack("<I", content[4:8])[0] + 8 == len(content)
    assert struct.unpack("<HHIIHH", content[20:36]) == (1, 1, 8_000, 16_000, 2, 16)
    assert struct.unpack("<I", content[40:44])[0] == len(SECOND)


# -- the announcement ---------------------------------------------------------------------------------------------


class Caller(Session):
    """A citizen on a PBX that may not have the prompt, and who may press a key."""

    key = ""
    lacks: tuple[str, ...] = ()

    async def play(self, file: str, escape_digits: str = "") -> str:
        self.missing = list(self.lacks)
        await super().play(file)
        return self.key if self.key in escape_digits else ""


@pytest.mark.parametrize(
    ("caller", "leads_to"),
    [
        ({}, "announced"),
        ({"key": "1"}, "dropped"),
        ({"lacks": ("kcc/recorded",)}, ""),
        ({"leaves_at": "kcc/recorded"}, ""),
    ],
    ids=["heard", "refused", "no prompt", "left"],
)
async def test_only_who_heard_it_and_did_not_refuse_is_recorded(caller: dict[str, object], leads_to: str) -> None:
    async with scene() as here:
        config = here.port.centre._configuration
        waterland, other = config.municipalities
        recorded = replace(waterland, recording=Recording(("algemeen",), 30))
        agents = (Agent("ada", "Ada", "Ada", {"burgerzaken": 5, "afval": 5}, "a1"),)
        here.port.centre._configuration = replace(config, municipalities=(recorded, other), agents=agents)
        phone = Telephone(here.port.centre)
        session = Caller()
        for name, value in caller.items():
            setattr(session, name, value)
        contact = await phone.comes_in(session)
        assert session.said.index("kcc/welcome-waterland") < session.said.index("kcc/recorded")
        assert here.port.centre._state.contacts[contact].recording == leads_to
