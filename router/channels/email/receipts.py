"""The automatic receipt: its words in Dutch and English, and how many one sender gets."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable

PER_HOUR = 3
HOUR_MS = 3_600_000
SENDERS_MAX = 10_000

_SUBJECTS = {"nl": "Wij hebben uw e-mail ontvangen", "en": "We have received your e-mail"}
# A line is a paragraph: mail programs break it where the screen ends.
_TEXTS = {
    "nl": """\
Geachte heer, mevrouw,

Wij hebben uw e-mail ontvangen. Een medewerker van de gemeente {name} leest uw bericht en beantwoordt het \
per e-mail.

U hoeft nu niets te doen. Wilt u iets toevoegen? Beantwoord dan deze e-mail. Uw aanvulling komt dan bij uw \
eerste bericht.

Met vriendelijke groet,
Gemeente {name}

Dit bericht is automatisch verstuurd.
""",
    "en": """\
Dear Sir or Madam,

We have received your e-mail. A member of staff of the municipality of {name} will read your message and \
answer it by e-mail.

There is nothing you need to do now. Would you like to add something? Please reply to this e-mail. Your \
addition will then be kept with your first message.

Kind regards,
Municipality of {name}

This message was sent automatically.
""",
}


def bare_name(municipality_name: str) -> str:
    """`Waterland`, also when the configuration says `Gemeente Waterland`."""
    first, _, rest = municipality_name.partition(" ")
    return rest.strip() if first.lower() == "gemeente" and rest.strip() else municipality_name


def receipt_text(language: str, municipality_name: str) -> str:
    """The whole receipt, plain text."""
    return _TEXTS.get(language, _TEXTS["nl"]).format(name=bare_name(municipality_name))


def receipt_subject(language: str, subject: str) -> str:
    """`Wij hebben uw e-mail ontvangen: …`"""
    words = _SUBJECTS.get(language, _SUBJECTS["nl"])
    return f"{words}: {subject}" if subject else words


class Allowance:
    """At most so many receipts per sender in any hour: two robots that answer each other stop here at the latest."""

    def __init__(self, now: Callable[[], int], *, per_hour: int = PER_HOUR) -> None:
        self._now = now
        self._per_hour = per_hour
        self._salt = secrets.token_bytes(16)
        self._sent: OrderedDict[bytes, list[int]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether one more may go to this address now; if so it is counted."""
        sender = hashlib.blake2b(address.lower().encode(), key=self._salt, digest_size=16).digest()
        since = self._now() - HOUR_MS
        recent = [at for at in self._sent.pop(sender, []) if at > since]
        allowed = len(recent) < self._per_hour
        if allowed:
            recent.append(self._now())
        self._sent[sender] = recent
        while len(self._sent) > SENDERS_MAX:
            self._sent.popitem(last=False)
        return allowed
