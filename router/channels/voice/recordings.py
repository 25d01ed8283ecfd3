"""Recordings of conversations: the dialplan begins them, the router pauses and ends them and takes them into the vault.

A recording is a file in the spool from the answer of an agent until it is over: `rec-<contact>-<number>.wav`. What is
over is stored, one after the other, encrypted, and deleted from the spool; what cannot be stored now is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from logging import INFO, WARNING
from pathlib import Path
from typing import BinaryIO

import structlog

from router.channels.channel import Surroundings
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.reports import Reports
from router.engine import commands
from router.engine.effects import Record
from router.errors import Erased, Fault

log = structlog.get_logger()

MEDIA = "audio/wav"
BYTES_PER_SECOND = 16_000
"""8 kHz, 16 bit."""
PART_BYTES = 1_800 * BYTES_PER_SECOND
"""Half an hour: a longer recording is kept in parts, so that no large file need be held in memory."""
HEADER_BYTES = 44
AGAIN_SECONDS = 1.0
SWEEP_SECONDS = 30.0
SETTLED_SECONDS = 10.0
"""A file that has not been written to for so long is complete, whatever its header says: the PBX was cut off."""
STRAY_SECONDS = 600.0
"""A file that nobody has asked for by then is deleted: what was thrown away while this server was not there."""
DAY_MS = 86_400_000
FILE = re.compile(r"rec-([A-Za-z0-9_-]{1,64})-([0-9]{1,4})\.wav")


def name_of(contact: str, number: int) -> str:
    """What KCC_REC says: the recording that begins with the next answer; "" = none."""
    return f"{contact}-{number}" if number else ""


class Recordings:
    """One for all PBXs, which share the spool. `settled`: whether each of them has said which calls are up."""

    def __init__(self, around: Surroundings, spool: Path | None, settled: Callable[[], bool]) -> None:
        self._around, self._spool, self._settled = around, spool, settled
        self._reports = Reports(around.port)
        self._owed: dict[tuple[str, int], int] = {}
        """Recordings that are over -> for how many days they are kept."""
        self._strays: dict[str, float] = {}
        """Files that nobody has asked for -> since when they are seen."""
        self._work = asyncio.Event()

    # -- orders ---------------------------------------------------------------------------------------------------

    async def steer(self, effect: Record, call: Call | None, ami: AmiLink, *, known: bool) -> None:
        """Carry the order out. `call` is None when it is not up; `known`: it is known which calls are."""
        running = call if call is not None and call.record == name_of(effect.contact, effect.number) else None
        if effect.how == "pause" or (effect.how == "resume" and known):
            await self._mute(effect, running, ami)
        elif effect.how in ("drop", "keep"):
            await self._end(effect, running, ami)

    async def _end(self, effect: Record, call: Call | None, ami: AmiLink) -> None:
        if call is not None:
            call.record = ""
            try:
                await ami.stop_recording(call.channel)
            except (AmiRefused, ChannelGone, AmiTimeout, AmiDown) as error:  # without its file it records nothing
                log.info("voice.recording_not_stopped", contact=effect.contact, error=type(error).__name__)
        if effect.how == "keep":
            self._owed[effect.contact, effect.number] = effect.days
            self._work.set()
        elif self._spool is not None:
            for key in [key for key in self._owed if key[0] == effect.contact]:
                del self._owed[key]
            await asyncio.to_thread(_delete, self._spool, effect.contact)
            await self._discard(effect.refs)

    async def _mute(self, effect: Record, call: Call | None, ami: AmiLink) -> None:
        """What is not heard to have come about is not believed: then nothing of the recording is kept."""
        try:
            if call is None:
                raise AmiRefused("it does not record")
            await ami.mute_recording(call.channel, muted=effect.how == "pause")
        except ChannelGone:
            log.info("voice.recording_over", contact=effect.contact)
        except (AmiRefused, AmiTimeout, AmiDown) as error:
            log.error("voice.recording_not_steered", contact=effect.contact, how=effect.how, error=type(error).__name__)
            await self._reports.tell(commands.DropRecording(effect.contact))

    # -- into the vault -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Store what is over, and sweep, until cancelled."""
        if self._spool is not None and not await asyncio.to_thread(self._spool.is_dir):
            log.error("voice.spool_missing")
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS if self._owed else SWEEP_SECONDS):
                    await self._work.wait()
            self._work.clear()
            for (contact, number), days in list(self._owed.items()):
                try:
                    if await self._store(contact, number, days):
                        self._owed.pop((contact, number), None)
                except (Fault, OSError) as error:
                    log.error("voice.recording_not_stored", contact=contact, error=type(error).__name__)
            if self._spool is not None and self._settled():
                try:
                    await self._sweep(self._spool)
                except (Fault, OSError) as error:
                    log.error("voice.spool_not_swept", error=type(error).__name__)

    async def _store(self, contact: str, number: int, days: int) -> bool:
        """False when its file is not complete yet."""
        keep_until = self._around.now() + days * DAY_MS
        path = self._path(contact, number) if self._spool is not None else None
        if path is None or not await asyncio.to_thread(path.exists):
            if await self._reports.tell(commands.StoreRecording(contact, number, (), 0, keep_until)) is not None:
                log.error("voice.recording_missing", contact=contact)
            return True
        if not await asyncio.to_thread(_complete, path):
            return False
        refs, seconds = await self._seal(contact, path, keep_until)
        if await self._reports.tell(commands.StoreRecording(contact, number, refs, seconds, keep_until)) is None:
            await self._discard(refs)  # thrown away meanwhile, or stored before a crash
        await asyncio.to_thread(path.unlink, missing_ok=True)
        log.info("voice.recording_stored", contact=contact, seconds=seconds)
        return True

    async def _seal(self, contact: str, path: Path, keep_until: int) -> tuple[tuple[str, ...], int]:
        """(references, seconds) of its parts in the vault; none when the citizen was erased meanwhile. Raises Fault."""
        refs: list[str] = []
        seconds = 0
        try:
            for part in _parts(path):
                content = await asyncio.to_thread(part)
                refs.append(await self._around.vault.store(contact, MEDIA, wav(content), keep_until=keep_until))
                seconds += len(content) // BYTES_PER_SECOND
        except Erased:
            return (), 0
        except Fault:
            await self._discard(refs)
            raise
        return tuple(refs), seconds

    async def _discard(self, refs: Iterable[str]) -> None:
        """Out of the vault again; what cannot be reached now is destroyed when its days are over."""
        try:
            await self._around.vault.discard(refs)
        except Fault as fault:
            log.error("voice.recording_not_discarded", code=fault.code)

    async def _sweep(self, spool: Path) -> None:
        """Delete what nobody will ask for: files of contacts that have ended, and that are not owed."""
        now = time.monotonic()
        found = {
            name: match[1]
            for name in await asyncio.to_thread(_names, spool)
            if (match := FILE.fullmatch(name)) and (match[1], int(match[2])) not in self._owed
        }
        self._strays = {name: self._strays.get(name, now) for name in found}
        for name, contact in found.items():
            path, old = spool / name, now - self._strays[name] > STRAY_SECONDS
            empty = (await asyncio.to_thread(path.stat)).st_size <= HEADER_BYTES  # nobody answered in the end
            if (old or empty) and not await self._reports.is_open(contact):
                log.log(INFO if empty else WARNING, "voice.recording_thrown_away", contact=contact)
                await asyncio.to_thread(path.unlink, missing_ok=True)

    def _path(self, contact: str, number: int) -> Path:
        assert self._spool is not None
        return self._spool / f"rec-{name_of(contact, number)}.wav"


