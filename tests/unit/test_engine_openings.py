"""A supervisor closes channels and announces a calamity: once, in time, for one municipality, also after a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.engine import commands, facts
from router.engine.decide import advance, due
from router.engine.index import rebuild_index
from router.engine.state import state_hash
from router.errors import InvalidInput, UnknownThing, WrongState
from router.nouns import Centre
from tests.properties.world import World, replayed, small_centre

HOUR = 3_600_000
DAY = 24 * HOUR


def centre() -> Centre:
    plain = small_centre()
    waterland = replace(plain.municipalities[0], calamity={"nl": "Het stadhuis is dicht."})
    return replace(plain, municipalities=(waterland, plain.municipalities[1]))


@pytest.fixture
def world() -> World:
    return World(centre())


def closed(world: World) -> set[str]:
    return set(world.state.closings)


def test_all_channels_or_some_of_one_municipality(world: World) -> None:
    world.ask(commands.CloseChannels("waterland", ("phone",), "outage", "sup"))
    assert closed(world) == {"waterland|phone"}
    world.ask(commands.CloseChannels("waterland", (), "outage", "sup"))
    assert closed(world) == {"waterland|phone", "waterland|chat", "waterland|counter"}
    world.ask(commands.ReopenChannels("waterland", ("chat",), "sup"))
    assert closed(world) == {"waterland|phone", "waterland|counter"}
    world.ask(commands.ReopenChannels("waterland", (), "sup"))
    assert closed(world) == set()
    assert {f.by for _, f in world.record if isinstance(f, facts.ChannelClosed | facts.ChannelReopened)} == {"sup"}


@pytest.mark.parametrize(
    "command",
    [
        commands.CloseChannels("waterland", (), "outage", "sup", 1_800_000_000_000 + HOUR),
        commands.AnnounceCalamity("waterland", "sup"),
        commands.AnnounceCalamity("waterland", "sup", {"nl": "Brand."}),
    ],
)
def test_the_same_wish_again_is_no_news(world: World, command: commands.Command) -> None:
    first = world.ask(command)
    assert first is not None
    assert first.facts
    number = world.state.number
    for _ in range(4):
        world.ask(command)
    assert world.state.number == number


def test_it_opens_by_itself_when_its_time_is_up(world: World) -> None:
    world.ask(commands.CloseChannels("waterland", ("phone",), "staffing", "sup", world.now + HOUR))
    world.ask(commands.CloseChannels("waterland", ("chat",), "staffing", "sup", world.now + HOUR))
    world.ask(commands.CloseChannels("waterland", ("chat",), "staffing", "sup", world.now + 2 * HOUR))
    world.pass_time(HOUR - 1)
    assert closed(world) == {"waterland|phone", "waterland|chat"}
    world.pass_time(1)
    assert closed(world) == {"waterland|chat"}
    world.pass_time(HOUR)
    assert closed(world) == set()
    assert world.record[-1][1] == facts.ChannelReopened("waterland", "chat", "")


def test_a_restart_forgets_neither_what_is_closed_nor_when_it_opens(world: World) -> None:
    world.ask(commands.CloseChannels("waterland", ("phone",), "outage", "sup", world.now + HOUR))
    world.ask(commands.AnnounceCalamity("waterland", "sup"))
    again = replayed(world.record)
    rebuild_index(again)
    assert state_hash(again) == state_hash(world.state)
    assert due(again) == world.now + HOUR
    advance(again, commands.Tick(), world.now + HOUR)
    assert again.closings == {}
    assert again.calamities["waterland"].by == "sup"


def test_what_waits_stays_and_is_served(world: World) -> None:
    waiting = world.receive("chat")
    world.ask(commands.CloseChannels("waterland", (), "outage", "sup"))
    world.ready("anna")
    assert world.offer_of(waiting)[1] == "anna"


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (commands.CloseChannels("atlantis", (), "outage", "sup"), UnknownThing),
        (commands.CloseChannels("waterland", ("email",), "outage", "sup"), InvalidInput),
        (commands.CloseChannels("waterland", (), "mood", "sup"), InvalidInput),
        (commands.CloseChannels("waterland", (), "outage", "sup", 1), InvalidInput),
        (commands.CloseChannels("waterland", (), "outage", "sup", 1_800_000_000_000 + 32 * DAY), InvalidInput),
        (commands.AnnounceCalamity("atlantis", "sup"), UnknownThing),
        (commands.AnnounceCalamity("veenstede", "sup"), WrongState),
        (commands.AnnounceCalamity("waterland", "sup", {"en": "Fire."}), InvalidInput),
        (commands.AnnounceCalamity("waterland", "sup", {"nl": "x" * 501}), InvalidInput),
        (commands.AnnounceCalamity("waterland", "sup", {"nl": "Brand.", "fy": "Brân."}), InvalidInput),
    ],
)
def test_what_is_refused(world: World, command: commands.Command, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        advance(world.state, command, world.now)


def test_a_calamity_is_on_until_it_is_withdrawn(world: World) -> None:
    world.ask(commands.AnnounceCalamity("waterland", "sup"))
    world.ask(commands.AnnounceCalamity("waterland", "chef", {"nl": " Brand. ", "en": " "}))
    assert (world.state.calamities["waterland"].texts, world.state.calamities["waterland"].by) == (
        {"nl": "Brand."},
        "chef",
    )
    world.ask(commands.WithdrawCalamity("waterland", "sup"))
    world.ask(commands.WithdrawCalamity("waterland", "sup"))
    assert world.state.calamities == {}
    assert sum(isinstance(f, facts.CalamityWithdrawn) for _, f in world.record) == 1
