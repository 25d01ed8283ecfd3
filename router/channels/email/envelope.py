"""What may be read of a raw mail inside the server itself: who, to whom, which thread; linear time, whatever is sent.

The full parser runs in a process of its own (parsing.py), because it can be made to take minutes. What decides the
*fate* of a mail (its key, municipality, thread, robot or not) must not depend on whether that parser succeeded,
or a second try after a crash could come to another contact. So it is found here, from the header block alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

RAW_BYTES_MAX = 25 * 1024 * 1024
HEADERS_BYTES_MAX = 256 * 1024
HEADER_LINE_BYTES_MAX = 16 * 1024
TRUNCATED = b"X-KCC-Truncated: "
"""How the mailbox begins a mail of which it kept only the beginning, because the whole is beyond the limit."""
VALUES_MAX = 200
"""How many values of one header are looked at."""

# Bounded repetition keeps these linear on hostile input.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_IN_ANGLES = re.compile(r"<\s{0,8}([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253})\s{0,8}>")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_NOBODY = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|bounces?([+-].*)?)\Z")
_NO_REPLY = re.compile(
    r"^(.*[-_.+])?(no|do[-_.]?not|niet|geen)[-_.]?(reply|antwoord|beantwoorden|antwoorden)([-_.+].*)?$"
)

_RECIPIENT_HEADERS = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "resent-to",
    "to",
    "cc",
)
"""Nearest to the delivery first: what the mail server wrote says more than what the sender typed."""

REPLY, GENERATED, LIST, BOUNCE, SUPPRESSED = "reply", "generated", "list", "bounce", "suppressed"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of a mail. Addresses are in lower case."""

    sender: str
    """The address in From, or "" when there is none that can be used."""
    answer_to: str
    """Where an answer goes: Reply-To, else From."""
    message_id: str
    """As given, with its angle brackets when it has them; "" when absent."""
    references: tuple[str, ...]
    """All message ids in In-Reply-To and References."""
    recipients: tuple[str, ...]
    """Every address it was delivered or sent to, the surest first."""
    automatic: str
    """"" (a person), reply, generated, list, bounce, or suppressed (a person who wants no automatic answers)."""
    body_sha256: str
    raw_sha256: str
    excess: str
    """Which limit it breaks: too_large, long_headers, long_header_line; "" when none."""


def _header_end(raw: bytes) -> tuple[int, int]:
    """Where the header block ends and where the body begins."""
    # A header block that goes on for longer is beyond the limit anyhow; the blank line is looked for a little further
    # so that the body's hash does not change with it.
    candidates = [(at, at + len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark)) >= 0]
    return min(candidates, default=(len(raw), len(raw)))


def _headers(block: bytes) -> dict[str, list[str]]:
    """Name in lower case -> unfolded values, in order."""
    fields: list[tuple[str, list[str]]] = []
    for line in block.decode("latin-1").split("\n"):
        text = line.rstrip("\r")
        if text[:1] in (" ", "\t"):
            if fields:
                fields[-1][1].append(text.strip())
            continue
        name, colon, value = text.partition(":")
        if colon:
            fields.append((name.strip().lower(), [value.strip()]))
    found: dict[str, list[str]] = {}
    for name, pieces in fields:
        values = found.setdefault(name, [])
        if len(values) < VALUES_MAX:
            values.append(" ".join(pieces))
    return found


def _addresses(values: Iterable[str]) -> list[str]:
    return [found.lower().rstrip(".") for value in values for found in _ADDRESS.findall(value)]


def _one_address(values: list[str]) -> str:
    """The address of the first value; one in angle brackets wins from what looks like one in the name."""
    if not values:
        return ""
    found = _IN_ANGLES.search(values[0]) or _ADDRESS.search(values[0])
    return found[found.lastindex or 0].lower().rstrip(".") if found else ""


