"""Who calls, in the vault: written when the caller has been told something, and put there later where that failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from router.channels.voice.ami import LiveChannel
from router.engine import commands
from router.errors import Erased, Unavailable
from router.vault.interface import Card, read_card
from tests.unit.voice_doubles import SILENT, Session, Telephone, offered_at_once, telephone

CALLER = Card(phone="+31612345678")


@pytest.fixture
async def phone() -> AsyncIterator[Telephone]:
    async with telephone() as here:
        yield here


def card(phone: Telephone) -> Card | None:
    """What the vault has of the call that came in last."""
    item = phone.vault.items.get(phone.port.of(commands.Receive)[-1].content_ref)
    return read_card(item.content) if item is not None else None


async def census(phone: Telephone, *rows: LiveChannel) -> list[str]:
    """Asterisk is asked what is up; gives what was logged of cards."""
    phone.link.rows = list(rows)
    with capture_logs() as logs:
        await phone.channel._census.take(set())
    return [entry["event"] for entry in logs if "card" in entry["event"]]


@pytest.mark.parametrize("free", [True, False], ids=["an agent is free", "nobody is free"])
async def test_the_card_is_written_after_the_phone_was_told_to_ring_or_else_before_anything_is_told(
    phone: Telephone, free: bool
) -> None:
    await phone.up()
    if free:
        await phone.ready("ada")
    session = Session(subject=SILENT, waits=True)
    coming = asyncio.create_task(phone.comes_in(session))
    await session.reached.wait()
    assert card(phone) == (None if free else CALLER)
    session.go_on.set()
    await coming
    assert card(phone) == CALLER


async def test_a_call_whose_card_cannot_be_kept_rings_and_a_census_puts_the_card_there(phone: Telephone) -> None:
    phone.vault.keep_fault = Unavailable("the disk is full")
    with capture_logs() as logs:
        await offered_at_once(phone, Session(subject=SILENT))
    assert [entry["error"] for entry in logs if entry["event"] == "voice.card_not_kept"] == ["Unavailable"]
    await phone.hears(phone.answer(f"{phone.contact}-1"))
    assert await phone.state() == ("active", "ada")
    talks = [phone.row("kcc-deliver", "b1"), phone.phone_row("b1")]
    assert await census(phone, *talks) == ["voice.card_not_kept"]
    assert card(phone) is None
    phone.vault.keep_fault = None
    assert await census(phone, *talks) == ["voice.card_restored"]
    assert card(phone) == CALLER
    assert await census(phone, *talks) == []


async def test_a_call_that_would_wait_is_told_nothing_when_its_card_cannot_be_kept(phone: Telephone) -> None:
    await phone.up()
    phone.vault.keep_fault = Unavailable("the disk is full")
    session = Session(subject=SILENT)
    with pytest.raises(Unavailable):
        await phone.comes_in(session)
    assert (session.said, phone.link.done) == ([], [])
    assert await phone.state(phone.port.of(commands.Receive)[-1].contact) == ("ended", "technical")


async def test_a_card_that_was_lost_with_the_server_is_put_there_after_its_start(phone: Telephone) -> None:
    await offered_at_once(phone, Session(subject=SILENT))
    phone.vault.items.clear()
    phone.channel.calls.clear()
    # put through to somebody outside it shows another number than the citizen's
    assert await census(phone, phone.row("kcc-outside")) == []
    assert await census(phone, phone.row("kcc-deliver")) == ["voice.card_restored"]
    assert card(phone) == CALLER


async def test_a_card_that_was_erased_is_not_put_there(phone: Telephone) -> None:
    await offered_at_once(phone, Session(subject=SILENT))
    phone.vault.items.clear()
    phone.channel.calls.clear()
    phone.vault.keep_fault = Erased()
    assert await census(phone, phone.row("kcc-deliver")) == []
    phone.vault.keep_fault = None
    assert await census(phone, phone.row("kcc-deliver")) == []
    assert card(phone) is None


async def test_what_no_card_was_made_for_gets_none(phone: Telephone) -> None:
    await phone.up()
    assert await census(phone, phone.row(contact="c-unknown")) == []
    assert phone.vault.items == {}
