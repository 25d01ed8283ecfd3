"""Cards that come in: whose they are when nobody is known, and what begins to write them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache, partial

from router.errors import Unavailable
from router.vault.keys import reference
from router.vault.writer import Work, Writer

Given = tuple[str, str, str]
"""Municipality, number and address, in the form in which they are compared."""


class Incoming:
    """Contacts that come in at the same moment from one number or address are of one new citizen: what `enter` gives is
    the same for all until the last of them, written by then, leaves. Whoever looked before the first was written is
    still in then, and whoever enters later finds what was written.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._here: dict[Given, tuple[str, int]] = {}
        self._waiting: dict[str, Callable[[], asyncio.Future[None]]] = {}
        """Reference of a card that is not being written yet -> what begins that."""

    def enter(self, given: Given) -> str:
        """The reference that somebody gets if it turns out that nobody knows them."""
        new, others = self._here.get(given) or (reference("p"), 0)
        self._here[given] = new, others + 1
        return new

    def leave(self, given: Given) -> None:
        new, here = self._here.pop(given)
        if here > 1:
            self._here[given] = new, here - 1

    def wait(self, given: Given, ref: str, work: Work[None]) -> Callable[[], asyncio.Future[None]]:
        """Whoever entered leaves when this work, which writes the card, is done; gives what begins it, once."""
        keep = self._waiting[ref] = cache(partial(self._begin, given, ref, work))
        return keep

    def begin(self) -> None:
        """All that waits."""
        for keep in list(self._waiting.values()):
            keep()

    def _begin(self, given: Given, ref: str, work: Work[None]) -> asyncio.Future[None]:
        del self._waiting[ref]
        try:
            written = self._writer.submit(work)
        except Unavailable as error:
            written = asyncio.get_running_loop().create_future()
            written.set_exception(error)
        written.add_done_callback(lambda _: self.leave(given))
        kept = asyncio.shield(written)  # it is kept, also when whoever waits is cancelled
        kept.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, also when nobody waits
        return kept