def _first(headers: Mapping[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0].strip()


def _automatic(headers: Mapping[str, list[str]], sender: str) -> str:
    """What kind of sender this is, by RFC 3834 and what mail programs really send."""
    local = sender.partition("@")[0]
    submitted = _first(headers, "auto-submitted").partition(";")[0].strip().lower()
    precedence = _first(headers, "precedence").lower()
    content = _first(headers, "content-type").lower().replace(" ", "")
    empty_path = "return-path" in headers and _first(headers, "return-path").replace(" ", "") in ("", "<>")
    report = content.startswith("multipart/report") and "delivery-status" in content
    if report or "x-failed-recipients" in headers or _NOBODY.match(local):
        return BOUNCE
    if submitted.startswith(("auto-replied", "auto-notified")) or precedence == "auto_reply":
        return REPLY
    if any(name in headers for name in ("x-autoreply", "x-autorespond", "x-autoreply-from")):
        return REPLY
    if precedence in ("list", "bulk", "junk") or any(name.startswith("list-") for name in headers):
        return LIST
    if submitted not in ("", "no") or _NO_REPLY.match(local) or not sender:
        return GENERATED
    # An empty return path alone says that nothing may be sent back (RFC 3834, section 2).
    if empty_path or _first(headers, "x-auto-response-suppress").lower() not in ("", "none"):
        return SUPPRESSED
    return ""


def _excess(raw: bytes, end: int) -> str:
    if len(raw) > RAW_BYTES_MAX or raw.startswith(TRUNCATED):
        return "too_large"
    if end > HEADERS_BYTES_MAX:
        return "long_headers"
    longest = max((len(line) for line in raw[:end].split(b"\n")), default=0)
    return "long_header_line" if longest > HEADER_LINE_BYTES_MAX else ""


def read_envelope(raw: bytes) -> Envelope:
    """The outside of a raw mail; never raises. Hashing 25 MB takes tens of milliseconds: call it in a thread."""
    end, begin = _header_end(raw)
    headers = _headers(raw[: min(end, HEADERS_BYTES_MAX)])
    sender = _one_address(headers.get("from", [])) or _one_address(headers.get("sender", []))
    given_id = _first(headers, "message-id")
    found_id = _MESSAGE_ID.search(given_id)
    threads = " ".join([*headers.get("in-reply-to", []), *headers.get("references", [])])
    recipients = dict.fromkeys(a for name in _RECIPIENT_HEADERS for a in _addresses(headers.get(name, [])))
    return Envelope(
        sender=sender,
        answer_to=_one_address(headers.get("reply-to", [])) or sender,
        message_id=found_id[0] if found_id else given_id[:998],
        references=tuple(dict.fromkeys(_MESSAGE_ID.findall(threads))),
        recipients=tuple(recipients),
        automatic=_automatic(headers, sender),
        body_sha256=hashlib.sha256(memoryview(raw)[begin:]).hexdigest(),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        excess=_excess(raw, end),
    )


def municipality_of(envelope: Envelope, addresses: Mapping[str, str], default: str) -> tuple[str, str]:
    """(municipality, the public address it was sent to), by the first recipient that is an address of ours."""
    for address in envelope.recipients:
        if address in addresses:
            return addresses[address], address
    return default, ""


def source_key(envelope: Envelope, municipality: str) -> str:
    """What makes two deliveries the same mail.

    Not mailbox + UID: a UID is worth nothing after a UIDVALIDITY change, a restored backup, a move to another server or
    a second copy through an alias, and the same mail would become two contacts. A Message-ID alone is the sender's
    to choose, so a careless or hostile one must not swallow another's mail: sender and body count too. The headers
    do not, since every delivery adds its own. The municipality does: one mail to two municipalities is two contacts.
    """
    if envelope.message_id:
        parts = [municipality, envelope.message_id, envelope.sender, envelope.body_sha256]
    else:
        parts = [municipality, "", envelope.sender, envelope.raw_sha256]
    return "mail:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
