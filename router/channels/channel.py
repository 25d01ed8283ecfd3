"""What every channel is to the rest: it starts (with its census), carries orders out, and stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from router.nouns import Centre, Standing
from router.nouns_callbacks import Window
from router.port import CentrePort, Order
from router.vault.interface import Vault


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel is given to work with."""

    port: CentrePort
    vault: Vault
    centre: Centre
    hints_of: Callable[[str], tuple[str, ...]]
    """Free text -> `keyword:…` hints for classification; the text itself never leaves the channel."""
    queue_of: Callable[[tuple[str, ...]], str]
    """Hints -> the queue that they lead to."""
    is_open: Callable[[str, str], bool]
    """(municipality, channel) -> whether it takes people in now."""
    opens_at: Callable[[str, str], int | None]
    """(municipality, channel) -> when it opens next, in UTC ms; None when that is not to be foreseen."""
    calamity: Callable[[str], dict[str, str]]
    """Municipality -> the announcement that is on, per language; empty = there is none."""
    standing: Callable[[str, int], Awaitable[Standing | None]]
    """(call, number of a fact that it must know of) -> where it stands; None when it does not wait."""
    windows: Callable[[str], tuple[Window, ...]]
    """Municipality -> when its citizens may choose to be called back, soonest first."""
    now: Callable[[], int]
    """UTC milliseconds."""
    personal: Callable[[str], tuple[str, str]]
    """Contact -> who it is from and its card, as references into the vault; "" for what it does not have."""
    hurry: Callable[[], Callable[[], None]]
    """Called when somebody comes in who waits on the line: screens let them pass until what it gives is called."""


def written_hints(around: Surroundings, subject: str, text: str = "") -> tuple[str, ...]:
    """What a subject and a text say: `subject:…` for the keywords in the subject, `keyword:…` for those in either."""
    subjects = (hint.replace("keyword:", "subject:", 1) for hint in around.hints_of(subject))
    return (*subjects, *around.hints_of(f"{subject}\n{text}"))


class Channel(Protocol):
    """A channel's adapter. Whatever goes wrong inside it is logged and healed by itself; it never ends the server."""

    name: str

    async def start(self) -> None:
        """Report the census (if the channel has one), then begin to take contacts in. Returns when it runs."""
        ...

    async def perform(self, order: Order) -> None:
        """Carry one effect out and report how it ended as a command. Orders of one contact come in order."""
        ...

    async def stop(self) -> None:
        """Take nothing in any more, finish what is under way within a few seconds, close."""
        ...
