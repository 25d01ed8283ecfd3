"""Contacts registered by people and programs: once per key, checked field by field."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channels.counter.adapter import DAY_MS, CounterChannel, KeyReused
from router.engine import commands
from router.engine.effects import Deliver, HangUp
from router.errors import TooMany, Unavailable
from router.nouns import QueueLimit
from router.port import Order, new_id
from router.telephone_numbers import e164
from router.web import InvalidField
from tests.unit.channel_doubles import KEY, Scene, configuration, scene, served
from tests.unit.doubles import Clock

BODY = {
    "municipality": "waterland",
    "topic": "afval",
    "subject": "Container kapot",
    "text": "Mevrouw staat aan de balie.",
    "citizen": {"name": "A. Jansen", "phone": "06 12345678", "email": "a.jansen@example.nl"},
}


@pytest.fixture
async def here() -> AsyncIterator[Scene]:
    async with scene() as one:
        yield one


@pytest.fixture
def counter(here: Scene) -> CounterChannel:
    return CounterChannel(here.around, KEY)


def body(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in {**BODY, **more}.items() if value is not None}


async def test_a_visit_becomes_a_contact(counter: CounterChannel, here: Scene) -> None:
    registered = await counter.register(body(continues="c-old"), principal_id="ada", key="k-1234567")
    (fact,) = await here.received()
    assert registered.new
    assert registered.number > 0
    assert fact.contact == registered.contact
    assert len(fact.contact) == len(new_id("c"))
    assert (fact.channel, fact.municipality, fact.language) == ("counter", "waterland", "nl")
    assert fact.source_key == "rest:ada:k-1234567"
    assert fact.linked_to == "c-old"
    assert fact.hints[-1] == "topic:afval"
    card = here.card(fact.content_ref)
    assert (card.name, card.phone, card.email) == ("A. Jansen", "+31612345678", "a.jansen@example.nl")
    assert (card.subject, card.text) == ("Container kapot", "Mevrouw staat aan de balie.")
    citizen = here.vault.citizens[fact.citizen]
    assert (citizen.phone, citizen.municipality) == ("+31612345678", "waterland")


async def test_a_full_queue_is_told_and_written_work_taken_all_the_same(counter: CounterChannel, here: Scene) -> None:
    config = configuration()
    limited = replace(config.queues[0], limits={"counter": QueueLimit(waiting_max=1)})
    await here.port.submit(commands.Configure(replace(config, queues=(limited,)), "2"))
    await counter.register(body(), principal_id="ada", key="k-1234567")
    with pytest.raises(TooMany) as caught:
        await counter.register(body(), principal_id="ada", key="k-7654321")
    assert caught.value.code == "too_many"
    assert (await counter.register(body(channel="callback"), principal_id="ada", key="k-7654321")).new


async def test_the_words_give_hints(counter: CounterChannel, here: Scene) -> None:
    await counter.register(body(topic=None, subject="Afval"), principal_id="ada", key="k-1234567")
    assert (await here.received())[0].hints == ("entry:rest", "subject:afval", "keyword:afval")


@pytest.mark.parametrize("channel", ["email", "post", "callback"])
async def test_other_channels(counter: CounterChannel, here: Scene, channel: str) -> None:
    await counter.register(body(channel=channel), principal_id="ada", key="k-1234567")
    assert (await here.received())[0].channel == channel


async def test_the_same_key_and_body_is_the_same_contact(counter: CounterChannel, here: Scene) -> None:
    first = await counter.register(body(), principal_id="ada", key="k-1234567")
    # The order of the fields, unknown ones and those that say what is usual make no other body.
    again = dict(reversed(list(body(language="nl", channel="counter", unknown=1).items())))
    second = await counter.register(again, principal_id="ada", key="k-1234567")
    assert (second.contact, second.new) == (first.contact, False)
    other = await counter.register(body(), principal_id="bob", key="k-1234567")
    third = await counter.register(body(), principal_id="ada", key="k-7654321")
    assert len({first.contact, other.contact, third.contact}) == 3
    assert len(await here.received()) == 3


@pytest.mark.parametrize(
    "more", [{"text": "Iets anders."}, {"municipality": "zeevang"}, {"citizen": {"name": "B."}}, {"language": "en"}]
)
async def test_the_same_key_with_another_body_is_refused(
    counter: CounterChannel, here: Scene, more: dict[str, Any]
) -> None:
    await counter.register(body(), principal_id="ada", key="k-1234567")
    with pytest.raises(KeyReused) as caught:
        await counter.register(body(**more), principal_id="ada", key="k-1234567")
    assert caught.value.code == "key_reused"
    assert len(await here.received()) == 1


async def test_it_holds_after_a_restart(counter: CounterChannel, here: Scene) -> None:
    first = await counter.register(body(), principal_id="ada", key="k-1234567")
    again = CounterChannel(here.around, KEY)
    assert (await again.register(body(), principal_id="ada", key="k-1234567")).contact == first.contact
    with pytest.raises(KeyReused):
        await again.register(body(text="x"), principal_id="ada", key="k-1234567")


async def test_it_holds_for_a_contact_that_stays_open_for_months(here: Scene) -> None:
    clock = Clock()
    object.__setattr__(here.around, "now", clock)
    counter = CounterChannel(here.around, KEY)
    first = await counter.register(body(), principal_id="ada", key="k-1234567")
    clock.forward(400 * DAY_MS / 1000)
    again = await counter.register(body(), principal_id="ada", key="k-1234567")
    assert (again.contact, again.new) == (first.contact, False)
    with pytest.raises(KeyReused):
        await counter.register(body(text="x"), principal_id="ada", key="k-1234567")


async def test_a_key_that_was_forgotten_gives_an_id_the_journal_has_not_seen(here: Scene) -> None:
    clock = Clock()
    object.__setattr__(here.around, "now", clock)
    counter = CounterChannel(here.around, KEY)
    first = counter._id("ada", "k-1234567", b"x", counter._period())
    clock.forward(here.around.centre.remember_days * DAY_MS / 1000)
    assert counter._id("ada", "k-1234567", b"x", counter._period()) != first


async def test_at_the_same_moment(counter: CounterChannel, here: Scene) -> None:
    came = await asyncio.gather(*(counter.register(body(), principal_id="ada", key="k-1234567") for _ in range(5)))
    assert len({one.contact for one in came}) == 1
    assert sum(one.new for one in came) == 1
    assert len(await here.received()) == 1


async def test_another_installation_makes_other_ids(here: Scene, counter: CounterChannel) -> None:
    other = CounterChannel(here.around, bytes(32))
    assert counter._id("a", "k", b"", 0) != other._id("a", "k", b"", 0)
    with pytest.raises(ValueError, match="short"):
        CounterChannel(here.around, b"short")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"municipality": None}, "municipality"),
        ({"municipality": "atlantis"}, "municipality"),
        ({"municipality": 7}, "municipality"),
        ({"topic": "atlantis"}, "topic"),
        ({"topic": None, "subject": " ", "text": ""}, "topic"),
        ({"channel": "phone"}, "channel"),
        ({"channel": "fax"}, "channel"),
        ({"language": "fr"}, "language"),
        ({"subject": "x" * 301}, "subject"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": None, "subject": ["x"]}, "subject"),
        ({"citizen": {"name": "x" * 121}}, "citizen.name"),
        ({"citizen": {"email": "geen adres"}}, "citizen.email"),
        ({"citizen": "A. Jansen"}, "citizen"),
        ({"channel": "email", "citizen": {"name": "A."}}, "citizen.email"),
        ({"channel": "callback", "citizen": {"name": "A."}}, "citizen.phone"),
        ({"channel": "callback", "citizen": {"phone": "belt u maar"}}, "citizen.phone"),
    ],
)
async def test_what_is_refused_names_its_field(
    counter: CounterChannel, here: Scene, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await counter.register(body(**more), principal_id="ada", key="k-1234567")
    assert caught.value.field == field
    assert not await here.received()
    assert not here.vault.items


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "k-1234567\n", "k-12345é7", " k-123456"])
async def test_keys_that_are_refused(counter: CounterChannel, key: str) -> None:
    with pytest.raises(InvalidField) as caught:
        await counter.register(body(), principal_id="ada", key=key)
    assert caught.value.field == "Idempotency-Key"


async def test_a_body_that_is_no_object(counter: CounterChannel) -> None:
    with pytest.raises(InvalidField):
        await counter.register([], principal_id="ada", key="k-1234567")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_number", "normalised"),
    [
        ("06 12345678", "+31612345678"),
        ("(020) 123 45 67", "+31201234567"),
        ("+32 2 555 12 12", "+3225551212"),
        ("0031-6-12345678", "+31612345678"),
        ("geen", ""),
        ("12", ""),
        ("", ""),
    ],
)
def test_telephone_numbers(given_number: str, normalised: str) -> None:
    assert e164(given_number) == normalised


@given(st.text(max_size=60))
def test_any_telephone_number_is_one_or_none(text: str) -> None:
    found = e164(text)
    assert not found or found.startswith("+")


async def test_a_number_that_is_none_is_kept_as_it_was_given(counter: CounterChannel, here: Scene) -> None:
    await counter.register(body(citizen={"phone": "bel de buren"}), principal_id="ada", key="k-1234567")
    (fact,) = await here.received()
    assert not fact.citizen
    assert here.card(fact.content_ref).details == {"Telefoon, zoals opgegeven": "bel de buren"}


@given(st.text(max_size=200))
async def test_control_characters_do_not_get_in(text: str) -> None:
    async with scene() as here:
        await CounterChannel(here.around, KEY).register(
            {"municipality": "waterland", "topic": "afval", "text": text}, principal_id="ada", key="k-1234567"
        )
        kept = here.card((await here.received())[0].content_ref).text
        assert all(c in "\n\t" or c.isprintable() for c in kept)


async def test_when_it_cannot_be_recorded_the_same_key_may_come_again(counter: CounterChannel, here: Scene) -> None:
    here.port.fails = lambda command: Unavailable()
    with pytest.raises(Unavailable):
        await counter.register(body(), principal_id="ada", key="k-1234567")
    here.port.fails = lambda command: None
    assert (await counter.register(body(), principal_id="ada", key="k-1234567")).new


async def test_nothing_can_be_sent_and_that_is_said(counter: CounterChannel, here: Scene) -> None:
    registered = await counter.register(body(), principal_id="ada", key="k-1234567")
    async with served(here.port, counter):
        await here.take_in_hand(registered.contact)
        await here.reply(registered.contact, "Antwoord")
        (noted,) = await here.port.until_status("failed")
        await counter.perform(Order(1, HangUp(registered.contact, "agent")))
        await counter.perform(Order(1, Deliver("c-none", 1, "v")))
    assert noted.detail == "not_by_this_channel"


async def test_nothing_personal_is_logged(
    counter: CounterChannel, here: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    await counter.register(body(), principal_id="ada", key="k-1234567")
    said = capsys.readouterr()
    for word in ("Jansen", "12345678", "Container", "example.nl", "balie"):
        assert word not in said.out + said.err
    assert len(here.port.of(commands.Receive)) == 1
