"""What a caller who wants to be called back is asked by keys, with a caller who presses what the test says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from router.channels.voice.callback_choice import TRIES, Choice, choose, spoken
from router.channels.voice.faults import CallerHungUp
from router.nouns_callbacks import Window

MONDAY = Window("morning", 3, 0, 1_000, 2_000)
TODAY = Window("afternoon", 0, 4, 10, 20)
SHOWN = ["callback-number", "0612345678", "callback-number-choice"]
ENTERED = ["callback-entered", "0201234567", "callback-right"]
WHEN = [
    "callback-now", "callback-at", "day-today", "part-afternoon", "press", "digits/2",
    "callback-at", "day-0", "part-morning", "press", "digits/3",
]  # fmt: skip


class Caller:
    """Answers each question with the next of `keys`; "" is silence, "!" hangs up. `early` presses while it is said."""

    def __init__(self, keys: Sequence[str], number: str = "0612345678", *, withheld: bool = False, early: bool = False):
        self.keys, self.early = list(keys), early
        self.caller_number, self.withheld = number, withheld
        self.heard: list[str] = []

    def _press(self) -> str:
        key = self.keys.pop(0) if self.keys else ""
        if key == "!":
            raise CallerHungUp
        return key

    async def play(self, prompt: str, escape_digits: str = "") -> str:
        self.heard.append(prompt.removeprefix("kcc/"))
        return self._press() if self.early and escape_digits else ""

    async def say_digits(self, digits: str) -> str:
        self.heard.append(digits)
        return self._press() if self.early else ""

    async def get_digit(self, prompts: Sequence[str], timeout_ms: int) -> str:
        assert not prompts
        return self._press()

    async def get_digits(self, prompt: str, timeout_ms: int, digits_max: int) -> str:
        self.heard.append(prompt.removeprefix("kcc/"))
        return self._press()


async def asked(caller: Caller, *windows: Window) -> Choice | None:
    return await choose(caller, ("+31",), windows)  # type: ignore[arg-type]


async def test_the_number_shown_as_soon_as_it_is_their_turn() -> None:
    caller = Caller("11")
    assert await asked(caller, TODAY, MONDAY) == Choice()
    assert caller.heard == [*SHOWN, *WHEN]


async def test_another_number_at_a_moment_of_their_choice() -> None:
    caller = Caller(["2", "0201234567", "1", "3"])
    assert await asked(caller, TODAY, MONDAY) == Choice("+31201234567", MONDAY)
    assert caller.heard == [*SHOWN, "callback-enter", *ENTERED, *WHEN]


async def test_keys_in_advance() -> None:
    caller = Caller("12", early=True)
    assert await asked(caller, TODAY) == Choice("", TODAY)
    assert caller.heard == ["callback-number", "callback-now"]


@pytest.mark.parametrize(
    ("number", "withheld"),
    [("", False), ("anonymous", False), ("0612345678", True), ("09001234", False), ("+4915112345678", False)],
)
async def test_a_number_that_is_withheld_or_cannot_be_called_is_not_said_and_another_is_asked(
    number: str, withheld: bool
) -> None:
    caller = Caller(["0201234567", "1"], number, withheld=withheld)
    assert await asked(caller) == Choice("+31201234567")
    assert caller.heard == ["callback-enter", *ENTERED]


async def test_what_is_no_number_or_not_right_is_asked_again() -> None:
    caller = Caller(["112", "0201234567", "2", "0612340000", "1"], "")
    assert await asked(caller) == Choice("+31612340000")
    assert caller.heard[:2] == ["callback-enter", "callback-wrong-number"]


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["9", "*", "0"],
        ["2"],
        ["2", "112", "", "09001234"],
        ["2", "0201234567", "2", "0201234567", "2", "0201234567", "2"],
        ["2", "0201234567"],
        ["1"],
        ["1", "9", "9", "9"],
    ],
)
async def test_no_answer_and_wrong_answers_are_no_choice(keys: list[str]) -> None:
    caller = Caller(keys)
    assert await asked(caller, TODAY) is None
    assert max(caller.heard.count(prompt) for prompt in caller.heard) <= TRIES


async def test_who_leaves_leaves_all_as_it_was() -> None:
    for keys in ("!", "1!", "2!", ["2", "0201234567", "!"]):
        with pytest.raises(CallerHungUp):
            await asked(Caller(keys), TODAY)


async def test_five_choices_at_most() -> None:
    caller = Caller(["1", "6", "7", "5"])
    many = tuple(Window("p", n, 0, n, n + 1) for n in range(9))
    assert await asked(caller, *many) == Choice("", many[3])


def test_numbers_are_said_as_they_are_dialled_from_here() -> None:
    assert spoken("+31201234567") == "0201234567"
    assert spoken("+4915112345678") == "004915112345678"
