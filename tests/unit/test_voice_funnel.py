"""Whose number was called, in whatever form it comes; and what a caller is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from router.channels.voice.funnel import ROUNDS_MAX, Funnel, Wish, entry_point
from router.nouns import Municipality
from router.nouns_telephone import Telephone

DUINRAND = Municipality("duinrand", "Duinrand", ("14020", "140299", "0201234567"), {"nl": "Hallo"}, {})
MENU = (("1", "afval"), ("21", "wmo"), ("22", "jeugd"))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (("14020",), "14020"),
        (("014020",), "14020"),
        (("+3114020",), "14020"),
        (("003114020",), "14020"),
        (("0201234567",), "0201234567"),
        (("31201234567",), "0201234567"),
        (("", "140299", "0201234567"), "140299"),
        (("999", "0201234567"), "0201234567"),
        (("14021", "112", ""), ""),
        (("",), ""),
    ],
)
def test_a_number_is_known_in_every_form(numbers: tuple[str, ...], expected: str) -> None:
    assert entry_point(numbers, dict.fromkeys(DUINRAND.entry_points, DUINRAND)) == expected


class Keys:
    """A caller who presses these keys, one for each question; "" is silence."""

    def __init__(self, keys: str | Sequence[str]) -> None:
        self.keys: Iterator[str] = iter(keys)
        self.said: list[list[str]] = []
        self.languages: list[str] = []

    async def get_digit(self, prompts: Sequence[str], timeout_ms: int, valid: str) -> str:
        self.said.append([prompt.removeprefix("kcc/") for prompt in prompts])
        return next(self.keys, "")

    async def play(self, prompt: str) -> str:
        self.said.append([prompt.removeprefix("kcc/")])
        return ""

    async def set_variable(self, name: str, value: str) -> None:
        assert name == "CHANNEL(language)"
        self.languages.append(value)


async def asked(
    keys: str | Sequence[str], menu: tuple[tuple[str, str], ...] = MENU, languages: dict[str, str] | None = None
) -> tuple[Wish, Keys]:
    wish, caller = Wish(), Keys(keys)
    municipality = Municipality("duinrand", "", (), {"nl": "Hallo"}, {}, telephone=Telephone(languages or {}))
    await Funnel(municipality, menu, wish).ask(caller)  # type: ignore[arg-type]
    return wish, caller


async def test_a_key_leads_to_a_topic_or_to_the_menu_below_it() -> None:
    assert (await asked("1"))[0].hints == ("menu:1", "topic:afval")
    wish, caller = await asked("22")
    assert wish.hints == ("menu:22", "topic:jeugd")
    assert caller.said == [["welcome-duinrand", "menu-duinrand"], ["menu-duinrand-2"]]


@pytest.mark.parametrize("keys", ["0", "20", "777", "999", "2777", ["", "", ""], "", "*" * 50, "7*7*7"])
async def test_zero_silence_and_wrong_keys_end_the_questions(keys: str | Sequence[str]) -> None:
    wish, caller = await asked(keys)
    assert wish.hints == ()
    assert len(caller.said) <= ROUNDS_MAX


async def test_another_language_is_chosen_once_and_the_menu_said_in_it() -> None:
    wish, caller = await asked("91", languages={"9": "en"})
    assert (wish.language, wish.hints, caller.languages) == ("en", ("menu:1", "topic:afval"), ["en"])
    assert caller.said[0] == ["welcome-duinrand", "language-en", "menu-duinrand"]
    wish, caller = await asked("9", (), languages={"9": "en"})
    assert (wish.language, caller.said) == ("en", [["welcome-duinrand", "language-en"]])
    assert (await asked("29", languages={"9": "en"}))[0].language == "nl"  # below a menu it is a key like any other
