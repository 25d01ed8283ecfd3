"""Raw mail -> its inside: names, subject, text, cleaned HTML and attachments. Pure, and slow on hostile mail.

Runs in a process that can be killed (worker.py). `email.policy.compat32` with decoding of our own is used, because the
newer header parser raises and loops on far more input.
"""

from __future__ import annotations

import re
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath

import msgspec

from router.channels.email.cleaning import cleaned, text_of

PARTS_MAX = 200
DEPTH_MAX = 20
ATTACHMENTS_MAX = 100
SUBJECT_CHARACTERS_MAX = 300
NAME_CHARACTERS_MAX = 120
TEXT_CHARACTERS_MAX = 200_000

# What the parser has been seen to raise on odd but harmless headers: `name*`, unknown charsets, bad numbers.
_ODD = (IndexError, LookupError, ValueError, TypeError, AttributeError, HeaderParseError)
_MEDIA_TYPE = re.compile(r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WORD = re.compile(r"[a-zàáâäèéêëïíóôöùúûüç']+")
_DUTCH = frozenset(
    {
        "de",
        "het",
        "een",
        "en",
        "ik",
        "is",
        "niet",
        "van",
        "te",
        "dat",
        "voor",
        "mijn",
        "u",
        "uw",
        "wij",
        "op",
        "met",
        "graag",
        "geachte",
        "kan",
        "wordt",
        "naar",
        "heb",
    }
)
_ENGLISH = frozenset(
    {
        "the",
        "a",
        "and",
        "i",
        "is",
        "not",
        "of",
        "to",
        "that",
        "for",
        "my",
        "you",
        "your",
        "we",
        "on",
        "with",
        "dear",
        "please",
        "can",
        "would",
        "have",
        "this",
    }
)


class Unreadable(Exception):
    """This mail cannot be taken apart; `code` says why: too_many_parts, too_deep."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Document(msgspec.Struct, frozen=True):
    """An attachment, decoded."""

    name: str
    type: str
    content: bytes


class Inside(msgspec.Struct, frozen=True):
    """What is in a mail. `html` is cleaned."""

    name: str
    """The sender's name, "" when none was given."""
    subject: str
    text: str
    html: str
    language: str
    """nl or en, by the words used; nl when in doubt."""
    documents: tuple[Document, ...]


def decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text, in the charset named or else in one that fits; never raises."""
    for candidate in (charset, "utf-8"):
        if candidate:
            try:
                return content.decode(candidate, "strict" if candidate == "utf-8" else "replace")
            except _ODD:
                continue
    return content.decode("cp1252", "replace")


def one_line(text: str, characters_max: int) -> str:
    """Without control characters and doubled blanks, at most so long."""
    return " ".join(_CONTROL.sub(" ", text).split())[:characters_max].strip()


def many_lines(text: str, characters_max: int) -> str:
    """Without control characters, line ends made equal, at most so long."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:characters_max].strip()


def header_text(value: str) -> str:
    """The text of a header: encoded words decoded, raw bytes read as UTF-8 or Windows-1252."""
    plain = decoded(value.encode("utf-8", "surrogateescape"), None)
    if "=?" not in plain:
        return plain
    try:
        pieces = decode_header(plain)
    except _ODD:
        return plain
    texts = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            texts.append(piece)
        elif charset is None:
            texts.append(piece.decode("raw-unicode-escape", "replace"))
        else:
            texts.append(decoded(piece, charset))
    return "".join(texts)


def language_of(text: str) -> str:
    """nl, or en when the words are clearly English."""
    words = _WORD.findall(text[:20_000].lower())[:400]
    dutch = sum(word in _DUTCH for word in words)
    english = sum(word in _ENGLISH for word in words)
    return "en" if english >= 3 and english > 2 * dutch else "nl"


def _headers(message: Message) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, value in message.raw_items():
        first.setdefault(name.lower(), str(value))
    return first


def _display_name(value: str) -> str:
    before, angle, _ = header_text(value).partition("<")
    name = one_line(before.strip().strip("\"'"), NAME_CHARACTERS_MAX)
    return "" if not angle or "@" in name else name


def _media_type(part: Message) -> str:
    try:
        given = part.get_content_type()
    except _ODD:
        return "application/octet-stream"
    return given if _MEDIA_TYPE.match(given) else "application/octet-stream"


def _file_name(part: Message, number: int) -> str:
    try:
        given = header_text(part.get_filename() or "")
    except _ODD:
        given = ""
    name = PurePosixPath(one_line(given, 400).replace("\\", "/")).name[-120:]
    return name if name.strip(". ") else f"bijlage-{number}"


def _is_attachment(part: Message) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or bool(part.get_filename())
    except _ODD:
        return True


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _content(part: Message) -> bytes:
    """The decoded bytes of a leaf, or of an attached message as a whole."""
    try:
        if part.is_multipart():
            return b"\n".join(inner.as_bytes(policy=policy.compat32) for inner in _inner(part))
        content = part.get_payload(decode=True)
    except _ODD:
        content = str(part.get_payload()).encode("utf-8", "replace")
    return content if isinstance(content, bytes) else b""


def _leaves(message: Message) -> list[Message]:
    """All parts that hold content, in order; an attached message counts as one. Raises Unreadable beyond the limits."""
    leaves: list[Message] = []
    seen = 0
    waiting: list[tuple[Message, int]] = [(message, 1)]
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > PARTS_MAX:
            raise Unreadable("too_many_parts")
        if depth > DEPTH_MAX:
            raise Unreadable("too_deep")
        if part.is_multipart() and part.get_content_maintype() != "message":
            waiting.extend((inner, depth + 1) for inner in reversed(_inner(part)))
        else:
            leaves.append(part)
    return leaves


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except _ODD:
        return None


def parse(raw: bytes) -> Inside:
    """Take a mail apart. Raises Unreadable, or whatever the parser makes of hostile input."""
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    headers = _headers(message)
    texts: list[str] = []
    pages: list[str] = []
    documents: list[Document] = []
    for part in _leaves(message):
        kind = _media_type(part)
        if kind in ("text/plain", "text/html") and not _is_attachment(part):
            (texts if kind == "text/plain" else pages).append(decoded(_content(part), _charset(part)))
            continue
        content = _content(part)
        if content and len(documents) < ATTACHMENTS_MAX:
            documents.append(Document(_file_name(part, len(documents) + 1), kind, content))
    page = "\n".join(pages)
    text = many_lines("\n\n".join(texts), TEXT_CHARACTERS_MAX) or many_lines(text_of(page), TEXT_CHARACTERS_MAX)
    subject = one_line(header_text(headers.get("subject", "")), SUBJECT_CHARACTERS_MAX)
    return Inside(
        name=_display_name(headers.get("from", "")),
        subject=subject,
        text=text,
        html=_CONTROL.sub("", cleaned(page)) if page else "",
        language=language_of(f"{subject}\n{text}"),
        documents=tuple(documents),
    )
