"""What a caller who wants to be called back is asked by keys: on which number, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from router.channels.voice.agi import ANY_DIGIT, AgiSession
from router.nouns_callbacks import Window
from router.telephone_numbers import dialable

TRIES = 3
"""So often each question is put to somebody who presses nothing, or what is not there."""
KEY_WAIT_MS = 5_000
NUMBER_DIGITS_MAX = 20
WINDOWS_MAX = 4
"""With "as soon as it is your turn" five choices: nobody remembers more."""
YES, OTHER = "1", "2"
HOME = "+31"


@dataclass(frozen=True, slots=True)
class Choice:
    """How a caller wants to be called back."""

    number: str = ""
    """E.164; empty = the one that was shown."""
    window: Window | None = None
    """None = as soon as it is their turn."""


async def choose(session: AgiSession, prefixes: tuple[str, ...], windows: tuple[Window, ...]) -> Choice | None:
    """Ask; None when no choice came of it. Keys may be pressed in advance. Raises AgiFault.

    `prefixes` are those of numbers that may be dialled. A number that was withheld is not said, nor used.
    """
    shown = "" if session.withheld else dialable(session.caller_number, prefixes)
    number = ""
    if shown:
        key = await _key(session, YES + OTHER, "kcc/callback-number", spoken(shown), "kcc/callback-number-choice")
        if not key:
            return None
    if not shown or key == OTHER:
        number = await _another(session, prefixes)
        if not number:
            return None
    offered = windows[:WINDOWS_MAX]
    if not offered:
        return Choice(number)
    keys = "123456789"[: 1 + len(offered)]
    key = await _key(
        session, keys, "kcc/callback-now", *(prompt for n, one in enumerate(offered, 2) for prompt in _said(n, one))
    )
    return Choice(number, None if key == keys[0] else offered[int(key) - 2]) if key else None


async def _another(session: AgiSession, prefixes: tuple[str, ...]) -> str:
    """Another number, entered and read back; "" when that did not succeed."""
    for _ in range(TRIES):
        number = dialable(await session.get_digits("kcc/callback-enter", KEY_WAIT_MS, NUMBER_DIGITS_MAX), prefixes)
        if not number:
            await session.play("kcc/callback-wrong-number")
            continue
        key = await _key(session, YES + OTHER, "kcc/callback-entered", spoken(number), "kcc/callback-right")
        if key != OTHER:
            return number if key else ""
    return ""


def spoken(number: str) -> str:
    """The digits of an E.164 number as they are dialled from here."""
    return f"0{number.removeprefix(HOME)}" if number.startswith(HOME) else f"00{number.removeprefix('+')}"


def _said(key: int, window: Window) -> Iterator[str]:
    days = {0: "today", 1: "tomorrow"}
    yield "kcc/callback-at"
    yield f"kcc/day-{days.get(window.days_ahead, window.weekday)}"
    yield f"kcc/part-{window.part}"
    yield "kcc/press"
    yield f"digits/{key}"


async def _key(session: AgiSession, valid: str, *said: str) -> str:
    """One of these keys, pressed while or after this is said, or ""; what consists of digits is said digit by digit."""
    wrong: tuple[str, ...] = ()
    for _ in range(TRIES):
        key = await _pressed(session, wrong + said)
        if key and key in valid:
            return key
        wrong = ("kcc/menu-wrong",) if key else ()
    return ""


async def _pressed(session: AgiSession, said: tuple[str, ...]) -> str:
    for what in said:
        key = await (session.say_digits(what) if what.isdecimal() else session.play(what, ANY_DIGIT))
        if key:
            return key
    return await session.get_digit((), KEY_WAIT_MS)