def _delete(spool: Path, contact: str) -> None:
    """All files of this contact."""
    for name in _names(spool):
        if (match := FILE.fullmatch(name)) and match[1] == contact:
            (spool / name).unlink(missing_ok=True)


def _names(spool: Path) -> list[str]:
    return [path.name for path in spool.glob("rec-*.wav")]


def _complete(path: Path) -> bool:
    """Whether the PBX has closed it: then its header tells its length."""
    with path.open("rb") as file:
        head, size = file.read(8), path.stat().st_size
    told = struct.unpack("<I", head[4:])[0] + 8 if len(head) == 8 else 0
    return told == size or time.time() - path.stat().st_mtime > SETTLED_SECONDS


def _parts(path: Path) -> Iterator[Callable[[], bytes]]:
    """Readers of its samples, half an hour each."""
    with path.open("rb") as file:
        start = _samples_from(file)
    end = path.stat().st_size
    for at in range(start, end - 1, PART_BYTES):
        yield lambda at=at: _read(path, at, min(PART_BYTES, end - at))  # type: ignore[misc]


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        content = file.read(size)
    return content[: len(content) // 2 * 2]


def _samples_from(file: BinaryIO) -> int:
    """Where the samples begin."""
    head = file.read(256)
    return head.index(b"data") + 8 if b"data" in head else len(head)


def wav(samples: bytes) -> bytes:
    """Samples of 16 bit at 8 kHz as a WAV file."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, BYTES_PER_SECOND, 2, 16)
    data = b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVE" + form + data + samples
