"""From a raw mail to a contact: once, for the right municipality, with a receipt where one is due."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from router.channels.email.adapter import EmailChannel
from router.channels.email.intake import RECEIPT, Intake
from router.channels.email.letters import Letters
from router.channels.email.parsing import Parser
from router.channels.email.receipts import Allowance, receipt_text
from router.channels.email.threads import Threads
from router.engine import commands
from router.errors import Erased, Unavailable
from router.settings import EmailSettings
from router.vault.interface import Card, read_card
from router.vault.store import SqliteVault
from tests.unit.channel_doubles import KEY, Scene, scene, served
from tests.unit.test_email_codec import ADDRESSES, mail
from tests.unit.test_email_parsing import ENDLESS, HEAD, HOSTILE


@dataclass
class Desk:
    """An intake at work."""

    scene: Scene
    intake: Intake
    letters: Letters
    threads: Threads

    async def take(self, raw: bytes) -> str:
        contact = await self.intake.take(raw)
        await self.letters.reached((await self.scene.port.centre.submit(commands.Tick())).number)
        return contact

    async def card_of(self, contact: str) -> Card:
        fact = next(f for f in await self.scene.received() if f.contact == contact)
        return self.scene.card(fact.content_ref)

    def receipts(self) -> list[commands.AddMessage]:
        return [c for c in self.scene.port.of(commands.AddMessage) if c.message == RECEIPT]


@pytest.fixture(scope="module")
def key() -> bytes:
    return KEY


@pytest.fixture
async def desk(tmp_path: Path, key: bytes) -> AsyncIterator[Desk]:
    async with scene() as here:
        letters, parser, threads = Letters(here.port, tmp_path / "email.sqlite"), Parser(), Threads(key)
        await letters.start()
        yield Desk(
            here,
            Intake(here.around, ADDRESSES, "waterland", parser=parser, threads=threads, letters=letters),
            letters,
            threads,
        )
        await parser.stop()
        await letters.stop()


async def test_a_mail_becomes_a_contact_with_its_card(desk: Desk) -> None:
    contact = await desk.take(mail("Mijn afval is niet opgehaald."))
    (fact,) = await desk.scene.received()
    assert (fact.contact, fact.channel, fact.municipality) == (contact, "email", "waterland")
    assert fact.entry_point == "info@waterland.example"
    assert fact.hints == ("entry:info@waterland.example", "keyword:afval")
    assert fact.citizen
    card = await desk.card_of(contact)
    assert (card.name, card.email, card.subject) == ("Anna Jansen", "anna@burger.example", "Paspoort kwijt")
    raw = desk.scene.vault.items[card.raw_ref]
    assert (raw.type, raw.contact) == ("message/rfc822", contact)


async def test_the_raw_mail_is_stored_before_it_is_looked_into(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []

    async def look(self: Parser, raw: bytes) -> None:
        stored.extend(item.type for item in desk.scene.vault.items.values())
        raise Unavailable

    monkeypatch.setattr(Parser, "parse", look)
    with pytest.raises(Unavailable):
        await desk.take(mail())
    assert stored == ["message/rfc822"]


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_mail_is_a_contact_too(desk: Desk, kind: str) -> None:
    contact = await desk.take(HOSTILE[kind])
    card = await desk.card_of(contact)
    assert card.raw_ref
    assert desk.scene.vault.items[card.raw_ref].content == HOSTILE[kind]
    assert card.unreadable or card.text is not None


async def test_an_unreadable_mail_still_knows_its_sender_and_municipality(desk: Desk) -> None:
    contact = await desk.take(b"Delivered-To: info@zeevang.example\r\n" + ENDLESS)
    (fact,) = await desk.scene.received()
    card = await desk.card_of(contact)
    assert (fact.municipality, card.unreadable, card.email) == ("zeevang", "timeout", "anna@burger.example")


async def test_a_second_delivery_is_the_same_contact(desk: Desk) -> None:
    first = await desk.take(mail())
    stored = len(desk.scene.vault.items)
    assert await desk.take(b"Received: again\r\n" + mail()) == first
    assert len(await desk.scene.received()) == 1
    assert len(desk.scene.vault.items) == stored
    assert len(desk.receipts()) == 1


async def test_at_the_same_moment_too(desk: Desk) -> None:
    taken = await asyncio.gather(*(desk.intake.take(mail()) for _ in range(4)))
    assert len(set(taken)) == 1
    assert len(await desk.scene.received()) == 1


async def test_whether_it_can_be_read_does_not_change_which_contact_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the first try on a busy machine, then a crash; read at the second: one contact."""
    first = await desk.take(mail())
    await desk.letters.stop()
    monkeypatch.setattr(Letters, "contact_of_key", lambda self, source_key: asyncio.sleep(0, ""))
    monkeypatch.setattr(Letters, "letter", lambda self, contact: asyncio.sleep(0, None))
    desk.intake._parser = Parser(wall_seconds=0.0)
    assert await desk.intake.take(mail()) == first
    await desk.intake._parser.stop()


