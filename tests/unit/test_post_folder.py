"""Scans are taken once and whole, and nothing in the folder leads anywhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from router.channels.post import folder as folder_module
from router.channels.post.adapter import PostChannel
from router.channels.post.folder import CLAIMED, DONE, REFUSED, Folder
from router.engine import commands
from router.engine.effects import Deliver, HangUp
from router.errors import Unavailable
from router.port import Order
from router.settings import PostSettings
from tests.unit.channel_doubles import DEADLINE_SECONDS, Scene, scene, served
from tests.unit.doubles import Clock
from tests.unit.test_post_codec import PDF


@dataclass
class Tray:
    """A scan folder of one municipality, under a clock that a test moves."""

    here: Scene
    channel: PostChannel
    clock: Clock
    home: Path

    @property
    def folder(self) -> Folder:
        assert self.channel.folder is not None
        return self.channel.folder

    def put(self, name: str, content: bytes = PDF) -> Path:
        path = self.home / name
        path.write_bytes(content)
        return path

    def index(self, name: str, **said: object) -> None:
        self.put(name, msgspec.json.encode({"document": name.replace(".json", ".pdf"), **said}))

    async def scan(self, after_seconds: float = 0) -> int:
        self.clock.forward(after_seconds)
        return await self.folder.scan()

    def names(self, folder: str) -> list[str]:
        path = self.home / folder
        return sorted(p.name[9:] for p in path.iterdir()) if path.exists() else []

    def why(self) -> list[str]:
        return [msgspec.json.decode(p.read_bytes())["code"] for p in (self.home / REFUSED).glob("*.why.json")]

    async def letters(self) -> list[str]:
        """Municipality and subject of all contacts."""
        return [f"{f.municipality}:{self.here.card(f.content_ref).subject}" for f in await self.here.received()]


@pytest.fixture
async def tray(tmp_path: Path) -> AsyncIterator[Tray]:
    (tmp_path / "waterland").mkdir()
    clock = Clock()
    async with scene() as here:
        object.__setattr__(here.around, "now", clock)
        channel = PostChannel(here.around, PostSettings(folder=tmp_path, stable_seconds=10))
        yield Tray(here, channel, clock, tmp_path / "waterland")


async def test_with_an_index_file_it_is_taken_at_once(tray: Tray) -> None:
    tray.put("brief.pdf")
    tray.index("brief.json", subject="Bezwaar afval", sender_name="A. Jansen", topic="burgerzaken", batch="7",
               received="2026-11-20")  # fmt: skip
    assert await tray.scan() == 1
    (fact,) = await tray.here.received()
    card = tray.here.card(fact.content_ref)
    assert (fact.channel, fact.municipality) == ("post", "waterland")
    assert fact.source_key.startswith("sha256:")
    assert fact.source_key.endswith(":waterland")
    assert fact.hints == ("subject:afval", "keyword:afval", "topic:burgerzaken")
    assert (card.name, card.subject) == ("A. Jansen", "Bezwaar afval")
    assert card.details == {"Ontvangen": "2026-11-20", "Batch": "7"}
    (attachment,) = card.attachments
    assert (attachment.name, attachment.type) == ("brief.pdf", "application/pdf")
    assert tray.here.vault.items[attachment.ref].content == PDF
    assert tray.names(DONE) == ["brief.json", "brief.pdf"]
    assert tray.names(CLAIMED) == []


async def test_without_one_it_is_taken_when_it_no_longer_changes(tray: Tray) -> None:
    scan = tray.put("brief.pdf", PDF[:20])
    assert [await tray.scan(), await tray.scan(11)] == [0, 0]
    scan.write_bytes(PDF)
    assert [await tray.scan(1), await tray.scan(9)] == [0, 0]
    assert await tray.scan(1.5) == 1
    assert tray.names(DONE) == ["brief.pdf"]


async def test_written_in_pieces_with_long_pauses_it_is_taken_whole(tray: Tray) -> None:
    with (tray.home / "brief.pdf").open("wb") as file:
        for at in range(0, len(PDF), 8):
            file.write(PDF[at : at + 8])
            file.flush()
            assert await tray.scan(30) == 0
    assert await tray.scan(1) == 0
    assert await tray.scan(11) == 1
    (fact,) = await tray.here.received()
    assert tray.here.vault.items[tray.here.card(fact.content_ref).raw_ref].content == PDF


async def test_an_index_file_in_the_making_is_waited_for(tray: Tray) -> None:
    tray.put("brief.pdf")
    tray.put("brief.json", b'{"document": "brief.pdf", "subj')
    assert await tray.scan() == 0
    tray.clock.forward(11)
    tray.put("brief.json", b'{"document": "brief.pdf", "subject": "x"')
    assert await tray.scan() == 0
    tray.index("brief.json", subject="Heel")
    assert await tray.scan() == 1
    assert await tray.letters() == ["waterland:Heel"]


async def test_the_same_scan_twice_is_one_contact(tray: Tray) -> None:
    for name in ("een", "twee"):
        tray.put(f"{name}.pdf")
        tray.index(f"{name}.json")
    assert await tray.scan() == 2
    assert len(await tray.here.received()) == 1
    assert tray.names(DONE) == ["een.json", "een.pdf", "twee.json", "twee.pdf"]


async def test_an_index_file_that_stays_behind_is_not_the_next_letters(tray: Tray) -> None:
    """The next scan of that name would carry another citizen's name."""
    tray.put("brief.pdf")
    await tray.scan()
    assert await tray.scan(11) == 1
    tray.index("brief.json", subject="Te laat")
    assert await tray.scan() == 0
    await tray.scan(700)
    assert tray.names(REFUSED) == ["brief.json", "brief.json.why.json"] or "no_document" in tray.why()
    assert not (tray.home / "brief.json").exists()


