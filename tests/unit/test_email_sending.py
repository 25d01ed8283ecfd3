"""Replies go out once: by a real SMTP server as the municipality's relay, or as files in the outbox."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any, cast

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from router.channels.email.adapter import EmailChannel
from router.engine import commands
from router.engine.effects import Deliver, HangUp
from router.errors import Unavailable
from router.journal.memory import MemoryRecord
from router.port import Order
from router.settings import EmailSettings
from router.vault.interface import CARD_TYPE, Attachment, Card, card_bytes
from tests.unit.channel_doubles import DEADLINE_SECONDS, Scene, scene, served
from tests.unit.doubles import MemoryVault
from tests.unit.test_email_codec import ADDRESSES, mail

Behaviour = Callable[[int], str]
"""What the relay does at its n-th mail: an answer after DATA, or `die`."""


@dataclass
class Relay:
    """The municipality's own mail server."""

    behaviour: Behaviour = lambda n: "250 OK"
    at_recipient: Behaviour = lambda n: ""
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    asked: int = 0
    port: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked += 1
        if said := self.at_recipient(self.asked):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.original_content or b"", policy=SMTP_POLICY)
        assert isinstance(message, EmailMessage)
        said = self.behaviour(len(self.senders) + 1)
        async with self.news:
            self.senders.append(envelope.mail_from or "")
            self.mails.append(message)
            self.news.notify_all()
        if said == "die":
            cast(asyncio.Transport, server.transport).abort()
        return said

    async def until(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self.news:
            await self.news.wait_for(lambda: len(self.mails) >= count)


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    loop = asyncio.get_running_loop()
    made: list[SMTP] = []

    def connection() -> SMTP:
        made.append(SMTP(relay, hostname="relay.example", loop=loop))
        return made[-1]

    server = await loop.create_server(connection, "127.0.0.1", relay.port)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        for one in made:
            if one.transport is not None:
                cast(asyncio.Transport, one.transport).abort()
        await server.wait_closed()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running(Relay()) as one:
        yield one


@pytest.fixture
async def here() -> AsyncIterator[Scene]:
    async with scene() as one:
        yield one


def channel_for(here: Scene, data: Path, relay: Relay | None, **more: Any) -> EmailChannel:
    settings = EmailSettings(
        addresses=ADDRESSES,
        default_municipality="waterland",
        smtp_host="127.0.0.1" if relay else "",
        smtp_port=relay.port if relay else 0,
        smtp_tls="none",
    )
    return EmailChannel(here.around, settings, data, **{"receipts_per_hour": 0, "retry_seconds": (0.0,), **more})


async def in_hand(here: Scene, channel: EmailChannel, raw: bytes = b"") -> str:
    contact = await channel.intake.take(raw or mail())
    await here.take_in_hand(contact)
    return contact


def statuses(here: Scene) -> list[str]:
    return [c.status for c in here.port.of(commands.NoteDelivery)]


async def test_a_reply_by_smtp(here: Scene, relay: Relay, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel, mail(References="<0@burger.example>"))
        number = await here.reply(contact, "Uw paspoort ligt klaar.\n.\ngroet")
        await here.port.until_status("delivered")
    (message,) = relay.mails
    assert statuses(here) == ["started", "delivered"]
    assert message["To"] == "anna@burger.example"
    assert message["From"] == "Gemeente Waterland <gemeente@waterland.example>"
    assert message["Subject"] == "Re: Paspoort kwijt"
    assert message["In-Reply-To"] == "<1@burger.example>"
    assert message["References"].split() == ["<0@burger.example>", "<1@burger.example>"]
    assert message["Message-ID"].startswith(f"<{contact}.{number}.")
    assert message.get_content().replace("\r\n", "\n") == "Uw paspoort ligt klaar.\n.\ngroet\n"
    assert relay.senders == ["gemeente@waterland.example"]


async def test_the_answer_to_our_reply_comes_back_to_the_contact(here: Scene, relay: Relay, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Welke kleur?")
        await here.port.until_status("delivered")
        answer = mail("Blauw.", In_Reply_To=relay.mails[0]["Message-ID"], Message_ID="<2@burger.example>")
        assert await channel.intake.take(answer) == contact
        await here.reply(contact, "Dank u.", "m-2")
        await here.port.until_status("delivered", 2)
    assert relay.mails[1]["In-Reply-To"] == "<2@burger.example>"


async def test_a_receipt_is_sent_as_such(here: Scene, relay: Relay, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, relay, receipts_per_hour=3)):
        await channel.intake.take(mail())
        await here.port.until_status("delivered")
    (message,) = relay.mails
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Subject"] == "Wij hebben uw e-mail ontvangen: Paspoort kwijt"
    assert "gemeente Waterland" in message.get_content()


async def test_dying_after_data_is_unknown_and_never_repeated(here: Scene, tmp_path: Path) -> None:
    """Invariant 13."""
    async with (
        running(Relay(behaviour=lambda n: "die")) as relay,
        served(here.port, channel := channel_for(here, tmp_path, relay)),
    ):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        (noted,) = await here.port.until_status("unknown")
        relay.behaviour = lambda n: "250 OK"
        await here.reply(contact, "Daarna.", "m-2")
        await here.port.until_status("delivered")
    assert noted.detail == "lost_after_data"
    assert [m.get_content().strip() for m in relay.mails] == ["Eens.", "Daarna."]
    assert statuses(here) == ["started", "unknown", "started", "delivered"]


async def test_a_crash_after_started_is_never_repeated(here: Scene, relay: Relay, tmp_path: Path) -> None:
    """The same order again, by a sender that knows nothing of the first attempt."""
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        worker = channel.perform
        channel.perform = lambda order: asyncio.sleep(0)  # type: ignore[method-assign]
        number = await here.reply(contact, "Eens.")
        ref = next(ref for ref, item in here.vault.items.items() if item.content == b"Eens.")
        recorded = await here.port.centre.submit(commands.NoteDelivery(contact, number, "started"))
        await worker(Order(recorded.number, Deliver(contact, number, ref)))
        (noted,) = await here.port.until_status("unknown")
    assert noted.detail == "started_before"
    assert not relay.mails


async def test_an_order_that_was_settled_is_not_carried_out_again(here: Scene, relay: Relay, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        number = await here.reply(contact, "Eens.")
        await here.port.until_status("delivered")
        ref = next(ref for ref, item in here.vault.items.items() if item.content == b"Eens.")
        await channel.perform(Order(1, Deliver(contact, number, ref)))
        await here.port.until_status("unknown")
    assert len(relay.mails) == 1


@pytest.mark.parametrize("code", ["421 4.3.2 Later", "450 4.2.0 Greylisted", "451 4.3.0 Busy"])
async def test_not_now_is_tried_again(here: Scene, relay: Relay, tmp_path: Path, code: str) -> None:
    relay.at_recipient = lambda n: code if n < 3 else ""
    relay.behaviour = lambda n: "451 4.3.0 Disk full" if n == 1 else "250 OK"
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        await here.port.until_status("delivered")
    # `started` once: the refusal at DATA was certain, so that the next attempt is still the first mail.
    assert statuses(here) == ["started", "delivered"]
    assert len(relay.mails) == 2
    assert len({m["Message-ID"] for m in relay.mails}) == 1


@pytest.mark.parametrize("where", ["recipient", "data"])
async def test_never_is_told_to_the_agent(here: Scene, relay: Relay, tmp_path: Path, where: str) -> None:
    if where == "recipient":
        relay.at_recipient = lambda n: "550 5.1.1 No such user"
    else:
        relay.behaviour = lambda n: "554 5.7.1 Spam"
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        (noted,) = await here.port.until_status("failed")
    assert noted.detail == ("smtp_550" if where == "recipient" else "smtp_554")


async def test_a_relay_that_is_away_is_waited_for(here: Scene, tmp_path: Path) -> None:
    relay = Relay()
    async with running(relay):
        pass  # a port that nobody listens on any more
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def pause(seconds: float) -> None:
        paused.set()
        await go_on.wait()

    channel = channel_for(here, tmp_path, relay)
    channel.sender._pause = pause
    async with served(here.port, channel):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        await asyncio.wait_for(paused.wait(), DEADLINE_SECONDS)
        assert channel.health["sending_fails"] == 1
        assert statuses(here) == []
        async with running(relay):
            go_on.set()
            await here.port.until_status("delivered")
            assert channel.health["sending_fails"] == 0


async def test_after_a_day_it_is_given_up(here: Scene, tmp_path: Path) -> None:
    relay = Relay()
    async with running(relay):
        pass
    channel = channel_for(here, tmp_path, relay)
    moment = here.around.now()
    steps = iter(range(moment, moment + 1_000_000_000_000, 86_400_001))
    object.__setattr__(channel.sender._around, "now", lambda: next(steps))
    async with served(here.port, channel):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        (noted,) = await here.port.until_status("failed")
    assert noted.detail == "gave_up"


async def test_the_order_of_a_conversation_is_kept(here: Scene, relay: Relay, tmp_path: Path) -> None:
    relay.at_recipient = lambda n: "450 4.2.0 Later" if n == 1 else ""
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        for n in range(5):
            await here.reply(contact, f"{n}", f"m-{n}")
        await relay.until(5)
        await here.port.until_status("delivered", 5)
    assert [m.get_content().strip() for m in relay.mails] == ["0", "1", "2", "3", "4"]


async def test_what_the_centre_cannot_record_yet_is_reported_later(here: Scene, relay: Relay, tmp_path: Path) -> None:
    failures = iter([Unavailable(), Unavailable(), None, Unavailable(), Unavailable()])
    here.port.fails = lambda c: next(failures, None) if isinstance(c, commands.NoteDelivery) else None
    channel = channel_for(here, tmp_path, relay)
    channel.sender._pause = lambda seconds: asyncio.sleep(0)
    async with served(here.port, channel):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        await here.port.until_status("delivered")
    assert len(relay.mails) == 1
    assert statuses(here) == ["started", "delivered"]


async def test_a_fault_of_the_vault_is_waited_out(here: Scene, relay: Relay, tmp_path: Path) -> None:
    channel = channel_for(here, tmp_path, relay)
    channel.sender._pause = lambda seconds: asyncio.sleep(0)
    read, faults = here.vault.read_unattended, iter([True, True])

    async def sometimes(ref: str) -> Any:
        if next(faults, False):
            raise Unavailable
        return await read(ref)

    here.vault.read_unattended = sometimes  # type: ignore[method-assign]
    async with served(here.port, channel):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        await here.port.until_status("delivered")


async def test_what_was_erased_is_not_sent(here: Scene, relay: Relay, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, relay)):
        contact = await in_hand(here, channel)
        here.vault.erased |= set(here.vault.items)
        await here.reply(contact, "Eens.")
        (noted,) = await here.port.until_status("failed")
    assert noted.detail == "erased"
    assert not relay.mails


async def test_what_was_due_goes_out_after_a_restart(tmp_path: Path, relay: Relay) -> None:
    record, vault = MemoryRecord("test"), MemoryVault()
    async with scene(record, vault) as before:
        channel = channel_for(before, tmp_path, relay)
        await channel.start()
        contact = await in_hand(before, channel)
        await before.reply(contact, "Eens.")
        await channel.stop()
    async with scene(record, vault) as after, served(after.port, channel_for(after, tmp_path, relay)):
        await after.port.until_status("delivered")
    assert len(relay.mails) == 1


async def test_stopping_does_not_wait_for_a_relay_that_is_away(here: Scene, tmp_path: Path) -> None:
    relay = Relay()
    async with running(relay):
        pass
    paused = asyncio.Event()

    async def pause(seconds: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    channel = channel_for(here, tmp_path, relay)
    channel.sender._pause = pause
    async with asyncio.timeout(DEADLINE_SECONDS), served(here.port, channel):
        contact = await in_hand(here, channel)
        await here.reply(contact, "Eens.")
        await paused.wait()
    assert statuses(here) == []


# -- the outbox -------------------------------------------------------------------------------------------------------


async def test_without_a_relay_replies_are_files(here: Scene, tmp_path: Path) -> None:
    async with served(here.port, channel := channel_for(here, tmp_path, None)):
        contact = await in_hand(here, channel)
        number = await here.reply(contact, "Uw paspoort ligt klaar.")
        await here.port.until_status("delivered")
        (path,) = (tmp_path / "outbox").iterdir()
        assert path.name == f"{contact}-{number}.eml"
        assert path.stat().st_mode & 0o777 == 0o600
        first = path.read_bytes()
        ref = next(ref for ref, item in here.vault.items.items() if item.content == b"Uw paspoort ligt klaar.")
        await channel.perform(Order(1, Deliver(contact, number, ref)))
        await here.port.until_status("delivered", 2)
        assert [p.name for p in (tmp_path / "outbox").iterdir()] == [path.name]
    message = email.message_from_bytes(first, policy=SMTP_POLICY)
    assert message["In-Reply-To"] == "<1@burger.example>"


async def test_a_contact_registered_by_rest_can_be_answered(here: Scene, tmp_path: Path) -> None:
    card = Card(email="bo@burger.example", subject="Afval", text="Vraag")
    ref = await here.vault.store("c-rest", CARD_TYPE, card_bytes(card))
    async with served(here.port, channel_for(here, tmp_path, None)):
        await here.port.submit(commands.Receive("c-rest", "email", "zeevang", "rest:x:y", content_ref=ref))
        await here.take_in_hand("c-rest")
        attached = await here.vault.store("c-rest", "application/pdf", b"%PDF-")
        reply = Card(text="Hier.", attachments=(Attachment("formulier.pdf", "application/pdf", 5, attached),))
        written = await here.vault.store("c-rest", CARD_TYPE, card_bytes(reply))
        await here.port.centre.submit(commands.AddMessage("c-rest", "m-1", "agent", written, "ada", True))
        await here.port.until_status("delivered")
    (path,) = (tmp_path / "outbox").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=SMTP_POLICY)
    assert isinstance(message, EmailMessage)
    # Zeevang has no address of its own in the configuration: the one it receives at is used.
    assert message["From"] == "Gemeente Zeevang <info@zeevang.example>"
    assert message["In-Reply-To"] is None
    assert [a.get_filename() for a in message.iter_attachments()] == ["formulier.pdf"]


async def test_without_an_address_it_fails_visibly(here: Scene, tmp_path: Path) -> None:
    ref = await here.vault.store("c-1", CARD_TYPE, card_bytes(Card(text="Vraag")))
    async with served(here.port, channel := channel_for(here, tmp_path, None)):
        await here.port.submit(commands.Receive("c-1", "email", "waterland", "k", content_ref=ref))
        await here.take_in_hand("c-1")
        await here.reply("c-1", "Eens.")
        (noted,) = await here.port.until_status("failed")
        await channel.perform(Order(1, HangUp("c-1", "agent")))
    assert noted.detail == "no_address"


# -- the listener -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(here: Scene, data: Path) -> AsyncIterator[EmailChannel]:
    settings = EmailSettings(addresses=ADDRESSES, default_municipality="waterland", listener_port=1)
    channel = EmailChannel(here.around, settings, data)
    assert channel.listener is not None
    object.__setattr__(settings, "listener_port", 0)
    async with served(here.port, channel):
        yield channel


async def deliver(channel: EmailChannel, raw: bytes, *to: str) -> None:
    assert channel.listener is not None
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=channel.listener.port, timeout=DEADLINE_SECONDS) as client:
        await client.sendmail("anna@burger.example", list(to), raw)


