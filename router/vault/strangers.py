"""Who is new: contacts that come in at the same moment from one number or address are of one new citizen."""

from __future__ import annotations

from router.vault.keys import reference

Given = tuple[str, str, str]
"""Municipality, number and address, in the form in which they are compared."""


class Strangers:
    """The reference that somebody gets if it turns out that nobody knows them.

    It is the same for all who `enter` until the last of them, kept by then, `leave`s: whoever looked before the first
    was written is still in then, and whoever enters later finds what was written.
    """

    def __init__(self) -> None:
        self._here: dict[Given, tuple[str, int]] = {}

    def enter(self, given: Given) -> str:
        new, others = self._here.get(given) or (reference("p"), 0)
        self._here[given] = new, others + 1
        return new

    def leave(self, given: Given) -> None:
        new, here = self._here.pop(given)
        if here > 1:
            self._here[given] = new, here - 1