@pytest.mark.parametrize(
    ("content", "index", "code"),
    [
        (b"PK\x03\x04 geen pdf %%EOF", None, "not_a_pdf"),
        (b"%PDF-1.7 nooit af", None, "not_a_pdf"),
        (PDF, b"geen json", "invalid"),
        (PDF, b'{"document": "ander.pdf"}', "other_document"),
        (PDF, b'{"document": "brief.pdf", "municipality": "zeevang"}', "invalid"),
        (PDF, b'{"document": "brief.pdf", "received": "ooit"}', "invalid"),
    ],
)
async def test_what_cannot_be_read_is_put_where_a_person_sees_it(
    tray: Tray, content: bytes, index: bytes | None, code: str
) -> None:
    tray.put("brief.pdf", content)
    if index is not None:
        tray.put("brief.json", index)
    await tray.scan()
    await tray.scan(700)
    assert tray.why() == [code]
    assert "brief.pdf" in tray.names(REFUSED)
    assert tray.channel.health["refused"] == 1
    assert not await tray.here.received()


async def test_links_pipes_and_folders_are_refused(tray: Tray, tmp_path: Path) -> None:
    secret = tmp_path / "geheim.pdf"
    secret.write_bytes(PDF)
    (tray.home / "link.pdf").symlink_to(secret)
    os.mkfifo(tray.home / "pijp.pdf")
    (tray.home / "map.pdf").mkdir()
    tray.put("brief.pdf")
    (tray.home / "brief.json").symlink_to(secret)
    await tray.scan()
    await tray.scan(11)
    assert sorted(tray.why()) == ["not_a_file"] * 4
    assert not await tray.here.received()
    assert secret.exists()


async def test_a_link_to_another_folder_is_not_followed(tray: Tray, tmp_path: Path) -> None:
    (tmp_path / "elders").mkdir()
    (tmp_path / "elders" / "brief.pdf").write_bytes(PDF)
    (tmp_path / "zeevang").symlink_to(tmp_path / "elders")
    await tray.scan()
    assert await tray.scan(11) == 0


async def test_too_large(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "DOCUMENT_BYTES_MAX", 10)
    tray.put("brief.pdf")
    await tray.scan()
    await tray.scan(11)
    assert tray.why() == ["too_large"]


async def test_while_the_centre_is_away_it_stays_claimed(tray: Tray) -> None:
    tray.here.port.fails = lambda command: Unavailable()
    for n in range(3):
        tray.put(f"{n}.pdf", PDF + bytes([n]))
        tray.index(f"{n}.json")
    assert await tray.scan() == 0
    assert tray.names(CLAIMED) == ["0.json", "0.pdf"]
    assert tray.channel.health["put_off"] == 1
    tray.here.port.fails = lambda command: None
    assert await tray.scan() == 3


