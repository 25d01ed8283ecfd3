"""Watches the scan folders: takes each scan once, when it is whole, and moves it where people see what became of it.

    <folder>/<municipality>/letter.pdf, letter.json      as the scanner writes them
                            .kcc-claimed/                taken, not yet a contact
                            .kcc-done/                   a contact
                            .kcc-refused/                cannot be read; letter.pdf.why.json says why

A scan is whole when it ends as a PDF does and its index file is there and names it; or, without one, when it ends so
and its size and time have not changed for `stable_seconds`. Scanners write in pieces, with seconds between two pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from router.channels.post.codec import (
    DOCUMENT_BYTES_MAX,
    INDEX_BYTES_MAX,
    TAIL_BYTES,
    Letter,
    is_whole_pdf,
    letter_of,
    read_index,
)
from router.errors import Refusal, Unavailable

log = structlog.get_logger(__name__)

CLAIMED, DONE, REFUSED = ".kcc-claimed", ".kcc-done", ".kcc-refused"
SCANS_MAX = 100
"""Scans taken in one round for one municipality."""
PREFIX = 9
"""Characters before a claimed file's own name: eight random ones and `_`."""


class Taken(Protocol):
    """What `take` gives back."""

    @property
    def contact(self) -> str: ...


class Unfit(Exception):
    """This file will never be a letter; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(slots=True)
class _Seen:
    """How a file looked when it last changed."""

    size: int
    modified_ns: int
    since: int
    """When we first saw it so, in ms of our own clock: the scanner's clock may be wrong."""


class Folder:
    """Scans by itself every `scan_seconds`; `scan()` does it now."""

    def __init__(
        self,
        folder: Path,
        municipalities: tuple[str, ...],
        take: Callable[[Letter, bytes, str], Awaitable[Taken]],
        *,
        now: Callable[[], int],
        stable_seconds: float = 10,
        scan_seconds: float = 5,
    ) -> None:
        self._folder = folder
        self._municipalities = municipalities
        self._take = take
        self._now = now
        self._stable_ms = int(stable_seconds * 1000)
        self._scan_seconds = scan_seconds
        self._dead_ms = max(60 * self._stable_ms, 600_000)
        self._seen: dict[Path, _Seen] = {}
        self._present: set[Path] = set()
        self._task: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()
        self.taken = 0
        self.refused = 0
        self.put_off = 0
        """How often a scan could not be taken and waits to be tried again."""

    async def start(self) -> None:
        """Make the folders that are not there, take what a crash has left claimed, then begin to watch."""
        await asyncio.to_thread(self._make_homes)
        self._task = asyncio.create_task(self._watch(), name="post-folder")

    def _make_homes(self) -> None:
        for municipality in self._municipalities:
            try:
                (self._folder / municipality).mkdir(mode=0o770, parents=True, exist_ok=True)
            except OSError as error:  # a link or a share that is away: looked at again and again
                log.error("scan.folder_failed", municipality=municipality, cause=type(error).__name__)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _watch(self) -> None:
        while True:
            try:
                await self.scan()
            except Exception as error:  # noqa: BLE001  a folder that cannot be read now is looked at again
                log.error("scan.folder_failed", cause=type(error).__name__)
            await asyncio.sleep(self._scan_seconds)

    async def scan(self) -> int:
        """Look once at every municipality's folder; gives how many letters were taken."""
        async with self._busy:
            before = self.taken
            self._present = set()
            try:
                for municipality in self._municipalities:
                    await self._scan_one(municipality, self._folder / municipality)
            except Unavailable:
                self.put_off += 1
                log.warning("scan.put_off", cause="centre_unavailable")
            else:
                self._seen = {path: seen for path, seen in self._seen.items() if path in self._present}
            return self.taken - before

    async def _scan_one(self, municipality: str, home: Path) -> None:
        if not await asyncio.to_thread(_is_real_folder, home):
            return
        # Claimed ones first: at the start those of a crash, later those that could not be stored.
        for claimed in await asyncio.to_thread(_files_in, home / CLAIMED, ".pdf"):
            await self._take_claimed(municipality, home, claimed)
        for scan in await asyncio.to_thread(_files_in, home, ".pdf"):
            if await asyncio.to_thread(self._is_complete, scan):
                claimed_as = await asyncio.to_thread(_claim, home, scan)
                if claimed_as is not None:
                    await self._take_claimed(municipality, home, claimed_as)
        for index in await asyncio.to_thread(_files_in, home, ".json"):
            # Left lying it would be taken for the index of the next scan with that name: another citizen's letter.
            if await asyncio.to_thread(self._is_forsaken, index):
                await asyncio.to_thread(_refuse, home, index, "no_document", "There is no scan with it", self._now())
                self.refused += 1
                log.error("scan.refused", municipality=municipality, code="no_document", refused=self.refused)

    def _unchanged_ms(self, path: Path) -> int:
        """How long it has looked as it does now, as far as we have seen; raises FileNotFoundError."""
        found = path.lstat()
        self._present.add(path)
        seen = self._seen.get(path)
        if seen is None or (seen.size, seen.modified_ns) != (found.st_size, found.st_mtime_ns):
            seen = self._seen[path] = _Seen(found.st_size, found.st_mtime_ns, self._now())
        return self._now() - seen.since

    def _is_complete(self, scan: Path) -> bool:
        try:
            unchanged = self._unchanged_ms(scan)
            stable = unchanged >= self._stable_ms
            if not stat.S_ISREG(scan.lstat().st_mode):
                return stable  # a link, a pipe: refused where people see it, once it is surely no moment's work
            whole = _has_trailer(scan)
            index = _index_beside(scan)
            if index is not None:
                if whole and _index_names(index, scan):
                    return True
                stable = self._unchanged_ms(index) >= self._stable_ms and stable
            # Nothing more has come for very long: it never will, and a person must see that.
            return stable and (whole or unchanged >= self._dead_ms)
        except FileNotFoundError:
            return False

    def _is_forsaken(self, index: Path) -> bool:
        try:
            if any(index.with_suffix(suffix).exists() for suffix in (".pdf", ".PDF")):
                return False
            return self._unchanged_ms(index) >= self._dead_ms
        except FileNotFoundError:
            return False

    async def _take_claimed(self, municipality: str, home: Path, claimed: Path) -> None:
        try:
            letter, document, digest = await asyncio.to_thread(_read, municipality, home, claimed)
            taken = await self._take(letter, document, f"sha256:{digest}:{municipality}")
        except (Unfit, Refusal) as unfit:
            await asyncio.to_thread(_refuse, home, claimed, unfit.code, str(unfit), self._now())
            self.refused += 1
            log.error("scan.refused", municipality=municipality, code=unfit.code, refused=self.refused)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  it stays claimed, and is taken in a later round
            self.put_off += 1
            log.error("scan.put_off", municipality=municipality, cause=type(error).__name__)
        else:
            await asyncio.to_thread(_move, home / DONE, claimed)
            self.taken += 1
            log.info("scan.taken", municipality=municipality, contact=taken.contact)