async def test_one_mail_to_two_municipalities_is_two_contacts(desk: Desk) -> None:
    raw = mail()
    one = await desk.take(b"Delivered-To: info@waterland.example\r\n" + raw)
    two = await desk.take(b"Delivered-To: info@zeevang.example\r\n" + raw)
    assert one != two
    assert [f.municipality for f in await desk.scene.received()] == ["waterland", "zeevang"]


async def test_what_a_crash_cut_off_follows_when_the_mail_comes_again(desk: Desk) -> None:
    def away(command: commands.Command) -> Exception | None:
        return None if isinstance(command, commands.Receive) else Unavailable()

    desk.scene.port.fails = away
    for raw in (mail(), mail(Auto_Submitted="auto-replied", Message_ID="<2@burger.example>")):
        with pytest.raises(Unavailable):
            await desk.take(raw)
    await desk.letters.reached((await desk.scene.port.centre.submit(commands.Tick())).number)
    desk.scene.port.fails = lambda command: None
    for raw in (mail(), mail(Auto_Submitted="auto-replied", Message_ID="<2@burger.example>")):
        await desk.take(raw)
    assert len(await desk.scene.received()) == 2
    assert len(desk.receipts()) == 1
    assert len(desk.scene.port.of(commands.EndContact)) == 1


# -- receipts ---------------------------------------------------------------------------------------------------------


async def test_a_receipt_in_the_citizens_language(desk: Desk) -> None:
    await desk.take(mail("Dear Sir, I would like to know if my passport is ready. Thank you."))
    (receipt,) = desk.receipts()
    assert (receipt.author, receipt.deliver) == ("system", True)
    text = desk.scene.vault.items[receipt.ref].content.decode()
    assert text == receipt_text("en", "Waterland")
    assert "municipality of Waterland" in text
    assert receipt_text("nl", "Gemeente Waterland") == receipt_text("nl", "Waterland")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.y>"},
        {"X_Auto_Response_Suppress": "All"},
        {"Return_Path": "<>"},
        {"From": "mailer-daemon@x.example"},
        {"From": "noreply@x.example"},
        {"From": "info@zeevang.example"},
        {"From": "gemeente@waterland.example"},
        {"Reply_To": "info@waterland.example"},
        {"To": "somebody@else.example"},
        {"From": "a@-b.example"},
    ],
)
async def test_no_receipt_for_robots_lists_and_ourselves(desk: Desk, headers: dict[str, str]) -> None:
    await desk.take(mail(**headers))
    assert len(await desk.scene.received()) == 1
    assert not desk.receipts()


async def test_so_many_receipts_an_hour(desk: Desk) -> None:
    for n in range(6):
        await desk.take(mail(f"Bericht {n}", Message_ID=f"<{n}@burger.example>"))
    assert len(await desk.scene.received()) == 6
    assert len(desk.receipts()) == 3


def test_the_allowance_returns_after_an_hour() -> None:
    moment = 0
    allowance = Allowance(lambda: moment, per_hour=2)
    assert [allowance.take("a@b.nl") for _ in range(3)] == [True, True, False]
    assert allowance.take("A@B.nl") is False
    assert allowance.take("c@b.nl")
    moment = 3_600_001
    assert allowance.take("a@b.nl")


async def test_an_absence_notice_is_in_the_books_and_asks_nobody(desk: Desk) -> None:
    contact = await desk.take(mail(Auto_Submitted="auto-replied"))
    (end,) = desk.scene.port.of(commands.EndContact)
    assert (end.contact, end.reason) == (contact, "robot")
    assert not desk.receipts()


async def test_a_machine_is_not_a_citizen(desk: Desk) -> None:
    await desk.take(mail(From="noreply@form.example", Message_ID="<a@x>"))
    await desk.take(mail(From="noreply@form.example", Reply_To="anna@burger.example", Message_ID="<b@x>"))
    first, second = await desk.scene.received()
    assert not first.citizen
    assert second.citizen


# -- threads ----------------------------------------------------------------------------------------------------------


def answer(desk: Desk, contact: str, **headers: str) -> bytes:
    ours = desk.threads.message_id(contact, 1, "waterland", "anna@burger.example", "waterland.example")
    return mail("Nog iets.", **{"In_Reply_To": ours, "Message_ID": "<2@burger.example>", **headers})