async def test_250_means_that_it_is_on_disk(here: Scene, tmp_path: Path) -> None:
    async with listening(here, tmp_path) as channel:
        await deliver(channel, mail(), "info@waterland.example")
        assert [f.municipality for f in await here.received()] == ["waterland"]
        await deliver(channel, mail(), "Info@Zeevang.example", "info@waterland.example")
        assert sorted(f.municipality for f in await here.received()) == ["waterland", "zeevang"]


async def test_451_when_it_cannot_be_recorded(here: Scene, tmp_path: Path) -> None:
    here.port.fails = lambda c: Unavailable()
    async with listening(here, tmp_path) as channel:
        with pytest.raises(aiosmtplib.SMTPDataError) as caught:
            await deliver(channel, mail(), "info@waterland.example")
        assert caught.value.code == 451
        here.port.fails = lambda c: None
        await deliver(channel, mail(), "info@waterland.example")
        assert len(await here.received()) == 1


async def test_the_listeners_limits(here: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(here, tmp_path) as channel:
        assert channel.listener is not None
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await deliver(channel, mail(), "nobody@else.example")
        with pytest.raises(aiosmtplib.SMTPException):
            await deliver(channel, b"x" * 80 + b"\r\n" + b"y" * 26_000_000, "info@waterland.example")
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=channel.listener.port) as client:
            said = await asyncio.gather(*(client.noop() for _ in range(100)), return_exceptions=True)
            assert any(isinstance(one, aiosmtplib.SMTPException) for one in said)
        monkeypatch.setattr(channel.listener, "_connections_max", 0)
        with pytest.raises(aiosmtplib.SMTPException):
            await deliver(channel, mail(), "info@waterland.example")
    assert not await here.received()


async def test_a_port_that_is_taken_stops_only_the_listener(here: Scene, relay: Relay, tmp_path: Path) -> None:
    settings = EmailSettings(addresses=ADDRESSES, default_municipality="waterland", listener_port=relay.port)
    async with served(here.port, channel := EmailChannel(here.around, settings, tmp_path)):
        assert channel.health["listening"] == 0
        await channel.intake.take(mail())
        await here.port.until_status("delivered")


async def test_the_listener_is_for_loopback_only(here: Scene, tmp_path: Path) -> None:
    settings = EmailSettings(addresses=ADDRESSES, listener_host="0.0.0.0", listener_port=2525)
    channel = EmailChannel(here.around, settings, tmp_path)
    assert channel.listener is not None
    with pytest.raises(ValueError, match="loopback"):
        await channel.listener.start()
