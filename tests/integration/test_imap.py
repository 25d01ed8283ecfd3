"""The mailbox read from a real Dovecot, and from a scripted server that does what real ones do on bad days."""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aioimaplib
import pytest

from router.channels.email import mailbox as mailbox_module
from router.channels.email.adapter import EmailChannel
from router.channels.email.envelope import TRUNCATED
from router.channels.email.mailbox import READING, RECONNECTING, STOPPED, Mailbox
from router.engine import commands
from router.errors import Unavailable
from router.settings import EmailSettings
from tests.parts.servers import Mailboxes, dovecot
from tests.parts.where import dovecot_command, missing
from tests.unit.channel_doubles import DEADLINE_SECONDS, Scene, scene, served
from tests.unit.test_email_codec import ADDRESSES, mail
from tests.unit.test_email_parsing import HOSTILE

needs_dovecot = [
    pytest.mark.imap,
    pytest.mark.skipif(dovecot_command() is None, reason=missing("dovecot")),
    pytest.mark.xdist_group("imap"),
]
USER = "post"


def is_receive(command: commands.Command) -> bool:
    return isinstance(command, commands.Receive)


# -- a real server ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Mailboxes]:
    with dovecot() as one:
        yield one


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A mailbox of its own for every test."""
    return f"u{abs(hash(request.node.name)) % 10**9}"


def deliver(server: Mailboxes, user: str, *mails: bytes) -> None:
    with smtplib.LMTP(server.host, server.lmtp_port) as client:
        for raw in mails:
            client.sendmail("anna@burger.example", [user], raw)


@contextmanager
def signed_in(server: Mailboxes, user: str) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4(server.host, server.imap_port)
    client.login(user, server.password)
    try:
        yield client
    finally:
        client.logout()


def count(server: Mailboxes, user: str, folder: str) -> int:
    with signed_in(server, user) as client:
        said, _ = client.select(folder, readonly=True)
        return len(client.uid("search", "ALL")[1][0].split()) if said == "OK" else 0


def settings(server: Mailboxes, user: str) -> EmailSettings:
    return EmailSettings(
        imap_host=server.host,
        imap_port=server.imap_port,
        imap_tls=False,
        imap_user=user,
        imap_password=server.password,
        imap_done_folder="Klaar voor KCC",
        addresses=ADDRESSES,
        default_municipality="waterland",
    )


@pytest.fixture
async def here() -> AsyncIterator[Scene]:
    async with scene() as one:
        yield one


def channel_for(here: Scene, server: Mailboxes, user: str, data: Path, **more: Any) -> EmailChannel:
    return EmailChannel(here.around, settings(server, user), data, **{"receipts_per_hour": 0, **more})


async def until_moved(server: Mailboxes, user: str, expected: int, seconds: float = DEADLINE_SECONDS) -> None:
    """The move comes after the contact: looked at until it is there, each look a round trip with the server."""
    async with asyncio.timeout(seconds):
        while await asyncio.to_thread(count, server, user, '"Klaar voor KCC"') < expected:
            pass


@pytest.mark.usefixtures("server")
class TestDovecot:
    """A mailbox as municipalities have them."""

    pytestmark = needs_dovecot

    async def test_a_mail_becomes_one_contact_and_is_moved(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        await asyncio.to_thread(deliver, server, user, mail("Hier al voor de start."))
        async with served(here.port, channel_for(here, server, user, tmp_path)):
            await here.port.until(is_receive)
            # The second comes while the mailbox is being watched: IDLE tells of it, the poll is a minute away.
            await asyncio.to_thread(deliver, server, user, mail("Later."))
            await here.port.until(is_receive, 2)
            await until_moved(server, user, 2)
        assert count(server, user, "INBOX") == 0
        assert [here.card(f.content_ref).text for f in await here.received()] == ["Hier al voor de start.", "Later."]

    async def test_without_idle_the_poll_finds_it(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        has = aioimaplib.IMAP4.has_capability
        monkeypatch.setattr(
            aioimaplib.IMAP4,
            "has_capability",
            lambda self, name: name not in ("IDLE", "MOVE") and has(self, name),
        )
        async with served(here.port, channel_for(here, server, user, tmp_path, poll_seconds=0.05)):
            await asyncio.to_thread(deliver, server, user, mail())
            await here.port.until(is_receive)
            await until_moved(server, user, 1)
        # And without MOVE it was copied, marked and expunged.
        assert count(server, user, "INBOX") == 0

    async def test_killed_between_the_record_and_the_move_it_is_still_one_contact(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        await asyncio.to_thread(deliver, server, user, mail())
        first = channel_for(here, server, user, tmp_path)
        assert first.mailbox is not None
        at_the_move = asyncio.Event()

        async def killed(uid: int) -> None:
            at_the_move.set()
            await asyncio.Event().wait()

        first.mailbox._move = killed  # type: ignore[method-assign]
        async with served(here.port, first):
            await asyncio.wait_for(at_the_move.wait(), DEADLINE_SECONDS)
        assert count(server, user, "INBOX") == 1
        # A new process, and even its table is gone.
        async with served(here.port, channel_for(here, server, user, tmp_path / "other")):
            await until_moved(server, user, 1)
        assert len(await here.received()) == 1

    async def test_the_same_mail_again_under_another_uid_is_the_same_contact(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        async with served(here.port, channel_for(here, server, user, tmp_path)):
            await asyncio.to_thread(deliver, server, user, mail(), mail())
            await until_moved(server, user, 2)
        assert len(await here.received()) == 1

    async def test_hostile_mail_holds_nothing_up(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        hostile = [raw.replace(b"\x00", b"") for raw in HOSTILE.values()]
        await asyncio.to_thread(deliver, server, user, *hostile, mail("Een gewone vraag."))
        async with served(here.port, channel_for(here, server, user, tmp_path)):
            await until_moved(server, user, len(hostile) + 1, 60)
        assert len(await here.received()) == len(hostile) + 1

    async def test_while_the_centre_is_away_mail_stays_where_it_is(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        asked = asyncio.Event()

        def away(command: commands.Command) -> Exception | None:
            asked.set()
            return Unavailable()

        here.port.fails = away
        await asyncio.to_thread(deliver, server, user, mail())
        channel = channel_for(here, server, user, tmp_path)
        assert channel.mailbox is not None
        channel.mailbox._backoff_seconds = 0.01
        async with served(here.port, channel):
            await asyncio.wait_for(asked.wait(), DEADLINE_SECONDS)
            assert await asyncio.to_thread(count, server, user, "INBOX") == 1
            here.port.fails = lambda command: None
            await until_moved(server, user, 1)
        assert len(await here.received()) == 1

    async def test_a_wrong_password_is_visible_and_tried_again(
        self, here: Scene, server: Mailboxes, user: str, tmp_path: Path
    ) -> None:
        wrong = EmailSettings(
            imap_host=server.host, imap_port=server.imap_port, imap_tls=False, imap_user=user, imap_password="no"
        )
        channel = EmailChannel(here.around, wrong, tmp_path)
        assert channel.mailbox is not None
        seen = watch_health(channel.mailbox)
        async with served(here.port, channel):
            await asyncio.wait_for(seen[RECONNECTING].wait(), DEADLINE_SECONDS)
            assert channel.health["mailbox"] == RECONNECTING
        assert channel.mailbox.health == STOPPED

    async def test_one_mail_that_cannot_be_taken_does_not_hold_up_the_next(self, server: Mailboxes, user: str) -> None:
        await asyncio.to_thread(deliver, server, user, mail("Slecht."), mail("Goed."))
        taken: list[bytes] = []
        done = asyncio.Event()

        async def take(raw: bytes) -> str:
            if b"Slecht." in raw:
                raise OSError
            taken.append(raw)
            done.set()
            return "c-1"

        box = Mailbox(settings(server, user), take)
        await box.start()
        await asyncio.wait_for(done.wait(), DEADLINE_SECONDS)
        await until_moved(server, user, 1)
        await box.stop()
        assert count(server, user, "INBOX") == 1
        assert box.put_off >= 1

    async def test_of_a_mail_beyond_the_limit_the_beginning_is_kept(
        self, server: Mailboxes, user: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mailbox_module, "RAW_BYTES_MAX", 10_000)
        monkeypatch.setattr(mailbox_module, "OVERSIZED_BYTES", 2_000)
        await asyncio.to_thread(deliver, server, user, mail("x " * 10_000))
        came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def take(raw: bytes) -> str:
            came.set_result(raw)
            return "c-1"

        box = Mailbox(settings(server, user), take)
        await box.start()
        raw = await asyncio.wait_for(came, DEADLINE_SECONDS)
        await until_moved(server, user, 1)
        await box.stop()
        assert raw.startswith(TRUNCATED)
        assert 2_000 < len(raw) < 2_100


def watch_health(box: Mailbox) -> dict[str, asyncio.Event]:
    """An event for each value that `health` will ever have."""
    seen = {value: asyncio.Event() for value in ("starting", READING, RECONNECTING, STOPPED)}

    class Seen(Mailbox):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "health":
                seen[str(value)].set()
            super().__setattr__(name, value)

    box.__class__ = Seen
    return seen


# -- a server on a bad day --------------------------------------------------------------------------------------------


class Scripted:
    """A small IMAP server with one mail; `misdeeds` are used up one connection at a time."""

    def __init__(self, *misdeeds: str) -> None:
        self.misdeeds = list(misdeeds)
        self.raw = mail()
        self.uidvalidity = 1
        self.moved: list[str] = []
        self.connections = 0
        self.idling = asyncio.Event()
        self.told = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        misdeed = self.misdeeds.pop(0) if self.misdeeds else ""
        try:
            if misdeed == "silent":
                await reader.read()
            elif misdeed == "refuses":
                writer.write(b"* BYE not now\r\n")
            else:
                writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] ready\r\n")
                await self.talk(reader, writer, misdeed)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.connections += 0  # the other side went away: what the tests are about
        finally:
            writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, misdeed: str) -> None:
        while line := (await reader.readline()).decode():
            tag, _, command = line.strip().partition(" ")
            self.told.set()
            if command.upper().startswith("IDLE"):
                goes_on = await self.idle(reader, writer, misdeed)
            else:
                goes_on = self.answer(command.upper(), writer, misdeed)
            if goes_on is None:
                await writer.drain()
                return
            writer.write(f"{tag} {'OK done' if goes_on else 'NO not allowed'}\r\n".encode())
            await writer.drain()

    def answer(self, command: str, writer: asyncio.StreamWriter, misdeed: str) -> bool | None:
        """True for OK, False for NO, None when it hangs up."""
        if command.startswith("CAPABILITY"):
            writer.write(b"* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n")
        elif command.startswith("SELECT"):
            writer.write(b"* 1 EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n" % self.uidvalidity)
        elif command.startswith("UID SEARCH"):
            writer.write(b"* SEARCH%s\r\n" % (b"" if self.moved else b" 7"))
        elif "RFC822.SIZE" in command:
            writer.write(b"* 1 FETCH (UID 7 RFC822.SIZE %d)\r\n" % len(self.raw))
        elif "BODY.PEEK" in command:
            literal = b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % len(self.raw) + self.raw + b")\r\n"
            cut = misdeed == "cuts the literal"
            writer.write(literal[: len(literal) // 2] if cut else literal)
            return None if cut else True
        elif command.startswith("UID MOVE"):
            if misdeed in ("dies at the move", "refuses the move"):
                return None if misdeed.startswith("dies") else False
            self.moved.append(command)
            writer.write(b"* 1 EXPUNGE\r\n")
        return True

    async def idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, misdeed: str) -> bool | None:
        if misdeed != "does not answer IDLE":
            writer.write(b"+ idling\r\n")
        await writer.drain()
        self.idling.set()
        if misdeed == "says BYE in IDLE":
            writer.write(b"* BYE shutting down\r\n")
        if misdeed in ("hangs in IDLE", "does not answer IDLE"):
            await reader.read()
        if misdeed.endswith("IDLE"):
            return None
        await reader.readline()
        return True


@asynccontextmanager
async def on_a_bad_day(server: Scripted, take: Any, **more: Any) -> AsyncIterator[Mailbox]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    conf = EmailSettings(imap_host="127.0.0.1", imap_port=port, imap_tls=False, imap_user="a b", imap_password='"x"')
    box = Mailbox(conf, take, **{"backoff_seconds": 0.01, "command_seconds": 2.0, "poll_seconds": 0.2, **more})
    await box.start()
    try:
        yield box
    finally:
        await box.stop()
        listening.close()
        await listening.wait_closed()


async def until(server: Scripted, holds: Callable[[], object]) -> None:
    """Asked again whenever the server has been told something, until the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():
            server.told.clear()
            await server.told.wait()