# -- files, in threads ----------------------------------------------------------------------------------------


def _is_real_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _files_in(folder: Path, ending: str) -> list[Path]:
    if not _is_real_folder(folder):
        return []
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.name.lower().endswith(ending) and not e.name.startswith("."))
    return [folder / name for name in names[:SCANS_MAX]]


def _open(path: Path) -> int:
    """A descriptor of a regular file that is not a link. Raises Unfit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise Unfit("not_a_file", "It is not a regular file") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unfit("not_a_file", "It is not a regular file")
    return descriptor


def _content(path: Path, bytes_max: int) -> bytes:
    with os.fdopen(_open(path), "rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise Unfit("too_large", f"It is larger than {bytes_max // 1024} kB")
    return content


def _has_trailer(scan: Path) -> bool:
    try:
        with os.fdopen(_open(scan), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return b"%%EOF" in file.read(TAIL_BYTES)
    except (Unfit, FileNotFoundError):
        return False


def _index_beside(scan: Path) -> Path | None:
    candidates = (scan.with_suffix(suffix) for suffix in (".json", ".JSON"))
    return next((index for index in candidates if index.is_symlink() or index.exists()), None)


def _index_names(index: Path, scan: Path) -> bool:
    """Whether the index file is whole and names this scan. While it is being written it is not whole."""
    try:
        return read_index(_content(index, INDEX_BYTES_MAX)).document in ("", scan.name)
    except (Unfit, Refusal):
        return False


def _claim(home: Path, scan: Path) -> Path | None:
    """Rename it to where only we work; None when another was first. The scan first: it is the one that counts."""
    folder = home / CLAIMED
    folder.mkdir(mode=0o770, exist_ok=True)
    claimed = folder / f"{secrets.token_hex(4)}_{scan.name}"
    try:
        scan.rename(claimed)
    except FileNotFoundError:
        return None
    return claimed


def _own_name(claimed: Path) -> str:
    return claimed.name[PREFIX:] if claimed.name[PREFIX - 1 : PREFIX] == "_" else claimed.name


def _index_of_claimed(home: Path, claimed: Path) -> Path | None:
    """The index file, moved beside the claimed scan; also when a crash came between the two moves."""
    beside = claimed.with_suffix(".json")
    index = _index_beside(home / _own_name(claimed))
    if index is not None:
        index.rename(beside)
    return beside if beside.is_symlink() or beside.exists() else None


def _read(municipality: str, home: Path, claimed: Path) -> tuple[Letter, bytes, str]:
    """The letter, its document and the document's SHA-256. Raises Unfit or InvalidField."""
    index_path = _index_of_claimed(home, claimed)
    document = _content(claimed, DOCUMENT_BYTES_MAX)
    if not is_whole_pdf(document):
        raise Unfit("not_a_pdf", "It is not a whole PDF")
    index = read_index(_content(index_path, INDEX_BYTES_MAX)) if index_path else None
    if index is not None and index.document not in ("", _own_name(claimed)):
        raise Unfit("other_document", "Its index file names another document")
    return letter_of(index, municipality, _own_name(claimed)), document, hashlib.sha256(document).hexdigest()


def _move(folder: Path, claimed: Path) -> None:
    folder.mkdir(mode=0o770, exist_ok=True)
    for path in (claimed.with_suffix(".json"), claimed):
        with contextlib.suppress(FileNotFoundError):
            path.rename(folder / path.name)


def _refuse(home: Path, claimed: Path, code: str, message: str, at: int) -> None:
    folder = home / REFUSED
    folder.mkdir(mode=0o770, exist_ok=True)
    why = {"document": _own_name(claimed), "code": code, "why": message, "at": at}
    # The reason first: a refused scan is never without one.
    (folder / f"{claimed.name}.why.json").write_bytes(msgspec.json.format(msgspec.json.encode(why), indent=2))
    _move(folder, claimed)
