"""The board: today's figures by hand, the books at every prefix, midnight, the service level's formula."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from router.engine import facts
from router.engine.facts import Fact
from router.nouns import Centre, QueueTarget
from router.port import Numbered
from router.projections import shapes
from router.projections.board import Board
from router.projections.contacts import Contacts
from router.projections.days import day_of
from router.projections.follow_ups import FollowUps
from router.projections.openings import Openings
from router.projections.outcomes import Outcomes
from router.projections.people import People
from router.projections.transfers import Transfers
from tests.unit.doubles import START, accepted, offered, queued, received, small_centre

STATES = ("intake", "waiting", "offered", "active", "wrap_up")


class Fold:
    """The models a board needs, folded fact by fact."""

    def __init__(self, centre: Centre | None = None) -> None:
        self.contacts, self.people, self.follow_ups = Contacts(), People(), FollowUps()
        self.outcomes = Outcomes(centre or small_centre(), self.contacts)
        transfers = Transfers(centre or small_centre(), self.contacts)
        self.board = Board(centre or small_centre(), self.contacts, self.outcomes, transfers)
        self.at, self.number = START, 0
        self.record: list[tuple[int, Fact]] = []

    def add(self, *new: Fact, after_seconds: float = 0) -> Fold:
        self.at += int(after_seconds * 1000)
        for fact in new:
            self.number += 1
            self.record.append((self.at, fact))
            numbered = Numbered(self.number, self.at, fact)
            for model in (self.contacts, self.people, self.follow_ups, self.outcomes, self.board):
                model.apply(numbered)
        return self

    def view(self, after_seconds: float = 0) -> shapes.Board:
        return self.board.view(
            self.at + int(after_seconds * 1000), self.people, self.follow_ups, Openings(small_centre())
        )

    def row(self, queue: str, channel: str, after_seconds: float = 0) -> shapes.ChannelBoard:
        of = next(q for q in self.view(after_seconds).queues if q.queue == queue)
        return next(row for row in of.channels if row.channel == channel)


def call(fold: Fold, contact: str, wait: float, end: str = "", norm: int = 20) -> None:
    """A phone call that waits and is then answered, or ends."""
    fold.add(received(contact, "phone"), queued(contact, due_at=fold.at + norm * 1000))
    if end:
        fold.add(facts.ContactEnded(contact, end), after_seconds=wait)
    else:
        fold.add(offered(contact, "ada"), accepted(contact, "ada"), after_seconds=wait)


def test_the_service_level_is_the_documented_formula() -> None:
    fold = Fold()
    for number, wait in enumerate((0, 19, 20, 21, 300)):
        call(fold, f"c-a{number}", wait)
    call(fold, "c-short", 5, "abandoned")
    call(fold, "c-late", 25, "abandoned")
    call(fold, "c-duplicate", 25, "duplicate")
    fold.add(received("c-w", "phone"), queued("c-w", due_at=fold.at + 20_000))
    row = fold.row("burgerzaken", "phone", after_seconds=20)
    assert (row.answered, row.abandoned, row.entered, row.waiting) == (5, 2, 6, 1)
    assert row.service_level == round(3 / 6, 4)
    late = fold.row("burgerzaken", "phone", after_seconds=20.001)
    assert (late.entered, late.service_level) == (7, round(3 / 7, 4))
    assert late.longest_wait_seconds == 20
    assert (late.target_seconds, late.target_share) == (20, 0.8)


def test_no_figure_without_contacts() -> None:
    row = Fold().row("burgerzaken", "phone")
    assert (row.service_level, row.entered, row.longest_wait_seconds) == (None, 0, 0)
    assert Fold().view().resolved is None


def test_a_handed_over_contact_is_answered_once() -> None:
    fold = Fold()
    call(fold, "c-1", 5)
    back = facts.ContactReturned("c-1", "ada", "handed_over", "afval", "afval", {}, 0, 0, 0)
    fold.add(back, offered("c-1", "cem", 2), accepted("c-1", "cem", 2), after_seconds=60)
    assert fold.row("burgerzaken", "phone").answered == 1
    assert fold.row("afval", "phone").answered == 0


def test_resolved_counts_yes_and_no_only() -> None:
    fold = Fold()
    for number, resolved in enumerate((True, True, False, None)):
        call(fold, f"c-{number}", 1)
        fold.add(facts.ContactEnded(f"c-{number}", "handled", "ada", resolved=resolved))
    call(fold, "c-x", 1)
    fold.add(facts.ContactEnded("c-x", "closed", "ada"))
    board = fold.view()
    assert (board.resolved, board.resolved_of, board.finished) == (round(2 / 3, 4), 3, 4)
    queue = board.queues[0]
    assert (queue.resolved, queue.resolved_of, queue.finished) == (round(2 / 3, 4), 3, 4)


def test_midnight_in_amsterdam_starts_the_day_again() -> None:
    fold = Fold()
    call(fold, "c-1", 1)
    fold.add(received("c-2", "phone"), queued("c-2"))
    midnight = int(datetime(2026, 11, 18, 23, tzinfo=UTC).timestamp() * 1000)
    before = fold.board.view(midnight - 1, fold.people, fold.follow_ups, Openings(small_centre()))
    after = fold.board.view(midnight, fold.people, fold.follow_ups, Openings(small_centre()))
    assert before.today_since == midnight - 24 * 3_600_000
    assert after.today_since == midnight
    assert [q.channels[0].answered for q in (before.queues[0], after.queues[0])] == [1, 0]
    phone = after.channels[0]
    assert (phone.received, phone.waiting, phone.active, phone.ended) == (2, 1, 1, 0), (
        "open at midnight is carried over"
    )


def test_days_of_23_and_25_hours() -> None:
    for month, day, hours in ((3, 29, 23), (10, 25, 25), (11, 18, 24)):
        noon = int(datetime(2026, month, day, 12, tzinfo=UTC).timestamp() * 1000)
        since, until = day_of(noon, "Europe/Amsterdam")
        assert until - since == hours * 3_600_000


def test_alarms() -> None:
    fold = Fold().add(
        received("c-1", "email"),
        queued("c-1", "afval", needs={"afval": 1}, due_at=START + 28_800_000),
    )
    assert [fold.view(wait).queues[1].alarm for wait in (0, 28_801)] == ["", "late"]


def test_who_waits_for_nobody_is_counted_by_the_reason_until_somebody_comes() -> None:
    fold = Fold().add(received("c-1", "phone"), queued("c-1", needs={"burgerzaken": 2}))
    lane = "phone|burgerzaken|burgerzaken:2"
    fold.add(facts.LaneStranded(lane, "phone", "burgerzaken", {"burgerzaken": 2}, 0, "nobody_signed_on"))
    queue = fold.view().queues[0]
    assert (queue.alarm, queue.stranded) == ("nobody", {"nobody_signed_on": 1})
    fold.add(facts.NeedsWidened("c-1", 1, {"burgerzaken": 1}))
    assert fold.view().queues[0].stranded == {}, "another lane now"
    fold.add(facts.LaneCleared(lane))
    assert fold.view().queues[0].alarm == ""


def test_people() -> None:
    fold = Fold().add(
        facts.PresenceChanged("ada", "ready", "", ""), facts.PresenceChanged("bob", "paused", "lunch", "")
    )
    assert fold.view().queues[0].ready == 1
    call(fold, "c-1", 5)
    board = fold.view()
    assert board.queues[0].ready == 0
    assert board.agents == shapes.AgentCounts(ready=0, busy=1, wrap_up=0, paused=1, signed_off=1)
    ada = board.people[0]
    assert (ada.agent, ada.state, ada.since, ada.contacts) == ("ada", "busy", fold.at, {"phone": 1})
    fold.add(facts.ConversationEnded("c-1", "ada", "agent", 0), after_seconds=30)
    ada = fold.view().people[0]
    assert (ada.state, ada.since, ada.contacts) == ("wrap_up", fold.at, {"phone": 1})
    fold.add(facts.ContactEnded("c-1", "handled", "ada", resolved=True), after_seconds=30)
    assert fold.view().people[0].state == "ready"
    fold.add(facts.AgentLost("ada", 0))
    assert fold.view().queues[0].ready == 0


def test_case_37_figures_worked_out_again_from_the_record_agree() -> None:
    """Messages that nobody wrote change nothing, and a board that starts in the middle of the record is none."""
    fold, again = Fold(), Fold()
    call(fold, "c-1", 25)
    plain = fold.view()
    fold.add(facts.MessageAdded("c-1", 1, "m-1", "system", "v-1", "", False))
    call(fold, "c-2", 5)
    call(fold, "c-3", 30, "abandoned")
    for number, (at, fact) in enumerate(fold.record, 1):
        again.at, again.number = at, number - 1
        again.add(fact)
    assert plain.queues[0].channels[0].answered == 1
    assert again.view() == fold.view()


def test_case_38_a_new_configuration_counts_at_its_fact() -> None:
    """Who was queued under the old norm is judged by it, also when they are answered under the new one."""
    fold = Fold()
    fold.add(received("c-1", "phone"), queued("c-1", due_at=fold.at + 20_000))
    centre = small_centre()
    strict = replace(centre.queues[0], targets={"phone": QueueTarget(60, 0.9)})
    fold.add(facts.CentreConfigured(replace(centre, queues=(strict, *centre.queues[1:])), "v2"))
    fold.add(offered("c-1", "ada"), accepted("c-1", "ada"), after_seconds=25)
    call(fold, "c-2", 25, norm=60)
    row = fold.row("burgerzaken", "phone")
    assert (row.answered, row.service_level, row.target_seconds) == (2, 0.5, 60)


# -- the books ----------------------------------------------------------------------------------------------


def next_facts(contacts: Contacts, contact: str, choice: int) -> list[Fact]:
    """One legal step of a contact, chosen by number."""
    entry = contacts.get(contact)
    if entry is None:
        return [received(contact, ("phone", "chat", "email")[choice % 3])]
    end = facts.ContactEnded(
        contact, ("abandoned", "handled", "closed")[choice % 3], resolved=(True, False, None)[choice % 3]
    )
    agent = ("ada", "bob", "cem")[choice % 3]
    token = f"{contact}-{entry.offers}"
    back = facts.ContactReturned(contact, agent, "handed_over", "afval", "afval", {}, 0, 0, 0)
    steps: dict[str, list[Fact]] = {
        "intake": [queued(contact, ("burgerzaken", "afval")[choice % 2]), end],
        "waiting": [offered(contact, agent, entry.offers + 1), facts.AnswerAdopted(contact, agent), end,
                    queued(contact, "afval")],
        "offered": [facts.OfferAccepted(token, contact, entry.offer.agent if entry.offer else ""), end,
                    facts.OfferEnded(token, contact, agent, "declined", "", 0)],
        "active": [facts.ConversationEnded(contact, entry.agent, "agent", 0), back, end],
        "wrap_up": [end],
        "ended": [],
    }  # fmt: skip
    possible = steps[entry.state]
    return [possible[choice % len(possible)]] if possible else []


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 11), st.sampled_from((0, 1, 30, 4 * 3600))), max_size=80))
def test_the_books_balance_at_every_prefix(steps: list[tuple[int, int, int]]) -> None:
    fold, agains = Fold(), Fold()
    for which, choice, seconds in steps:
        new = next_facts(fold.contacts, f"c-{which}", choice)
        fold.add(*new, after_seconds=seconds)
        agains.add(*new, after_seconds=seconds)
        board = fold.view()
        for channel in board.channels:
            assert channel.received == sum(getattr(channel, state) for state in STATES) + channel.ended, channel
        contacts = fold.contacts
        for queue in board.queues:
            assert contacts.waiting[queue.queue] == sum(row.waiting + row.offered for row in queue.channels)
        for entry in contacts.open.values():
            assert (entry.id in contacts.in_hand[entry.agent]) == (entry.state in {"active", "wrap_up"})
        held = [id for mine in contacts.in_hand.values() for id in mine]
        assert len(held) == len(set(held)), "one owner"
    assert fold.view() == agains.view()


def test_a_fact_seen_twice_counts_once() -> None:
    fold = Fold()
    call(fold, "c-1", 1)
    once = fold.view()
    fold.number = 0
    fold.add(received("c-1", "phone"), queued("c-1"))
    assert replace_number(fold.view()) == replace_number(once)


def replace_number(board: shapes.Board) -> dict[str, object]:
    return {name: getattr(board, name) for name in board.__struct_fields__ if name not in {"number", "at"}}
