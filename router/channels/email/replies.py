"""A reply or receipt as the bytes that go out: threaded, with a Message-ID that is the same at every attempt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

_SENDABLE = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_SAFE_ID = re.compile(r"^<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~:@\"-]{1,250}>\Z")
_ANSWER = re.compile(r"^(?:(?:re|antw|aw|sv|fwd?|doorst)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
REFERENCES_MAX = 10
ANSWERED = {
    "nl": "Is uw vraag hiermee beantwoord? Laat het ons weten:",
    "en": "Does this answer your question? Please let us know:",
}
"""What a link stands under, per language."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be sent."""

    message_id: str
    from_name: str
    from_address: str
    to_address: str
    subject: str
    """Of the mail that is answered, or of a new one."""
    text: str
    in_reply_to: str = ""
    """Message-ID of the mail that is answered, as it was given."""
    references: tuple[str, ...] = ()
    """Its own references."""
    automatic: bool = False
    """A receipt: marked so that no other machine answers it (RFC 3834)."""
    documents: tuple[tuple[str, str, bytes], ...] = ()
    """(name, media type, content)"""


def sendable(address: str) -> bool:
    """Whether the address is one that can stand on a command line of SMTP as it is."""
    return bool(_SENDABLE.match(address))


def _one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def answer_subject(subject: str) -> str:
    """`Re: …`, once."""
    bare = _ANSWER.sub("", _one_line(subject)).strip()[:300]
    return f"Re: {bare}" if bare else "Re:"


def build(reply: Reply, at: int) -> bytes:
    """The message as bytes with CRLF; `at` is UTC ms. Raises ValueError when an address cannot be used."""
    if not sendable(reply.to_address) or not sendable(reply.from_address) or not _SAFE_ID.match(reply.message_id):
        raise ValueError("an address or Message-ID that cannot be sent")
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(_one_line(reply.from_name), addr_spec=reply.from_address)
    message["Subject"] = _one_line(reply.subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(at // 1000, UTC))
    if reply.automatic:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
    message.set_content(reply.text.replace("\r\n", "\n").rstrip("\n") + "\n", charset="utf-8", cte="quoted-printable")
    for name, kind, content in reply.documents:
        main, _, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=_one_line(name))
    # Written out by hand: the library folds a long message id into an encoded word, which breaks the thread. All of
    # it was matched against a strict expression above or here.
    known = [given for given in (*reply.references[-REFERENCES_MAX:], reply.in_reply_to) if _SAFE_ID.match(given)]
    lines = [f"Message-ID: {reply.message_id}", f"To: {reply.to_address}"]
    if _SAFE_ID.match(reply.in_reply_to):
        lines.append(f"In-Reply-To: {reply.in_reply_to}")
    if known:
        lines.append("References: " + "\r\n ".join(dict.fromkeys(known)))
    return "\r\n".join(lines).encode("ascii") + b"\r\n" + message.as_bytes(policy=policy.SMTP)