async def test_an_answer_joins_the_open_contact(desk: Desk) -> None:
    contact = await desk.take(mail())
    for _ in range(2):
        assert await desk.take(answer(desk, contact)) == contact
    assert len(await desk.scene.received()) == 1
    (added,) = [c for c in desk.scene.port.of(commands.AddMessage) if c.author == "citizen"]
    assert desk.scene.card(added.ref).text == "Nog iets."
    assert desk.scene.vault.items[added.ref].contact == contact


async def test_an_answer_from_somebody_else_does_not(desk: Desk) -> None:
    contact = await desk.take(mail())
    other = await desk.take(answer(desk, contact, From="eve@x.example"))
    assert other != contact
    assert (await desk.scene.received())[1].linked_to == ""


async def test_an_answer_after_the_end_is_a_new_contact_linked_to_the_old(desk: Desk) -> None:
    contact = await desk.take(mail())
    await desk.scene.port.centre.submit(commands.CloseContact(contact, "sup", "v-1"))
    later = await desk.take(answer(desk, contact))
    assert later != contact
    assert (await desk.scene.received())[1].linked_to == contact
    assert await desk.take(answer(desk, contact)) == later


async def test_an_answer_joined_before_the_end_stays_so_when_it_is_offered_again(desk: Desk) -> None:
    """A crash between joining and moving the mail; meanwhile the agent was done."""
    contact = await desk.take(mail())
    await desk.take(answer(desk, contact))
    await desk.scene.port.centre.submit(commands.CloseContact(contact, "sup", "v-1"))
    assert await desk.take(answer(desk, contact)) == contact
    assert len(await desk.scene.received()) == 1


async def test_an_answer_that_races_with_the_end_is_a_new_contact(desk: Desk) -> None:
    contact = await desk.take(mail())

    before = await desk.letters.letter(contact)
    await desk.scene.port.centre.submit(commands.CloseContact(contact, "sup", "v-1"))
    desk.letters.letter = lambda _: asyncio.sleep(0, before)  # type: ignore[method-assign,assignment]
    later = await desk.intake.take(answer(desk, contact))
    assert later != contact
    assert (await desk.scene.received())[1].linked_to == contact


async def test_an_absence_notice_on_our_reply_is_no_word_of_the_citizen(desk: Desk) -> None:
    contact = await desk.take(mail())
    assert await desk.take(answer(desk, contact, Auto_Submitted="auto-replied")) == contact
    assert [c.author for c in desk.scene.port.of(commands.AddMessage)] == ["system", "system"]


# -- the table of letters, and the key --------------------------------------------------------------------------------


async def test_the_table_is_built_again_when_it_is_lost_or_damaged(desk: Desk, tmp_path: Path) -> None:
    contact = await desk.take(mail())
    number = (await desk.scene.port.centre.submit(commands.Tick())).number
    (tmp_path / "other.sqlite").write_bytes(b"this is no database" * 1000)
    again = Letters(desk.scene.port, tmp_path / "other.sqlite")
    await again.start()
    await again.reached(number)
    assert await again.letter(contact) == await desk.letters.letter(contact)
    await again.stop()


async def test_the_table_goes_on_where_it_was(desk: Desk, tmp_path: Path) -> None:
    contact = await desk.take(mail())
    await desk.letters.stop()
    again = Letters(desk.scene.port, tmp_path / "email.sqlite")
    await again.start()
    assert await again.letter(contact) is not None
    await again.stop()
    with pytest.raises(Unavailable):
        await again.letter(contact)


async def test_with_the_real_vault(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path)
    async with scene() as here:
        around = dataclasses.replace(here.around, vault=vault)
        settings = EmailSettings(addresses=ADDRESSES, default_municipality="waterland")
        async with served(here.port, channel := EmailChannel(around, settings, tmp_path)):
            contact = await channel.intake.take(mail())
            await here.port.until_status("delivered")
            (fact,) = await here.received()
            card = read_card((await vault.read_unattended(fact.content_ref)).content)
            assert (await vault.read_unattended(card.raw_ref)).content == mail()
            assert await vault.find("waterland", email="Anna@burger.example") == fact.citizen
            assert await vault.erase(fact.citizen) == 1
            with pytest.raises(Erased):
                await vault.read_unattended(card.raw_ref)
            # An answer after the erasure is a contact of its own, not a fault.
            ours = channel.intake._threads.message_id(contact, 1, "waterland", "anna@burger.example", "x.example")
            later = await channel.intake.take(mail("Nog iets.", In_Reply_To=ours, Message_ID="<2@burger.example>"))
            assert later != contact
    await vault.close()


async def test_nothing_personal_is_logged(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    await desk.take(mail())
    await desk.take(HEAD + HOSTILE["1,000 levels"])
    said = capsys.readouterr()
    for word in ("anna", "burger.example", "Paspoort", "vraag"):
        assert word not in said.out + said.err
