"""Telephones: what Asterisk says of its devices becomes what the centre is told of its agents' telephones."""

from __future__ import annotations

import asyncio

import pytest

from router.channels.voice.events import DeviceChanged, LegGone, Ringing
from router.channels.voice.telephones import QUALIFIED_SECONDS, SETTLE_SECONDS, Telephones
from router.engine.commands import Command, ReportTelephones
from tests.parts.fakes import HandClock

LEG = "PJSIP/a1-00000001"


class Centre:
    """Two agents' telephones at the PBXs `left` and `right`, and what the centre was told of them."""

    def __init__(self) -> None:
        self.told: list[dict[str, str]] = []
        self.clock = HandClock()
        self.telephones = Telephones({"a1": "anna", "a2": "bert"}, self._tell, self.clock.call_later)

    async def _tell(self, command: Command) -> None:
        assert isinstance(command, ReportTelephones)
        self.told.append(command.telephones)

    def device(self, state: str, endpoint: str = "a1", pbx: str = "left") -> None:
        self.telephones.heard(pbx, DeviceChanged(endpoint, state), bool)

    def rings(self, offer: str = "o-1", channel: str = "PJSIP/trunk-00000000", *, listens: bool = False) -> None:
        self.telephones.heard("left", Ringing(channel, "u", LEG, "u2", "a1", offer, ""), lambda _: listens)

    def gone(self) -> None:
        self.telephones.heard("left", LegGone(LEG, "u2", "u", 16), bool)

    async def lasts(self, telephone: str) -> None:
        """It has been so for as long as it takes."""
        await self.clock.fire(SETTLE_SECONDS[telephone])
        await self.quiet()

    async def quiet(self) -> None:
        if self.telephones._sending is not None:
            await self.telephones._sending


@pytest.fixture
async def centre() -> Centre:
    made = Centre()
    await made.telephones.census("left", {"a1": "NOT_INUSE", "a2": "NOT_INUSE", "s1": "INUSE"})
    assert made.told == [{"anna": "free", "bert": "free"}]
    made.told.clear()
    return made


async def test_a_call_elsewhere_is_told_once_it_lasts_and_its_end_at_once(centre: Centre) -> None:
    centre.device("RINGING")
    centre.device("INUSE")
    assert centre.told == []
    await centre.lasts("elsewhere")
    assert centre.told == [{"anna": "elsewhere"}]
    centre.device("NOT_INUSE")
    await centre.quiet()
    assert centre.told == [{"anna": "elsewhere"}, {"anna": "free"}]


@pytest.mark.parametrize("first", ["the ring", "the device"])
async def test_an_offer_of_ours_is_no_news_whichever_is_heard_first(centre: Centre, first: str) -> None:
    if first == "the ring":
        centre.rings()
        centre.device("RINGING")
    else:
        centre.device("RINGING")
        centre.rings()
    centre.device("INUSE")
    assert centre.clock.pending == []
    centre.gone()
    centre.device("NOT_INUSE")
    await centre.quiet()
    assert (centre.told, centre.clock.pending) == ([], [])


async def test_a_call_that_outlasts_ours_is_told_when_ours_is_over(centre: Centre) -> None:
    centre.rings()
    centre.device("INUSE")
    centre.gone()
    await centre.lasts("elsewhere")
    assert centre.told == [{"anna": "elsewhere"}]


async def test_a_callback_is_ours_and_to_listen_is_to_be_elsewhere(centre: Centre) -> None:
    centre.rings("", "")
    centre.device("INUSE")
    assert centre.clock.pending == []
    centre.gone()
    centre.device("NOT_INUSE")
    centre.rings("", "", listens=True)
    centre.device("INUSE")
    await centre.lasts("elsewhere")
    assert centre.told == [{"anna": "elsewhere"}]


async def test_a_desk_that_is_loaded_again_is_not_told_and_one_that_stays_away_is(centre: Centre) -> None:
    centre.device("UNAVAILABLE")
    centre.device("NOT_INUSE")
    assert centre.clock.pending == []
    centre.device("UNAVAILABLE")
    await centre.lasts("unregistered")
    centre.device("NOT_INUSE")
    await centre.quiet()
    assert centre.told == [{"anna": "unregistered"}, {"anna": "free"}]


async def test_one_pbx_that_reaches_it_is_enough_and_one_call_is_too(centre: Centre) -> None:
    await centre.telephones.census("right", {"a1": "UNAVAILABLE", "a2": "INUSE"})
    assert centre.told == [{"anna": "free", "bert": "elsewhere"}]
    centre.telephones.lost("left")
    await centre.lasts("unregistered")
    assert centre.told[-1] == {"anna": "unregistered"}


async def test_an_asterisk_that_has_just_started_does_not_know_yet_who_is_there(centre: Centre) -> None:
    centre.telephones.lost("left")
    await centre.telephones.census("left", {"a1": "UNAVAILABLE", "a2": "UNAVAILABLE"}, up_seconds=5)
    assert centre.told == [{"anna": "free", "bert": "free"}]
    centre.device("UNAVAILABLE")
    assert [timer.seconds for timer in centre.clock.pending] == [QUALIFIED_SECONDS - 5]
    await centre.clock.fire(QUALIFIED_SECONDS - 5)
    await centre.lasts("unregistered")
    assert {"anna": "unregistered"} in centre.told
    await centre.telephones.census("left", {"a1": "UNAVAILABLE"}, up_seconds=5)
    centre.device("NOT_INUSE")
    centre.device("UNAVAILABLE")
    await centre.lasts("unregistered")
    assert centre.told[-1] == {"anna": "unregistered"}, "it was there, and is no more"
    centre.telephones.lost("left")
    assert centre.clock.pending == []


async def test_what_was_known_stays_while_the_only_pbx_is_out_of_reach(centre: Centre) -> None:
    centre.device("INUSE")
    await centre.lasts("elsewhere")
    centre.telephones.lost("left")
    await centre.quiet()
    assert centre.told == [{"anna": "elsewhere"}]
    await centre.telephones.census("left", {"a1": "NOT_INUSE"})
    assert centre.told[-1] == {"anna": "free", "bert": "free"}


async def test_what_changes_while_a_report_is_under_way_goes_with_the_next() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    told: list[dict[str, str]] = []

    async def tell(command: Command) -> None:
        assert isinstance(command, ReportTelephones)
        told.append(command.telephones)
        begun.set()
        await gate.wait()

    telephones = Telephones({"a1": "anna"}, tell)
    census = asyncio.create_task(telephones.census("left", {"a1": "UNAVAILABLE"}))
    await begun.wait()
    for state in ("NOT_INUSE", "UNAVAILABLE", "NOT_INUSE"):
        telephones.heard("left", DeviceChanged("a1", state), bool)
    gate.set()
    await census
    assert told == [{"anna": "unregistered"}, {"anna": "free"}]
    await telephones.stop()