@pytest.mark.parametrize(
    "misdeed",
    ["", "refuses", "cuts the literal", "dies at the move", "refuses the move"],
)
async def test_whatever_happens_before_the_move_the_mail_is_taken_and_moved(
    here: Scene, misdeed: str, tmp_path: Path
) -> None:
    server = Scripted(misdeed)
    channel = EmailChannel(here.around, EmailSettings(addresses=ADDRESSES), tmp_path)
    async with served(here.port, channel), on_a_bad_day(server, channel.intake.take):
        await until(server, lambda: server.moved)
    assert len(await here.received()) == 1


@pytest.mark.parametrize(
    "misdeed", ["closes in IDLE", "says BYE in IDLE", "hangs in IDLE", "does not answer IDLE", "silent"]
)
async def test_a_connection_that_is_lost_is_made_anew(misdeed: str) -> None:
    """aioimaplib alone hangs here, or takes it for an ordinary end of IDLE."""
    server = Scripted(misdeed, misdeed)
    seen: list[bytes] = []

    async def take(raw: bytes) -> str:
        seen.append(raw)
        return "c-1"

    async with on_a_bad_day(server, take, command_seconds=0.3) as box:
        await until(server, lambda: server.connections >= 3 and box.health == READING and server.moved)
    assert len(seen) == 1


