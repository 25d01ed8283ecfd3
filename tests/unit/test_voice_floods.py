"""A flood from one number, to one number or over one trunk leaves room for everybody else, and nobody is dropped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from router.centre import Centre, Clock
from router.channels.voice.calls import Calls
from router.channels.voice.floods import MINUTE, Floods
from router.engine import commands
from router.journal.memory import MemoryJournal, MemoryRecord
from router.settings import CallLimits
from tests.unit.channel_doubles import configuration
from tests.unit.voice_doubles import SILENT, Session, Telephone

ANY = CallLimits(caller_at_once=0, caller_per_minute=0)


class Line:
    """Calls that come in over the floods' gate."""

    def __init__(self, limits: CallLimits) -> None:
        self.calls, self.now, self.made = Calls(), 0.0, 0
        self.floods = Floods(limits, lambda: self.calls, lambda: self.now)

    def call(self, number: str = "0612345678", entry: str = "140299", trunk: str = "trunk") -> str:
        self.made += 1
        channel = f"PJSIP/{trunk}-{self.made:08x}"
        with self.floods.room(number, entry, channel) as broken:
            if not broken:
                call = self.calls.up(f"c-{self.made}", channel)
                call.caller, call.entry = self.floods.caller(number), entry
            return broken


def test_one_number_has_a_limit_and_others_get_through() -> None:
    line = Line(CallLimits(caller_at_once=2))
    assert [line.call() for _ in range(4)] == ["", "", "caller", "caller"]
    assert line.call("0687654321") == ""
    line.calls.gone("c-1")
    assert line.call() == ""


def test_withheld_numbers_are_not_one_caller() -> None:
    line = Line(CallLimits(caller_at_once=1, caller_per_minute=1))
    assert {line.call("") for _ in range(5)} == {""}


def test_one_of_our_numbers_and_one_trunk_have_limits() -> None:
    line = Line(CallLimits(0, 0, entry_at_once=2, trunk_at_once=3))
    assert [line.call(str(n)) for n in range(3)] == ["", "", "line"]
    assert line.call(entry="140298") == ""
    assert line.call(entry="140298") == "line", "the trunk has three"
    assert line.call(entry="140298", trunk="other") == ""


def test_redialling_has_a_rate_and_what_is_refused_does_not_count() -> None:
    line = Line(CallLimits(caller_per_minute=3))
    told = []
    for _ in range(8):
        told.append(line.call())
        line.calls.clear()
        line.now += MINUTE / 4
    assert told == ["", "", "", "caller", "", "", "", "caller"]


def test_calls_that_come_in_at_one_moment_count_before_they_are_on_disk() -> None:
    line = Line(CallLimits(caller_at_once=1))
    with line.floods.room("0612345678", "140299", "PJSIP/trunk-1") as first:
        assert first == ""
        assert line.call() == "caller"
    assert line.call() == ""


def test_who_is_told_goodbye_takes_no_room() -> None:
    line = Line(CallLimits(caller_at_once=1))
    line.call()
    next(iter(line.calls)).farewell = "closed_hours"
    assert line.call() == ""


def test_the_number_cannot_be_had_back() -> None:
    first, second = Floods(ANY, Calls), Floods(ANY, Calls)
    assert first.caller("0612345678") == first.caller("0612345678") != second.caller("0612345678")
    assert "0612345678" not in first.caller("0612345678")


@pytest.fixture
async def phone() -> AsyncIterator[Telephone]:
    centre = Centre(MemoryJournal(MemoryRecord("test")), configuration(), "1", ("phone",), Clock())
    await centre.start()
    telephone = Telephone(centre, CallLimits(caller_at_once=1))
    yield telephone
    await telephone.channel._work.stop()
    await centre.stop()


async def test_who_is_turned_away_is_on_the_record_and_hears_why(phone: Telephone) -> None:
    await phone.up()
    kept = await phone.comes_in(Session(subject=SILENT, uniqueid="kcc-1.0"))
    session = Session(subject=SILENT, uniqueid="kcc-2.0", channel="PJSIP/trunk-00000002")
    refused = await phone.comes_in(session)
    assert session.said == ["KCC_BUSY"], "no contact's id: the dialplan says why, and no census takes it for a stranger"
    assert await phone.state(refused) == ("ended", "flood")
    assert await phone.state(kept) == ("waiting", "")
    received = phone.port.of(commands.Receive)[-1]
    assert (received.citizen, received.content_ref) == ("", "")
    other = await phone.comes_in(Session(subject=SILENT, uniqueid="kcc-3.0", caller_number="0687654321"))
    assert await phone.state(other) == ("waiting", "")


async def test_after_a_start_the_calls_that_are_up_count(phone: Telephone, capsys: pytest.CaptureFixture[str]) -> None:
    await phone.up()
    await phone.comes_in(Session(subject=SILENT, uniqueid="kcc-1.0"))
    phone.channel.calls.clear()
    phone.link.rows = [phone.row()]
    await phone.channel._census.take(set())
    refused = await phone.comes_in(Session(subject=SILENT, uniqueid="kcc-2.0"))
    assert await phone.state(refused) == ("ended", "flood")
    assert "0612345678" not in json.dumps(capsys.readouterr())
