"""The fold of open chats: places against a naive sort, what it keeps and what it forgets."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router.channels.chat import fold
from router.channels.chat.fold import OpenChats
from router.engine import facts
from tests.unit.channel_doubles import configuration


class Record:
    """Numbers facts as a journal does."""

    def __init__(self) -> None:
        self.chats = OpenChats(configuration())
        self.at = 1_000

    def add(self, fact: facts.Fact, later_ms: int = 1) -> set[str]:
        self.at += later_ms
        self.chats.apply(self.chats.number + 1, self.at, fact)
        return self.chats.settle()

    def received(self, contact: str, channel: str = "chat") -> set[str]:
        return self.add(
            facts.ContactReceived(contact, channel, "waterland", f"key {contact}", "", "", "nl", "", (), "")
        )

    def queued(self, contact: str, queue: str = "algemeen", rank: int = 0, tier: int = 0) -> set[str]:
        return self.add(facts.ContactQueued(contact, "afval", queue, {}, "nl", tier, rank, 0))


def test_a_place_changes_for_everybody_behind():
    record = Record()
    for n in range(4):
        record.received(f"c-{n}")
        record.queued(f"c-{n}", rank=n)
    assert record.add(facts.OfferAccepted("c-1.1", "c-1", "ada")) == {"c-1", "c-2", "c-3"}
    assert [record.chats.chats[f"c-{n}"].position for n in range(4)] == [1, 0, 2, 3]
    assert record.add(facts.WaitExceeded("c-3", 1, 0, -5, 0)) == {"c-0", "c-2", "c-3"}
    assert record.chats.chats["c-3"].position == 1
    assert record.add(facts.WaitExceeded("c-3", 2, 0, -5, 0)) == set()
    assert record.chats.waiting() == 3


def test_what_is_not_a_chat_is_not_kept():
    record = Record()
    assert record.received("c-mail", "email") == set()
    assert record.queued("c-mail") == set()
    assert record.add(facts.MessageAdded("c-mail", 1, "m", "citizen", "v", "", False)) == set()
    assert record.add(facts.ContactEnded("c-mail", "handled")) == set()
    assert record.chats.chats == {}


def test_an_ended_chat_is_kept_for_an_hour():
    record = Record()
    record.received("c-1")
    record.add(facts.ContactEnded("c-1", "abandoned"))
    assert record.chats.started_with("key c-1") is record.chats.chats["c-1"]
    record.add(facts.AgentLost("ada", 0), fold.KEEP_ENDED_MS)
    assert "c-1" in record.chats.chats
    record.add(facts.AgentRegained("ada"), 1)
    assert record.chats.chats == {}
    assert record.chats.started_with("key c-1") is None
    assert record.add(facts.ContactForgotten("c-1")) == set()


def test_wrap_up_is_the_end_for_the_visitor():
    record = Record()
    record.received("c-1")
    record.queued("c-1")
    record.add(facts.OfferAccepted("c-1.1", "c-1", "ada"))
    assert record.add(facts.ConversationEnded("c-1", "ada", "agent", 0)) == {"c-1"}
    assert record.chats.chats["c-1"].state == "ended"
    assert record.chats.open() == []
    record.add(facts.ContactEnded("c-1", "handled", "ada"))
    assert record.chats.chats["c-1"].state == "ended"


def test_only_so_many_ended_chats_are_kept(monkeypatch):
    monkeypatch.setattr(fold, "ENDED_MAX", 3)
    record = Record()
    for n in range(5):
        record.received(f"c-{n}")
        record.add(facts.ContactEnded(f"c-{n}", "abandoned"))
    assert sorted(record.chats.chats) == ["c-2", "c-3", "c-4"]


steps = st.lists(
    st.tuples(
        st.sampled_from(["receive", "queue", "exceed", "accept", "return", "finish", "end"]),
        st.integers(0, 7),
        st.sampled_from(["a", "b"]),
        st.integers(-3, 3),
        st.integers(0, 1),
    ),
    max_size=60,
)


@given(steps)
def test_places_agree_with_a_naive_sort(taken):
    record = Record()
    naive: dict[str, dict[str, Any]] = {}
    seen: dict[str, tuple[str, int]] = {}
    for what, n, queue, rank, tier in taken:
        contact = f"c-{n}"
        chat = naive.get(contact)
        changed: set[str] = set()
        if what == "receive" and chat is None:
            changed = record.received(contact)
            naive[contact] = {"state": "waiting", "queue": "", "place": (), "fact": record.chats.number}
        elif chat is None or chat["state"] == "ended":
            continue
        elif what == "queue" and chat["state"] == "waiting":
            changed = record.queued(contact, queue, rank, tier)
            chat.update(queue=queue, place=(tier, rank, chat["fact"]))
        elif what == "exceed" and chat["queue"] and chat["state"] == "waiting":
            changed = record.add(facts.WaitExceeded(contact, 1, tier, rank, 0))
            chat.update(place=(tier, rank, chat["fact"]))
        elif what == "accept" and chat["queue"] and chat["state"] == "waiting":
            changed = record.add(facts.OfferAccepted(f"{contact}.1", contact, "ada"))
            chat.update(state="active")
        elif what == "return" and chat["state"] == "active":
            changed = record.add(
                facts.ContactReturned(contact, "ada", "handed_over", "afval", queue, {}, tier, rank, 0)
            )
            chat.update(state="waiting", queue=queue, place=(tier, rank, chat["fact"]))
        elif what == "finish" and chat["state"] == "active":
            changed = record.add(facts.ConversationEnded(contact, "ada", "agent", 0))
            chat.update(state="ended")
        elif what == "end":
            changed = record.add(facts.ContactEnded(contact, "abandoned"))
            chat.update(state="ended")
        now = {}
        for id, one in naive.items():
            peers = [
                o["place"]
                for o in naive.values()
                if o["queue"] == one["queue"] and o["queue"] and o["state"] == "waiting"
            ]
            waits = one["state"] == "waiting" and one["queue"]
            now[id] = (one["state"], sorted(peers).index(one["place"]) + 1 if waits else 0)
        assert {c.contact: (c.state, c.position) for c in record.chats.chats.values()} == now
        assert {id for id in now if now[id] != seen.get(id)} <= changed
        seen = now
