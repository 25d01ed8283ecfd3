"""What every vault must do: one suite, held against each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.errors import Erased, InvalidInput, UnknownThing
from router.vault.interface import CARD_TYPE, Attachment, Card, Citizen, Item, Vault, card_bytes, read_card
from router.vault.store import SqliteVault
from tests.unit.memory_vault import DAY_MS, MemoryVault

TOWN, VILLAGE = "waterland", "tynaarlo"
PHONE, EMAIL = "+31612345678", "Jan@Voorbeeld.nl"


class Closable(Vault, Protocol):
    async def close(self) -> None: ...


class Clock:
    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _made(kind: str, folder: Path, clock: Callable[[], int]) -> Closable:
    return MemoryVault(clock) if kind == "memory" else SqliteVault(folder, clock=clock)


@pytest.fixture(params=["memory", "sqlite"])
async def vault(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Closable]:
    made = _made(request.param, tmp_path, clock)
    yield made
    await made.close()


async def looked(vault: Vault, citizen: str) -> Citizen:
    return await vault.read_citizen(citizen, contact="c-1", who="a1", purpose="contact")


# -- content --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(
    kept=st.lists(
        st.tuples(st.sampled_from(["c-1", "c-2"]), st.text(max_size=20), st.binary(max_size=200)),
        min_size=1,
        max_size=6,
    ),
    large=st.integers(65_530, 65_545),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_comes_back_as_it_was(
    kind: str, kept: list[tuple[str, str, bytes]], large: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def run() -> None:
        vault = _made(kind, tmp_path_factory.mktemp("vault"), Clock())
        items = [Item(*one) for one in [*kept, ("c-1", "application/pdf", (bytes(range(256)) * 257)[:large])]]
        refs = [await vault.store(one.contact, one.type, one.content) for one in items]
        assert len(set(refs)) == len(refs)
        for ref, item in zip(refs, items, strict=True):
            assert await vault.read_unattended(ref) == item
            assert await vault.read(ref, who="a1", purpose="contact") == item
        await vault.close()

    asyncio.run(run())


async def test_a_card_comes_back_whole(vault: Vault) -> None:
    card = Card(
        "Jan", PHONE, EMAIL, "Paspoort", "Wanneer?", attachments=(Attachment("a.pdf", "application/pdf", 3, "v-x"),)
    )
    ref = await vault.store("c-1", "x", card_bytes(card))
    assert read_card((await vault.read_unattended(ref)).content) == card


async def test_what_never_was_is_unknown(vault: Vault) -> None:
    with pytest.raises(UnknownThing):
        await vault.read("v-nothing", who="a1", purpose="contact")
    with pytest.raises(UnknownThing):
        await vault.read_unattended("v-nothing")
    with pytest.raises(UnknownThing):
        await looked(vault, "p-nobody")
    with pytest.raises(UnknownThing):
        await vault.erase("p-nobody")
    assert await vault.verify_audit() == 0


async def test_many_at_once(vault: Vault) -> None:
    async def one(number: int) -> None:
        content = b"%d" % number * (20_000 if number % 50 == 0 else 1)
        ref = await vault.store(f"c-{number % 7}", "text/plain", content)
        assert (await vault.read(ref, who="a1", purpose="contact")).content == content

    await asyncio.gather(*(one(number) for number in range(400)))
    assert await vault.verify_audit() == 400


async def test_a_look_has_somebody_who_looks_and_a_purpose(vault: Vault) -> None:
    ref = await vault.store("c-1", "text/plain", b"text")
    for who, purpose in (("", "contact"), ("a1", " ")):
        with pytest.raises(InvalidInput):
            await vault.read(ref, who=who, purpose=purpose)
    assert await vault.verify_audit() == 0


async def test_looks_are_counted_and_the_servers_own_work_is_not(vault: Vault) -> None:
    ref = await vault.store("c-1", "text/plain", b"text")
    citizen = await vault.recognise(TOWN, "c-1", phone=PHONE)
    await vault.read_unattended(ref)
    await vault.find(TOWN, phone=PHONE)
    assert await vault.verify_audit() == 0
    await vault.read(ref, who="a1", purpose="contact")
    await looked(vault, citizen)
    assert await vault.verify_audit() == 2


async def test_a_contact_is_looked_at_as_a_whole(vault: Vault) -> None:
    async def whole(citizen: str, ref: str) -> tuple[Citizen | None, Item | None]:
        return await vault.read_contact("c-1", citizen, ref, who="a1", purpose="offer")

    card = Card(name="Jan", phone=PHONE)
    citizen, ref, _ = await vault.take_in(TOWN, "c-1", card)
    person, item = await whole(citizen, ref)
    assert person == await looked(vault, citizen)
    assert item == Item("c-1", CARD_TYPE, card_bytes(card))
    assert await vault.verify_audit() == 3
    assert await whole("", ref) == await whole("p-nobody", ref) == (None, item)
    assert await whole(citizen, "") == await whole(citizen, "v-nothing") == (person, None)
    assert await vault.verify_audit() == 7
    assert await whole("", "") == await whole("p-nobody", "v-nothing") == (None, None)
    with pytest.raises(InvalidInput):
        await vault.read_contact("c-1", citizen, ref, who="a1", purpose="")
    assert await vault.verify_audit() == 7


async def test_of_a_contact_nothing_is_shown_when_part_of_it_was_erased(vault: Vault) -> None:
    citizen, ref, _ = await vault.take_in(TOWN, "c-1", Card(phone=PHONE))
    await vault.erase(citizen)
    kept = await vault.store("c-2", "t", b"kept")
    looks = await vault.verify_audit()
    for parts in ((citizen, ref), (citizen, kept), ("", ref)):
        with pytest.raises(Erased):
            await vault.read_contact("c-1", *parts, who="a1", purpose="offer")
    assert await vault.verify_audit() == looks


async def test_drafts_are_kept_per_contact_and_agent_until_cleared(vault: Vault) -> None:
    assert await vault.get_draft("c-1", "a1") == ""
    await vault.put_draft("c-1", "a1", "Geachte heer")
    await vault.put_draft("c-1", "a2", "anders")
    await vault.put_draft("c-1", "a1", "Geachte heer Jansen,\n…")
    assert await vault.get_draft("c-1", "a1") == "Geachte heer Jansen,\n…"
    await vault.put_draft("c-1", "a1", "")
    assert await vault.get_draft("c-1", "a1") == ""
    assert await vault.get_draft("c-1", "a2") == "anders"
    assert await vault.get_draft("c-2", "a2") == ""


# -- citizens -------------------------------------------------------------------------------------------------


async def test_who_comes_in_is_recognised_and_their_card_kept_in_one_go(vault: Vault) -> None:
    known = await vault.recognise(TOWN, "c-1", name="Jan", phone=PHONE)
    citizen, ref, keep = await vault.take_in(TOWN, "c-2", Card(phone=PHONE))
    assert citizen == known
    await keep()
    assert read_card((await vault.read_unattended(ref)).content) == Card(phone=PHONE)
    nobody, hidden, keep = await vault.take_in(TOWN, "c-3", Card())
    await keep()
    assert (nobody, read_card((await vault.read_unattended(hidden)).content)) == ("", Card())
    await vault.erase(citizen)
    with pytest.raises(Erased):
        await vault.read_unattended(ref)


async def test_what_was_taken_in_and_never_kept_is_restored_under_its_references(vault: Vault) -> None:
    card = Card(name="Jan", phone=PHONE)
    assert await vault.restore(TOWN, "c-1", card, citizen="p-lost", ref="v-lost")
    person, item = await vault.read_contact("c-1", "p-lost", "v-lost", who="a1", purpose="offer")
    assert (person, item) == (Citizen("p-lost", TOWN, "Jan", PHONE, ""), Item("c-1", CARD_TYPE, card_bytes(card)))
    assert await vault.find(TOWN, phone=PHONE) == "p-lost"
    assert not await vault.restore(TOWN, "c-1", Card(phone="+31687654321"), citizen="p-other", ref="v-lost")
    assert await vault.read_unattended("v-lost") == item
    assert await vault.restore(TOWN, "c-2", Card(), citizen="", ref="v-hidden")
    assert read_card((await vault.read_unattended("v-hidden")).content) == Card()
    await vault.erase("p-lost")
    with pytest.raises(Erased):
        await vault.read_unattended("v-lost")


async def test_who_has_called_again_before_the_restoring_stays_who_they_are(vault: Vault) -> None:
    known = await vault.recognise(TOWN, "c-2", name="Jan", phone=PHONE)
    assert await vault.restore(TOWN, "c-1", Card(phone=PHONE), citizen="p-lost", ref="v-lost")
    assert await vault.find(TOWN, phone=PHONE) == known
    assert await vault.erase(known) == 2


async def test_who_was_erased_is_not_restored(vault: Vault) -> None:
    citizen, ref, keep = await vault.take_in(TOWN, "c-1", Card(phone=PHONE))
    await keep()
    await vault.erase(citizen)
    for lost in (ref, "v-lost"):
        with pytest.raises(Erased):
            await vault.restore(TOWN, "c-2", Card(phone=PHONE), citizen=citizen, ref=lost)
    with pytest.raises(Erased):
        await vault.restore(TOWN, "c-1", Card(phone=PHONE), citizen="p-lost", ref="v-lost")
    assert await vault.find(TOWN, phone=PHONE) == ""


async def test_a_citizen_is_recognised_by_number_or_address(vault: Vault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan Jansen", phone=PHONE, email=EMAIL)
    assert citizen
    assert await vault.recognise(TOWN, "c-2", phone="+31 6 12 34 56 78") == citizen
    assert await vault.recognise(TOWN, "c-3", email="JAN@voorbeeld.NL") == citizen
    assert await vault.find(TOWN, phone=PHONE) == citizen
    assert await vault.find(TOWN, email=" jan@voorbeeld.nl") == citizen
    shown = await looked(vault, citizen)
    assert (shown.municipality, shown.name, shown.phone) == (TOWN, "Jan Jansen", PHONE)
    assert shown.email == "JAN@voorbeeld.NL"


@pytest.mark.parametrize("given", [{"name": "Jan"}, {"phone": "anonymous"}, {"phone": "0612345678"}, {"email": "jan"}])
async def test_a_name_or_no_real_identifier_recognises_nobody(vault: Vault, given: dict[str, str]) -> None:
    assert await vault.recognise(TOWN, "c-1", **given) == ""
    assert await vault.find(TOWN, phone=given.get("phone", ""), email=given.get("email", "")) == ""


async def test_municipalities_share_no_citizens(vault: Vault) -> None:
    here = await vault.recognise(TOWN, "c-1", phone=PHONE, email=EMAIL)
    assert await vault.find(VILLAGE, phone=PHONE, email=EMAIL) == ""
    there = await vault.recognise(VILLAGE, "c-2", name="J.", phone=PHONE)
    assert here != there
    assert (await looked(vault, here)).name == ""
    await vault.erase(here)
    assert await vault.find(TOWN, phone=PHONE) == ""
    assert await vault.find(VILLAGE, phone=PHONE) == there


async def test_what_becomes_known_later_is_linked(vault: Vault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", phone=PHONE)
    assert await vault.recognise(TOWN, "c-2", phone=PHONE, email=EMAIL) == citizen
    assert await vault.find(TOWN, email=EMAIL) == citizen
    assert await vault.recognise(TOWN, "c-3", phone="+31207654321", email=EMAIL) == citizen
    assert await vault.find(TOWN, phone="+31207654321") == citizen


async def test_two_citizens_are_never_merged_silently(vault: Vault) -> None:
    caller = await vault.recognise(TOWN, "c-1", name="Jan", phone=PHONE)
    writer = await vault.recognise(TOWN, "c-2", name="Piet", email=EMAIL)
    assert await vault.recognise(TOWN, "c-3", phone=PHONE, email=EMAIL) == caller
    assert await vault.find(TOWN, email=EMAIL) == writer
    assert (await looked(vault, caller)).email == ""
    assert (await looked(vault, writer)).name == "Piet"


async def test_the_same_citizen_at_the_same_moment_is_one(vault: Vault) -> None:
    found = await asyncio.gather(*(vault.recognise(TOWN, f"c-{n}", phone=PHONE, email=EMAIL) for n in range(50)))
    assert len(set(found)) == 1


async def test_broken_text_does_not_stop_a_contact(vault: Vault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name=" Jan \ud800", phone=PHONE, email="jan\ud800@voorbeeld.nl")
    assert (await looked(vault, citizen)).name == "Jan ?"


# -- the end --------------------------------------------------------------------------------------------------


async def test_after_erasure_nothing_can_be_read(vault: Vault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan", phone=PHONE, email=EMAIL)
    await vault.recognise(TOWN, "c-2", email=EMAIL)
    other = await vault.recognise(TOWN, "c-3", phone="+31207654321")
    refs = [await vault.store(contact, "t", b"x" * size) for contact in ("c-1", "c-2") for size in (5, 100_000)]
    kept = await vault.store("c-3", "t", b"another's")
    await vault.put_draft("c-1", "a1", "Beste Jan")
    assert await vault.erase(citizen) == 2
    for ref in refs:
        with pytest.raises(Erased):
            await vault.read(ref, who="a1", purpose="contact")
        with pytest.raises(Erased):
            await vault.read_unattended(ref)
    with pytest.raises(Erased):
        await looked(vault, citizen)
    with pytest.raises(Erased):
        await vault.get_draft("c-1", "a1")
    assert await vault.find(TOWN, phone=PHONE, email=EMAIL) == ""
    assert (await vault.read_unattended(kept)).content == b"another's"
    assert (await looked(vault, other)).phone == "+31207654321"
    assert await vault.erase(citizen) == 0


async def test_an_erased_contact_takes_nothing_more(vault: Vault) -> None:
    await vault.erase(await vault.recognise(TOWN, "c-1", phone=PHONE))
    for size in (5, 100_000):
        with pytest.raises(Erased):
            await vault.store("c-1", "t", bytes(size))
    with pytest.raises(Erased):
        await vault.put_draft("c-1", "a1", "text")
    with pytest.raises(Erased):
        await vault.recognise(TOWN, "c-1", phone=PHONE)
    assert await vault.find(TOWN, phone=PHONE) == ""


async def test_who_was_erased_may_come_back_as_somebody_new(vault: Vault) -> None:
    before = await vault.recognise(TOWN, "c-1", name="Jan", phone=PHONE)
    await vault.erase(before)
    after = await vault.recognise(TOWN, "c-2", phone=PHONE)
    assert after not in {"", before}
    assert (await looked(vault, after)).name == ""


async def test_the_sweep_takes_what_is_old_and_belongs_to_no_known_contact(vault: Vault, clock: Clock) -> None:
    lost = [await vault.store("c-lost", "t", bytes(size)) for size in (5, 100_000)]
    known = await vault.store("c-known", "t", b"known")
    stranger = await vault.recognise(TOWN, "c-lost", phone=PHONE)
    regular = await vault.recognise(TOWN, "c-lost", email=EMAIL)
    assert await vault.recognise(TOWN, "c-known", email=EMAIL) == regular
    assert await vault.sweep({"c-known": True}) == 0
    clock.now += DAY_MS + 1
    young = await vault.store("c-young", "t", b"young")
    assert await vault.sweep({"c-known": True}) == 2
    assert await vault.sweep({"c-known": True}) == 0
    for ref in lost:
        with pytest.raises(UnknownThing):
            await vault.read_unattended(ref)
    with pytest.raises(UnknownThing):
        await looked(vault, stranger)
    assert await vault.find(TOWN, phone=PHONE) == ""
    assert (await looked(vault, regular)).email == EMAIL
    assert (await vault.read_unattended(known)).content == b"known"
    assert (await vault.read_unattended(young)).content == b"young"


async def test_the_sweep_leaves_a_contact_that_is_still_being_filled(vault: Vault, clock: Clock) -> None:
    old = await vault.store("c-1", "t", b"old")
    clock.now += DAY_MS + 1
    new = await vault.store("c-1", "t", b"new")
    assert await vault.sweep({}) == 1
    with pytest.raises(UnknownThing):
        await vault.read_unattended(old)
    assert (await vault.read_unattended(new)).content == b"new"


async def test_who_claims_a_known_address_does_not_rename_the_citizen(vault: Vault) -> None:
    citizen = await vault.recognise(TOWN, "c-1", name="Jan Jansen", email=EMAIL)
    assert await vault.recognise(TOWN, "c-2", name="Iemand Anders", email=EMAIL) == citizen
    assert (await looked(vault, citizen)).name == "Jan Jansen"


async def test_what_was_kept_for_a_time_is_gone_after_it(vault: Vault, clock: Clock) -> None:
    contents = (b"short", bytes(100_000))
    spoken = [await vault.store("c-1", "audio/wav", c, keep_until=clock.now + DAY_MS) for c in contents]
    beside = await vault.store("c-1", "t", b"beside")
    assert await vault.expire() == 0
    assert [(await vault.read_unattended(ref)).content for ref in spoken] == list(contents)
    clock.now += DAY_MS
    for ref in spoken:  # also before it is destroyed
        with pytest.raises(Erased):
            await vault.read(ref, who="a1", purpose="recording")
    assert await vault.expire() == 2
    assert await vault.expire() == 0
    for ref in spoken:
        with pytest.raises(Erased):
            await vault.read_unattended(ref)
    assert (await vault.read_unattended(beside)).content == b"beside"


async def test_what_is_discarded_is_gone_and_nothing_else(vault: Vault, clock: Clock) -> None:
    refs = [await vault.store("c-1", "t", one, keep_until=clock.now + DAY_MS) for one in (b"one", bytes(99_999))]
    other = await vault.store("c-1", "t", b"other")
    for _ in range(2):
        await vault.discard([*refs, "v-never"])
    for ref in refs:
        with pytest.raises(Erased):
            await vault.read_unattended(ref)
    assert (await vault.read_unattended(other)).content == b"other"
    clock.now += DAY_MS
    assert await vault.expire() == 0


async def test_erasure_takes_what_was_kept_for_a_time_along(vault: Vault, clock: Clock) -> None:
    citizen = await vault.recognise(TOWN, "c-1", phone=PHONE)
    spoken = await vault.store("c-1", "audio/wav", bytes(100_000), keep_until=clock.now + DAY_MS)
    await vault.erase(citizen)
    with pytest.raises(Erased):
        await vault.read_unattended(spoken)
    clock.now += DAY_MS
    assert await vault.expire() == 0
