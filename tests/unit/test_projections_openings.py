"""What is open: the hours of the configuration in force, and before them what a supervisor has decided."""

from __future__ import annotations

from dataclasses import replace

from router.engine import facts
from router.engine.facts import Fact
from router.nouns import Centre, Hours
from router.port import Numbered
from router.projections.openings import Openings
from tests.unit.doubles import small_centre
from tests.unit.test_hours import OFFICE, ms

MONDAY = ms("2026-11-23 12:00")


def centre(hours: Hours = OFFICE) -> Centre:
    plain = small_centre()
    waterland = replace(plain.municipalities[0], hours={"phone": hours}, calamity={"nl": "Dicht."})
    return replace(plain, municipalities=(waterland, plain.municipalities[1]))


def folded(*new: Fact, start: Centre | None = None) -> Openings:
    openings = Openings(start or centre())
    for number, fact in enumerate(new, 1):
        openings.apply(Numbered(number, MONDAY, fact))
    return openings


def test_hours_decide_until_somebody_closes() -> None:
    openings = folded()
    assert openings.is_open("waterland", "phone", MONDAY)
    assert not openings.is_open("waterland", "phone", ms("2026-11-23 17:00"))
    assert not openings.is_open("atlantis", "phone", MONDAY)
    openings = folded(facts.ChannelClosed("waterland", "phone", "outage", "sup", 0))
    assert not openings.is_open("waterland", "phone", MONDAY)
    assert openings.is_open("zeevang", "phone", MONDAY)
    assert openings.opens_at("waterland", "phone", MONDAY) is None
    openings = folded(
        facts.ChannelClosed("waterland", "phone", "outage", "sup", 0),
        facts.ChannelReopened("waterland", "phone", "sup"),
    )
    assert openings.is_open("waterland", "phone", MONDAY)


def test_it_opens_when_the_closing_ends_and_the_hours_allow() -> None:
    at_three, at_night = ms("2026-11-23 15:00"), ms("2026-11-23 23:00")
    openings = folded(facts.ChannelClosed("waterland", "phone", "outage", "sup", at_three))
    assert openings.opens_at("waterland", "phone", MONDAY) == at_three
    openings = folded(facts.ChannelClosed("waterland", "phone", "outage", "sup", at_night))
    assert openings.opens_at("waterland", "phone", MONDAY) == ms("2026-11-24 08:00")


def test_case_38_new_hours_count_at_their_fact() -> None:
    later = centre(Hours({0: ((900, 960),)}))
    openings = folded(facts.CentreConfigured(later, "2"))
    assert not openings.is_open("waterland", "phone", MONDAY)
    assert openings.opens_at("waterland", "phone", MONDAY) == ms("2026-11-23 15:00")


def test_case_38_a_closing_and_a_calamity_outlive_a_new_configuration() -> None:
    openings = folded(
        facts.ChannelClosed("waterland", "phone", "outage", "sup", 0),
        facts.CalamityAnnounced("waterland", {}, "sup"),
        facts.CentreConfigured(replace(centre(), name="Anders"), "2"),
    )
    assert not openings.is_open("waterland", "phone", MONDAY)
    assert openings.calamity("waterland") == {"nl": "Dicht."}


def test_a_calamity_gives_its_own_text_or_the_one_that_stands_ready() -> None:
    assert folded().calamity("waterland") == {}
    assert folded(facts.CalamityAnnounced("waterland", {"nl": "Brand."}, "sup")).calamity("waterland") == {
        "nl": "Brand."
    }
    off = folded(facts.CalamityAnnounced("waterland", {}, "sup"), facts.CalamityWithdrawn("waterland", "sup"))
    assert off.calamity("waterland") == {}


def test_the_view_tells_who_closed_what_until_when() -> None:
    openings = folded(
        facts.ChannelClosed("waterland", "chat", "staffing", "sup", MONDAY + 1),
        facts.CalamityAnnounced("waterland", {}, "chef"),
    )
    waterland, zeevang = openings.view(MONDAY)
    assert waterland.open == {"phone": True, "chat": False, "counter": True}
    assert [(c.channel, c.reason, c.since, c.until, c.by) for c in waterland.closed] == [
        ("chat", "staffing", MONDAY, MONDAY + 1, "sup")
    ]
    assert (waterland.calamity, waterland.calamity_since, waterland.calamity_by) == ({"nl": "Dicht."}, MONDAY, "chef")
    assert (zeevang.closed, zeevang.calamity) == ([], None)


def test_what_was_decided_is_told_without_the_rest() -> None:
    closed = facts.ChannelClosed("zeevang", "chat", "staffing", "sup", 0)
    calamity = facts.CalamityAnnounced("waterland", {}, "chef")
    assert folded().decided(MONDAY) == []
    for new in ((closed,), (calamity,), (calamity, closed)):
        openings = folded(*new)
        assert openings.decided(MONDAY) == [one for one in openings.view(MONDAY) if one.closed or one.calamity] != []
    silent = folded(facts.CalamityAnnounced("zeevang", {}, "chef"))
    assert silent.decided(MONDAY) == [], "it has no text that stands ready"
