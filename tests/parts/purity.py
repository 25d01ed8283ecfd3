"""Looks for what no log may hold: telephone numbers. Every log that a test makes the servers write goes by here."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<![\w./-])(?<!\d:)(?:(?:\+|00)31[ -]?\(?0?\)?|0)[1-9](?:[ -]?\d){8}(?![\w.-])")
"""A Dutch number as people, carriers and phones write it; not part of a longer word, time, date or address."""
SHOWN = 40


def numbers_in(text: str) -> list[str]:
    """What stands around each telephone number; the number itself is not repeated."""
    found = []
    for match in NUMBER.finditer(text):
        before, after = text[max(0, match.start() - SHOWN) : match.start()], text[match.end() : match.end() + SHOWN]
        found.append(f"{before}[{len(match[0])} characters]{after}")
    return found


def no_numbers(where: str, text: str) -> None:
    """Raises AssertionError when a log holds a telephone number."""
    found = numbers_in(text)
    assert not found, f"{where} holds {len(found)} telephone numbers, the first in: {found[0]}"