async def test_what_a_crash_left_claimed_is_taken_again(tray: Tray, tmp_path: Path) -> None:
    """Killed when the contact was on disk and the scan not yet moved: one contact."""

    class Crash(BaseException):
        pass

    tray.put("brief.pdf")
    tray.index("brief.json", subject="Eens")
    tray.here.port.fails_after = lambda command: Crash() if isinstance(command, commands.Receive) else None
    with pytest.raises(Crash):
        await tray.scan()
    tray.here.port.fails_after = lambda command: None
    again = PostChannel(tray.here.around, PostSettings(folder=tmp_path, stable_seconds=10))
    assert again.folder is not None
    assert await again.folder.scan() == 1
    assert await tray.letters() == ["waterland:Eens"]
    assert tray.names(DONE) == ["brief.json", "brief.pdf"]


async def test_a_crash_between_the_two_claims_keeps_the_index(tray: Tray) -> None:
    (tray.home / CLAIMED).mkdir()
    tray.put("brief.pdf").rename(tray.home / CLAIMED / "0a1b2c3d_brief.pdf")
    tray.index("brief.json", subject="Beide")
    assert await tray.scan() == 1
    assert await tray.letters() == ["waterland:Beide"]


async def test_two_watchers_take_it_once(tray: Tray, tmp_path: Path) -> None:
    others = [PostChannel(tray.here.around, PostSettings(folder=tmp_path)) for _ in range(3)]
    for n in range(10):
        tray.put(f"{n}.pdf", PDF + bytes([n]))
        tray.index(f"{n}.json", subject=str(n))
    await asyncio.gather(*(o.folder.scan() for o in others if o.folder))
    assert len(await tray.here.received()) == 10


async def test_it_watches_by_itself(tray: Tray, tmp_path: Path) -> None:
    channel = PostChannel(tray.here.around, PostSettings(folder=tmp_path), scan_seconds=0.01)
    async with served(tray.here.port, channel):
        tray.put("brief.pdf")
        tray.index("brief.json")
        await tray.here.port.until(lambda c: isinstance(c, commands.Receive))


async def test_a_folder_that_cannot_be_read_is_looked_at_again(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = asyncio.Semaphore(0)

    def broken(path: Path) -> bool:
        loop.call_soon_threadsafe(looks.release)
        raise PermissionError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(folder_module, "_is_real_folder", broken)
    tray.folder._scan_seconds = 0.01
    await tray.channel.start()
    for _ in range(2):
        await asyncio.wait_for(looks.acquire(), DEADLINE_SECONDS)
    await tray.channel.stop()


async def test_nothing_can_be_sent_by_post_and_that_is_said(tray: Tray) -> None:
    tray.put("brief.pdf")
    tray.index("brief.json")
    async with served(tray.here.port, tray.channel):
        await tray.here.port.until(lambda c: isinstance(c, commands.Receive))
        (fact,) = await tray.here.received()
        await tray.here.take_in_hand(fact.contact)
        await tray.here.reply(fact.contact, "Antwoord")
        (noted,) = await tray.here.port.until_status("failed")
        await tray.channel.perform(Order(1, HangUp(fact.contact, "agent")))
        await tray.channel.perform(Order(1, Deliver(fact.contact, 99, "v")))
    assert noted.detail == "not_by_this_channel"


async def test_without_a_folder_nothing_is_watched(tray: Tray) -> None:
    channel = PostChannel(tray.here.around, None)
    await channel.start()
    await channel.stop()
    assert channel.health == {"taken": 0, "refused": 0, "put_off": 0}


async def test_no_names_of_files_are_logged(tray: Tray, capsys: pytest.CaptureFixture[str]) -> None:
    tray.put("jansen.pdf")
    tray.index("jansen.json", subject="Bezwaar", sender_name="A. Jansen")
    tray.put("pietersen.pdf", b"niets")
    await tray.scan()
    await tray.scan(700)
    said = capsys.readouterr()
    for word in ("jansen", "Jansen", "Bezwaar", "pietersen"):
        assert word not in said.out + said.err


async def test_the_folders_to_put_scans_in_are_there_after_a_start(tray: Tray, tmp_path: Path) -> None:
    watching = PostChannel(tray.here.around, PostSettings(folder=tmp_path / "scans"))
    await watching.start()
    assert {p.name for p in (tmp_path / "scans").iterdir()} == {m.id for m in tray.here.around.centre.municipalities}
    await watching.stop()
