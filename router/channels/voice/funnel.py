"""What a caller is asked before the queue: in which language, and what it is about. Silence leads to a human too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from router.channels.voice.agi import ANY_DIGIT, AgiSession
from router.nouns import LANGUAGES, Municipality

TRIES = 3
"""So often a menu is said to somebody who presses nothing, or what is not there."""
ROUNDS_MAX = 12
"""Menus said in one call, whatever is pressed."""
MENU_WAIT_MS = 5_000
LANGUAGE_WAIT_MS = 2_000
OPERATOR = "0"
AGAIN = "*"


@dataclass(slots=True)
class Wish:
    """What the caller has told so far."""

    language: str = LANGUAGES[0]
    hints: tuple[str, ...] = ()


class Funnel:
    """The greeting, the keys for another language, and the menus of one municipality.

    Keys may be pressed in advance: they stop what is being said and count for what comes next.
    """

    def __init__(self, municipality: Municipality, choices: tuple[tuple[str, str], ...], wish: Wish) -> None:
        """`choices` are (keys, topic); what is told goes into `wish` at once, for a caller who is taken away."""
        self._municipality, self._topics, self._wish = municipality, dict(choices), wish
        self._keys = municipality.telephone.language_keys

    async def ask(self, session: AgiSession) -> None:
        """Raises AgiFault when the caller leaves or is taken away meanwhile."""
        said = greeting(self._municipality) + self._other_languages()
        if not self._topics:
            await self._ask_language(session, said)
            return
        pressed, tries = "", TRIES
        for _ in range(ROUNDS_MAX):
            key = await session.get_digit([*said, self._menu(pressed)], MENU_WAIT_MS, ANY_DIGIT)
            said = []
            if key == OPERATOR:
                return
            if key == AGAIN:
                continue
            if not pressed and key in self._keys:
                await self._speak(session, self._keys[key])
            elif key and pressed + key in self._topics:
                pressed += key
                self._wish.hints = (f"menu:{pressed}", f"topic:{self._topics[pressed]}")
                return
            elif key and any(keys.startswith(pressed + key) for keys in self._topics):
                pressed += key
            else:
                tries -= 1
                said = ["kcc/menu-wrong"] if key else []
                if not tries:
                    return

    async def _ask_language(self, session: AgiSession, said: list[str]) -> None:
        """Without a menu: who wants another language says so by a key, everybody else goes on."""
        if not self._keys:
            for prompt in said:
                await session.play(prompt)
            return
        key = await session.get_digit(said, LANGUAGE_WAIT_MS, ANY_DIGIT)
        if key in self._keys:
            await self._speak(session, self._keys[key])

    async def _speak(self, session: AgiSession, language: str) -> None:
        await session.set_variable("CHANNEL(language)", language)
        self._wish.language = language

    def _other_languages(self) -> list[str]:
        return [f"kcc/language-{language}" for language in self._keys.values() if language != self._wish.language]

    def _menu(self, pressed: str) -> str:
        return f"kcc/menu-{self._municipality.id}" + (f"-{pressed}" if pressed else "")


def greeting(municipality: Municipality) -> list[str]:
    """The prompt that greets in its name; nothing for one that has no greeting."""
    return [f"kcc/welcome-{municipality.id}"] if municipality.greeting else []


def entry_point(numbers: tuple[str, ...], known: Mapping[str, Municipality]) -> str:
    """The first of the numbers that is somebody's, in whatever form it comes: 14020, 014020, +3114020, 003114020; a
    landing number 0201234567, 31201234567. "" when none is."""
    for number in numbers:
        digits = re.sub(r"\D", "", number)
        national = re.sub(r"^(00)?31", "0", digits)
        for form in (digits, national, national.removeprefix("0")):
            if form in known:
                return form
    return ""
