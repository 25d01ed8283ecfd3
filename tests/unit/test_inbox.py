"""What somebody on the line waits for goes first; the rest goes together, and nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest

from router import courtesy as courtesies
from router import inbox as inboxes
from router.courtesy import Courtesy
from router.inbox import Inbox


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, no wait is over by itself."""
    monkeypatch.setattr(courtesies, "LONGEST_SECONDS", 600.0)
    monkeypatch.setattr(inboxes, "APART_SECONDS", 600.0)
    monkeypatch.setattr(inboxes, "BUSY_SECONDS", 600.0)


class Given:
    """An inbox, and whether nobody is kept waiting by what it keeps back."""

    def __init__(self) -> None:
        self.courtesy, self.may_wait = Courtesy(), True
        self.inbox: Inbox[int] = Inbox(self.courtesy, lambda: self.may_wait)

    def put(self, *ones: int) -> None:
        """Odd ones press."""
        for one in ones:
            self.inbox.put(one, presses=one % 2 == 1)

    async def taking(self) -> asyncio.Task[list[int]]:
        """Somebody who waits for what there is to take."""
        task = asyncio.create_task(self.inbox.take(None))
        await asyncio.sleep(0)
        assert not task.done()
        return task

    def call_comes_and_goes(self) -> None:
        """Calls are coming in, and at this moment none is on its way."""
        self.courtesy.hurry()()


async def test_when_no_call_comes_in_all_is_taken_at_once() -> None:
    given = Given()
    given.put(2, 1, 4)
    assert await given.inbox.take(None) == [1, 2, 4]
    given.put(6)
    assert await given.inbox.take(None) == [6]


async def test_while_a_call_is_on_its_way_only_what_presses_is_taken_and_then_the_rest_together() -> None:
    given = Given()
    told = given.courtesy.hurry()
    given.put(2, 1, 4, 3)
    assert await given.inbox.take(None) == [1, 3]
    taking = await given.taking()
    given.put(6)
    told()
    assert await taking == [2, 4, 6]


async def test_while_calls_come_in_the_others_are_taken_some_time_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Given()
    given.call_comes_and_goes()
    given.put(2)
    assert await given.inbox.take(None) == [2]
    given.put(4)
    taking = await given.taking()
    given.put(1)
    assert await taking == [1]
    monkeypatch.setattr(inboxes, "APART_SECONDS", 0.0)
    again = Given()
    again.call_comes_and_goes()
    for one in (2, 4, 6):
        again.put(one)
        assert await again.inbox.take(None) == [one]


async def test_nothing_is_kept_back_when_somebody_waits_for_it() -> None:
    given = Given()
    given.courtesy.hurry()
    given.put(2)
    taking = await given.taking()
    given.may_wait = False
    given.put(4)
    assert await taking == [2, 4]
    given.put(6)
    assert await given.inbox.take(None) == [6]


async def test_somebody_begins_to_wait_while_something_is_kept_back() -> None:
    given = Given()
    given.courtesy.hurry()
    given.put(2, 1)
    assert await given.inbox.take(None) == [1]
    given.may_wait = False  # for what was decided meanwhile
    assert await given.inbox.take(None) == [2]


async def test_what_was_kept_back_and_let_go_early_is_not_let_go_again() -> None:
    given = Given()
    told = given.courtesy.hurry()
    given.put(2)
    given.may_wait = False
    assert await given.inbox.take(None) == [2]
    given.may_wait = True
    told()
    await given.courtesy.turn()
    given.courtesy.hurry()
    given.put(4)
    taking = await given.taking()
    given.put(1)
    assert await taking == [1]


async def test_nobody_is_kept_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesies, "LONGEST_SECONDS", 0.001)
    given = Given()
    given.courtesy.hurry()
    given.put(2)
    assert await asyncio.wait_for(given.inbox.take(None), 10) == [2]


async def test_taking_ends_after_a_while_or_when_woken_with_nothing() -> None:
    given = Given()
    assert await given.inbox.take(0.001) == []
    assert await given.inbox.take(0) == []
    taking = await given.taking()
    given.inbox.wake()
    assert await taking == []


async def test_never_more_than_is_decided_together_and_the_rest_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "TOGETHER_MAX", 3)
    given = Given()
    given.put(1, 3, 2, 5, 7, 4, 6, 8)
    taken = [await given.inbox.take(None) for _ in range(3)]
    assert taken == [[1, 3, 5], [7, 2, 4], [6, 8]]


async def test_what_is_too_much_is_refused_and_what_is_left_can_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "WAITING_MAX", 3)
    given = Given()
    given.put(2, 1, 4)
    with pytest.raises(asyncio.QueueFull):
        given.put(3)
    assert given.inbox.empty() == [1, 2, 4]
    given.put(3)
    assert await given.inbox.take(None) == [3]