async def test_a_new_uidvalidity_doubles_nothing(here: Scene, tmp_path: Path) -> None:
    server = Scripted("refuses the move", "refuses the move")
    channel = EmailChannel(here.around, EmailSettings(addresses=ADDRESSES), tmp_path)
    async with served(here.port, channel), on_a_bad_day(server, channel.intake.take):
        await until(server, lambda: server.connections >= 2)
        server.uidvalidity = 2
        await until(server, lambda: server.moved)
    assert len(await here.received()) == 1


async def test_a_mail_that_the_server_cannot_give_does_not_hold_up_the_next() -> None:
    class Damaged(Scripted):
        """Message 5 cannot be read from its disk."""

        def answer(self, command: str, writer: asyncio.StreamWriter, misdeed: str) -> bool | None:
            if command.startswith("UID SEARCH"):
                writer.write(b"* SEARCH 5%s\r\n" % (b"" if self.moved else b" 7"))
                return True
            return False if command.startswith("UID FETCH 5") else super().answer(command, writer, misdeed)

    server = Damaged()

    async def take(raw: bytes) -> str:
        return "c-1"

    async with on_a_bad_day(server, take):
        await until(server, lambda: server.moved)


async def test_stopping_in_idle_is_quick() -> None:
    server = Scripted("hangs in IDLE")

    async def take(raw: bytes) -> str:
        return "c-1"

    async with on_a_bad_day(server, take, poll_seconds=60.0) as box:
        await asyncio.wait_for(server.idling.wait(), DEADLINE_SECONDS)
        await asyncio.wait_for(box.stop(), 2)
    assert box.health == STOPPED


async def test_nobody_there() -> None:
    async def take(raw: bytes) -> str:
        return "c-1"

    conf = EmailSettings(imap_host="127.0.0.1", imap_port=1, imap_tls=False)
    box = Mailbox(conf, take, backoff_seconds=0.01)
    seen = watch_health(box)
    await box.start()
    await asyncio.wait_for(seen[RECONNECTING].wait(), DEADLINE_SECONDS)
    await box.stop()
